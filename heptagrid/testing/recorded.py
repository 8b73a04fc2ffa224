"""What happened to messages while a test looked on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from heptagrid.foundation.errors import UsageError
from heptagrid.live.inventory import Inventory
from heptagrid.live.message_feed import WaveEvent
from heptagrid.planes.messages.tables import CAUSES

_FILTERS = ("event", "kind", "topic", "sender", "receiver", "device")


@dataclass(frozen=True)
class Told:
    """What happened to one message. event: sent, delivered, lost or refused. source, destination: in words, such as "operations" or "meters/3"; at_ns: when; delay_s: since it was sent; cause: why it was lost."""

    event: str
    kind: str
    topic: str
    source: str
    destination: str
    size_bytes: int
    at_ns: int
    delay_s: float
    cause: str = ""


class Recorded(Sequence[Told]):
    """Messages one by one, in the order in which things happened; filled by the engine's thread."""

    def __init__(self, inventory: Inventory, wanted: Mapping[str, str]) -> None:
        """Set up.

        Raises
        ------
        UsageError
            For a filter or a device that does not exist.
        """
        for name in wanted:
            if name not in _FILTERS:
                raise UsageError(f"there is no filter {name!r}; there are {', '.join(_FILTERS)}")
        self._inventory, self._wanted = inventory, dict(wanted)
        device = self._wanted.pop("device", None)
        self._endpoint = None if device is None else inventory.device(device).endpoint
        self._found: list[Told] = []

    def take(self, event: WaveEvent) -> None:
        """Keep what of an event is wanted."""
        of, name = event.wave.contract, self._inventory.endpoint_name
        facts = {
            "event": event.event,
            "kind": of.kind.name.lower(),
            "topic": of.topic,
            "sender": of.sender.name.lower(),
            "receiver": of.receiver.name.lower(),
        }
        if any(facts[key] != value for key, value in self._wanted.items()):
            return
        ends = (event.source.tolist(), event.destination.tolist(), event.at_ns.tolist(), event.delay_s.tolist())
        causes = ["" for _ in event.rows] if event.causes is None else [CAUSES[k] for k in event.causes.tolist()]
        for source, destination, at_ns, delay_s, cause in zip(*ends, causes, strict=True):
            if self._endpoint in (None, source, destination):
                told = (event.event, facts["kind"], of.topic, name(source), name(destination))
                self._found.append(Told(*told, event.wave.size_bytes, at_ns, delay_s, cause))

    @overload
    def __getitem__(self, which: int) -> Told: ...
    @overload
    def __getitem__(self, which: slice) -> Sequence[Told]: ...
    def __getitem__(self, which: int | slice) -> Told | Sequence[Told]:
        return self._found[which]

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Told]:
        return iter(list(self._found))

    def of(self, event: str) -> list[Told]:
        """Those that were sent, delivered, lost or refused."""
        return [one for one in self if one.event == event]

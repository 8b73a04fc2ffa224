"""One device: its data model, data sets, report control blocks and controls, with the values of the last solved state."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from heptagrid.live.inventory import Device
from heptagrid.live.protocols.mms.buffered import BufferedReport
from heptagrid.live.protocols.mms.controls import Controls
from heptagrid.live.protocols.mms.data import AccessError, Failure
from heptagrid.live.protocols.mms.devices import Model
from heptagrid.live.protocols.mms.nodes import Branch, found, names
from heptagrid.live.protocols.mms.reports import CHANGE, NODE, QUALITY_CHANGE, Report
from heptagrid.live.stations.points import Control

INVALID, NOT_TOPICAL = 1, 2
"""Bits of quality in the process image."""
_QUALITIES = {
    0: "0" * 13,
    NOT_TOPICAL: "11".ljust(7, "0") + "1" + "0" * 5,  # questionable, old data
    INVALID: "01".ljust(13, "0"),
}


class Client(Hashable, Protocol):
    """An association. largest_pdu: bytes of a PDU that it takes."""

    @property
    def largest_pdu(self) -> int: ...

    def inform(self, ied: Ied, pdu: bytes) -> None:
        """A device tells it something unasked."""

    def was_refused(self) -> None:
        """A device has refused it something."""


class Host(Protocol):
    """What a device needs of the grid around it."""

    def read(self, device: Device, point: str) -> tuple[float, int]:
        """A point's value, and bits of its quality."""

    def instant(self) -> int:
        """Of the values, in simulated ns; below 0 once the simulation has ended."""

    def now(self) -> float:
        """Of the monotonic clock, in seconds."""

    def order(self, device: Device, action: str, value: float, done: Callable[[bool], None]) -> None:
        """Have a command carried out."""

    def after_answer(self, work: Callable[[], object]) -> None:
        """Have something done once what is being answered has been."""

    def begin_to_listen(self, device: Device) -> None:
        """Somebody listens to a device from now on."""


@dataclass(frozen=True)
class Rules:
    """How devices behave. control_model: its number; select_s: for which a selection holds; buffer: entries that a buffered report control block keeps."""

    control_model: int = 1
    select_s: float = 30.0
    buffer: int = 200


class Ied:
    """One device. domain: the name of its logical device."""

    def __init__(
        self,
        device: Device,
        domain: str,
        model: Model,
        controls: Mapping[str, Control],
        host: Host,
        rules: Rules,
    ) -> None:
        self.device, self.domain, self._model, self._host, self._rules = device, domain, model, host, rules
        self.controls = Controls(self, controls, model.places, rules.control_model, rules.select_s)
        self._qualities: dict[str, int] = {}

    @property
    def root(self) -> Branch:
        return self._model.root

    @cached_property
    def reports(self) -> dict[str, Report]:
        """The report control blocks, by name."""
        model = self._model
        unbuffered = {name: Report(self, name, set) for name, set in model.blocks.items()}
        return unbuffered | {
            name: BufferedReport(self, name, set, self._rules.buffer) for name, set in model.buffered.items()
        }

    @cached_property
    def names(self) -> list[str]:
        """The names of all variables, in alphabetical order as the standard asks."""
        return sorted(names(self.root))

    @property
    def set_names(self) -> list[str]:
        """The names of all data sets, in alphabetical order."""
        return sorted(f"{NODE}${name}" for name in self._model.sets)

    def has_set(self, name: str) -> bool:
        return name in self._model.sets

    def members_of(self, name: str) -> Sequence[tuple[str, str]]:
        """The members of a data set: the name of each, and the point that it shows."""
        return self._model.sets.get(name, ())

    def value(self, point: str) -> float:
        return self._host.read(self.device, point)[0]

    def quality(self, point: str) -> str:
        """A point's quality, as its attribute has it."""
        bits = self._host.read(self.device, point)[1]
        return _QUALITIES[INVALID if bits & INVALID else bits]

    def instant(self) -> int:
        return self._host.instant()

    def now(self) -> float:
        return self._host.now()

    def encoded(self, item: str) -> bytes:
        """What has a name that exists, as data."""
        node = found(self.root, item)
        assert node is not None
        return node.encode(self)

    def order(self, action: str, value: float, done: Callable[[bool], None]) -> None:
        self._host.order(self.device, action, value, done)

    def set(self, action: str, value: float, client: Client) -> None:
        """A client writes a setting.

        Raises
        ------
        AccessError
            If it cannot be held.
        """
        if not self.controls.check(action, value):
            self.refused(client)
            raise AccessError(Failure.VALUE_INVALID)
        self.order(action, value, lambda is_done: None)

    def refused(self, client: Client) -> None:
        client.was_refused()

    def after_answer(self, work: Callable[[], object]) -> None:
        self._host.after_answer(work)

    def begin_to_listen(self) -> None:
        self._host.begin_to_listen(self.device)

    @property
    def is_listened_to(self) -> bool:
        """Whether a report control block takes note of what changes."""
        return any(one.is_watching for one in self.reports.values())

    def changed(self, points: Sequence[str], now: float) -> None:
        """Points have changed."""
        triggers: dict[str, int] = {}
        for point in points:
            quality = self._host.read(self.device, point)[1]
            triggers[point] = QUALITY_CHANGE if quality != self._qualities.get(point, 0) else CHANGE
            self._qualities[point] = quality
        for one in self.reports.values():
            one.changed(triggers, now)

    def tick(self, now: float) -> None:
        """Tell what is due."""
        for one in self.reports.values():
            one.tick(now)

    def left(self, client: Client) -> None:
        """An association has ended: its blocks are free, and what it had selected."""
        self.controls.left(client)
        for one in self.reports.values():
            if one.client is client:
                one.release()

"""Messages of outsiders on their way through the simulation: handed in from any thread, told when they arrive or are lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.transport import SortingTransport
from heptagrid.contracts.outside import Frame
from heptagrid.foundation.contract import Contract, Delivery, Wave
from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.transport import Listener

Ints = npt.NDArray[np.int64]


class LostError(HeptagridError):
    """A message of an outsider was lost on its way; whoever waits for it gets no answer."""


class RefusedError(HeptagridError):
    """A message of an outsider that policy does not allow."""


class Fate(NamedTuple):
    """What became of a message. id: of the simulation, -1 if it was refused. ns: when it arrived, or when it was known to be lost."""

    id: int
    ns: int
    arrived: bool
    was_refused: bool = False


Told = Callable[[Fate], None]


@dataclass(frozen=True)
class Outgoing:
    """A message of an outsider, or several that are one wave: `payload` as its contract says, source and destination (n,) endpoints.

    at_ns: when it leaves; None: as soon as it is taken. size_bytes: before the envelope; None: the contract's.
    """

    contract: Contract[Any]
    payload: Any
    source: Ints
    destination: Ints
    at_ns: int | None = None
    size_bytes: int | None = None


Ends = tuple[int, int, int]
"""Of a frame: its number, source and destination."""
_Alike = tuple[Contract[Frame], int]
"""The contract of a frame and its size."""


class _Frames(NamedTuple):
    """Frames that wait to leave as one wave."""

    ends: list[Ends]
    tolds: list[Told]


class Crossings(Listener):
    """Hands outsiders' messages to the transport and has their fates told; all but handing in is done by the simulation's own thread.

    post: takes what is to be called with a fate, to be done in the thread of those who handed in; they set it.
    """

    post: Callable[[Sequence[tuple[Told, tuple[Fate]]]], None]

    def __init__(self, wake: Callable[[], None], note: Callable[[Wave], None]) -> None:
        """Set up; wake: called when something was handed in. note: called with each wave that is sent."""
        self._wake, self._note = wake, note
        self._lock = threading.Lock()
        self._waiting: list[tuple[Outgoing, Told]] = []
        self._frames: dict[_Alike, _Frames] = {}
        self._under_way: dict[int, Told] = {}
        self._is_over = False

    def hand_in(self, message: Outgoing, told: Told) -> None:
        """Hand in a message from any thread; `told` is posted with the fate of each of its messages."""
        with self._lock:
            is_first = self._is_first()
            self._waiting.append((message, told))
        if is_first:
            self._wake()

    def hand_in_frame(self, contract: Contract[Frame], ends: Ends, size_bytes: int, told: Told) -> None:
        """Hand in a frame that leaves at once, as `hand_in` would; those of one contract and size that wait together leave as one wave."""
        with self._lock:
            is_first = self._is_first()
            alike = contract, size_bytes
            frames = self._frames.get(alike)
            if frames is None:
                frames = self._frames[alike] = _Frames([], [])
            frames.ends.append(ends)
            frames.tolds.append(told)
        if is_first:
            self._wake()

    def _is_first(self) -> bool:
        """Whether the simulation must be woken for what is being handed in: of the others' coming it knows already."""
        if self._is_over:
            raise HeptagridError("the grid has stopped; nothing can be sent any more")
        return not self.has_waiting

    @property
    def has_waiting(self) -> bool:
        """Whether anything was handed in that has not been sent."""
        return bool(self._waiting or self._frames)

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for a message that is under way."""
        return bool(self._under_way)

    def send(self, transport: SortingTransport, plane_ns: int, now_ns: int) -> None:
        """Send what was handed in; plane_ns: how far messages have travelled: nothing leaves by then."""
        if not self.has_waiting:
            return
        waiting, frames = self._taken()
        for message, told in waiting:
            at_ns = max(now_ns if message.at_ns is None else message.at_ns, plane_ns + 1)
            ends = message.source, message.destination
            wave = message.contract.wave(message.payload, *ends, at_ns, size=message.size_bytes)
            self._leave(transport, wave, [told] * len(wave.source))
        for (contract, size_bytes), alike in frames.items():
            self._leave(transport, _wave_of(contract, size_bytes, alike.ends, max(now_ns, plane_ns + 1)), alike.tolds)

    def _taken(self) -> tuple[list[tuple[Outgoing, Told]], dict[_Alike, _Frames]]:
        with self._lock:
            waiting, self._waiting = self._waiting, []
            frames, self._frames = self._frames, {}
        return waiting, frames

    def _leave(self, transport: SortingTransport, wave: Wave, tolds: Sequence[Told]) -> None:
        first = transport.send_from_outside(wave)
        if first < 0:
            refused = Fate(-1, int(wave.sent_ns[0]), arrived=False, was_refused=True)
            self.post([(told, (refused,)) for told in tolds])
            return
        self._note(wave)
        self._under_way.update(zip(range(first, first + len(tolds)), tolds, strict=True))

    def arrived(self, deliveries: Iterable[Delivery]) -> None:
        """Have the fate of those told that have arrived."""
        under_way = self._under_way
        if not under_way:
            return
        ended: list[tuple[Told, tuple[Fate]]] = []
        for delivery in deliveries:
            for id, ns in zip(delivery.ids.tolist(), delivery.delivered_ns.tolist(), strict=True):
                told = under_way.pop(id, None)
                if told is not None:
                    ended.append((told, (Fate(id, ns, True),)))
        if ended:
            self.post(ended)

    def travelled(self, deliveries: Sequence[Delivery], lost: Ints) -> None:
        """A step's messages have travelled; what was told within it is not told again."""
        self.arrived(deliveries)
        ended: list[tuple[Told, tuple[Fate]]] = []
        for id, ns in lost[:, :2].tolist() if self._under_way else ():
            told = self._under_way.pop(id, None)
            if told is not None:
                ended.append((told, (Fate(id, ns, False),)))
        if ended:
            self.post(ended)

    def end(self) -> None:
        """The simulation is over: all that is under way is lost."""
        with self._lock:
            self._is_over = True
        waiting, frames = self._taken()
        tolds = [told for message, told in waiting for _ in message.source]
        tolds += [told for alike in frames.values() for told in alike.tolds]
        tolds += self._under_way.values()
        self._under_way.clear()
        lost = Fate(-1, 0, arrived=False)
        if tolds:
            self.post([(told, (lost,)) for told in tolds])


def _wave_of(contract: Contract[Frame], size_bytes: int, ends: Sequence[Ends], at_ns: int) -> Wave:
    """Frames as a wave that leaves at an instant; what `Contract.wave` would check is so by the way in which its arrays are made."""
    number, source, destination = np.array(ends, dtype=np.int64).T.copy()
    sent_ns = np.full(len(ends), at_ns, dtype=np.int64)
    cause = np.full(len(ends), -1, dtype=np.int64)
    return Wave(contract, Frame(number), source, destination, sent_ns, cause, size_bytes)

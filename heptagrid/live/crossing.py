"""Messages of outsiders on their way through the simulation: handed in from any thread, told when they arrive or are lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.transport import SortingTransport
from heptagrid.contracts.outside import Frame
from heptagrid.foundation.contract import Contract, Delivery
from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.transport import Listener

Ints = npt.NDArray[np.int64]
Told = Callable[["Fate"], None]


class LostError(HeptagridError):
    """A message of an outsider was lost on its way; whoever waits for it gets no answer."""


class RefusedError(HeptagridError):
    """A message of an outsider that policy does not allow."""


@dataclass(frozen=True)
class Fate:
    """What became of a message. id: of the simulation, -1 if it was refused. ns: when it arrived, or when it was known to be lost."""

    id: int
    ns: int
    arrived: bool
    was_refused: bool = False


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


class Crossings(Listener):
    """Hands outsiders' messages to the transport and tells their fate; all but `hand_in` is called by the simulation's own thread."""

    def __init__(self, wake: Callable[[], None], note: Callable[[Outgoing, int], None]) -> None:
        """Set up; wake: called when something was handed in. note: called with each message that is sent, and when."""
        self._wake, self._note = wake, note
        self._lock = threading.Lock()
        self._waiting: list[tuple[Outgoing, Told | None]] = []
        self._frames: list[tuple[_Alike, Ends, Told]] = []
        self._under_way: dict[int, Told] = {}
        self._is_over = False

    def hand_in(self, message: Outgoing, told: Told | None = None) -> None:
        """Hand in a message from any thread; `told` is called from the simulation's thread with the fate of each of its messages."""
        self._wait_for_turn(self._waiting, (message, told))

    def hand_in_frame(self, contract: Contract[Frame], ends: Ends, size_bytes: int, told: Told) -> None:
        """Hand in a frame that leaves at once, as `hand_in` would; those of one contract and size that wait together leave as one wave."""
        self._wait_for_turn(self._frames, ((contract, size_bytes), ends, told))

    def _wait_for_turn(self, waiting: list[Any], one: Any) -> None:
        with self._lock:
            if self._is_over:
                raise HeptagridError("the grid has stopped; nothing can be sent any more")
            is_first = not self.has_waiting
            waiting.append(one)
        if is_first:  # of the others' coming the simulation knows already
            self._wake()

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
        with self._lock:
            waiting, self._waiting = self._waiting, []
            frames, self._frames = self._frames, []
        for message, tolds in _joined(waiting, frames):
            at_ns = max(now_ns if message.at_ns is None else message.at_ns, plane_ns + 1)
            wave = message.contract.wave(
                message.payload, message.source, message.destination, at_ns, size=message.size_bytes
            )
            first = transport.send_from_outside(wave)
            if first < 0:
                for told in tolds:
                    if told:
                        told(Fate(-1, at_ns, arrived=False, was_refused=True))
                continue
            self._note(message, at_ns)
            for k, told in enumerate(tolds):
                if told:
                    self._under_way[first + k] = told

    def arrived(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the fate of those that have arrived."""
        if not self._under_way:
            return
        for delivery in deliveries:
            for id, ns in zip(delivery.ids.tolist(), delivery.delivered_ns.tolist(), strict=True):
                if told := self._under_way.pop(id, None):
                    told(Fate(id, ns, arrived=True))

    def travelled(self, deliveries: Sequence[Delivery], lost: Ints) -> None:
        """A step's messages have travelled."""
        self.arrived(deliveries)
        if self._under_way:
            for id, ns in lost[:, :2].tolist():
                if told := self._under_way.pop(id, None):
                    told(Fate(id, ns, arrived=False))

    def end(self) -> None:
        """The simulation is over: all that is under way is lost."""
        with self._lock:
            self._is_over = True
            waiting, self._waiting = self._waiting, []
            frames, self._frames = self._frames, []
        unsent = [told for message, told in waiting for _ in message.source]
        unsent += [told for _, _, told in frames]
        for told in [*unsent, *self._under_way.values()]:
            if told:
                told(Fate(-1, 0, arrived=False))
        self._under_way.clear()


def _joined(
    waiting: list[tuple[Outgoing, Told | None]], frames: list[tuple[_Alike, Ends, Told]]
) -> Iterator[tuple[Outgoing, Sequence[Told | None]]]:
    """Messages as they are, in the order in which they were handed in; then frames of one contract and size as one wave each."""
    for message, told in waiting:
        yield message, [told] * len(message.source)
    together: dict[_Alike, tuple[list[Ends], list[Told]]] = {}
    for alike, one, told in frames:
        ends, tolds = together.setdefault(alike, ([], []))
        ends.append(one)
        tolds.append(told)
    for (contract, size_bytes), (ends, tolds) in together.items():
        number, source, destination = np.array(ends, dtype=np.int64).T.copy()
        yield Outgoing(contract, Frame(number), source, destination, None, size_bytes), tolds

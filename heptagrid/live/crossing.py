"""Messages of outsiders on their way through the simulation: handed in from any thread, told when they arrive or are lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
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


class Crossings(Listener):
    """Hands outsiders' messages to the transport and tells their fate; all but `hand_in` is called by the simulation's own thread."""

    def __init__(self, wake: Callable[[], None], note: Callable[[Outgoing, int], None]) -> None:
        """Set up; wake: called when something was handed in. note: called with each message that is sent, and when."""
        self._wake, self._note = wake, note
        self._lock = threading.Lock()
        self._waiting: list[tuple[Outgoing, Told | None]] = []
        self._under_way: dict[int, Told] = {}
        self._is_over = False

    def hand_in(self, message: Outgoing, told: Told | None = None) -> None:
        """Hand in a message from any thread; `told` is called from the simulation's thread with the fate of each of its messages."""
        with self._lock:
            if self._is_over:
                raise HeptagridError("the grid has stopped; nothing can be sent any more")
            self._waiting.append((message, told))
        self._wake()

    @property
    def has_waiting(self) -> bool:
        """Whether anything was handed in that has not been sent."""
        return bool(self._waiting)

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for a message that is under way."""
        return bool(self._under_way)

    def send(self, transport: SortingTransport, plane_ns: int, now_ns: int) -> None:
        """Send what was handed in; plane_ns: how far messages have travelled: nothing leaves by then."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for together in _joined(waiting):
            message, tolds = together
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
        unsent = [told for message, told in waiting for _ in message.source]
        for told in [*unsent, *self._under_way.values()]:
            if told:
                told(Fate(-1, 0, arrived=False))
        self._under_way.clear()


def _joined(waiting: list[tuple[Outgoing, Told | None]]) -> list[tuple[Outgoing, list[Told | None]]]:
    """Frames of one contract and size become one wave; other messages stay as they are, in the order in which they were handed in."""
    found: list[tuple[Outgoing, list[Told | None]]] = []
    frames: dict[tuple[Any, ...], list[tuple[Outgoing, Told | None]]] = {}
    for message, told in waiting:
        if isinstance(message.payload, Frame) and message.at_ns is None and len(message.source) == 1:
            frames.setdefault((message.contract.key, message.size_bytes), []).append((message, told))
        else:
            found.append((message, [told] * len(message.source)))
    for alike in frames.values():
        first = alike[0][0]
        if len(alike) == 1:
            found.append((first, [alike[0][1]]))
            continue
        joined = Outgoing(
            first.contract,
            Frame(np.concatenate([one.payload.number for one, _ in alike])),
            np.concatenate([one.source for one, _ in alike]),
            np.concatenate([one.destination for one, _ in alike]),
            None,
            first.size_bytes,
        )
        found.append((joined, [told for _, told in alike]))
    return found

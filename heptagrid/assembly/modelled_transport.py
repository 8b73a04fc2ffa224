"""The modelled transport: the message plane carries the waves, over the scenario's technologies, at exact times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.transport import SortingTransport
from heptagrid.foundation.contract import Contract, Wave
from heptagrid.foundation.domains import Kind
from heptagrid.planes.messages.kernel.message_tracer import WatchedQueue
from heptagrid.planes.messages.kernel.shards import Watches
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.statistics import Counts

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class ModelledTransport(SortingTransport):
    """A transport over the message plane, with the plane's counts of what it carried."""

    def __init__(self, plane: MessagePlane, granted: Iterable[Contract[Any]] | None = None) -> None:
        super().__init__(granted)
        self._plane = plane

    @property
    def plane(self) -> MessagePlane:
        """The network, for what breaks it."""
        return self._plane

    def _take(self, wave: Wave) -> int:
        return self._plane.send(
            wave.kind,
            wave.source,
            wave.destination,
            wave.sent_ns,
            sender=wave.sender,
            receiver=wave.receiver,
            payload_bytes=wave.size,
        )

    def begin(self, until_ns: int, then: Sequence[Callable[[], object]] = ()) -> None:
        """Let messages travel to `until_ns` beside what actors do next, and do `then` after it; no actor will send anything that leaves by then."""
        self._plane.begin(until_ns, then)

    def _carry(self, until_ns: int) -> tuple[Ints, Ints]:
        self._plane.advance(until_ns)
        return self._plane.arrived, self._plane.lost

    def share(self, threads: int) -> None:
        """Keep so many threads busy from now on; what is carried is the same."""
        self._plane.threads = threads

    def spare(self, kind: Kind, until_ns: int) -> bool:
        """Spare messages of a kind the way until then, if the network would carry them all; whether they are."""
        return self._plane.spare(kind, until_ns)

    def oldest_under_way(self) -> int:
        """The least index of a message that may still arrive; all before it are done."""
        return self._plane.oldest_under_way()

    def watch(self, ids: Iterable[int]) -> WatchedQueue | Watches:
        """Follow these messages hop by hop from now on; nothing else changes."""
        return self._plane.watch(ids)

    def begin_counting(self) -> None:
        """Count from here; what is under way now is not counted."""
        self._plane.begin_counting()

    def counts(self) -> Counts:
        """Counts since `begin_counting`; what is in flight is counted among the messages under way."""
        return self._plane.counts()

    def counts_by_place(self) -> Ints:
        """(kinds, 1 + access networks, 4) sent, delivered, lost, late since `begin_counting`; first of no access network."""
        return self._plane.counts_by_place()

    def take_quarter(self) -> dict[str, np.ndarray]:
        """Counts by kind and access network since the last call, as columns; only rows with any."""
        return self._plane.take_quarter()

    def busy_s(self) -> Floats:
        """(2, ports) seconds that each port has sent since `begin_counting`; the second row in second windows of LoRaWAN."""
        return self._plane.busy_s()

    def crossed(self) -> Bools:
        """(kinds, link classes) whether messages of a kind went over links of a class."""
        return self._plane.crossed.copy()

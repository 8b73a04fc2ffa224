"""Transports without a network, for tests: one that delivers at once, and one that loses some messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.transport import SortingTransport
from heptagrid.foundation.contract import Contract, Wave
from heptagrid.planes.messages.links import CLASS_NAMES
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.statistics import KINDS, Counts
from heptagrid.planes.messages.tables import N_DELIVERED, N_LOST, N_SENT

Ints = npt.NDArray[np.int64]


class ImmediateTransport(SortingTransport):
    """Every message arrives the moment it is sent."""

    lost_share = 0.0

    def __init__(self, plane: MessagePlane, granted: Iterable[Contract[Any]]) -> None:
        super().__init__(granted)
        self._next_id = 0
        self._waiting: list[tuple[Ints, Ints, Ints]] = []  # ids, times, kinds
        self._counts = Counts.none()
        self._random = np.random.default_rng(1)

    def _take(self, wave: Wave) -> int:
        count = len(wave.source)
        ids = self._next_id + np.arange(count)
        self._next_id += count
        self._waiting.append((ids, wave.sent_ns, np.full(count, int(wave.kind))))
        return int(ids[0])

    def _carry(self, until_ns: int) -> tuple[Ints, Ints]:
        ids, at_ns, kinds = (
            (np.concatenate(part) if part else np.empty(0, dtype=np.int64) for part in zip(*self._waiting, strict=True))
            if self._waiting
            else (np.empty(0, dtype=np.int64),) * 3
        )
        due = at_ns <= until_ns
        self._waiting = [(ids[~due], at_ns[~due], kinds[~due])]
        ids, at_ns, kinds = ids[due], at_ns[due], kinds[due]
        is_lost = self._random.random(len(ids)) < self.lost_share
        for counter, which in ((N_SENT, kinds >= 0), (N_DELIVERED, ~is_lost), (N_LOST, is_lost)):
            self._counts.counters[counter] += np.bincount(kinds[which], minlength=KINDS)
        order = np.lexsort((ids, at_ns))
        order = order[~is_lost[order]]
        nothing = np.zeros(int(is_lost.sum()), dtype=np.int64)
        arrived = np.column_stack([ids[order], at_ns[order]])
        return arrived, np.column_stack([ids[is_lost], at_ns[is_lost], nothing, nothing])

    def begin(self, until_ns: int, then: Sequence[Callable[[], object]] = ()) -> None:
        """Nothing travels ahead."""

    def share(self, threads: int) -> None:
        """One thread is enough."""

    def oldest_under_way(self) -> int:
        return min((int(ids.min()) for ids, _, _ in self._waiting if len(ids)), default=self._next_id)

    def begin_counting(self) -> None:
        self._counts = Counts.none()

    def counts(self) -> Counts:
        return self._counts

    def counts_by_place(self) -> Ints:
        return np.zeros((KINDS, 1, 4), dtype=np.int64)

    def take_quarter(self) -> dict[str, np.ndarray]:
        return {"kind": np.empty(0, dtype=np.int64)}

    def busy_s(self) -> npt.NDArray[np.float64]:
        return np.zeros((2, 0))

    def crossed(self) -> npt.NDArray[np.bool_]:
        return np.zeros((KINDS, len(CLASS_NAMES)), dtype=np.bool_)


class LossyTransport(ImmediateTransport):
    """As the immediate one, but half of all messages are lost."""

    lost_share = 0.5

"""What a thread of the message plane counts; what several count is added."""

from __future__ import annotations

import numpy as np

from heptagrid.planes.messages.statistics import KINDS, Counts
from heptagrid.planes.messages.tables import Counters


class Tally:
    """Counts of a span, and those by kind and access network since the last quarter hour.

    quarter: (kinds, groups + 1, 4) sent, delivered, lost, late; worst_ns: (kinds, groups + 1). The first is of messages that have to do with no access network.
    """

    def __init__(self, groups: int) -> None:
        self.counts = Counts.none()
        self.quarter = np.zeros((KINDS, groups + 1, 4), dtype=np.int64)
        self.worst_ns = np.zeros((KINDS, groups + 1), dtype=np.int64)

    @property
    def counters(self) -> Counters:
        """As the kernel counts."""
        counts = self.counts
        return Counters(counts.counters, counts.pairs, counts.histogram, self.quarter, self.worst_ns)

    def begin(self) -> None:
        """Count from here."""
        self.counts = Counts.none()
        self.forget_quarter()

    def forget_quarter(self) -> None:
        """A quarter hour begins."""
        self.quarter[:] = 0
        self.worst_ns[:] = 0

    def take(self, other: Tally) -> None:
        """Count what another has counted, which begins anew."""
        self.add(other.counters)
        for theirs in other.counters:
            theirs[:] = 0

    def add(self, counters: Counters) -> None:
        """Count what was counted elsewhere."""
        for mine, theirs in zip(self.counters, counters, strict=True):
            mine += theirs if mine is not self.worst_ns else 0
        np.maximum(self.worst_ns, counters.worst_ns, out=self.worst_ns)

"""The local markets of a world: where each is, how much its transformers carry, whose devices bid, and when.

It is contract data, known before the run begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import NS_PER_S

QUANTILES = 11
"""Of a day's prices that a market tells: from the lowest to the highest, by tenths of the time."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Timetable:
    """When bids leave, when markets clear, and the intervals that they clear for: all at ends of coupling steps.

    bid_lead_ns, clear_lead_ns: how long before an interval; whole steps, so that a bid has a step at least to arrive in, and a price too.
    """

    period_ns: int
    bid_lead_ns: int
    clear_lead_ns: int

    @staticmethod
    def of(period_s: int, bid_lead_s: float, clear_lead_s: float, step_s: int) -> Timetable:
        """With the leads that were asked for, or the next longer ones that steps allow."""
        step_ns = step_s * NS_PER_S
        clear_ns = max(-(-round(clear_lead_s * NS_PER_S) // step_ns), 1) * step_ns
        bid_ns = max(-(-round(bid_lead_s * NS_PER_S) // step_ns) * step_ns, clear_ns + step_ns)
        return Timetable(period_s * NS_PER_S, bid_ns, clear_ns)

    def bids_for(self, now_ns: int) -> int | None:
        """The first instant of the interval whose bids leave now, if any do."""
        return self._interval(now_ns + self.bid_lead_ns)

    def clears_for(self, now_ns: int) -> int | None:
        """The first instant of the interval whose market clears now, if one does."""
        return self._interval(now_ns + self.clear_lead_ns)

    def ended_by(self, now_ns: int) -> int | None:
        """The first instant of the interval that ends now, if one does."""
        return self._interval(now_ns - self.period_ns)

    def _interval(self, begin_ns: int) -> int | None:
        return begin_ns if begin_ns % self.period_ns == 0 else None

    @property
    def hours(self) -> float:
        """The length of an interval."""
        return self.period_ns / NS_PER_S / 3600.0

    @property
    def under_way(self) -> int:
        """For how many intervals bids may have left that have not begun yet."""
        return -(-self.bid_lead_ns // self.period_ns) + 1


@dataclass(frozen=True)
class LocalMarkets:
    """One market below the transformers of each substation that feed the same busbar.

    capacity_kw: (markets,) that the grid sells or takes back at most. names: (markets,) of the first transformer. of_substation: (substations,) whose
    each is. of_point: (points,) behind whose transformers each metering point is, -1 behind none. participants: by class of devices the
    customers whose devices bid, ascending.
    """

    timetable: Timetable
    capacity_kw: Floats
    names: tuple[str, ...]
    of_substation: Ints
    of_point: Ints
    participants: Mapping[str, Ints]

    @property
    def count(self) -> int:
        return len(self.capacity_kw)


def spread_ns(points: Ints, over_s: float, phase: float = 0.0) -> Ints:
    """How long after the first each metering point's message leaves, the same shape: neighbours lie apart, as evenly as the golden ratio puts them.

    phase: by which part of the time a point's messages of one kind lie apart from those of another, where both leave at once.
    """
    share = (points * ((5.0**0.5 - 1.0) / 2.0) + phase) % 1.0
    return np.asarray(share * over_s * NS_PER_S).astype(np.int64)


def nearest_above(of_node: Ints, parent: Ints) -> Ints:
    """Of each node, (nodes,), its own value or that of the nearest node above with one; -1 without. parent: (nodes,), -1 of a root."""
    found, up = of_node.copy(), np.where(parent < 0, np.arange(len(parent)), parent)
    while True:  # what is found within 2, 4, 8, ... nodes above
        found, further = np.where(found >= 0, found, found[up]), up[up]
        if np.array_equal(further, up):
            return found
        up = further

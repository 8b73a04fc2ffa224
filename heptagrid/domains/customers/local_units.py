"""Local units, photovoltaics above all: rating times profile, fed in at their owner's metering point."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.bidding.orders import OrderBook
from heptagrid.foundation.time import Step
from heptagrid.world.grid import Profiles

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class LocalUnits:
    """Output of all local units; a unit at a customer's bus belongs to that customer, and stops without supply.

    output_kw: (units,) of each in the last step, with supply. orders: the highest output that another program allows each, as power.
    """

    def __init__(self, profiles: Profiles, p_kw: Floats, profile: Ints, point: Ints, points: int) -> None:
        """Set up from ratings, profile columns and metering points, (units,) each."""
        self.total_kw = 0.0
        self.output_kw = np.zeros(len(p_kw))
        self.orders = OrderBook(len(p_kw))
        self._profiles = profiles
        self._p_kw, self._profile, self._point = p_kw, profile, point
        self._quarter, self._was_limited = -1, False
        self._by_point_kw: Floats = np.zeros(points)
        self._whole_kw = 0.0

    def advance(self, step: Step, p_kw: Floats, supplied: Bools | None = None) -> None:
        """Take the step's output off the net draw of the metering points, (points,)."""
        self.orders.begin(step.start_ns)
        is_limited = self.orders.table.until_ns > step.start_ns
        limits = bool(is_limited.any())
        if step.quarter != self._quarter or limits or self._was_limited:
            self._quarter, self._was_limited = step.quarter, limits
            self.output_kw = self._p_kw * self._profiles.at(step.start_ns)[self._profile]
            if limits:
                highest_kw = np.where(is_limited, np.maximum(self.orders.table.value, 0.0), np.inf)
                self.output_kw = np.minimum(self.output_kw, highest_kw)
            by_point_kw = np.bincount(self._point, self.output_kw, minlength=len(self._by_point_kw))
            self._by_point_kw = np.asarray(by_point_kw, dtype=np.float64)
            self._whole_kw = float(self.output_kw.sum())
        if supplied is None or supplied.all():
            self.total_kw = self._whole_kw
            p_kw -= self._by_point_kw
        else:
            fed_in_kw = np.where(supplied, self._by_point_kw, 0.0)
            self.total_kw = float(fed_in_kw.sum())
            p_kw -= fed_in_kw

    def give_less(self, less_kw: Floats, supplied: Bools) -> None:
        """The inverters of units fed less than was there, (units,)."""
        self.output_kw = self.output_kw - less_kw
        self.total_kw = float(np.where(supplied[self._point], self.output_kw, 0.0).sum())
        self._was_limited = True  # so that the next step begins with all that is there

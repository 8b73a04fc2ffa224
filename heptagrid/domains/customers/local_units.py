"""Local units, photovoltaics above all: rating times profile, fed in at their owner's metering point."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.bidding.orders import OrderBook
from heptagrid.foundation.sums import weighted_sum
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_MINUTE, Step
from heptagrid.world.clouds.units import Clouds
from heptagrid.world.grid import Profiles

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class LocalUnits:
    """Output of all local units; a unit at a customer's bus belongs to that customer, and stops without supply.

    output_kw: (units,) of each in the last step, with supply. orders: the highest output that another program allows each, as power.
    """

    def __init__(
        self, profiles: Profiles, p_kw: Floats, profile: Ints, point: Ints, points: int, clouds: Clouds | None = None
    ) -> None:
        """Set up from ratings, profile columns and metering points, (units,) each. clouds: that pass over photovoltaic units; None: these follow their profiles."""
        self.total_kw = 0.0
        self.output_kw = np.zeros(len(p_kw))
        self.orders = OrderBook(len(p_kw))
        self._profiles = profiles
        self._p_kw, self._profile, self._point = p_kw, profile, point
        self._quarter, self._was_limited = -1, False
        self._by_point_kw: Floats = np.zeros(points)
        self._whole_kw = 0.0
        self._clouds = clouds
        self._hour, self._minutes = -1, np.zeros((0, 60), dtype=np.float32)

    def advance(self, step: Step, p_kw: Floats, supplied: Bools | None = None) -> None:
        """Take the step's output off the net draw of the metering points, (points,)."""
        self.orders.begin(step.start_ns)
        is_limited = self.orders.table.until_ns > step.start_ns
        limits = bool(is_limited.any())
        if step.quarter != self._quarter or limits or self._was_limited or self._clouds is not None:
            self._quarter, self._was_limited = step.quarter, limits
            self.output_kw = self._p_kw * self._profiles.at(step.start_ns)[self._profile]
            if self._clouds is not None:
                self.output_kw[self._clouds.solar] = self._p_kw[self._clouds.solar] * self._under(self._clouds, step)
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

    def _under(self, clouds: Clouds, step: Step) -> Floats:
        """The mean output of photovoltaic units in a step under clouds, relative to their ratings; a minute counts for what lies within."""
        hour, since_ns = divmod(step.start_ns, NS_PER_HOUR)
        if hour != self._hour:
            self._hour, self._minutes = hour, clouds.in_hour(hour)
        begin, end = since_ns / NS_PER_MINUTE, (since_ns + step.end_ns - step.start_ns) / NS_PER_MINUTE
        minutes = np.arange(int(begin), int(np.ceil(end)))
        within = np.minimum(end, minutes + 1.0) - np.maximum(begin, minutes)
        return weighted_sum(within / (end - begin), self._minutes[:, minutes])

    def give_less(self, less_kw: Floats, supplied: Bools) -> None:
        """The inverters of units fed less than was there, (units,)."""
        self.output_kw = self.output_kw - less_kw
        self.total_kw = float(np.where(supplied[self._point], self.output_kw, 0.0).sum())
        self._was_limited = True  # so that the next step begins with all that is there

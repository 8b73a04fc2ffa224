"""What the bulk units can give, hour by hour: machines what they are built for, water, sun and wind what there is.

The series are day-ahead forecasts of the RTS-GMLC, and are what happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import NS_PER_HOUR, from_ns, market_hours, next_midnight_ns
from heptagrid.world.bulk import STORES, TOWER, BulkSystem, BulkUnits

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Day:
    """Bounds of a day's hours, (hours, units) each, and what flows into tanks."""

    first_hour: int
    low_mw: Floats
    high_mw: Floats
    inflow_mwh: Floats


class Availability:
    """Bounds of the units at a time.

    is_governed: (units,) whose turbines answer to frequency, so that they cover what is missing; not those of tanks, which hold no more than is scheduled.
    """

    def __init__(self, system: BulkSystem, zone: ZoneInfo, governed: Mapping[str, bool]) -> None:
        """Set up; `governed` says of each word for a turbine whether it answers to frequency."""
        self.units: BulkUnits = system.units
        self.is_governed = np.array([governed[str(word)] for word in self.units.turbine]) & ~np.isin(
            self.units.kind, STORES
        )
        self._system, self._zone = system, zone

    def bounds_mw(self, ns: int) -> tuple[Floats, Floats]:
        """Least and most, (units,) each, in the hour at a time."""
        return self._system.bounds_mw(from_ns(ns, self._zone))

    def day(self, day_ns: int) -> Day:
        """The bounds of the day that begins at a local midnight."""
        hours = market_hours(day_ns, next_midnight_ns(day_ns, self._zone))
        local = [from_ns(hour * NS_PER_HOUR, self._zone) for hour in hours]
        low, high = (np.stack(one) for one in zip(*(self._system.bounds_mw(one) for one in local), strict=True))
        inflow = np.zeros(low.shape)
        inflow[:, self.units.of(TOWER)] = [self._system.inflow_mw(one) for one in local]
        return Day(hours.start, low, high, inflow)

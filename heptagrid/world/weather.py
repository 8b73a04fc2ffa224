"""Weather of a typical year: hourly means, by calendar date, so that any year can use it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S

_STANDARD_TIME_OFFSET_H = 1  # Central European Time, the whole year


@dataclass(frozen=True)
class Weather:
    """Hourly means of a year of 365 days in Central European Time without daylight saving.

    outside_c, radiation_w_m2: (8760,) outdoor temperature and global horizontal radiation; the first
    value is the mean of 1 January, 00:00 to 01:00. 29 February repeats the 28th.
    """

    outside_c: npt.NDArray[np.float32]
    radiation_w_m2: npt.NDArray[np.float32]

    def outside_c_at(self, ns: int) -> float:
        """Outdoor temperature at `ns`, interpolated between the middles of the hours."""
        return self._interpolated(self.outside_c, ns)

    def radiation_w_m2_at(self, ns: int) -> float:
        """Global horizontal radiation at `ns`, interpolated between the middles of the hours."""
        return self._interpolated(self.radiation_w_m2, ns)

    def _interpolated(self, hourly: npt.NDArray[np.float32], ns: int) -> float:
        before_ns = (ns - NS_PER_HOUR // 2) // NS_PER_HOUR * NS_PER_HOUR
        part = (ns - NS_PER_HOUR // 2 - before_ns) / NS_PER_HOUR
        first, second = hourly[_hour(before_ns)], hourly[_hour(before_ns + NS_PER_HOUR)]
        return float(first + (second - first) * part)


@lru_cache(maxsize=1024)
def _hour(ns: int) -> int:
    """The row that holds the hour beginning at `ns`."""
    local = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ns // NS_PER_S, hours=_STANDARD_TIME_OFFSET_H)
    day = local.timetuple().tm_yday - 1
    leap = local.year % 4 == 0 and (local.year % 100 != 0 or local.year % 400 == 0)
    if leap and day >= 59:
        day -= 1
    return day * 24 + local.hour

"""Weather of a typical year: hourly means, by calendar date, so that any year can use it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import NS_PER_HOUR

_CENTRAL_EUROPE_H = 1.0  # Central European Time, the whole year


@dataclass(frozen=True)
class Weather:
    """Hourly means of a year of 365 days in a standard time without daylight saving.

    outside_c, radiation_w_m2: (8760,) outdoor temperature and global horizontal radiation; the first
    value is the mean of 1 January, 00:00 to 01:00. 29 February repeats the 28th. offset_h: of the standard time from UTC.
    """

    outside_c: npt.NDArray[np.float32]
    radiation_w_m2: npt.NDArray[np.float32]
    offset_h: float = _CENTRAL_EUROPE_H

    def outside_c_at(self, ns: int) -> float:
        """Outdoor temperature at `ns`, interpolated between the middles of the hours."""
        return self._interpolated(self.outside_c, ns)

    def radiation_w_m2_at(self, ns: int) -> float:
        """Global horizontal radiation at `ns`, interpolated between the middles of the hours."""
        return self._interpolated(self.radiation_w_m2, ns)

    def _interpolated(self, hourly: npt.NDArray[np.float32], ns: int) -> float:
        standard_ns = ns + round(self.offset_h * NS_PER_HOUR) - NS_PER_HOUR // 2
        before, part_ns = divmod(standard_ns, NS_PER_HOUR)
        first, second = hourly[hour_of_year(before)], hourly[hour_of_year(before + 1)]
        return float(first + (second - first) * (part_ns / NS_PER_HOUR))


@lru_cache(maxsize=1024)
def hour_of_year(hour: int) -> int:
    """The row that holds the hour of that number since 1970 in the standard time."""
    local = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
    day = local.timetuple().tm_yday - 1
    leap = local.year % 4 == 0 and (local.year % 100 != 0 or local.year % 400 == 0)
    if leap and day >= 59:
        day -= 1
    return day * 24 + local.hour

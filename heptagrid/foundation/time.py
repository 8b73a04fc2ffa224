"""Time: integer nanoseconds, UTC, inside; local days in the scenario's time zone at the edges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.zone_offsets import offsets_s

NS_PER_S = 1_000_000_000
S_PER_MINUTE = 60
S_PER_QUARTER = 900
S_PER_DAY = 86_400
NS_PER_MINUTE = 60 * NS_PER_S
NS_PER_QUARTER = S_PER_QUARTER * NS_PER_S
NS_PER_HOUR = 3600 * NS_PER_S


def to_ns(moment: datetime) -> int:
    """Nanoseconds since 1970-01-01 UTC of an aware `moment`; exact to the microsecond."""
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * NS_PER_S + since.microseconds * 1000


def from_ns(ns: int, zone: ZoneInfo) -> datetime:
    """The local date and time of `ns`, to the microsecond."""
    second = datetime.fromtimestamp(ns // NS_PER_S, tz=zone)
    return second.replace(microsecond=ns % NS_PER_S // 1000)  # a sum forgets which of two equal hours it is in


def midnight_ns(day: date, zone: ZoneInfo) -> int:
    """The first instant of the local `day`; where clocks skip midnight, that at which they are put forward."""
    return to_ns(datetime(day.year, day.month, day.day, tzinfo=zone))


def next_midnight_ns(ns: int, zone: ZoneInfo) -> int:
    """The end of the local day that contains `ns`."""
    return midnight_ns(from_ns(ns, zone).date() + timedelta(days=1), zone)


def market_hours(start_ns: int, end_ns: int) -> range:
    """The hours since 1970 UTC in which the market trades the local day [start_ns, end_ns).

    Where a midnight falls within an hour of UTC, that hour belongs to the day that begins in it: so each hour is traded once,
    in every time zone and on days of any length.
    """
    return range(start_ns // NS_PER_HOUR, end_ns // NS_PER_HOUR)


def local_hours(quarters: npt.NDArray[np.int64], zone: ZoneInfo) -> npt.NDArray[np.float64]:
    """The local time of day at which each quarter hour since 1970 UTC begins, the same shape, in hours from 0 to 24."""
    begins_s = quarters * S_PER_QUARTER
    return np.asarray((begins_s + offsets_s(begins_s, zone)) % S_PER_DAY // S_PER_MINUTE / 60.0)


def clock_shift_ns(day: date, zone: ZoneInfo) -> int:
    """How much later in a local day a clock shows noon than 12 hours after its begin: less than 0 where clocks are put forward in the night or at midnight.

    0 where they change at the day's end, and a day has 23 or 25 hours all the same.
    """
    noon_ns = to_ns(datetime(day.year, day.month, day.day, 12, tzinfo=zone))
    return noon_ns - midnight_ns(day, zone) - 12 * NS_PER_HOUR


@dataclass(frozen=True)
class Step:
    """One coupling step [start_ns, end_ns), and where it lies in the local calendar.

    Actors act at its end. `starts_quarter`, `ends_quarter`, `ends_hour` and `ends_day` say whether a
    boundary of the UTC quarter hour, the UTC hour or the local day coincides with its start or end. shift_ns: `clock_shift_ns` of the day; None: clocks change
    in the night if the day has not 24 hours.
    """

    start_ns: int
    end_ns: int
    day: date
    day_start_ns: int
    day_end_ns: int
    index: int
    shift_ns: int | None = None

    @property
    def dt_s(self) -> float:
        """The step's length in seconds."""
        return (self.end_ns - self.start_ns) / NS_PER_S

    @property
    def starts_quarter(self) -> bool:
        return self.start_ns % NS_PER_QUARTER == 0

    @property
    def ends_quarter(self) -> bool:
        return self.end_ns % NS_PER_QUARTER == 0

    @property
    def ends_hour(self) -> bool:
        return self.end_ns % NS_PER_HOUR == 0

    @property
    def starts_day(self) -> bool:
        return self.start_ns == self.day_start_ns

    @property
    def ends_day(self) -> bool:
        return self.end_ns == self.day_end_ns

    def passes_hour(self, hour: float) -> bool:
        """Whether the local time of day `hour` (0 < hour < 24) lies in (start, end].

        Clocks change between midnight and 3 in the morning, so later hours shift on such a day; earlier ones are counted from its begin.
        """
        shift_ns = self.shift_ns
        if shift_ns is None:
            shift_ns = self.day_end_ns - self.day_start_ns - 24 * NS_PER_HOUR
        at_ns = self.day_start_ns + round(hour * NS_PER_HOUR) + (shift_ns if hour >= 3.0 else 0)
        return self.start_ns < at_ns <= self.end_ns

    @property
    def quarter(self) -> int:
        """The step's quarter hour, counted from 1970-01-01 UTC."""
        return self.start_ns // NS_PER_QUARTER

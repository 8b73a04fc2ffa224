"""The local calendar of slots of UTC: their month, day and quarter of the day, looked up once, whatever the clocks do.

Tariffs of a run and rates of `heptagrid bill` read the same one.

Slots are equal spans of UTC. A local day has as many as it has hours: 23, 24 or 25 of them.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import NS_PER_S, S_PER_DAY, S_PER_QUARTER, midnight_ns
from heptagrid.foundation.zone_offsets import offsets_s

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

QUARTERS_PER_DAY = S_PER_DAY // S_PER_QUARTER
_LEAP_YEAR = 2000  # whose days of the year all years' days are numbered by, 29 February included


@dataclass(frozen=True)
class Calendar:
    """When each slot begins, in local time.

    month : (slots,), which of `months` the slot is of, from 0. day : (slots,), local days since 1970. day_of_year : (slots,), 0 to 365, as
    in a leap year. quarter : (slots,), of the day by the clock, 0 to 95. is_weekend : (slots,).
    months : year and month of each bill. shares : (months,), how much of the month the slots cover. days : (months,), of the month that
    they cover: a day is one however many hours it has, and a part of a day is as much of it.
    """

    begin_ns: int
    slot_s: int
    zone: ZoneInfo
    month: Ints
    day: Ints
    day_of_year: Ints
    quarter: Ints
    is_weekend: Bools
    months: tuple[tuple[int, int], ...]
    shares: Floats
    days: Floats

    @staticmethod
    def of(begin_ns: int, slots: int, slot_s: int, zone: ZoneInfo) -> Calendar:
        """The calendar of `slots` slots of `slot_s` seconds from `begin_ns` on, in UTC since 1970; who asks again gets the same one."""
        return _calendar(begin_ns, slots, slot_s, zone)

    @staticmethod
    def made(begin_ns: int, slots: int, slot_s: int, zone: ZoneInfo) -> Calendar:
        """As `of`, looked up anew."""
        begin_s = begin_ns // NS_PER_S + np.arange(slots, dtype=np.int64) * slot_s
        local_s = begin_s + offsets_s(begin_s, zone)
        day = local_s // S_PER_DAY
        days, of_day, counts = np.unique(day, return_inverse=True, return_counts=True)
        dates = [date(1970, 1, 1) + timedelta(days=int(one)) for one in days]
        months = tuple(dict.fromkeys((one.year, one.month) for one in dates))
        number = {one: k for k, one in enumerate(months)}
        of_year = [one.replace(year=_LEAP_YEAR).timetuple().tm_yday - 1 for one in dates]
        month_of_day = np.array([number[one.year, one.month] for one in dates], dtype=np.int64)
        lengths_s = np.array([_lengths_s(one.year, one.month, zone)[one.day - 1] for one in dates])
        covered = np.bincount(month_of_day, counts * slot_s / lengths_s, minlength=len(months))
        shares = covered / np.array([np.count_nonzero(_lengths_s(year, at, zone)) for year, at in months])
        return Calendar(
            begin_ns,
            slot_s,
            zone,
            month_of_day[of_day],
            day,
            np.array(of_year, dtype=np.int64)[of_day],
            local_s % S_PER_DAY // S_PER_QUARTER,
            np.array([one.weekday() >= 5 for one in dates])[of_day],
            months,
            shares,
            shares * np.array([monthrange(year, at)[1] for year, at in months]),
        )

    @property
    def local_hour(self) -> Floats:
        """(slots,) the local time of day at which each slot begins, in hours from 0 to 24, to the quarter hour."""
        return np.asarray(self.quarter * (24.0 / QUARTERS_PER_DAY))

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return len(self.month)

    @property
    def hours(self) -> float:
        """How long a slot is."""
        return self.slot_s / 3600.0

    @property
    def month_of_year(self) -> Ints:
        """(months,) each bill's month of the year, 0 to 11."""
        return np.array([at - 1 for _, at in self.months], dtype=np.int64)

    def slots_before(self, window_s: int) -> int:
        """How many slots pass before the clock begins a window of that length, 0 if the first slot begins one."""
        if not self.slots:
            return 0
        of_day_s = int(self.quarter[0]) * S_PER_QUARTER + self.begin_ns // NS_PER_S % S_PER_QUARTER
        return int(-of_day_s % window_s // self.slot_s)

    def between(self, begin_ns: int, end_ns: int) -> Bools:
        """(slots,) which slots begin in a span of UTC."""
        begins_ns = self.begin_ns + np.arange(self.slots, dtype=np.int64) * self.slot_s * NS_PER_S
        return (begins_ns >= begin_ns) & (begins_ns < end_ns)


@lru_cache(maxsize=32)
def _calendar(begin_ns: int, slots: int, slot_s: int, zone: ZoneInfo) -> Calendar:
    calendar = Calendar.made(begin_ns, slots, slot_s, zone)
    for one in fields(calendar):
        value = getattr(calendar, one.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False  # it is shared
    return calendar


@lru_cache(maxsize=512)
def _lengths_s(year: int, month: int, zone: ZoneInfo) -> Floats:
    """How long each local day of a month is; nothing, of a day that a zone has left out."""
    first = date(year, month, 1)
    begins = [midnight_ns(first + timedelta(days=k), zone) for k in range(monthrange(year, month)[1] + 1)]
    return np.asarray(np.diff(np.array(begins, dtype=np.int64)) / NS_PER_S, dtype=np.float64)

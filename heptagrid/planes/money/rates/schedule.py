"""Which period of a rate is in force when: by the day of the year, the quarter of the day, and weekday or weekend.

A schedule is made of a table by month and hour, as OpenEI's rates have it, or of windows; windows that leave an hour out, or cover it
twice, are refused with the hour named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.calendar import QUARTERS_PER_DAY, Calendar, Ints
from heptagrid.foundation.errors import UsageError

DAYS = 366
_WEEKDAY, _WEEKEND = 0, 1
_KINDS = {"all": (_WEEKDAY, _WEEKEND), "weekday": (_WEEKDAY,), "weekend": (_WEEKEND,)}
_NONE = -1


@dataclass(frozen=True)
class Schedule:
    """table : (2, 366, 96), the period of a weekday's and a weekend's quarters. holidays : days that count as weekend."""

    table: Ints
    holidays: frozenset[date] = frozenset()

    @staticmethod
    def always() -> Schedule:
        """One period at all times."""
        return Schedule(np.zeros((2, DAYS, QUARTERS_PER_DAY), dtype=np.int64))

    @staticmethod
    def by_month_and_hour(weekday: npt.ArrayLike, weekend: npt.ArrayLike) -> Schedule:
        """From two tables of months and hours, (12, 24) each."""
        tables = (np.asarray(one, dtype=np.int64) for one in (weekday, weekend))
        return Schedule(np.stack([np.repeat(one[_MONTH_OF_DAY], QUARTERS_PER_DAY // 24, axis=1) for one in tables]))

    @staticmethod
    def by_month(periods: npt.ArrayLike) -> Schedule:
        """From the period of each month, (12,)."""
        table = np.repeat(np.asarray(periods, dtype=np.int64)[:, np.newaxis], 24, axis=1)
        return Schedule.by_month_and_hour(table, table)

    @property
    def periods(self) -> int:
        """How many periods the schedule names, counted from 0."""
        return int(self.table.max()) + 1

    def of(self, calendar: Calendar) -> Ints:
        """(slots,) the period in force when each slot begins."""
        rests = calendar.is_weekend
        if self.holidays:
            rests = rests | np.isin(calendar.day, [(one - date(1970, 1, 1)).days for one in self.holidays])
        return self.table[rests.astype(np.int64), calendar.day_of_year, calendar.quarter]

    def successor(self, month: int, following: int, period: int) -> int:
        """The period of `following` that shares most quarters of weekdays, or else weekends, with `period` of `month` (months from 0)."""
        before, after = (self.table[:, _FIRST_DAY[one]] for one in (month, following))
        if (after == period).any():
            return period
        for kind in (_WEEKDAY, _WEEKEND):
            shared = after[kind][before[kind] == period]
            if len(shared):
                return int(np.bincount(shared).argmax())
        return period


@dataclass(frozen=True)
class Window:
    """When a period is in force: from an hour of the day to another (24 is midnight; 22 to 6 goes past it), of some days of the year."""

    period: int
    from_h: float
    to_h: float
    first: str = "01-01"
    last: str = "12-31"
    days: Literal["all", "weekday", "weekend"] = "all"


def of_windows(windows: Sequence[Window], names: Sequence[str] = ()) -> Schedule:
    """The schedule of windows; `names` are the periods' names for errors.

    Raises
    ------
    UsageError
        For an hour of the year that no window covers, or two do, or for a window with times that there are not.
    """
    table = np.full((2, DAYS, QUARTERS_PER_DAY), _NONE, dtype=np.int64)
    for one in windows:
        quarters, of_year = _quarters(one), _days(one)
        for kind in _KINDS[one.days]:
            rows = np.ix_(np.array([kind]), of_year, quarters)
            taken = np.argwhere(table[rows] != _NONE)
            if len(taken):
                day, quarter = of_year[taken[0][1]], quarters[taken[0][2]]
                other = int(table[kind, day, quarter])
                raise UsageError(
                    f"two periods of the tariff cover {_when(kind, day, quarter)}: {_named(other, names)} and "
                    f"{_named(one.period, names)}; let one of them end before"
                )
            table[rows] = one.period
    if (table == _NONE).any():
        kind, day, quarter = (int(k) for k in np.argwhere(table == _NONE)[0])
        raise UsageError(f"no period of the tariff covers {_when(kind, day, quarter)}; add a window for it")
    return Schedule(table)


def _quarters(window: Window) -> Ints:
    begin, end = (round(4 * one) for one in (window.from_h, window.to_h))
    exact = all(abs(4 * h - round(4 * h)) < 1e-9 for h in (window.from_h, window.to_h))
    if not (exact and 0 <= begin < QUARTERS_PER_DAY and 0 <= end <= QUARTERS_PER_DAY and begin != end):
        raise UsageError(
            f"a window from {window.from_h:g} h to {window.to_h:g} h is none: write quarters of hours from 0 to 24"
        )
    span = end - begin if end > begin else end - begin + QUARTERS_PER_DAY
    return (begin + np.arange(span)) % QUARTERS_PER_DAY


def _days(window: Window) -> Ints:
    try:
        first, last = (date.fromisoformat(f"2000-{one}").timetuple().tm_yday - 1 for one in (window.first, window.last))
    except ValueError:
        raise UsageError(f"a window from {window.first} to {window.last} is none: write days such as 06-01") from None
    span = last - first if last >= first else last - first + DAYS
    return (first + np.arange(span + 1)) % DAYS


def _when(kind: int, day: int, quarter: int) -> str:
    at = date(2000, 1, 1) + timedelta(days=int(day))
    return f"{quarter // 4:02}:{quarter % 4 * 15:02} of {at:%d %B}, {'weekend' if kind else 'weekdays'}"


def _named(period: int, names: Sequence[str]) -> str:
    return repr(names[period]) if 0 <= period < len(names) else f"period {period}"


_ALL_DAYS = [date(2000, 1, 1) + timedelta(days=k) for k in range(DAYS)]
_MONTH_OF_DAY = np.array([one.month - 1 for one in _ALL_DAYS])
_FIRST_DAY = [k for k, one in enumerate(_ALL_DAYS) if one.day == 1]

"""What customers with a monthly rate owe a retailer: day by day what has accrued of the month, which its last day makes the bill of the month.

A day's bill is what the month so far comes to (`rates.accrual`), in whole cents, less what it came to the day before. What a later settlement run knows better of a
day changes the month the same way, and the next one where the rate looks back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.time import NS_PER_QUARTER, S_PER_QUARTER
from heptagrid.planes.money.cents import Ints
from heptagrid.planes.money.rates.accrual import Opening, accrue, check_accrues
from heptagrid.planes.money.rates.bill import RateBill
from heptagrid.planes.money.rates.rate import Rate
from heptagrid.planes.money.rates.use import Use
from heptagrid.planes.money.tariffs import billing_rules, network_fees, under_rate
from heptagrid.planes.money.tariffs.billing_rules import Bills

_WHOLE = 1.0 - 1e-9


@dataclass(frozen=True)
class Statement:
    """A month of some points by its lines: kinds of charge, names, units and prices by line; quantities (lines, points) and whole cents (lines, points); rounding, tax and total (points,) in cents.

    days: that it covers, of `of_days`. is_billed: whether they are all of the month, so that this is its bill; else it has accrued.
    """

    year: int
    month: int
    days: float
    of_days: int
    rules: tuple[str, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    prices: tuple[float | None, ...]
    quantities: npt.NDArray[np.float64]
    cents: Ints
    rounding: Ints
    tax: Ints
    total: Ints

    @property
    def is_billed(self) -> bool:
        return self.days >= self.of_days * _WHOLE

    def since(self, before: Statement | None) -> Statement:
        """The same lines with what has come to them since an earlier statement of the month."""
        if before is None:
            return self
        names = ("quantities", "cents", "rounding", "tax", "total")
        return replace(self, **{name: getattr(self, name) - getattr(before, name) for name in names})


@dataclass(frozen=True)
class DayEnergies:
    """A day, or its beginning: its first quarter hour since 1970, and (quarters, points) taken and fed in."""

    first_quarter: int
    import_kwh: np.ndarray
    export_kwh: np.ndarray


@dataclass
class _Month:
    """A month in work: energies of its days, (quarters, points) each by their first quarter hour since 1970, and what it came to."""

    first_day: int
    opening: Opening
    days: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    bill: RateBill | None = None
    closing: Opening | None = None
    bills: Bills | None = None

    @property
    def last_quarter(self) -> int:
        """The first quarter hour after its days."""
        last = max(self.days)
        return last + len(self.days[last][0])


@dataclass
class MonthlyAccount:
    """The months of some points, (points,), under one rate.

    columns: the points among the retailer's. years_per_day: what a day is of a year. from_ns: when the first day begins that counts; days before it are billed
    each for itself. settled_days: after how many days nothing changes a day any more.
    """

    rate: Rate
    columns: npt.NDArray[np.int64]
    supply: billing_rules.Parameters
    fees: network_fees.Parameters
    years_per_day: float
    zone: ZoneInfo
    from_ns: int
    settled_days: int
    months: list[_Month] = field(default_factory=list)
    closed: list[Statement] = field(default_factory=list)
    last_day: Statement | None = None

    def __post_init__(self) -> None:
        """Refuse what `check_accrues` refuses."""
        check_accrues(self.rate)

    def take(self, first_quarter: int, import_kwh: np.ndarray, export_kwh: np.ndarray) -> Bills:
        """What a day more, energies (quarters, points), adds to what is owed."""
        if self.months and self.months[0].first_day * NS_PER_QUARTER < self.from_ns <= first_quarter * NS_PER_QUARTER:
            self.months = []  # they were of the warm-up
        month = self._month_of(first_quarter, len(import_kwh))
        before = None if month.bill is None else _statement(month.bill)
        month.days[first_quarter] = import_kwh, export_kwh
        self._close_before(first_quarter)
        change = self._brought_up_to_date(self.months.index(month))
        assert month.bill is not None
        self.last_day = _statement(month.bill).since(before)
        return change

    def correct(self, first_quarter: int, import_kwh: np.ndarray, export_kwh: np.ndarray) -> Bills:
        """What better energies of a day taken before change of what is owed; nothing of one that no longer counts."""
        for k, month in enumerate(self.months):
            if first_quarter in month.days:
                month.days[first_quarter] = import_kwh, export_kwh
                return self._brought_up_to_date(k)
        return under_rate.nothing(len(self.columns))

    def change_if(self, first_quarter: int, import_kwh: np.ndarray, export_kwh: np.ndarray) -> Bills:
        """What `correct` would say; nothing is changed."""
        trial = replace(self, months=[replace(one, days=dict(one.days)) for one in self.months])
        return trial.correct(first_quarter, import_kwh, export_kwh)

    def has(self, first_quarter: int) -> bool:
        """Whether a day has been taken that may still change."""
        return any(first_quarter in one.days for one in self.months)

    def so_far(self, days: Sequence[DayEnergies]) -> Bills:
        """What the last of these days, (one or more) in order, would add if it were taken now, after those before it that have not been; nothing is changed."""
        months = [replace(one, days=dict(one.days)) for one in self.months]
        trial = replace(self, months=months, closed=list(self.closed))
        change = under_rate.nothing(len(self.columns))
        for one in days:
            if not trial.has(one.first_quarter):
                change = trial.take(one.first_quarter, one.import_kwh, one.export_kwh)
        return change

    def statements(self) -> Iterator[Statement]:
        """Each month that counts, the earliest first."""
        yield from self.closed
        for month in self.months:
            if month.bill is not None and month.first_day * NS_PER_QUARTER >= self.from_ns:
                yield _statement(month.bill)

    def _month_of(self, first_quarter: int, quarters: int) -> _Month:
        """The month in work that a day belongs to, or a new one."""
        if self.months:
            last = self.months[-1]
            calendar = Calendar.of(first_quarter * NS_PER_QUARTER, quarters, S_PER_QUARTER, self.zone)
            assert last.bill is not None and last.closing is not None
            if last.bill.calendar.months == calendar.months and last.last_quarter == first_quarter:
                return last
            opening = last.closing
        else:
            opening = Opening()
        self.months.append(_Month(first_quarter, opening))
        return self.months[-1]

    def _close_before(self, first_quarter: int) -> None:
        """Put months away that no settlement run changes any more."""
        settled = first_quarter - self.settled_days * (86_400 // S_PER_QUARTER)
        while len(self.months) > 1 and self.months[0].last_quarter < settled:
            bill = self.months.pop(0).bill
            assert bill is not None
            self.closed.append(_statement(bill))

    def _brought_up_to_date(self, first: int) -> Bills:
        """Bill the months from one on anew; what that changes of all of them."""
        change = under_rate.nothing(len(self.columns))
        for k in range(first, len(self.months)):
            month = self.months[k]
            if k > first:
                closing = self.months[k - 1].closing
                assert closing is not None
                month.opening = closing
            now = self._billed(month)
            change = under_rate.plus(change, now if month.bills is None else under_rate.minus(now, month.bills))
            month.bills = now
        return change

    def _billed(self, month: _Month) -> Bills:
        days = [month.days[one] for one in sorted(month.days)]
        energies = [np.concatenate([day[k] for day in days]) for k in (0, 1)]
        calendar = Calendar.of(month.first_day * NS_PER_QUARTER, len(energies[0]), S_PER_QUARTER, self.zone)
        use = Use(calendar, *energies)
        month.bill, month.closing = accrue(self.rate, use, month.opening)
        years = float(calendar.days[0]) * self.years_per_day
        return under_rate.bills_under(month.bill, use.totals()[0], years, self.supply, self.fees)


def _statement(bill: RateBill) -> Statement:
    (year, month), calendar, whole = bill.calendar.months[0], bill.calendar, bill.in_cents
    shape = whole.lines[:, 0].shape
    quantities = np.array([np.zeros(shape[1]) if one.quantity is None else one.quantity[0] for one in bill.lines])
    return Statement(
        year,
        month,
        days=float(calendar.days[0]),
        of_days=round(float(calendar.days[0] / calendar.shares[0])),
        rules=tuple(one.rule for one in bill.lines),
        names=tuple(one.name for one in bill.lines),
        units=tuple(one.unit for one in bill.lines),
        prices=tuple(one.price for one in bill.lines),
        quantities=quantities,
        cents=whole.lines[:, 0],
        rounding=whole.rounding[0],
        tax=whole.total[0] - whole.net[0],
        total=whole.total[0],
    )

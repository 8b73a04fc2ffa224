"""Minimum charges: what a month or a year comes to at least. A credit that is paid out at a true-up comes after them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heptagrid.foundation.calendar import Calendar, Floats
from heptagrid.planes.money.rates.line import Line


@dataclass(frozen=True)
class YearSoFar:
    """Months of a year that were billed before: which share of months they are together, and what was owed in them, (customers,)."""

    year: int
    months: float
    owed: Floats


@dataclass(frozen=True)
class Minimum:
    """monthly: of each month, less for a part of one. daily: of each of its days, beside that. annual: of a calendar year, charged with its December. before: what was billed of the year before the first month."""

    monthly: float = 0.0
    annual: float = 0.0
    before: YearSoFar | None = None
    daily: float = 0.0

    def of_months(self, calendar: Calendar) -> Floats:
        """(months,) what each comes to at least."""
        return np.asarray(self.monthly * calendar.shares + self.daily * calendar.days)

    def lines(self, charged: Floats, calendar: Calendar) -> list[Line]:
        """What lacks, by month; `charged` (months, customers) is all other charges.

        What a month's minimum adds counts towards the year's; a month's credit does not count against it.
        """
        made = []
        owed = np.maximum(charged, 0.0)
        if self.monthly or self.daily:
            lacks = np.maximum(self.of_months(calendar)[:, np.newaxis] - owed, 0.0)
            made.append(Line("minimum", "up to the month's minimum", lacks))
            owed = owed + lacks
        if self.annual:
            made.append(Line("minimum", "up to the year's minimum", self._of_years(owed, calendar)))
        return made

    def _of_years(self, owed: Floats, calendar: Calendar) -> Floats:
        lacks = np.zeros_like(owed)
        for k, (year, month) in enumerate(calendar.months):
            if month == 12:
                rows = [m for m, (of, _) in enumerate(calendar.months) if of == year]
                months, paid = calendar.shares[rows].sum(), owed[rows].sum(axis=0)
                if self.before is not None and self.before.year == year:
                    months, paid = months + self.before.months, paid + self.before.owed
                lacks[k] = np.maximum(self.annual * months / 12.0 - paid, 0.0)
        return lacks

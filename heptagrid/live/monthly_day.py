"""The running day of customers with a monthly rate: what it adds to their month, tiers, highest power and fixed charges included.

A day is billed once its reads are known, on the next one. Until then its energies are kept here by quarter hour, and the rate's account says at each full hour what
it would add if they were the day's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER
from heptagrid.planes.money.monthly_account import DayEnergies, MonthlyAccount
from heptagrid.planes.money.tariffs import under_rate
from heptagrid.planes.money.tariffs.billing_rules import Bills

Floats = npt.NDArray[np.float64]

_MOST_QUARTERS = 108  # of a day whose clocks are put back, by three hours at most


class MonthlyDay:
    """Counts what the customers of an account, (points,), owe for the day so far."""

    def __init__(self, account: MonthlyAccount) -> None:
        self._account = account
        self._day_ns = -1
        self._energies = np.zeros((2, _MOST_QUARTERS, len(account.columns)))
        self._before: list[DayEnergies] = []  # days that are over, and that the account may not have been told yet
        self._owed: Bills | None = None

    def count(self, day_ns: int, begin_ns: int, end_ns: int, used_kwh: Floats, fed_in_kwh: Floats) -> Bills:
        """What is owed more at the end of a span within a quarter hour, (points,); nothing but at full hours of the day that began at `day_ns`."""
        if day_ns != self._day_ns:
            self._begin(day_ns, begin_ns)
        quarter = (begin_ns - day_ns) // NS_PER_QUARTER
        self._energies[0, quarter] += used_kwh
        self._energies[1, quarter] += fed_in_kwh
        if (end_ns - day_ns) % NS_PER_HOUR:
            return under_rate.nothing(len(used_kwh))
        now = self._so_far(quarter + 1)
        more = now if self._owed is None else under_rate.minus(now, self._owed)
        self._owed = now
        return more

    def _begin(self, day_ns: int, begin_ns: int) -> None:
        """Begin a day; of one that began before this counts, what came before is not owed here."""
        if self._day_ns >= 0:
            self._before.append(self._day((day_ns - self._day_ns) // NS_PER_QUARTER))
        self._before = [one for one in self._before if not self._account.has(one.first_quarter)]
        self._day_ns, self._owed = day_ns, None
        self._energies = np.zeros_like(self._energies)
        missed = (begin_ns - day_ns) // NS_PER_QUARTER
        if missed:
            self._owed = self._so_far(missed)

    def _so_far(self, quarters: int) -> Bills:
        return self._account.so_far([*self._before, self._day(quarters)])

    def _day(self, quarters: int) -> DayEnergies:
        return DayEnergies(self._day_ns // NS_PER_QUARTER, *self._energies[:, :quarters])

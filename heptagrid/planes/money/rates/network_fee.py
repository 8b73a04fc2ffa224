"""Network fees: a price of the kWh, of the connection's capacity (contracted or metered), and of being connected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heptagrid.foundation.calendar import Floats
from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.use import Use


@dataclass(frozen=True)
class NetworkFee:
    """per_kwh: of what is taken. per_kw_year: of capacity, a twelfth each month. per_year: of the connection.

    capacity_kw : (customers,) or one for all, the contract's; None: the highest power of the months up to now, within the bills' year.
    """

    per_kwh: float = 0.0
    per_kw_year: float = 0.0
    per_year: float = 0.0
    capacity_kw: Floats | float | None = None

    def lines(self, use: Use) -> list[Line]:
        """A line for each price that is not 0."""
        part = use.calendar.shares[:, np.newaxis] / 12.0
        made = []
        if self.per_kwh:
            kwh = use.totals()
            made.append(Line("network fee", "network fee by energy", kwh * self.per_kwh, kwh, "kWh", self.per_kwh))
        if self.per_kw_year:
            kw = self._capacity(use)
            amount = kw * part * self.per_kw_year
            made.append(Line("network fee", "network fee by capacity", amount, kw, "kW", self.per_kw_year / 12.0))
        if self.per_year:
            made.append(Line("network fee", "network connection", use.zeros() + part * self.per_year))
        return made

    def _capacity(self, use: Use) -> Floats:
        if self.capacity_kw is not None:
            return use.zeros() + self.capacity_kw
        own = use.peaks_kw(np.zeros(use.calendar.slots, dtype=np.int64), 1)[:, 0]
        years = np.array([year for year, _ in use.calendar.months])
        for year in np.unique(years):
            rows = years == year
            own[rows] = np.maximum.accumulate(own[rows], axis=0)
        return own

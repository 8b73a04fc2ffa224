"""Fixed charges: so much for a month, a day or a year of being a customer; a part of a month pays its days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.use import Use


@dataclass(frozen=True)
class Fixed:
    """amount: for each month, day or year (a twelfth of which is a month's)."""

    amount: float
    per: Literal["month", "day", "year"] = "month"
    name: str = "fixed charge"

    def lines(self, use: Use) -> list[Line]:
        """One line."""
        count = use.calendar.days if self.per == "day" else use.calendar.shares
        price = self.amount / 12.0 if self.per == "year" else self.amount
        counted = np.repeat(count[:, np.newaxis], use.customers, axis=1)
        unit = "days" if self.per == "day" else "months"
        return [Line("fixed", self.name, counted * price, counted, unit, price)]

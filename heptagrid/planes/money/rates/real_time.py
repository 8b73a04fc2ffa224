"""Real-time prices: each slot has a price of its own, on top of the rate's energy charges (which may be 0)."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.calendar import Floats
from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.use import Use


@dataclass(frozen=True)
class RealTime:
    """prices : (slots,), of a kWh taken in each slot. selling : (slots,), what a kWh fed in earns, None where another rule says."""

    prices: Floats
    selling: Floats | None = None

    def lines(self, use: Use) -> list[Line]:
        """What was taken at each slot's price, and what was fed in."""
        taken = use.totals()
        made = [Line("real time", "energy at real-time prices", use.weighted(self.prices), taken, "kWh")]
        if self.selling is not None:
            fed = use.totals(fed_in=True)
            credit = use.weighted(self.selling, fed_in=True)
            made.append(Line("real time", "feed-in at real-time prices", -credit, fed, "kWh"))
        return made

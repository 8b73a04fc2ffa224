"""Feed-in: every kWh fed in earns a price of its own, and is never set against what was taken.

With a market price the rate pays at least its own price: the market's value, and a premium for what that lacks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heptagrid.foundation.calendar import Floats
from heptagrid.planes.money.rates.energy import Energy
from heptagrid.planes.money.rates.export import Balance, Export, Settled
from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.use import Use


@dataclass(frozen=True)
class FeedIn(Export):
    """price: what a kWh fed in earns. market : (slots,), the market's prices, None where the price is all there is."""

    price: float
    market: Floats | None = None

    def settle(self, energy: Energy, use: Use, opening: Balance) -> Settled:
        """Energy as it was used, and what is paid for feed-in."""
        lines = energy.lines(use, energy.split_of_slots(use))
        fed = use.totals(fed_in=True)
        if self.market is None:
            return Settled([*lines, Line("feed-in", "feed-in", -fed * self.price, fed, "kWh", self.price)])
        value = use.weighted(self.market, fed_in=True)
        premium = use.weighted(np.maximum(self.price - self.market, 0.0), fed_in=True)
        return Settled(
            [
                *lines,
                Line("feed-in", "feed-in at its market value", -value, fed, "kWh"),
                Line("feed-in", "feed-in premium", -premium, fed, "kWh"),
            ]
        )

"""Net billing: what is taken costs the buying price, what is fed in earns the selling price, slot by slot.

The credit is paid with the month's bill, which it may turn into a payment to the customer; or it is carried over in money, and pays for energy
alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heptagrid.foundation.calendar import Floats
from heptagrid.planes.money.rates.energy import Energy
from heptagrid.planes.money.rates.export import DECEMBER, Balance, Export, Settled, check_month
from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.net_metering import carried
from heptagrid.planes.money.rates.use import Use


@dataclass(frozen=True)
class NetBilling(Export):
    """price: of a kWh fed in (None: the tiers' selling prices). prices : (slots,), of each slot, instead of both.

    carry: whether the credit is carried over. at_once: whether it pays for the energy of the month that it is earned in. expires: whether what is
    left at the true-up is lost instead of paid out.
    """

    price: float | None = None
    prices: Floats | None = None
    carry: bool = False
    true_up_month: int = DECEMBER
    at_once: bool = False
    expires: bool = False

    def __post_init__(self) -> None:
        check_month(self.true_up_month)

    def settle(self, energy: Energy, use: Use, opening: Balance) -> Settled:
        """Energy as it was used, and the credit."""
        lines = energy.lines(use, energy.split_of_slots(use))
        earned, fed = self._earned(energy, use)
        if not self.carry:
            return Settled([*lines, Line("net billing", "credit for what was fed in", -earned, fed, "kWh", self.price)])
        charges = np.asarray(sum(one.amount for one in lines))
        at_true_up = use.calendar.month_of_year == self.true_up_month - 1
        credit, left, money = carried(charges, earned, at_true_up, opening.money, self.at_once)
        paid = [] if self.expires else [Line("true-up", "credit paid out", -left)]
        return Settled([*lines, Line("net billing", "credit for what was fed in", -credit)], paid, Balance(money=money))

    def _earned(self, energy: Energy, use: Use) -> tuple[Floats, Floats]:
        """(months, customers) each: what feed-in earned, and how much it was."""
        if self.prices is not None:
            return use.weighted(self.prices, fed_in=True), use.totals(fed_in=True)
        if self.price is not None:
            fed = use.totals(fed_in=True)
            return fed * self.price, fed
        split = energy.split_of_slots(use, fed_in=True)
        return energy.earned(split), np.asarray(sum(part for parts in split for part in parts))

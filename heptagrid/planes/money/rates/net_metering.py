"""Net metering: a month's feed-in is set against its use, period by period, and what is left is carried over in kWh or in money.

In kWh, a period's surplus lowers the next month's use of the same period; where the next month has no such period, of the one that shares most of
its hours. At the true-up the meter's whole surplus is paid at one price, and the balance is 0. In money, a surplus earns the tiers' selling price
and pays for the energy of this month and of later ones; at the true-up what is left is paid out, once, and the balance is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from heptagrid.foundation.calendar import Floats, Ints
from heptagrid.planes.money.rates.energy import Energy
from heptagrid.planes.money.rates.export import DECEMBER, Balance, Export, Settled, check_month
from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.use import Use


@dataclass(frozen=True)
class NetMetering(Export):
    """carry: what a surplus is carried over in. true_up_month: 1 to 12. true_up_price: of a kWh of the meter's surplus.

    true_up: "paid": what is left is paid out; "credit": what is left of kWh becomes a credit towards later months' energy; "surplus": what is left of
    money lapses, and the meter's surplus of kWh is paid at its price.
    """

    carry: Literal["kwh", "money"] = "kwh"
    true_up_month: int = DECEMBER
    true_up_price: float = 0.0
    true_up: Literal["paid", "credit", "surplus"] = "paid"

    def __post_init__(self) -> None:
        check_month(self.true_up_month)

    def settle(self, energy: Energy, use: Use, opening: Balance) -> Settled:
        """Net energy, credits and true-ups."""
        return self._in_kwh(energy, use, opening) if self.carry == "kwh" else self._in_money(energy, use, opening)

    def _in_kwh(self, energy: Energy, use: Use, opening: Balance) -> Settled:
        net = energy.sums(use) - energy.sums(use, fed_in=True)
        of_year = use.calendar.month_of_year
        billed = np.maximum(net, 0.0)
        bank = np.zeros(net.shape[1:]) if opening.kwh is None else opening.kwh
        for m in range(use.months):
            if m > 0:
                bank = moved_bank(bank, energy, int(of_year[m - 1]), int(of_year[m]))
            left = net[m] - bank
            billed[m], bank = np.maximum(left, 0.0), np.maximum(-left, 0.0)
            if of_year[m] == self.true_up_month - 1:
                bank = np.zeros_like(bank)
        lines = energy.lines(use, energy.split(use, billed))
        at, whole = self._surplus(net, of_year, opening)
        if self.true_up != "credit":
            return Settled(lines, [at], Balance(bank, whole))
        never = np.zeros(use.months, dtype=bool)
        credit, _, money = carried(_total(lines), -at.amount, never, opening.money)
        return Settled([*lines, Line("net metering", "credit of surplus", -credit)], [], Balance(bank, whole, money))

    def _in_money(self, energy: Energy, use: Use, opening: Balance) -> Settled:
        net = energy.sums(use) - energy.sums(use, fed_in=True)
        of_year = use.calendar.month_of_year
        lines = energy.lines(use, energy.split(use, np.maximum(net, 0.0)))
        earned = energy.earned(energy.split(use, np.maximum(-net, 0.0)))
        credit, left, money = carried(_total(lines), earned, of_year == self.true_up_month - 1, opening.money)
        paid, whole = Line("true-up", "credit paid out", -left), None
        if self.true_up == "surplus":
            paid, whole = self._surplus(net, of_year, opening)
        credits = Line("net metering", "credit of surplus", -credit)
        return Settled([*lines, credits], [paid], Balance(whole_kwh=whole, money=money))

    def _surplus(self, net: Floats, of_year: Ints, opening: Balance) -> tuple[Line, Floats]:
        """What the whole meter has fed in beyond its use at each true-up, at its price; and what it has come to after the last month."""
        surplus = np.zeros((len(net), net.shape[2]))
        whole = np.zeros(net.shape[2]) if opening.whole_kwh is None else opening.whole_kwh
        for m in range(len(net)):
            whole = np.maximum(whole - net[m].sum(axis=0), 0.0)
            if of_year[m] == self.true_up_month - 1:
                surplus[m], whole = whole, np.zeros_like(whole)
        return Line("true-up", "surplus", -surplus * self.true_up_price, surplus, "kWh", self.true_up_price), whole


def carried(
    charges: Floats, earned: Floats, at_true_up: np.ndarray, opening: Floats | None, at_once: bool = True
) -> tuple[Floats, Floats, Floats]:
    """What of a balance in money pays for charges, and what is paid out, (months, customers) each; what is left, (customers,).

    at_once: whether what a month earns pays for the same month's charges; else from the next on.
    """
    balance = np.zeros(charges.shape[1]) if opening is None else opening
    credit, paid = np.zeros_like(charges), np.zeros_like(charges)
    for m in range(len(charges)):
        usable = balance + earned[m] if at_once else balance
        credit[m] = np.minimum(np.maximum(charges[m], 0.0), usable)
        balance = balance + earned[m] - credit[m]
        if at_true_up[m]:
            paid[m], balance = balance, np.zeros_like(balance)
    return credit, paid, balance


def _total(lines: list[Line]) -> Floats:
    return np.asarray(sum(one.amount for one in lines))


def moved_bank(bank: Floats, energy: Energy, before: int, now: int) -> Floats:
    """A balance in kWh, (periods, customers), in the periods of the month that follows; months of the year from 0."""
    if before == now or len(bank) == 1:
        return bank
    moved = np.zeros_like(bank)
    for p in range(len(bank)):
        moved[energy.schedule.successor(before, now, p)] += bank[p]
    return moved

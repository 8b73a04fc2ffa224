"""Net metering: a month's feed-in is set against its use, period by period, and what is left is carried over in kWh or in money.

In kWh, a period's surplus lowers the next month's use of the same period; where the next month has no such period, of the one that shares most of
its hours. At the true-up the meter's whole surplus is paid at one price, and the balance is 0. In money, a surplus earns the tiers' selling price
and pays for the energy of this month and of later ones; at the true-up what is left is paid out, once, and the balance is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from heptagrid.planes.money.rates.calendar import Floats
from heptagrid.planes.money.rates.energy import Energy
from heptagrid.planes.money.rates.export import DECEMBER, Balance, Export, Settled, check_month
from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.use import Use


@dataclass(frozen=True)
class NetMetering(Export):
    """carry: what a surplus is carried over in. true_up_month: 1 to 12. true_up_price: of a kWh of surplus, carried in kWh.

    true_up: "paid": in money; "credit": as a credit towards later months' energy.
    """

    carry: Literal["kwh", "money"] = "kwh"
    true_up_month: int = DECEMBER
    true_up_price: float = 0.0
    true_up: Literal["paid", "credit"] = "paid"

    def __post_init__(self) -> None:
        check_month(self.true_up_month)

    def settle(self, energy: Energy, use: Use, opening: Balance) -> Settled:
        """Net energy, credits and true-ups."""
        return self._in_kwh(energy, use, opening) if self.carry == "kwh" else self._in_money(energy, use, opening)

    def _in_kwh(self, energy: Energy, use: Use, opening: Balance) -> Settled:
        net = energy.sums(use) - energy.sums(use, fed_in=True)
        of_year = use.calendar.month_of_year
        billed, surplus = np.maximum(net, 0.0), use.zeros()
        bank = np.zeros(net.shape[1:]) if opening.kwh is None else opening.kwh
        whole = np.zeros(use.customers) if opening.whole_kwh is None else opening.whole_kwh
        for m in range(use.months):
            if m > 0:
                bank = _moved(bank, energy, int(of_year[m - 1]), int(of_year[m]))
            left = net[m] - bank
            billed[m], bank = np.maximum(left, 0.0), np.maximum(-left, 0.0)
            whole = np.maximum(whole - net[m].sum(axis=0), 0.0)
            if of_year[m] == self.true_up_month - 1:
                surplus[m] = whole
                bank, whole = np.zeros_like(bank), np.zeros_like(whole)
        lines = energy.lines(use, energy.split(use, billed))
        at = Line("true-up", "surplus", -surplus * self.true_up_price, surplus, "kWh", self.true_up_price)
        if self.true_up == "paid":
            return Settled(lines, [at], Balance(bank, whole))
        credit, money = _spent(_total(lines), -at.amount, np.zeros(use.customers), opening.money)
        return Settled([*lines, Line("net metering", "credit of surplus", -credit)], [], Balance(bank, whole, money))

    def _in_money(self, energy: Energy, use: Use, opening: Balance) -> Settled:
        net = energy.sums(use) - energy.sums(use, fed_in=True)
        lines = energy.lines(use, energy.split(use, np.maximum(net, 0.0)))
        earned = energy.earned(energy.split(use, np.maximum(-net, 0.0)))
        at_true_up = use.calendar.month_of_year == self.true_up_month - 1
        credit, paid, money = carried(_total(lines), earned, at_true_up, opening.money)
        return Settled(
            [*lines, Line("net metering", "credit of surplus", -credit)],
            [Line("true-up", "credit paid out", -paid)],
            Balance(money=money),
        )


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


def _spent(charges: Floats, earned: Floats, none: Floats, opening: Floats | None) -> tuple[Floats, Floats]:
    credit, _, money = carried(
        charges, earned, np.zeros(len(charges), dtype=bool), none if opening is None else opening
    )
    return credit, money


def _total(lines: list[Line]) -> Floats:
    return np.asarray(sum(one.amount for one in lines))


def _moved(bank: Floats, energy: Energy, before: int, now: int) -> Floats:
    """The balance in the periods of the month that follows."""
    if before == now or len(bank) == 1:
        return bank
    moved = np.zeros_like(bank)
    for p in range(len(bank)):
        moved[energy.schedule.successor(before, now, p)] += bank[p]
    return moved

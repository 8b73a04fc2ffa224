"""The bill of a rate: its lines for each month and customer, in whole cents, with one line of what rounding them left.

The sum of a tax's lines is rounded once, and its tax once, half a cent away from zero; so the bill does not depend on how many lines it has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from heptagrid.foundation.calendar import Calendar, Floats
from heptagrid.foundation.errors import UsageError
from heptagrid.planes.money.cents import Ints, cents
from heptagrid.planes.money.rates.export import Balance
from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.rate import Rate
from heptagrid.planes.money.rates.taxes import tax_of
from heptagrid.planes.money.rates.use import Use

MOST = 1e12
"""No bill is larger, in the rate's currency: integers hold its cents, and a float64 its thousandths."""


@dataclass(frozen=True)
class InCents:
    """(lines, months, customers) each line; (taxes, months, customers) each tax; the rest (months, customers).

    rounding: what the lines lack against their sum rounded once. net: lines and rounding. total: net and taxes.
    """

    lines: Ints
    taxes: Ints
    rounding: Ints
    net: Ints
    total: Ints


@dataclass(frozen=True)
class RateBill:
    """Bills of months: `lines` before rounding, and in whole cents; `balance` is carried to the next bill."""

    rate: Rate
    calendar: Calendar
    lines: tuple[Line, ...]
    in_cents: InCents
    balance: Balance

    def amount(self, *rules: str) -> Floats:
        """(months, customers) what some kinds of charge come to before rounding, or all of them."""
        chosen = [one.amount for one in self.lines if not rules or one.rule in rules]
        return np.asarray(sum(chosen, np.zeros_like(self.lines[0].amount)))


def bill(rate: Rate, use: Use, opening: Balance | None = None) -> RateBill:
    """The bills of all months of `use`; `opening` is the balance of the bill before."""
    settled = rate.export.settle(rate.energy, use, opening or Balance())
    lines = list(settled.lines)
    for element in rate.elements:
        lines += element.lines(use)
    if rate.minimum is not None:
        charged = np.asarray(sum(one.amount for one in lines))
        lines += rate.minimum.lines(charged, use.calendar)
    lines += settled.paid_out
    return RateBill(rate, use.calendar, tuple(lines), in_cents(rate, lines), settled.balance)


def in_cents(rate: Rate, lines: list[Line]) -> InCents:
    """Lines in whole cents, and the taxes on them.

    Raises
    ------
    UsageError
        For a bill of more money than there is.
    """
    amounts = np.array([one.amount for one in lines])
    largest = np.abs(amounts).sum(axis=0).max(initial=0.0)
    if not largest <= MOST:  # nor NaN
        raise UsageError(
            f"a bill comes to {largest:g} {rate.currency}, above {MOST:g}; correct the prices or the readings"
        )
    whole = cents(amounts)
    kind = np.array([tax_of(one.rule, rate.taxes) for one in lines], dtype=np.int64)
    untaxed = cents(amounts[kind < 0].sum(axis=0))
    bases = [cents(amounts[kind == k].sum(axis=0)) for k in range(len(rate.taxes))]
    taxes = np.array([cents(base / 100.0 * one.share) for base, one in zip(bases, rate.taxes, strict=True)])
    taxes = taxes.reshape(len(rate.taxes), *amounts.shape[1:]).astype(np.int64)
    net = np.asarray(sum(bases, untaxed))
    return InCents(whole, taxes, net - whole.sum(axis=0), net, net + taxes.sum(axis=0))


def true_up(billed: RateBill, known: RateBill) -> RateBill:
    """What a bill on what is known by now differs from the one that has gone out: line by line, whole cents included."""
    lines = []
    for before, after in zip(billed.lines, known.lines, strict=True):
        quantity = None
        if before.quantity is not None and after.quantity is not None:
            quantity = after.quantity - before.quantity
        lines.append(replace(after, amount=after.amount - before.amount, quantity=quantity))
    one, other = billed.in_cents, known.in_cents
    change = InCents(
        other.lines - one.lines,
        other.taxes - one.taxes,
        other.rounding - one.rounding,
        other.net - one.net,
        other.total - one.total,
    )
    return replace(known, lines=tuple(lines), in_cents=change)

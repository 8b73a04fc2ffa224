"""Where supply and demand cross: how much of each order is taken, and between which prices the market clears."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heptagrid.world.bids import Bools, Floats

# Of all that is offered: quantities that differ by less are one. Sums of 100,000 quantities differ by less.
_ROUNDING = 1e-11


@dataclass(frozen=True)
class Crossing:
    """taken: (n,) of each order. volume: traded. low, high: between which any price clears the market, infinite where nothing bounds it.

    Without a trade low is the highest bid and high the lowest offer.
    """

    taken: Floats
    volume: float
    low: float
    high: float

    @property
    def price(self) -> float:
        """The middle of both; the one that is finite if the other is not; NaN without a trade."""
        if not self.volume > 0.0 or np.isinf([self.low, self.high]).all():
            return float("nan")
        if np.isfinite([self.low, self.high]).all():
            return 0.5 * (self.low + self.high)
        return self.low if np.isfinite(self.low) else self.high


class _Curve:
    """Orders of one side from the best on; price: (n,) rising, that of buyers below zero."""

    def __init__(self, order: np.ndarray, price: Floats, quantity: Floats) -> None:
        mine = price[order]
        rank = np.argsort(mine)
        self.order, self.price = order[rank], mine[rank]
        self.quantity = quantity[self.order]
        self.end = np.cumsum(self.quantity)

    def begin(self, k: int) -> float:
        """What the orders before this one offer together."""
        return float(self.end[k - 1]) if k else 0.0

    def count_taken(self, other: _Curve, rounding: float) -> int:
        """How many orders, from the best on, meet one of the other side that accepts them: found by halving, for none after the first that does not does."""
        taken, beyond = 0, len(self.order)
        while taken < beyond:
            middle = (taken + beyond) // 2
            at = int(np.searchsorted(other.end, self.begin(middle) + rounding, side="right"))
            if at < len(other.end) and -other.price[at] >= self.price[middle]:
                taken = middle + 1
            else:
                beyond = middle
        return taken

    def take(self, last: int, volume: float, rounding: float, taken: Floats) -> float:
        """Take so much, at the price of the last order in equal parts; the price of the first that is rejected, infinite if none is."""
        first, beyond = (int(np.searchsorted(self.price, self.price[last], side=side)) for side in ("left", "right"))
        taken[self.order[:first]] = self.quantity[:first]
        here = slice(first, beyond)
        all_taken = self.end[beyond - 1] - volume <= rounding
        part = 1.0 if all_taken else (volume - self.begin(first)) / (self.end[beyond - 1] - self.begin(first))
        taken[self.order[here]] = part * self.quantity[here]
        if not all_taken:
            return float(self.price[last])
        return float(self.price[beyond]) if beyond < len(self.price) else np.inf


def cross(price: Floats, quantity: Floats, is_sale: Bools) -> Crossing:
    """The crossing of the orders of one period, (n,) each; the price of an order that must be taken is infinite (a purchase) or minus that (a sale)."""
    taken, there = np.zeros(len(price)), quantity > 0.0
    supply = _Curve(np.flatnonzero(there & is_sale), price, quantity)
    demand = _Curve(np.flatnonzero(there & ~is_sale), -price, quantity)
    lowest = float(supply.price[0]) if len(supply.price) else np.inf
    highest = -float(demand.price[0]) if len(demand.price) else -np.inf
    if not (len(supply.price) and len(demand.price)) or highest < lowest:
        return Crossing(taken, 0.0, highest, lowest)
    rounding = _ROUNDING * max(float(supply.end[-1]), float(demand.end[-1]))
    last_sale = supply.count_taken(demand, rounding) - 1
    last_purchase = demand.count_taken(supply, rounding) - 1
    volume = min(float(supply.end[last_sale]), float(demand.end[last_purchase]))
    rejected_sale = supply.take(last_sale, volume, rounding, taken)
    rejected_purchase = -demand.take(last_purchase, volume, rounding, taken)
    low = max(float(supply.price[last_sale]), rejected_purchase)
    high = min(-float(demand.price[last_purchase]), rejected_sale)
    return Crossing(taken, volume, low, high)

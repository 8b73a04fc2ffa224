"""Block orders: which are taken, all and whole, so that costs less gains are least and no block loses at the prices.

A mixed-integer program chooses the blocks; if no prices that clear the other orders leave each chosen block without a loss, that choice is excluded
and the next best is looked for. A block may be left out although it would gain (paradoxically rejected), as in the day-ahead coupling of Europe. Source of the
rule: NEMO Committee, EUPHEMIA Public Description (2020), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from heptagrid.planes.money.formulations.program import OPTIMAL, Program
from heptagrid.planes.money.markets.curves import Crossing, cross
from heptagrid.world.bids import Bids, Bools, Floats, Ints

_MOST_CHOICES = 200  # that are excluded one by one; then blocks that lose are
_LOSS = 1e-7  # of a block, that is rounding


@dataclass(frozen=True)
class Choice:
    """is_taken: (blocks,). crossings: of each period, its orders in the file's order. price: (periods,) NaN without a trade.

    bound: below which no choice can cost, from the first program, which knows no losses. excluded: choices that had no prices.
    """

    is_taken: Bools
    crossings: list[Crossing]
    price: Floats
    bound: float
    excluded: int


def choose_blocks(bids: Bids, rows_of: list[Ints]) -> Choice:
    """The best blocks that do not lose. rows_of: the orders of each period."""
    sign = np.where(bids.is_sale, 1.0, -1.0)
    program = Program()
    single = np.flatnonzero(bids.block < 0)
    in_block = np.flatnonzero(bids.block >= 0)
    parts = program.columns(np.zeros(len(single)), bids.quantity[single], (sign * bids.price)[single])
    worth = np.bincount(bids.block[in_block], (sign * bids.price * bids.quantity)[in_block], len(bids.blocks))
    whole = program.columns(np.zeros(len(bids.blocks)), 1.0, worth, is_integer=True)
    balance = program.rows(np.zeros(len(bids.periods)), 0.0)
    program.put(balance[bids.period[single]], parts, sign[single])
    program.put(balance[bids.period[in_block]], whole[bids.block[in_block]], (sign * bids.quantity)[in_block])
    bound, excluded = -np.inf, 0
    while True:
        found = program.solve(gap=0.0)
        if (
            found.status != OPTIMAL or found.bound is None
        ):  # nothing taken is a choice, so this is a limit of the solver
            taken = np.zeros(len(bids.blocks), dtype=np.bool_)
        else:
            taken = found.x[whole] > 0.5
            bound = found.bound if not excluded else bound
        crossings = crossings_with(bids, rows_of, taken)
        crossings, price, losers = _prices(bids, rows_of, taken, crossings)
        if not len(losers):
            return Choice(taken, crossings, price, bound, excluded)
        excluded += 1
        if excluded > _MOST_CHOICES:
            program.change_columns(whole[losers], 0.0, 0.0)
        else:
            row = program.rows(1.0 - float(taken.sum()), np.inf)
            program.put(row, whole, np.where(taken, -1.0, 1.0))


def crossings_with(bids: Bids, rows_of: list[Ints], taken: Bools) -> list[Crossing]:
    """Where each period's curves cross with these blocks: whatever their price, or not at all."""
    is_block = bids.block >= 0
    is_in = ~is_block | (np.append(taken, False)[bids.block])
    price = np.where(is_block, np.where(bids.is_sale, -np.inf, np.inf), bids.price)
    quantity = np.where(is_in, bids.quantity, 0.0)
    return [cross(price[rows], quantity[rows], bids.is_sale[rows]) for rows in rows_of]


def _prices(
    bids: Bids, rows_of: list[Ints], taken: Bools, crossings: list[Crossing]
) -> tuple[list[Crossing], Floats, Ints]:
    """Prices within the periods' intervals, as near to the middle as blocks without a loss allow; else the blocks to blame."""
    crossings = _with_single_orders(bids, taken, crossings)
    low, high = np.array([[one.low, one.high] for one in crossings]).T
    is_traded = np.array([one.volume > 0.0 for one in crossings])
    middle = np.array([one.price for one in crossings])
    which = np.flatnonzero((bids.block >= 0) & np.append(taken, False)[bids.block])
    crossed = np.flatnonzero(is_traded & (low > high))
    if len(crossed):
        return crossings, middle, np.unique(bids.block[which[np.isin(bids.period[which], crossed)]])
    value = bids.price * bids.quantity
    weight = np.bincount(bids.period[which], bids.quantity[which], len(low))
    mean = np.bincount(bids.period[which], value[which], len(low)) / np.where(weight > 0.0, weight, 1.0)
    wanted = np.where(is_traded, np.where(np.isnan(middle), mean, middle), 0.0)
    program = Program()
    price = program.columns(np.where(is_traded, low, 0.0), np.where(is_traded, high, 0.0))
    apart = program.columns(np.zeros(len(low)), np.inf, 1.0)
    for side in (1.0, -1.0):
        rows = program.rows(side * wanted, np.inf)
        program.put(rows, price, side)
        program.put(rows, apart, 1.0)
    sign = np.where(bids.is_sale, 1.0, -1.0)
    least = np.bincount(bids.block[which], (sign * value)[which], len(taken))
    gains = program.rows(np.where(taken, least - _LOSS, -np.inf), np.inf)
    program.put(gains[bids.block[which]], price[bids.period[which]], (sign * bids.quantity)[which])
    found = program.solve()
    if found.status == OPTIMAL:
        return crossings, np.where(is_traded, found.x[price], np.nan), np.empty(0, dtype=np.int64)
    gain = np.bincount(bids.block[which], (sign * bids.quantity)[which] * wanted[bids.period[which]], len(taken))
    losers = np.flatnonzero(taken & (gain < least - _LOSS))
    return crossings, middle, losers if len(losers) else np.flatnonzero(taken)


def _with_single_orders(bids: Bids, taken: Bools, crossings: list[Crossing]) -> list[Crossing]:
    """The periods' intervals, within the prices of the taken blocks of one order."""
    low, high = np.array([[one.low, one.high] for one in crossings]).T.copy()
    count = np.bincount(bids.block[bids.block >= 0], minlength=len(taken))
    alone = (bids.block >= 0) & np.append(taken & (count == 1), False)[bids.block]
    sales, purchases = np.flatnonzero(alone & bids.is_sale), np.flatnonzero(alone & ~bids.is_sale)
    np.maximum.at(low, bids.period[sales], bids.price[sales])
    np.minimum.at(high, bids.period[purchases], bids.price[purchases])
    return [replace(one, low=float(a), high=float(b)) for one, a, b in zip(crossings, low, high, strict=True)]

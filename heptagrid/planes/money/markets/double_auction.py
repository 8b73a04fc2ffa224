"""A double auction: bids and offers in; what is accepted and one price for each period out.

As much is traded as has a buyer who pays no less than its seller takes. Any price from the greater of the last accepted offer and the first rejected bid to the lesser of
the last accepted bid and the first rejected offer clears the market; it is the middle of these. An order that is taken in part is accepted and rejected.
Orders at the price that cannot all be taken share what is left by their quantities. Source of the rule: Satterthwaite and
Williams, "Bilateral trade with the sealed bid k-double auction", Journal of Economic Theory 48 (1989), k = 1/2.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_matrix

from heptagrid.foundation.sums import dot
from heptagrid.planes.money.formulations.program import OPTIMAL
from heptagrid.planes.money.markets.block_orders import choose_blocks
from heptagrid.planes.money.markets.certificate import Certificate, certify
from heptagrid.planes.money.markets.curves import Crossing, cross
from heptagrid.planes.money.markets.market import Market, Outcome
from heptagrid.world.bids import Bids, Floats, Ints


class LinearCosts(NamedTuple):
    """Straight costs of columns; the gains of buyers are costs below zero."""

    each: Floats

    def value(self, x: Floats) -> Floats:
        """What each column costs, (columns,)."""
        return self.each * x

    def slopes(self, x: Floats) -> tuple[Floats, Floats]:
        """What one less saves and one more costs, (columns,) each."""
        return self.each, self.each

    def best_output(self, price: Floats, low: Floats, high: Floats) -> Floats:
        """Where within bounds a column gains most at a price, (columns,)."""
        return np.where(price > self.each, high, low)


def clear(bids: Bids) -> Outcome:
    """Clear every period; blocks join theirs."""
    began = time.perf_counter()
    rows_of = _rows_of(bids)
    bound, remarks = None, list[str]()
    if bids.blocks:
        choice = choose_blocks(bids, rows_of)
        crossings, price, bound = choice.crossings, choice.price, choice.bound
        if choice.excluded:
            remarks.append(
                f"{choice.excluded} choices of blocks were cheaper, but no prices leave their blocks without a loss"
            )
    else:
        crossings = [cross(bids.price[rows], bids.quantity[rows], bids.is_sale[rows]) for rows in rows_of]
        price = np.array([one.price for one in crossings])
    taken = np.empty(len(bids.price))
    for rows, one in zip(rows_of, crossings, strict=True):
        taken[rows] = one.taken
    certificate = _certificate(bids, taken, price, crossings)
    if bound is not None:
        gap = abs(certificate.cost - bound) / max(abs(certificate.cost), 1e-9)
        certificate = replace(certificate, bound=bound, gap=gap)
    seconds = time.perf_counter() - began
    return _outcome(bids, taken, price, crossings, certificate, seconds, tuple(remarks))


def _rows_of(bids: Bids) -> list[Ints]:
    """The orders of each period."""
    if len(bids.periods) == 1:
        return [np.arange(len(bids.price))]
    order = np.argsort(bids.period, kind="stable")
    return np.split(order, np.cumsum(np.bincount(bids.period, minlength=len(bids.periods)))[:-1])


def _certificate(bids: Bids, taken: Floats, price: Floats, crossings: list[Crossing]) -> Certificate:
    """Of the orders that may be taken in part, with blocks as they were chosen."""
    orders, sign = len(bids.price), np.where(bids.is_sale, 1.0, -1.0)
    matrix = csc_matrix((sign, bids.period, np.arange(orders + 1)), (len(bids.periods), orders))
    low, high = np.array([[one.low, one.high] for one in crossings]).T
    either = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0.0))
    dual = np.where(np.isnan(price), either, price)
    zero, least, most = np.zeros(len(bids.periods)), np.zeros(orders), bids.quantity
    if bids.blocks:
        least, most = np.where(bids.block >= 0, taken, 0.0), np.where(bids.block >= 0, taken, bids.quantity)
    return certify(matrix, taken, dual, least, most, zero, zero, LinearCosts(sign * bids.price))


def _outcome(
    bids: Bids,
    taken: Floats,
    price: Floats,
    crossings: list[Crossing],
    certificate: Certificate,
    seconds: float,
    remarks: tuple[str, ...],
) -> Outcome:
    low, high = np.array([[one.low, one.high] for one in crossings]).T
    volume = np.array([one.volume for one in crossings])
    price_each = price[bids.period]
    paid = taken * np.nan_to_num(price_each)
    figures: dict[str, object] = {
        "cleared_quantity": float(volume.sum()),
        "surplus": 0.0 - certificate.cost,
        "payments": dot(paid, ~bids.is_sale),
        "revenues": dot(paid, bids.is_sale),
        "uplift": 0.0,
        "bids": len(taken),
    }
    if not bids.has_periods:
        has_price = bool(np.isfinite(price[0]))
        figures = {"price": float(price[0]) if has_price else None, **figures}
        ends = (float(one) if np.isfinite(one) else None for one in (low[0], high[0]))
        figures |= dict(zip(("price_low", "price_high"), ends, strict=True))
    return Outcome(
        status=OPTIMAL,
        seconds=seconds,
        total_cost=certificate.cost,
        certificate=certificate,
        figures=figures,
        prices={"period": bids.periods, "price": price, "quantity": volume, "low": low, "high": high},
        quantities={
            "id": bids.names,
            "period": np.array(bids.periods)[bids.period],
            "side": np.where(bids.is_sale, "sell", "buy"),
            "bid_price": bids.price,
            "bid_quantity": bids.quantity,
            "quantity": taken,
            "price": price_each,
            "paid": paid,
        },
        remarks=remarks,
    )


DOUBLE_AUCTION = Market("double-auction", "double auction: one price for each period", Bids, frozenset(), clear)

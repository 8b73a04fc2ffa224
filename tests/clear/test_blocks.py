"""Block orders: all of them and whole, or none, and never at a loss."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.planes.money.markets.double_auction import clear
from heptagrid.world.bids import Bids

Row = tuple[int, bool, float, float, int]  # period, is a sale, price, quantity, block or -1


def market_of(rows: list[Row]) -> Bids:
    period, is_sale, price, quantity, block = (np.array(column) for column in zip(*rows, strict=True))
    periods, number = np.unique(period, return_inverse=True)
    count = int(block.max(initial=-1)) + 1
    names = [f"{k}" for k in range(len(rows))]
    labels = [str(name) for name in periods]
    return Bids(names, labels, number, is_sale, price, quantity, [f"block {k}" for k in range(count)], block, True)


def test_a_block_of_one_order_sets_the_price_like_another() -> None:
    found = clear(market_of([(0, False, 50.0, 5.0, -1), (0, True, 30.0, 5.0, 0)]))
    assert np.asarray(found.prices["price"]).tolist() == pytest.approx([40.0])


def test_a_block_that_fits_only_in_part_is_left_out() -> None:
    """By hand: 10 are wanted at 50; the block of 12 at 10 cannot be taken whole, so the dear offer is."""
    found = clear(market_of([(0, False, 50.0, 10.0, -1), (0, True, 45.0, 20.0, -1), (0, True, 10.0, 12.0, 0)]))
    assert np.asarray(found.quantities["quantity"]).tolist() == pytest.approx([10.0, 10.0, 0.0])
    assert np.asarray(found.prices["price"]).tolist() == pytest.approx([45.0])


def test_a_block_gains_over_its_periods_together() -> None:
    """By hand: 5 at 30 in both periods; it loses 10 a MWh in the first, at 20, and gains 30 in the second, at 60."""
    rows: list[Row] = [
        *((0, False, 40.0, 10.0, -1), (0, True, 20.0, 20.0, -1)),
        *((1, False, 90.0, 10.0, -1), (1, True, 60.0, 20.0, -1)),
        *((0, True, 30.0, 5.0, 0), (1, True, 30.0, 5.0, 0)),
    ]
    found = clear(market_of(rows))
    assert np.asarray(found.prices["price"]).tolist() == pytest.approx([20.0, 60.0])
    assert np.asarray(found.quantities["quantity"])[4:].tolist() == [5.0, 5.0]


def test_a_block_that_would_lose_at_every_price_is_left_out_although_all_together_would_gain() -> None:
    """By hand: 10 at 100 and 10 at 40 are wanted. The block, 15 at 45, would serve both but for a price of at most 40; without it 10 are served at 90."""
    rows: list[Row] = [
        *((0, False, 100.0, 10.0, -1), (0, False, 40.0, 10.0, -1)),
        *((0, True, 90.0, 10.0, -1), (0, True, 45.0, 15.0, 0)),
    ]
    found = clear(market_of(rows))
    assert np.asarray(found.quantities["quantity"]).tolist() == pytest.approx([10.0, 0.0, 10.0, 0.0])
    assert found.certificate is not None and found.certificate.gap > 0.0
    assert len(found.remarks) == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.booleans(),
            st.integers(0, 60).map(float),
            st.integers(1, 9).map(float),
            st.sampled_from([-1, -1, 0, 1, 2]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_blocks_are_whole_nobody_loses_and_the_bound_is_that_of_trying_all(rows: list[Row]) -> None:
    market = market_of([*rows, (0, False, 0.0, 0.0, 2)])
    found = clear(market)
    assert found.certificate is not None
    taken, price = np.asarray(found.quantities["quantity"]), np.asarray(found.quantities["price"])
    sign = np.where(market.is_sale, 1.0, -1.0)
    for period in range(len(market.periods)):
        assert (sign * taken)[market.period == period].sum() == pytest.approx(0.0, abs=1e-7)
    for block in range(3):
        mine = market.block == block
        share = taken[mine] / np.where(market.quantity[mine] > 0.0, market.quantity[mine], 1.0)
        whole = market.quantity[mine] > 0.0
        assert (share[whole] == 1.0).all() or (share == 0.0).all()
        gain = np.where(taken[mine] > 0.0, (sign * taken * (price - market.price))[mine], 0.0)
        assert gain.sum() >= -1e-6
    ordinary = (market.block < 0) & (taken > 1e-9)
    assert ((sign * (price - market.price))[ordinary] >= -1e-6).all()
    assert found.certificate.bound == pytest.approx(least_cost(market), abs=1e-5)
    assert found.certificate.cost >= found.certificate.bound - 1e-6


def least_cost(market: Bids) -> float:
    """Of all choices of blocks, with the rest by a linear program."""
    from scipy.optimize import linprog

    sign, best = np.where(market.is_sale, 1.0, -1.0), 0.0
    rows = np.array([np.where(market.period == k, sign, 0.0) for k in range(len(market.periods))])
    for choice in product((0.0, 1.0), repeat=3):
        whole = np.append(choice, 0.0)[market.block] * market.quantity
        low, high = np.where(market.block < 0, 0.0, whole), np.where(market.block < 0, market.quantity, whole)
        found = linprog(sign * market.price, A_eq=rows, b_eq=np.zeros(len(rows)), bounds=np.column_stack([low, high]))
        best = min(best, found.fun) if found.status == 0 else best
    return float(best)

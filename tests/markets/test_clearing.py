"""The market: balance, optimality, commitment rules, and the dispatch of the fleet."""

from __future__ import annotations

import itertools
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.importers.rts import read_bulk
from heptagrid.planes.money.markets.clearing import Parameters, clear
from heptagrid.planes.money.markets.commitment import commit
from heptagrid.planes.money.markets.dispatch import dispatch
from heptagrid.scenario.load import DATA
from heptagrid.world.bulk import BulkUnits


def fleet(p_max: list[float], p_min: list[float], cost_1: list[float], cost_2: list[float]) -> BulkUnits:
    count = len(p_max)
    columns = (np.array(one, dtype=float) for one in (p_max, p_min, cost_2, cost_1))
    bounds = list(columns)
    nothing = (np.zeros(count) for _ in range(7))
    return BulkUnits(
        np.zeros(count, dtype=np.int64), *bounds, *nothing, np.full(count, "steam"), np.zeros(count), np.zeros(count)
    )


offers = st.lists(
    st.tuples(st.floats(10, 100), st.floats(0, 0.5), st.floats(1, 100), st.sampled_from([0.0, 0.01, 0.2])),
    min_size=1,
    max_size=6,
)


@given(offers, st.floats(0, 1))
@settings(max_examples=150, deadline=None)
def test_dispatch_balances_and_no_exchange_is_cheaper(units: list[tuple[float, ...]], part: float) -> None:
    high = np.array([u[0] for u in units])
    low = high * np.array([u[1] for u in units])
    cost_1, cost_2 = np.array([u[2] for u in units]), np.array([u[3] for u in units])
    load = float(low.sum() + part * (high.sum() - low.sum()))
    p_mw, price = dispatch(load, low, high, cost_1, cost_2)
    assert p_mw.sum() == pytest.approx(load, abs=1e-6)
    assert (p_mw >= low - 1e-9).all()
    assert (p_mw <= high + 1e-9).all()
    marginal = cost_1 + 2.0 * cost_2 * p_mw
    can_rise, can_fall = p_mw < high - 1e-6, p_mw > low + 1e-6
    if can_rise.any() and can_fall.any():
        assert marginal[can_fall].max() <= marginal[can_rise].min() + 1e-4, "equal incremental cost"
        assert marginal[can_fall].max() - 1e-4 <= price <= marginal[can_rise].min() + 1e-4
    assert np.isfinite(price)


def test_dispatch_is_as_cheap_as_a_fine_search() -> None:
    low, high = np.array([10.0, 5.0, 0.0]), np.array([50.0, 40.0, 30.0])
    cost_1, cost_2 = np.array([10.0, 12.0, 30.0]), np.array([0.05, 0.02, 0.0])
    p_mw, _ = dispatch(80.0, low, high, cost_1, cost_2)
    ours = cost_1 @ p_mw + cost_2 @ p_mw**2
    grid = (np.arange(a, b + 0.25, 0.25) for a, b in zip(low[:2], high[:2], strict=True))
    others = []
    for first, second in itertools.product(*grid):
        third = 80.0 - first - second
        if low[2] <= third <= high[2]:
            p = np.array([first, second, third])
            others.append(cost_1 @ p + cost_2 @ p**2)
    assert ours <= min(others) + 1e-9


def test_the_cheapest_units_are_on_and_cover_demand_and_reserve() -> None:
    units = fleet([100, 100, 100], [10, 10, 10], [30, 10, 20], [0, 0, 0])
    on = commit(np.array([90.0, 150.0, 250.0]), units, np.zeros(3, dtype=bool), 0.1)
    assert on.tolist() == [[False, True, False], [False, True, True], [True, True, True]]


def test_minimum_times_are_kept() -> None:
    units = fleet([100, 100], [10, 10], [10, 20], [0, 0])
    object.__setattr__(units, "min_up_h", np.array([0.0, 3.0]))
    object.__setattr__(units, "min_down_h", np.array([0.0, 3.0]))
    demand = np.array([50.0, 150, 50, 50, 50, 150, 50, 150])
    on = commit(demand, units, np.array([True, False]), 0.0)
    runs = [(state, len(list(hours))) for state, hours in itertools.groupby(on[:, 1])]
    assert all(length >= 3 for state, length in runs[:-1] if state)


def test_minimum_output_is_respected() -> None:
    units = fleet([100, 100], [60, 60], [10, 20], [0, 0])
    cleared = clear(np.array([95.0]), units, np.zeros(2, dtype=bool), Parameters(loss_share=0.0, reserve_share=0.2))
    assert cleared.on.sum() == 1, "two units could not go as low as the demand"
    assert cleared.p_mw.sum() == pytest.approx(95.0)


def test_scarcity_has_the_price_cap() -> None:
    units = fleet([100], [0], [10], [0])
    cleared = clear(np.array([150.0]), units, np.ones(1, dtype=bool), Parameters())
    assert cleared.price_eur_per_mwh[0] == 4000.0


def test_a_winter_day_of_the_reliability_test_system() -> None:
    bulk = read_bulk(DATA / "rts")
    assert len(bulk.units.p_max_mw) == 32
    assert bulk.units.p_max_mw.sum() == pytest.approx(3405.0), "installed capacity of the RTS 1979"
    assert bulk.bus_share.sum() == pytest.approx(1.0)
    demand = np.array([bulk.rest_mw(datetime(2016, 1, 27, hour)) for hour in range(24)])
    cleared = clear(demand, bulk.units, np.zeros(32, dtype=bool), Parameters())
    assert np.allclose(cleared.p_mw.sum(axis=1), demand * 1.035)
    low, high = np.where(cleared.on, bulk.units.p_min_mw, 0), np.where(cleared.on, bulk.units.p_max_mw, 0)
    assert (cleared.p_mw >= low - 1e-9).all()
    assert (cleared.p_mw <= high + 1e-9).all()
    assert (cleared.price_eur_per_mwh > 0).all()

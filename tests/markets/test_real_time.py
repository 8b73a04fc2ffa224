"""Real-time dispatch after a commitment, and the settlement of both: limits, prices, balance of payments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.planes.money.formulations.transfer import outage_factors, transfer_factors
from heptagrid.planes.money.markets.real_time import RealTime, RealTimeMarket
from heptagrid.planes.money.markets.two_settlement import make_whole, settle, shared, two_settlements
from heptagrid.planes.money.markets.unit_commitment import Commitment, Settings, commit
from heptagrid.world.commitment_case import CommitmentCase
from tests.markets.test_unit_commitment import by_merit, case, meshed, units

NOTHING = np.empty(0)


def committed(rng: np.random.Generator) -> tuple[CommitmentCase, Commitment]:
    """Four units on a ring with chords, three hours."""
    network = meshed(rng, 7)
    fleet = units(rng, 4, bus=np.array([0, 2, 3, 5]), on_h=np.full(4, 9), ramp_mw_per_h=rng.uniform(20.0, 200.0, 4))
    one = case(fleet, rng.uniform(2.0, 15.0, (3, 7)), network)
    return one, commit(one, Settings(gap=1e-6, with_outages=True, with_reserves=False))


def five_minutes(
    rng: np.random.Generator, one: CommitmentCase, done: Commitment, spread: float
) -> tuple[RealTimeMarket, list[RealTime], np.ndarray]:
    """Every five minutes of the hours, with loads off by chance."""
    market, found, loads = RealTimeMarket(one, done.unit_mw[0]), [], []
    for hour in range(one.periods):
        for _ in range(12):
            load = one.load_mw[hour] * rng.normal(1.0, spread, len(one.bus_names)).clip(0.1)
            found.append(market.dispatch(load, NOTHING, NOTHING, done.on[hour], NOTHING))
            loads.append(load)
    return market, found, np.array(loads)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_a_period_keeps_ramps_balance_and_limits_after_any_outage(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, done = committed(rng)
    _, found, loads = five_minutes(rng, one, done, 0.1)
    network, fleet = one.network, one.units
    assert network is not None
    factors = transfer_factors(network, 7)
    outage = outage_factors(network, factors)
    last, was_on = done.unit_mw[0], done.unit_mw[0] > 0.0
    for k, now in enumerate(found):
        on = done.on[k // 12]
        step = fleet.ramp_mw_per_h / 12.0
        assert (np.abs(now.unit_mw - last)[on & was_on] <= step[on & was_on] + 1e-6).all()
        assert (now.unit_mw[~on] == 0.0).all()
        assert (now.unit_mw[on] >= fleet.p_min_mw[on] - 1e-9).all()
        assert (np.abs(now.flow_mw) <= network.rating_mw + 1e-3).all()
        for failed in range(len(network.names)):
            after = now.flow_mw + outage[:, failed] * now.flow_mw[failed]
            assert (np.abs(after) <= network.emergency_mw + 1e-3).all()
        last, was_on = now.unit_mw, on
        if now.unserved_mw.sum() < 1e-9 and now.unit_mw.sum() <= loads[k].sum() + 1e-6:
            paid, earned = now.price @ loads[k], now.price[fleet.bus] @ now.unit_mw
            assert paid - earned == pytest.approx(now.rent * 12.0, rel=1e-6, abs=1e-4)
            assert now.rent >= -1e-6


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_without_a_network_it_is_the_merit_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fleet = units(rng, 3)
    one = case(fleet, np.zeros((1, 1)))
    on = np.ones(3, bool)
    load = float(rng.uniform(fleet.p_min_mw.sum() + 1.0, fleet.p_max_mw.sum() - 1.0))
    found = RealTimeMarket(one, fleet.p_min_mw + 0.5 * fleet.block_mw[:, 0]).dispatch(
        np.array([load]), NOTHING, NOTHING, on, NOTHING
    )
    p_mw = by_merit(load, fleet.p_min_mw, fleet.p_max_mw, fleet.block_cost[:, 0])
    expected = ((p_mw - fleet.p_min_mw) * fleet.block_cost[:, 0] + fleet.no_load) / 12.0
    assert found.cost == pytest.approx(float(expected.sum()), rel=1e-9)
    between = (found.unit_mw > fleet.p_min_mw + 1e-6) & (found.unit_mw < fleet.p_max_mw - 1e-6)
    np.testing.assert_allclose(found.price[0], fleet.block_cost[between, 0], rtol=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_two_settlements_balance_and_nobody_who_follows_loses(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, done = committed(rng)
    _, found, loads = five_minutes(rng, one, done, 0.03)
    fleet = one.units
    planned, given_mwh = np.repeat(done.unit_mw, 12, axis=0) / 12.0, np.array([now.unit_mw for now in found]) / 12.0
    planned_load = np.repeat(one.load_mw, 12, axis=0) / 12.0
    taken = loads / 12.0 - np.array([now.unserved_mw for now in found]) / 12.0
    ahead, real = np.repeat(done.price, 12, axis=0), np.array([now.price for now in found])
    cost = np.array([now.unit_cost for now in found]).sum(axis=0)
    follows = rng.random(4) < 0.7
    prices = (ahead[:, fleet.bus], real[:, fleet.bus], ahead, real)
    settled = settle((planned, given_mwh), (planned_load, taken), prices, cost, follows)
    scale = np.abs(settled.loads).sum() + np.abs(settled.units).sum() + 1.0
    assert settled.units.sum() + settled.loads.sum() + settled.rent == pytest.approx(0.0, abs=1e-9 * scale)
    assert (settled.units[follows] >= cost[follows] - 1e-9 * scale).all()
    assert (settled.make_whole[~follows] == 0.0).all() and (settled.make_whole >= 0.0).all()
    assert settled.charge.sum() == pytest.approx(settled.make_whole.sum())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_who_gives_what_was_planned_is_paid_the_price_of_the_day_before(seed: int) -> None:
    rng = np.random.default_rng(seed)
    planned, ahead, real = (rng.uniform(-10.0, 50.0, (4, 3)) for _ in range(3))
    np.testing.assert_allclose(two_settlements(planned, ahead, planned, real), (planned * ahead).sum(axis=0))
    np.testing.assert_allclose(two_settlements(0.0 * planned, ahead, planned, real), (planned * real).sum(axis=0))
    cost = rng.uniform(0.0, 100.0, 3)
    whole = make_whole(cost, (planned * ahead).sum(axis=0), np.ones(3, bool))
    assert ((planned * ahead).sum(axis=0) + whole >= cost - 1e-9).all()
    assert shared(7.0, rng.uniform(0.0, 1.0, 3)).sum() == pytest.approx(7.0)
    np.testing.assert_allclose(shared(6.0, np.zeros(3)), 2.0)


def test_two_settlements_by_hand() -> None:
    """100 MWh sold at 30; 90 are given, 10 bought back at 50: 3000 - 500. It cost 2700 to give them: 200 are missing, and loads share them."""
    settled = settle(
        (np.array([[100.0]]), np.array([[90.0]])),
        (np.array([[60.0, 40.0]]), np.array([[50.0, 40.0]])),
        (np.array([[30.0]]), np.array([[50.0]]), np.full((1, 2), 30.0), np.full((1, 2), 50.0)),
        np.array([2700.0]),
        np.array([True]),
    )
    np.testing.assert_allclose(settled.units, [2700.0])
    np.testing.assert_allclose(settled.make_whole, [200.0])
    np.testing.assert_allclose(settled.loads, [-1300.0 - 200.0 * 5 / 9, -1200.0 - 200.0 * 4 / 9])
    assert settled.rent == pytest.approx(0.0)

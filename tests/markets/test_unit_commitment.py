"""Unit commitment: against all schedules of small cases, laws of prices, and flows after outages."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.money.formulations.branch_limits import BranchLimits
from heptagrid.planes.money.formulations.program import Program, Solution
from heptagrid.planes.money.formulations.transfer import outage_factors, transfer_factors
from heptagrid.planes.money.markets import unit_commitment
from heptagrid.planes.money.markets.schedule import carried_on, hours_on_or_off, start_costs
from heptagrid.planes.money.markets.unit_commitment import Settings, commit
from heptagrid.planes.power.balanced.dc import DcNetwork
from heptagrid.world.commitment_case import (
    BranchNetwork,
    CommitmentCase,
    CommittedUnits,
    Reserves,
    Reservoirs,
    Sources,
    Storages,
)

EXACT = Settings(gap=1e-7, with_network=False, with_reserves=False)


def units(rng: np.random.Generator, count: int, **changed: object) -> CommittedUnits:
    """Units of one block each, with two heats of starts."""
    low, room = rng.uniform(5.0, 20.0, count).round(1), rng.uniform(10.0, 60.0, count).round(1)
    warm = rng.uniform(50.0, 400.0, count).round(0)
    found = CommittedUnits(
        names=np.array([f"u{k}" for k in range(count)]),
        bus=np.zeros(count, dtype=np.int64),
        p_min_mw=low,
        p_max_mw=low + room,
        block_mw=room[:, np.newaxis],
        block_cost=rng.uniform(10.0, 60.0, (count, 1)).round(1),
        no_load=rng.uniform(50.0, 600.0, count).round(0),
        starts=np.stack([warm, warm + rng.integers(0, 300, count)], axis=1).astype(float),
        cold_after_h=np.stack([np.zeros(count), rng.integers(2, 5, count).astype(float)], axis=1),
        min_up_h=rng.integers(1, 4, count),
        min_down_h=rng.integers(1, 4, count),
        ramp_mw_per_h=np.full(count, 1000.0),
        on_h=rng.choice([-6, -2, 2, 6], count),
        before_mw=np.full(count, np.nan),
    )
    return replace(found, **changed)  # type: ignore[arg-type]


def case(fleet: CommittedUnits, load_mw: np.ndarray, network: BranchNetwork | None = None) -> CommitmentCase:
    load = load_mw if load_mw.ndim == 2 else load_mw[:, np.newaxis]
    periods = len(load)
    return CommitmentCase(
        name="test",
        bus_names=np.array([str(k) for k in range(load.shape[1])]),
        load_mw=load,
        units=fleet,
        sources=Sources.none(periods),
        storages=Storages.none(),
        reservoirs=Reservoirs.none(periods),
        reserves=Reserves.none(periods, len(fleet), 0),
        network=network,
    )


def by_merit(load_mw: float, low: np.ndarray, high: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Everybody at the least, then the cheapest first."""
    p_mw = low.astype(float)
    for k in np.argsort(cost, kind="stable"):
        p_mw[k] += min(high[k] - low[k], max(load_mw - p_mw.sum(), 0.0))
    return p_mw


def keeps_times(fleet: CommittedUnits, on: np.ndarray) -> bool:
    """Whether a schedule keeps every unit's minimum times, what came before included."""
    for k in range(len(fleet)):
        hours = int(fleet.on_h[k])
        for now in on[:, k]:
            if now and hours <= 0:
                if -hours < fleet.min_down_h[k]:
                    return False
                hours = 1
            elif not now and hours > 0:
                if hours < fleet.min_up_h[k]:
                    return False
                hours = -1
            else:
                hours += 1 if now else -1
    return True


def least_cost(fleet: CommittedUnits, load_mw: np.ndarray, unserved: float) -> float:
    """The cheapest of all schedules, each hour dispatched by equal incremental cost."""
    best = np.inf
    for bits in product((False, True), repeat=len(load_mw) * len(fleet)):
        on = np.array(bits).reshape(len(load_mw), len(fleet))
        if not keeps_times(fleet, on):
            continue
        cost = float(start_costs(fleet, on).sum())
        for hour, load in enumerate(load_mw):
            low, high = np.where(on[hour], fleet.p_min_mw, 0.0), np.where(on[hour], fleet.p_max_mw, 0.0)
            served = min(max(load, low.sum()), high.sum())
            p_mw = by_merit(float(served), low, high, fleet.block_cost[:, 0])
            above = np.where(on[hour], p_mw - fleet.p_min_mw, 0.0)
            cost += float((fleet.no_load * on[hour]).sum() + above @ fleet.block_cost[:, 0])
            cost += unserved * (max(load - high.sum(), 0.0) + max(low.sum() - load, 0.0))
        best = min(best, cost)
    return best


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_no_schedule_of_all_there_are_is_cheaper(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fleet = units(rng, 2)
    load_mw = rng.uniform(0.2, 0.95, 5).round(2) * fleet.p_max_mw.sum()
    found = commit(case(fleet, load_mw), EXACT)
    assert found.cost is not None
    assert found.cost + found.penalty == pytest.approx(least_cost(fleet, load_mw, 10_000.0), rel=1e-6)
    assert keeps_times(fleet, found.on)
    assert found.period_cost.sum() == pytest.approx(found.cost, rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_carried_on_costs_no_less_than_the_whole_at_once(seed: int) -> None:
    """Two halves, the second beginning where the first ended, are a schedule of the whole."""
    rng = np.random.default_rng(seed)
    fleet = units(rng, 3, before_mw=np.full(3, np.nan))
    load_mw = rng.uniform(0.3, 0.9, 8) * fleet.p_max_mw.sum()
    whole = commit(case(fleet, load_mw), EXACT)
    first = commit(case(fleet, load_mw[:4]), EXACT)
    second_case = carried_on(
        case(fleet, load_mw[4:]),
        case(fleet, load_mw[:4]),
        first.on,
        first.unit_mw,
        first.content_mwh,
        first.reservoir_mwh,
    )
    second = commit(second_case, EXACT)
    both = np.vstack([first.on, second.on])
    np.testing.assert_array_equal(hours_on_or_off(fleet, both), hours_on_or_off(second_case.units, second.on))
    assert keeps_times(fleet, both)
    assert whole.cost is not None and first.cost is not None and second.cost is not None
    halves = first.cost + first.penalty + second.cost + second.penalty
    assert halves >= whole.cost + whole.penalty - 1e-4 * halves


def test_ramps_bind_from_what_was_given_before() -> None:
    """By hand: 30 MW before, 10 MW an hour: 40, 50, 60 MW of the cheap unit; the dear one gives the rest of 70."""
    rng = np.random.default_rng(1)
    fleet = units(
        rng,
        2,
        p_min_mw=np.array([10.0, 5.0]),
        p_max_mw=np.array([100.0, 100.0]),
        block_mw=np.array([[90.0], [95.0]]),
        block_cost=np.array([[10.0], [50.0]]),
        no_load=np.zeros(2),
        ramp_mw_per_h=np.array([10.0, 1000.0]),
        on_h=np.array([9, 9]),
        before_mw=np.array([30.0, 40.0]),
    )
    found = commit(case(fleet, np.full(3, 70.0)), EXACT)
    np.testing.assert_allclose(found.unit_mw[:, 0], [40.0, 50.0, 60.0])
    np.testing.assert_allclose(found.price[:, 0], 50.0)


def meshed(rng: np.random.Generator, buses: int) -> BranchNetwork:
    """A ring with chords."""
    ends = [(k, (k + 1) % buses) for k in range(buses)] + [(0, buses // 2), (1, buses - 2)]
    from_bus, to_bus = np.array(ends).T
    rating = rng.uniform(20.0, 60.0, len(ends))
    return BranchNetwork(
        np.array([f"b{k}" for k in range(len(ends))]),
        from_bus,
        to_bus,
        1.0 / rng.uniform(0.05, 0.3, len(ends)),
        rating,
        rating * 1.2,
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_transfer_factors_are_the_flows_of_a_dc_network(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = meshed(rng, 7)
    fed_in = rng.normal(0.0, 30.0, 7)
    fed_in -= fed_in.mean()
    branches = len(network.names)
    dc = DcNetwork(
        7, network.from_bus, network.to_bus, np.zeros(branches), 1.0 / network.susceptance_pu, np.ones(branches), 100.0
    )
    np.testing.assert_allclose(transfer_factors(network, 7) @ fed_in, dc.solve(fed_in).flow_mw, atol=1e-8)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_outage_factors_are_the_flows_without_the_branch(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = meshed(rng, 7)
    fed_in = rng.normal(0.0, 30.0, 7)
    fed_in -= fed_in.mean()
    factors = transfer_factors(network, 7)
    flow, outage = factors @ fed_in, outage_factors(network, factors)
    for failed in range(len(network.names)):
        left = np.arange(len(network.names)) != failed
        without = replace(
            network,
            **{
                name: getattr(network, name)[left]
                for name in ("names", "from_bus", "to_bus", "susceptance_pu", "rating_mw", "emergency_mw")
            },
        )
        after = flow + outage[:, failed] * flow[failed]
        np.testing.assert_allclose(after[left], transfer_factors(without, 7) @ fed_in, atol=1e-8)
        assert after[failed] == pytest.approx(0.0, abs=1e-8)


def test_a_bridge_has_no_flow_without_it_and_islands_are_refused() -> None:
    line = BranchNetwork(np.array(["a", "b"]), np.array([0, 1]), np.array([1, 2]), np.ones(2), np.ones(2), np.ones(2))
    assert np.isnan(outage_factors(line, transfer_factors(line, 3))[1, 0])
    with pytest.raises(NetworkError, match="do not connect"):
        transfer_factors(line, 4)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_with_outages_no_branch_is_beyond_its_emergency_rating_after_any(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = meshed(rng, 7)
    fleet = units(rng, 4, bus=np.array([0, 2, 3, 5]), p_min_mw=np.zeros(4), on_h=np.full(4, 9))
    load_mw = rng.uniform(0.0, 15.0, (3, 7))
    one = case(fleet, load_mw, network)
    found = commit(one, Settings(gap=1e-6, with_outages=True, with_reserves=False))
    assert (np.abs(found.flow_mw) <= network.rating_mw + 1e-3).all()
    outage = outage_factors(network, transfer_factors(network, 7))
    for failed in range(len(network.names)):
        after = found.flow_mw + found.flow_mw[:, failed : failed + 1] * outage[:, failed]
        assert (np.abs(after) <= network.emergency_mw + 1e-3).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_congestion_rent_is_what_loads_pay_more_than_units_earn(seed: int) -> None:
    """Revenue adequacy: at the duals, what loads pay less what units earn is the rent of the limits that bind."""
    rng = np.random.default_rng(seed)
    network = meshed(rng, 7)
    network = replace(network, rating_mw=network.rating_mw * 0.4)
    fleet = units(rng, 4, bus=np.array([0, 2, 3, 5]), p_min_mw=np.zeros(4), on_h=np.full(4, 9))
    load_mw = rng.uniform(0.0, 15.0, (3, 7))
    found = commit(case(fleet, load_mw, network), Settings(gap=1e-6, with_reserves=False))
    assume(found.unserved_mwh < 1e-9)
    earned = (found.price[:, fleet.bus] * found.unit_mw).sum()
    paid = (found.price * load_mw).sum()
    assert paid - earned == pytest.approx(found.binding.rent.sum(), abs=1e-6 * max(paid, 1.0))
    assert len(found.binding.branch) > 0 or np.ptp(found.price, axis=1).max() < 1e-6


def test_reserves_are_held_by_units_that_are_on_within_their_ramp() -> None:
    """By hand: 60 MW of load, 30 MW upwards within 10 minutes. The cheap unit could hold 20 (2 MW a minute), so the dear one comes on."""
    rng = np.random.default_rng(1)
    fleet = units(
        rng,
        2,
        p_min_mw=np.array([10.0, 5.0]),
        p_max_mw=np.array([100.0, 50.0]),
        block_mw=np.array([[90.0], [45.0]]),
        block_cost=np.array([[10.0], [50.0]]),
        no_load=np.array([100.0, 250.0]),
        starts=np.zeros((2, 2)),
        ramp_mw_per_h=np.array([120.0, 600.0]),
        on_h=np.array([9, 9]),
    )
    reserves = Reserves(
        np.array(["spin"]),
        np.full((2, 1), 30.0),
        np.array([10.0]),
        np.array([True]),
        np.ones((1, 2), bool),
        np.zeros((1, 0), bool),
    )
    one = replace(case(fleet, np.full(2, 60.0)), reserves=reserves)
    without, found = commit(one, EXACT), commit(one, replace(EXACT, with_reserves=True))
    assert not without.on[:, 1].any()
    assert found.on.all()
    assert found.short_mw == 0.0
    np.testing.assert_allclose(found.unit_mw, [[55.0, 5.0]] * 2)


def test_a_storage_keeps_its_content_and_a_reservoir_gives_what_flows_in() -> None:
    """By hand: buy at 10, sell at 50, with 80 %: 20 MWh stored give 16."""
    rng = np.random.default_rng(1)
    fleet = units(
        rng,
        2,
        p_min_mw=np.zeros(2),
        p_max_mw=np.array([50.0, 100.0]),
        block_mw=np.array([[50.0], [100.0]]),
        block_cost=np.array([[10.0], [50.0]]),
        no_load=np.zeros(2),
        starts=np.zeros((2, 2)),
        on_h=np.array([9, 9]),
    )
    store = Storages(
        np.array(["s"]),
        np.array([0]),
        np.array([20.0]),
        np.array([20.0]),
        np.array([30.0]),
        np.array([5.0]),
        np.array([0.8]),
    )
    one = replace(case(fleet, np.array([30.0, 80.0])), storages=store)
    found = commit(one, EXACT)
    np.testing.assert_allclose(found.stored_mw[:, 0], [-20.0, 16.0])
    np.testing.assert_allclose(found.content_mwh[:, 0], [21.0, 5.0])
    reservoir = Reservoirs(
        np.array([0]), np.array([100.0]), np.array([0.0]), np.array([0.0]), np.array([[10.0], [25.0]])
    )
    dry = commit(replace(case(fleet, np.array([30.0, 30.0])), reservoirs=reservoir), EXACT)
    np.testing.assert_allclose(dry.unit_mw[:, 0], [10.0, 25.0])


def test_what_cannot_be_served_is_counted_and_priced() -> None:
    rng = np.random.default_rng(2)
    fleet = units(rng, 1, on_h=np.array([9]))
    found = commit(case(fleet, np.array([float(fleet.p_max_mw[0]) + 7.0])), EXACT)
    assert found.unserved_mwh == pytest.approx(7.0)
    assert found.penalty == pytest.approx(70_000.0)
    assert found.price[0, 0] == pytest.approx(10_000.0)


def test_a_schedule_is_priced_by_the_limits_that_it_knew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schedule breaks a limit more; the next is dearer, so the first is kept, which was priced without that limit."""
    rng = np.random.default_rng(2)
    network = meshed(rng, 7)
    network = replace(network, rating_mw=network.rating_mw * 0.4)
    fleet = units(rng, 4, bus=np.array([0, 2, 3, 5]), p_min_mw=np.zeros(4), on_h=np.full(4, 9))
    one = case(fleet, rng.uniform(0.0, 15.0, (3, 7)), network)
    alone = commit(one, Settings(with_reserves=False))
    settle, solutions = unit_commitment._settle, list[Solution]()

    def later(program: Program, grid: BranchLimits, losses: None) -> Solution:
        assert losses is None
        found = settle(program, grid)
        assert found.objective is not None
        solutions.append(
            replace(found, objective=found.objective + len(solutions))
        )  # none to the relaxation, the first
        if len(solutions) == 2:
            grid.rows.append((int(program.rows(-np.inf, np.inf)), 0, 0, -1))
        return solutions[-1]

    monkeypatch.setattr(unit_commitment, "_settle", later)
    found = commit(one, Settings(gap=1e-9, with_reserves=False))
    assert len(solutions) == 3
    assert found.cost == pytest.approx((alone.cost or 0.0) + 1.0)
    np.testing.assert_allclose(found.price, alone.price, atol=1e-6)

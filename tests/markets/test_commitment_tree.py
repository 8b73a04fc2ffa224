"""The search in boxes: what it says that a schedule costs at least, no schedule undercuts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from heptagrid.planes.money.markets.least_costs import least_costs
from heptagrid.planes.money.markets.unit_commitment import Settings, _Model, _settle, bus_prices, commit
from heptagrid.world.commitment_case import CommitmentCase
from tests.markets.test_unit_commitment import case, meshed, units

ALONE = Settings(gap=1e-9, with_reserves=False)


def a_case(seed: int) -> CommitmentCase:
    """Four units on seven buses, of which some branches bind; ramps bind too."""
    rng = np.random.default_rng(seed)
    network = meshed(rng, 7)
    network = replace(network, rating_mw=network.rating_mw * 0.6)
    fleet = units(rng, 4, bus=np.array([0, 2, 3, 5]), ramp_mw_per_h=rng.uniform(10.0, 60.0, 4))
    return case(fleet, rng.uniform(2.0, 18.0, (6, 7)), network)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_schedule_undercuts_the_least_cost_of_a_unit_on_or_off_in_an_hour(seed: int) -> None:
    assert lifted(seed) >= 0


def test_to_tell_a_unit_what_to_do_lifts_the_least_cost() -> None:
    assert lifted(1) > 0


def lifted(seed: int) -> int:
    """How often the least cost lies above that of any schedule; each is set beside the optimum of the whole program with that one unit told, of which 1e-6 is the solver's tolerance."""
    one = a_case(seed)
    model = _Model(one, ALONE, None)
    program, on = model.program, model.columns.units.on
    program.relax_integers()
    relaxed = _settle(program, model.grid)
    least = least_costs(one, program, model.columns.units, relaxed, bus_prices(one, model.columns, model.grid, relaxed))
    low, high, _ = program.bounds_of(on)

    def cheapest(hour: int, unit: int, state: float) -> float:
        told_low, told_high = low.copy(), high.copy()
        told_low[hour, unit] = max(state, low[hour, unit])
        told_high[hour, unit] = min(state, high[hour, unit])
        if told_low[hour, unit] > told_high[hour, unit]:
            return np.inf
        program.restore_integers()
        program.change_columns(on, told_low, told_high)
        found = program.solve()
        return np.inf if found.objective is None else found.objective

    count = 0
    for hour in range(0, one.periods, 2):
        for unit in range(len(one.units)):
            told = cheapest(hour, unit, 0.0), cheapest(hour, unit, 1.0)
            tolerance = 1e-6 * min(told)
            assert told[0] >= least.off[hour, unit] - tolerance
            assert told[1] >= least.on[hour, unit] - tolerance
            assert min(told) >= least.any - tolerance
            count += int(max(least.off[hour, unit], least.on[hour, unit]) > least.any + 1.0)
    return count


def test_the_bound_of_one_unit_that_is_needed_is_its_optimum() -> None:
    """Its load is its minimum in each hour, so that the price is what it costs on."""
    fleet = units(np.random.default_rng(3), 1, on_h=np.array([6]), min_up_h=np.array([1]))
    one = case(fleet, np.full(4, float(fleet.p_min_mw[0])))
    model = _Model(one, replace(ALONE, with_network=False), None)
    model.program.relax_integers()
    relaxed = _settle(model.program, None)
    price = bus_prices(one, model.columns, None, relaxed)
    least = least_costs(one, model.program, model.columns.units, relaxed, price)
    assert least.any == pytest.approx(4.0 * float(fleet.no_load[0]))
    np.testing.assert_allclose(least.on, least.any)


@example(seed=46_606, gap=1e-3)  # HiGHS takes its first schedule for a cheaper one than it is
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), gap=st.sampled_from([1e-3, 1e-2, 5e-2]))
def test_cost_and_bound_of_boxes_enclose_the_optimum_within_the_gap(seed: int, gap: float) -> None:
    one = a_case(seed)
    exact, found = commit(one, ALONE), commit(one, replace(ALONE, gap=gap))
    assert exact.cost is not None and found.cost is not None and found.bound is not None
    optimum = exact.cost + exact.penalty
    assert found.status == "optimal" and found.gap is not None and found.gap <= gap
    assert found.bound <= optimum * (1.0 + 1e-6) <= (found.cost + found.penalty) * (1.0 + 2e-6)

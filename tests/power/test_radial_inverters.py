"""Smart inverters in the radial sweeps: the curves hold at the solution, however steep they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.planes.power.controls.ieee1547 import VOLT_VAR, VOLT_WATT, Category, VoltVar, inverters_1547
from heptagrid.planes.power.controls.inverters import Bank, bank
from heptagrid.world.balanced.radial_network import radial_network
from tests.power.test_levels import draws, levels
from tests.power.test_radial import random_grid


def a_bank(kw: np.ndarray, category: Category, *, var: bool = True, watt: bool = True, factor: float = 1.0) -> Bank:
    return bank(
        inverters_1547(
            *(np.arange(len(kw)), kw, 1.1 * kw, np.full(len(kw), 230.0), category),
            *(VOLT_VAR[category] if var else None, VOLT_WATT[category] if watt else None, factor),
        )
    )


def volt_var_q_kvar(kva: float, category: Category, v_pu: np.ndarray) -> np.ndarray:
    s = VOLT_VAR[category]
    return kva * np.interp(v_pu, [s.v1_pu, s.v2_pu, s.v3_pu, s.v4_pu], [s.q1_pu, s.q2_pu, s.q3_pu, s.q4_pu])


def volt_watt_p_kw(rated_kw: np.ndarray, v_pu: np.ndarray) -> np.ndarray:
    return rated_kw * np.interp(v_pu, [1.06, 1.10], [1.0, 0.0])


@given(st.integers(0, 100_000), st.sampled_from(list(Category)), st.floats(5.0, 200.0))
@settings(max_examples=30, deadline=None)
def test_the_curves_hold_at_the_solution(seed: int, category: Category, most_kw: float) -> None:
    grid = levels(seed, 8)
    network = radial_network(grid)
    rng = np.random.default_rng(seed)
    low = np.flatnonzero((network.v_base_kv < 1.0) & (network.bus_of_node >= 0))
    node = rng.choice(low, min(10, max(1, len(low)))) if len(low) else np.array([network.busbar])
    kw = rng.uniform(0.2, 1.0, len(node)) * most_kw
    inverters = a_bank(kw, category)
    p_kw, q_kvar = draws(seed, grid, network)
    solver = RadialSolver(network, grid)
    solver.attach(inverters, node)
    given_kw = p_kw.copy()
    flow = solver.solve(p_kw, q_kvar, 1.03, grid.transformers.tap_pos)
    assert len(flow.held) == 0
    assert np.array_equal(p_kw, given_kw), "the caller's draws are left alone"
    v_pu = flow.v_pu[node]
    limit_kw, q_wanted_kvar = volt_watt_p_kw(kw, v_pu), volt_var_q_kvar(1.1 * kw, category, v_pu)
    # The voltage is known to 1e-8 pu; the curves are steep: 25 times the rating in a pu.
    near = 1e-6 * most_kw
    assert inverters.q_kvar == pytest.approx(q_wanted_kvar, abs=near)
    within = np.sqrt((1.1 * kw) ** 2 - q_wanted_kvar**2)
    assert inverters.p_kw == pytest.approx(np.minimum(limit_kw, within), abs=near)
    assert flow.infeed_p_kw == pytest.approx(flow.losses_kw + p_kw.sum() - inverters.p_kw.sum(), abs=1e-3)


def test_volt_var_is_what_bisection_finds() -> None:
    grid = random_grid(2, 6, open_ends=False)
    network = radial_network(grid)
    taps = grid.transformers.tap_pos
    node = np.array([network.nodes - 1])
    p_kw = np.zeros(network.nodes)
    p_kw[node] = 60.0
    kva = 110.0
    inverters = a_bank(np.array([100.0]), Category.B, watt=False)
    inverters.available_kw[:] = 0.0
    solver = RadialSolver(network, grid, 1e-10)
    solver.attach(inverters, node)
    flow = solver.solve(p_kw, np.zeros(network.nodes), 0.95, taps)
    plain = RadialSolver(network, grid, 1e-12)
    low, high = -kva, kva
    for _ in range(60):
        middle = (low + high) / 2.0
        q_kvar = np.zeros(network.nodes)
        q_kvar[node] = -middle
        v_pu = plain.solve(p_kw, q_kvar, 0.95, taps).v_pu[node]
        low, high = (middle, high) if volt_var_q_kvar(kva, Category.B, v_pu)[0] > middle else (low, middle)
    assert low > 1.0, "the voltage is low and the inverter lifts it"
    assert inverters.q_kvar[0] == pytest.approx(low, abs=1e-5)
    assert flow.v_pu[node] == pytest.approx(v_pu, abs=1e-8)


@pytest.mark.parametrize("kva", [10.0, 100.0, 1000.0])
def test_a_steep_curve_on_a_weak_feeder_does_not_hunt(kva: float) -> None:
    grid = random_grid(7, 30, open_ends=False)
    network = radial_network(grid)
    deep = np.arange(network.nodes - 8, network.nodes)
    steep = VoltVar(v1_pu=0.96, v2_pu=0.98, v3_pu=1.02, v4_pu=1.04)
    count = len(deep)
    inverters = bank(
        inverters_1547(
            *(np.arange(count), np.full(count, kva), np.full(count, kva), np.full(count, 230.0), Category.B, steep)
        )
    )
    inverters.available_kw[:] = 0.3 * min(kva, 30.0)
    solver = RadialSolver(network, grid)
    solver.attach(inverters, deep)
    flow = solver.solve(np.zeros(network.nodes), np.zeros(network.nodes), 1.05, grid.transformers.tap_pos)
    assert len(flow.held) == 0
    q_pu = np.interp(flow.v_pu[deep], [0.96, 0.98, 1.02, 1.04], [0.44, 0.0, 0.0, -0.44])
    assert inverters.q_kvar == pytest.approx(kva * q_pu, abs=kva * 1e-5)
    again = solver.solve(np.zeros(network.nodes), np.zeros(network.nodes), 1.05, grid.transformers.tap_pos)
    assert again.iterations <= 4, "warm, it stays where it is"


def test_a_fixed_power_factor_is_kept() -> None:
    grid = random_grid(2, 6, open_ends=False)
    network = radial_network(grid)
    inverters = a_bank(np.array([20.0, 30.0]), Category.B, var=False, watt=False, factor=-0.95)
    solver = RadialSolver(network, grid)
    solver.attach(inverters, np.array([2, 4]))
    nothing = np.zeros(network.nodes)
    solver.solve(nothing, nothing, 1.0, grid.transformers.tap_pos)
    assert inverters.p_kw == pytest.approx([20.0, 30.0])
    assert inverters.q_kvar / inverters.p_kw == pytest.approx(np.full(2, -np.tan(np.arccos(0.95))), rel=1e-12)


def test_inverters_without_supply_feed_nothing() -> None:
    grid = random_grid(2, 6, open_ends=False)
    network = radial_network(grid)
    inverters = a_bank(np.array([20.0]), Category.B)
    solver = RadialSolver(network, grid)
    solver.attach(inverters, np.array([network.nodes - 1]))
    is_off = np.zeros(network.nodes, dtype=bool)
    is_off[-1] = True
    solver.switch_off(is_off)
    nothing = np.zeros(network.nodes)
    flow = solver.solve(nothing, nothing, 1.0, grid.transformers.tap_pos)
    assert inverters.p_kw[0] == inverters.q_kvar[0] == 0.0
    assert flow.infeed_p_kw == pytest.approx(flow.losses_kw, abs=1e-6)


def test_a_collapsed_feeder_is_held_with_its_inverters() -> None:
    grid = random_grid(11, 30, open_ends=False)
    network = radial_network(grid)
    node = network.feeder_start[:-1].copy()
    inverters = a_bank(np.full(len(node), 5.0), Category.B)
    solver = RadialSolver(network, grid)
    solver.attach(inverters, node)
    p_kw = np.full(network.nodes, 2.0)
    nothing = np.zeros(network.nodes)
    before = solver.solve(p_kw, nothing, 1.0, np.zeros(1, dtype=np.int64))
    good_v_pu, good_q_kvar = before.v_pu.copy(), inverters.q_kvar.copy()
    solver.remember()
    bad = int(network.feeder_start[1]) - 1
    too_much = p_kw.copy()
    too_much[bad] = 1e6
    flow = solver.solve(too_much, nothing, 1.0, np.zeros(1, dtype=np.int64))
    assert flow.held.tolist() == [int(network.feeder[bad])]
    assert np.isfinite(inverters.q_kvar).all()
    assert flow.v_pu == pytest.approx(good_v_pu, abs=1e-6)
    assert inverters.q_kvar == pytest.approx(good_q_kvar, abs=1e-3)


def test_settings_are_replaced_for_the_next_solve() -> None:
    grid = random_grid(2, 6, open_ends=False)
    network = radial_network(grid)
    nothing = np.zeros(network.nodes)
    solver = RadialSolver(network, grid)
    one = a_bank(np.array([20.0]), Category.B)
    solver.attach(one, np.array([3]))
    solver.solve(nothing, nothing, 1.0, grid.transformers.tap_pos)
    one.available_kw[:] = 5.0
    flow = solver.solve(nothing, nothing, 1.0, grid.transformers.tap_pos)
    assert one.p_kw[0] == pytest.approx(5.0)
    assert flow.infeed_p_kw == pytest.approx(flow.losses_kw - 5.0, abs=1e-4)

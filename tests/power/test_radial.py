"""The radial solver against power-grid-model, and its own laws."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.foundation.errors import NetworkError
from heptagrid.importers.extract import read_grid, read_profiles
from heptagrid.planes.power.balanced.dc import DcNetwork
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.validate.peers.power_grid_model import Peer
from heptagrid.world.balanced.radial_network import radial_network
from heptagrid.world.grid import Buses, BusSwitches, Grid, Lines, Loads, Transformers, Units

NOTHING = np.empty(0)
NO_ROWS = np.empty(0, dtype=np.int64)


def random_grid(seed: int, buses: int, equal_transformers: int = 1, open_ends: bool = True) -> Grid:
    """A 20 kV infeed bus, transformers to 0.4 kV, and a random tree of lines behind them."""
    rng = np.random.default_rng(seed)
    parent = np.array([max(1, int(rng.integers(0, k))) for k in range(2, buses)])
    lines = len(parent)
    hv = np.zeros(equal_transformers, dtype=np.int64)
    to_closed = np.ones(lines, dtype=bool)
    leaves = np.setdiff1d(np.arange(2, buses), parent)
    extra = int(leaves[0]) if open_ends else 2

    def every(low: float, high: float, count: int) -> np.ndarray:
        return rng.uniform(low, high, count)

    from_bus, to_bus = parent, np.arange(2, buses)
    if open_ends:  # one more line, open at its far end
        from_bus, to_bus = np.append(from_bus, extra), np.append(to_bus, 1)
        to_closed = np.append(to_closed, False)
        lines += 1
    return Grid(
        buses=Buses(
            np.array([f"bus {k}" for k in range(buses)]),
            np.array([20.0] + [0.4] * (buses - 1)),
            np.zeros(buses),
            np.zeros(buses),
        ),
        lines=Lines(
            names=np.array([f"line {k}" for k in range(lines)]),
            from_bus=from_bus,
            to_bus=to_bus,
            from_closed=np.ones(lines, dtype=bool),
            to_closed=to_closed,
            r_ohm=every(0.001, 0.01, lines),
            x_ohm=every(0.0005, 0.005, lines),
            c_nf=every(0.0, 300.0, lines),
            g_us=every(0.0, 1.0, lines),
            max_i_ka=np.full(lines, 0.3),
            length_km=np.full(lines, 0.05),
        ),
        transformers=Transformers(
            names=np.array([f"trafo {k}" for k in range(equal_transformers)]),
            hv_bus=hv,
            lv_bus=hv + 1,
            sn_mva=np.full(equal_transformers, 0.63),
            vn_hv_kv=np.full(equal_transformers, 20.5),
            vn_lv_kv=np.full(equal_transformers, 0.41),
            vk_percent=np.full(equal_transformers, 6.0),
            vkr_percent=np.full(equal_transformers, 1.1),
            pfe_kw=np.full(equal_transformers, 1.2),
            i0_percent=np.full(equal_transformers, 0.3),
            tap_neutral=hv,
            tap_min=hv - 2,
            tap_max=hv + 2,
            tap_step_percent=np.full(equal_transformers, 2.5),
            tap_pos=hv,
            has_controller=hv.astype(bool),
            controller_v_pu=np.full(equal_transformers, np.nan),
        ),
        switches=BusSwitches(NO_ROWS, NO_ROWS, np.empty(0, dtype=bool)),
        loads=Loads(np.empty(0, dtype=str), NO_ROWS, NOTHING, NOTHING, NO_ROWS, NO_ROWS, np.empty(0, dtype=str)),
        units=Units(np.empty(0, dtype=str), NO_ROWS, NOTHING, NOTHING, NO_ROWS, np.empty(0, dtype=str)),
        infeed_bus=0,
        infeed_v_pu=1.02,
    )


def draws(seed: int, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(-3.0, 8.0, nodes), rng.uniform(-1.0, 3.0, nodes)


@given(st.integers(0, 100_000), st.integers(3, 40), st.integers(-2, 2), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_random_networks_agree_with_power_grid_model(seed: int, buses: int, tap: int, parallels: int) -> None:
    grid = random_grid(seed, buses, parallels)
    network = radial_network(grid)
    taps = np.full(parallels, tap)
    p_kw, q_kvar = draws(seed, network.nodes)
    p_kw[network.bus_of_node < 0] = q_kvar[network.bus_of_node < 0] = 0.0
    flow = RadialSolver(network, grid).solve(p_kw, q_kvar, 1.02, taps)
    v_pu, losses_kw = Peer(grid, network, taps, 1.02).solve(p_kw[np.newaxis], q_kvar[np.newaxis])
    assert np.abs(flow.v_pu[network.node_of_bus] - v_pu[0]).max() < 1e-6
    assert flow.losses_kw == pytest.approx(losses_kw[0], rel=1e-6)
    assert flow.infeed_p_kw == pytest.approx(flow.losses_kw + p_kw.sum(), abs=1e-4)
    assert len(flow.held) == 0


def test_the_towns_day_agrees_with_power_grid_model(town_folder: Path) -> None:
    grid, profiles = read_grid(town_folder), read_profiles(town_folder)
    network = radial_network(grid)
    loads, units = grid.loads, grid.units
    p_kw, q_kvar = np.zeros((96, network.nodes)), np.zeros((96, network.nodes))
    for k in range(96):
        relative = profiles.millionths[26 * 96 + k] * 1e-6
        np.add.at(p_kw[k], network.node_of_bus[loads.bus], loads.p_kw * relative[loads.p_profile])
        np.add.at(q_kvar[k], network.node_of_bus[loads.bus], loads.q_kvar * relative[loads.q_profile])
        np.subtract.at(p_kw[k], network.node_of_bus[units.bus], units.p_kw * relative[units.profile])
    taps = grid.transformers.tap_pos.copy()
    taps[grid.transformers.has_controller] = -1
    v_pu, losses_kw = Peer(grid, network, taps, grid.infeed_v_pu).solve(p_kw, q_kvar)
    solver = RadialSolver(network, grid)
    for k in range(96):
        flow = solver.solve(p_kw[k], q_kvar[k], grid.infeed_v_pu, taps)
        assert np.abs(flow.v_pu[network.node_of_bus] - v_pu[k]).max() < 1e-6
        assert flow.losses_kw == pytest.approx(losses_kw[k], rel=1e-6)


@pytest.mark.parametrize("tolerance_pu", [1e-6, 1e-8])
def test_the_error_left_is_below_the_tolerance(tolerance_pu: float) -> None:
    for seed in range(40):
        grid = random_grid(seed, 40)
        network = radial_network(grid)
        rough, exact = RadialSolver(network, grid, tolerance_pu), RadialSolver(network, grid, 1e-14)
        taps = np.zeros(1, dtype=np.int64)
        for step in range(6):  # a warm start each, and quite another load
            p_kw, q_kvar = draws(100 * seed + step, network.nodes)
            ours = rough.solve(p_kw, q_kvar, 1.0, taps)
            true = exact.solve(p_kw, q_kvar, 1.0, taps)
            assert np.hypot(ours.v_re - true.v_re, ours.v_im - true.v_im).max() < tolerance_pu


def test_the_towns_network_is_one_tree(town_folder: Path) -> None:
    grid = read_grid(town_folder)
    network = radial_network(grid)
    assert (network.parent[1:] < np.arange(1, network.nodes)).all(), "parents before children"
    assert network.parallels.max() == 2, "two equal transformers at the infeed"
    inner = np.flatnonzero(network.feeder > 0)
    same = network.feeder[inner] == network.feeder[network.parent[inner]]
    assert (same | (network.parent[inner] == network.busbars[0])).all(), "feeders meet at the busbar alone"
    drawn = (~grid.lines.from_closed) | (~grid.lines.to_closed)
    assert network.nodes == len(grid.buses.names) - 2 + int(drawn.sum()), "two couplings merged, each open end a node"


def test_a_line_open_at_one_end_draws_its_charging_current() -> None:
    grid = random_grid(1, 3)
    network = radial_network(grid)
    nothing = np.zeros(network.nodes)
    with_stub = RadialSolver(network, grid).solve(nothing, nothing, 1.0, np.zeros(1, dtype=np.int64)).infeed_q_kvar
    lines = grid.lines
    none = replace(
        grid, lines=replace(lines, c_nf=np.where(np.arange(len(lines.names)) == len(lines.names) - 1, 0.0, lines.c_nf))
    )
    without = (
        RadialSolver(radial_network(none), none).solve(nothing, nothing, 1.0, np.zeros(1, dtype=np.int64)).infeed_q_kvar
    )
    charging_kvar = 2 * np.pi * 50 * lines.c_nf[-1] * 1e-9 * (410.0 / 1.025) ** 2 / 1e3
    assert without - with_stub == pytest.approx(charging_kvar, rel=0.01)


def test_loops_and_islands_are_named() -> None:
    grid = random_grid(3, 8)
    closed = replace(grid, lines=replace(grid.lines, to_closed=np.ones_like(grid.lines.to_closed)))
    with pytest.raises(NetworkError, match=r"loop closed by line 'line \d'"):
        radial_network(closed)
    both = grid.lines.from_closed.copy()
    both[0] = False
    apart = replace(grid, lines=replace(grid.lines, from_closed=both, to_closed=both & grid.lines.to_closed))
    with pytest.raises(NetworkError, match="no path to the infeed 'bus 0'"):
        radial_network(apart)


def test_unequal_parallel_transformers_are_a_loop() -> None:
    grid = random_grid(4, 5, 2)
    unequal = replace(grid, transformers=replace(grid.transformers, vk_percent=np.array([6.0, 4.0])))
    with pytest.raises(NetworkError, match="make parallel transformers equal"):
        radial_network(unequal)


def test_parallel_transformers_move_together() -> None:
    grid = random_grid(4, 5, 2)
    apart = replace(grid, transformers=replace(grid.transformers, tap_pos=np.array([0, 1])))
    with pytest.raises(NetworkError, match="make parallel transformers equal"):
        radial_network(apart)
    network = radial_network(grid)
    nothing = np.zeros(network.nodes)
    with pytest.raises(NetworkError, match="different taps"):
        RadialSolver(network, grid).solve(nothing, nothing, 1.0, np.array([0, 2]))


def test_a_feeder_that_collapses_is_held_and_the_others_go_on() -> None:
    grid = random_grid(11, 30, open_ends=False)
    network = radial_network(grid)
    assert len(network.feeder_start) > 2, "this network has more than one feeder"
    p_kw, q_kvar = draws(1, network.nodes)
    taps = np.zeros(1, dtype=np.int64)
    solver = RadialSolver(network, grid)
    before = solver.solve(p_kw, q_kvar, 1.0, taps).v_pu.copy()
    solver.remember()
    bad = int(network.feeder_start[1]) - 1
    too_much = p_kw.copy()
    too_much[bad] = 1e6
    flow = solver.solve(too_much, q_kvar, 1.0, taps)
    assert flow.held.tolist() == [int(network.feeder[bad])]
    assert np.isfinite(flow.v_pu).all()
    others = network.feeder != network.feeder[bad]
    assert np.allclose(flow.v_pu[others], before[others], atol=1e-7)
    again = solver.solve(p_kw, q_kvar, 1.0, taps)
    assert len(again.held) == 0
    assert np.allclose(again.v_pu, before, atol=1e-7), "it comes back when the load does"


def test_transformer_loading_is_the_greater_of_both_sides() -> None:
    grid = random_grid(5, 3, 2, open_ends=False)
    network = radial_network(grid)
    p_kw = np.zeros(network.nodes)
    p_kw[network.node_of_bus[2]] = 600.0
    flow = RadialSolver(network, grid).solve(p_kw, np.zeros(network.nodes), 1.0, np.zeros(2, dtype=np.int64))
    infeed_a = np.hypot(flow.infeed_p_kw, flow.infeed_q_kvar) / (np.sqrt(3) * 20.0)
    rated_a = 630.0 / (np.sqrt(3) * 20.5)
    assert flow.transformer_loading_pct.tolist() == pytest.approx([100 * infeed_a / 2 / rated_a] * 2, rel=2e-3)
    assert 600.0 < flow.transformer_p_kw.sum() < flow.infeed_p_kw, "line losses behind it, its own before it"


def test_dc_flow_solves_the_susceptance_matrix() -> None:
    rng = np.random.default_rng(0)
    buses, branches = 8, 14
    from_bus = np.concatenate([np.arange(7), rng.integers(0, 8, 7)])
    to_bus = np.concatenate([np.arange(1, 8), (rng.integers(1, 7, 7) + from_bus[7:]) % 8])
    x, r, ratio = rng.uniform(0.05, 0.3, branches), rng.uniform(0.0, 0.02, branches), rng.uniform(0.95, 1.05, branches)
    network = DcNetwork(buses, from_bus, to_bus, r, x, ratio, 100.0)
    injection = rng.normal(size=buses) * 50.0
    injection -= injection.mean()
    b = 1.0 / (x * ratio)
    matrix = np.zeros((buses, buses))
    for k in range(branches):
        matrix[[from_bus[k], to_bus[k]], [from_bus[k], to_bus[k]]] += b[k]
        matrix[from_bus[k], to_bus[k]] -= b[k]
        matrix[to_bus[k], from_bus[k]] -= b[k]
    angle = np.zeros(buses)
    angle[1:] = np.linalg.solve(matrix[1:, 1:], injection[1:])
    flow = DcNetwork(buses, from_bus, to_bus, np.zeros(branches), x, ratio, 100.0).solve(injection)
    assert np.allclose(flow.flow_mw, b * (angle[from_bus] - angle[to_bus]))
    lossy = network.solve(injection)
    assert lossy.loss_mw == pytest.approx(float((r / 100.0 * lossy.flow_mw**2).sum()))

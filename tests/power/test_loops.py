"""Weakly meshed networks closed by compensation, against power-grid-model and Kirchhoff's laws."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.balanced.radial import RadialFlow, RadialSolver
from heptagrid.validate.peers.power_grid_model import Peer
from heptagrid.world.balanced.radial_network import BASE_KVA, MOST_LOOPS, RadialNetwork, radial_network
from heptagrid.world.grid import Grid
from tests.power.test_levels import draws, levels


def appended(table, rows: np.ndarray, **changed):
    """A table with copies of some rows at its end, some columns changed there, and names of their own."""
    columns = {one.name: getattr(table, one.name) for one in fields(table)}
    more = {name: changed.get(name, values[rows]) for name, values in columns.items()}
    more["names"] = np.array(
        [f"{name}, copy {k}" for k, name in enumerate(columns["names"][rows], len(columns["names"]))]
    )
    return replace(table, **{name: np.concatenate([columns[name], more[name]]) for name in columns})


def meshed(seed: int, stations: int, ties: int) -> Grid:
    """`levels` with more lines between buses of one level, and transformers in parallel with unequal ones."""
    rng = np.random.default_rng(seed)
    grid = levels(seed, stations)
    kv = grid.buses.vn_kv
    from_bus, to_bus, like = [], [], []
    for _ in range(ties):
        level = 20.0 if rng.random() < 0.5 or (kv == 0.4).sum() < 4 else 0.4
        pair = np.flatnonzero(kv == level)
        a, b = rng.choice(pair, 2, replace=False)
        from_bus.append(a)
        to_bus.append(b)
        like.append(int(rng.choice(np.flatnonzero(kv[grid.lines.from_bus] == level))))
    closed = np.ones(ties, dtype=bool)
    lines = appended(
        *(grid.lines, np.array(like, dtype=np.int64)),
        from_bus=np.array(from_bus, dtype=np.int64),
        to_bus=np.array(to_bus, dtype=np.int64),
        from_closed=closed,
        to_closed=closed,
    )
    t = grid.transformers
    rows = rng.choice(len(t.names), min(2, len(t.names)), replace=False)
    beside = appended(
        t, rows, sn_mva=t.sn_mva[rows] * 0.8, vn_lv_kv=t.vn_lv_kv[rows] * 1.01, vk_percent=t.vk_percent[rows] * 1.1
    )
    return replace(grid, lines=lines, transformers=beside)


def kirchhoff(network: RadialNetwork, solver: RadialSolver, flow: RadialFlow, p_kw: np.ndarray, q_kvar: np.ndarray):
    """What is left over of the currents at every node, and of the voltages along every branch, per unit."""
    v, current = flow.v_re + 1j * flow.v_im, flow.current_re + 1j * flow.current_im
    shunt = solver._shunt[:, 0] + 1j * solver._shunt[:, 1]
    ratio, loop_ratio = solver._inverse_ratio, solver._loops.inverse_ratio
    left = current - shunt * v - np.conj((p_kw + 1j * q_kvar) / BASE_KVA / v)
    np.subtract.at(left, network.parent[1:], current[1:] * ratio[1:])
    np.subtract.at(left, network.loops.from_node, flow.loop_current * loop_ratio)
    np.add.at(left, network.loops.to_node, flow.loop_current)
    along = v[network.parent[1:]] * ratio[1:] - network.z_pu[1:] * current[1:] - v[1:]
    loops = network.loops
    around = v[loops.from_node] * loop_ratio - loops.z_pu * flow.loop_current - v[loops.to_node]
    return np.abs(left).max(), max(np.abs(along).max(), np.abs(around).max())


@given(st.integers(0, 100_000), st.integers(3, 12), st.integers(0, 6))
@settings(max_examples=40, deadline=None)
def test_loops_agree_with_power_grid_model_and_obey_kirchhoff(seed: int, stations: int, ties: int) -> None:
    grid = meshed(seed, stations, ties)
    network = radial_network(grid, loops="compensate")
    assert len(network.loops) >= min(1, ties)
    taps = np.random.default_rng(seed).integers(-2, 3, len(grid.transformers.names))
    p_kw, q_kvar = draws(seed, grid, network)
    solver = RadialSolver(network, grid, 1e-11)
    flow = solver.solve(p_kw, q_kvar, grid.infeed_v_pu, taps)
    assert len(flow.held) == 0
    peer = Peer(grid, network, taps, grid.infeed_v_pu)
    v_pu, losses_kw = peer.solve(p_kw[np.newaxis], q_kvar[np.newaxis], 1e-9)
    assert np.abs(flow.v_pu[network.node_of_bus] - v_pu[0]).max() < 1e-8
    # The peer's losses are the difference of two great numbers and carry some of its own rounding.
    assert flow.losses_kw == pytest.approx(losses_kw[0], rel=1e-6, abs=1e-4)
    assert flow.infeed_p_kw == pytest.approx(flow.losses_kw + p_kw.sum(), abs=1e-6)
    loading_pct = peer.loading_pct(p_kw[np.newaxis], q_kvar[np.newaxis], 1e-9)[0]
    assert flow.transformer_loading_pct == pytest.approx(loading_pct, rel=1e-6, abs=1e-5)
    of_currents, of_voltages = kirchhoff(network, solver, flow, p_kw, q_kvar)
    # Currents are sums of what the nodes draw at these very voltages; how far off 1e-16 gets depends on their size.
    assert of_currents < 1e-11 * max(1.0, np.hypot(flow.current_re, flow.current_im).max())
    assert of_voltages < 1e-10


@given(st.integers(0, 100_000))
@settings(max_examples=15, deadline=None)
def test_the_numbering_of_a_meshed_grid_does_not_matter(seed: int) -> None:
    grid = meshed(seed, 8, 4)
    rng = np.random.default_rng(seed)
    buses, lines = rng.permutation(len(grid.buses.names)), rng.permutation(len(grid.lines.names))
    place = np.argsort(buses)  # bus k stands at place[k]
    t = grid.transformers
    shuffled = replace(
        grid,
        buses=replace(grid.buses, **{one.name: getattr(grid.buses, one.name)[buses] for one in fields(grid.buses)}),
        lines=replace(
            replace(grid.lines, **{one.name: getattr(grid.lines, one.name)[lines] for one in fields(grid.lines)}),
            from_bus=place[grid.lines.to_bus[lines]],
            to_bus=place[grid.lines.from_bus[lines]],
            from_closed=grid.lines.to_closed[lines],
            to_closed=grid.lines.from_closed[lines],
        ),
        transformers=replace(t, hv_bus=place[t.hv_bus], lv_bus=place[t.lv_bus]),
        switches=replace(grid.switches, from_bus=place[grid.switches.from_bus], to_bus=place[grid.switches.to_bus]),
        infeed_bus=int(place[grid.infeed_bus]),
    )
    bus_kw = rng.uniform(0.0, 15.0, len(buses))
    answers = []
    for one, of_buses in ((grid, bus_kw), (shuffled, bus_kw[buses])):
        network = radial_network(one, loops="compensate")
        p_kw = np.zeros(network.nodes)
        np.add.at(p_kw, network.node_of_bus, of_buses)
        flow = RadialSolver(network, one, 1e-11).solve(p_kw, 0.2 * p_kw, 1.0, one.transformers.tap_pos)
        answers.append((flow.v_pu[network.node_of_bus].copy(), flow.losses_kw))
    (v_pu, losses_kw), (shuffled_v_pu, shuffled_losses_kw) = answers
    assert np.abs(v_pu - shuffled_v_pu[place]).max() < 1e-10
    assert losses_kw == pytest.approx(shuffled_losses_kw, rel=1e-9)


def test_a_loop_costs_no_more_iterations_than_the_tree() -> None:
    grid = meshed(5, 12, 6)
    tree = levels(5, 12)
    iterations = []
    for one in (grid, tree):
        network = radial_network(one, loops="compensate")
        p_kw, q_kvar = draws(5, one, network)
        iterations.append(
            RadialSolver(network, one).solve(p_kw, q_kvar, one.infeed_v_pu, one.transformers.tap_pos).iterations
        )
    assert iterations[0] <= iterations[1] + 2


def test_feeders_tied_by_a_loop_are_held_together() -> None:
    grid = levels(4, 9)
    tree = radial_network(grid)
    feeders = len(tree.feeder_start) - 1
    assert feeders >= 3
    ends = [int(tree.bus_of_node[tree.feeder_start[f]]) for f in (0, 1)]
    lines = appended(
        *(grid.lines, np.array([tree.line_of_node[tree.feeder_start[0]]])),
        from_bus=np.array(ends[:1]), to_bus=np.array(ends[1:]), from_closed=np.array([True]), to_closed=np.array([True]),
    )  # fmt: skip
    ring = replace(grid, lines=lines)
    network = radial_network(ring, loops="compensate")
    assert len(network.loops) == 1
    p_kw, q_kvar = draws(4, ring, network)
    solver = RadialSolver(network, ring)
    before = solver.solve(p_kw, q_kvar, 1.01, ring.transformers.tap_pos)
    good_v, good_infeed_kw, good_loop = before.v_pu.copy(), before.infeed_p_kw, before.loop_current.copy()
    solver.remember()
    node = int(network.node_of_bus[ends[0]])
    disturbed = p_kw.copy()
    disturbed[node] = 1e9
    flow = solver.solve(disturbed, q_kvar, 1.01, ring.transformers.tap_pos)
    tied = {int(network.feeder[network.node_of_bus[bus]]) for bus in ends}
    assert set(flow.held.tolist()) == tied
    assert 0 < len(tied) < len(network.feeder_start) - 1
    assert np.abs(flow.v_pu - good_v).max() < 2e-8
    assert np.abs(flow.loop_current - good_loop).max() < 1e-7
    assert flow.infeed_p_kw == pytest.approx(good_infeed_kw, abs=1e-2)
    again = solver.solve(p_kw, q_kvar, 1.01, ring.transformers.tap_pos)
    assert len(again.held) == 0
    assert np.abs(again.v_pu - good_v).max() < 2e-8, "it comes back when the load does"


def test_a_loop_opens_with_either_of_its_ends() -> None:
    grid = meshed(4, 8, 3)
    network = radial_network(grid, loops="compensate")
    lost = np.zeros(network.nodes, dtype=bool)
    lost[int(network.loops.to_node[0])] = True
    for k in range(1, network.nodes):
        lost[k] |= lost[network.parent[k]]
    p_kw, q_kvar = draws(4, grid, network)
    p_kw[lost] = q_kvar[lost] = 0.0
    solver = RadialSolver(network, grid)
    solver.switch_off(lost)
    flow = solver.solve(p_kw, q_kvar, 1.0, grid.transformers.tap_pos)
    is_open = lost[network.loops.from_node] | lost[network.loops.to_node]
    assert is_open.any() and not is_open.all()
    assert (flow.loop_current[is_open] == 0.0).all()
    assert (flow.v_pu[lost] == 0.0).all()
    assert flow.infeed_p_kw == pytest.approx(flow.losses_kw + p_kw.sum(), abs=1e-3)


def test_too_many_loops_are_for_another_solver() -> None:
    grid = meshed(2, 12, MOST_LOOPS + 1)
    with pytest.raises(NetworkError, match="a solver for meshed networks takes it"):
        radial_network(grid, loops="compensate")


def test_a_loop_without_impedance_is_refused() -> None:
    grid = levels(3, 6)
    lines = grid.lines
    nothing = np.zeros(1)
    twice = appended(lines, np.array([0]), r_ohm=nothing, x_ohm=nothing)
    twice = appended(twice, np.array([0]), r_ohm=nothing, x_ohm=nothing)
    looped = replace(grid, lines=twice)
    network = radial_network(looped, loops="compensate")
    zeros = np.zeros(network.nodes)
    with pytest.raises(NetworkError, match="no impedance around it"):
        RadialSolver(network, looped).solve(zeros, zeros, 1.0, looped.transformers.tap_pos)

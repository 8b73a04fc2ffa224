"""The batch of sweeps: step by step the same as one at a time, and the same to the last bit for any number of threads."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.balanced.batch import Draws, Shares, pieces_of
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.world.balanced.radial_network import radial_network
from tests.power.test_levels import levels
from tests.power.test_loops import meshed


def steps_of(seed: int, steps: int) -> tuple:
    grid = levels(seed, 9)
    network = radial_network(grid)
    rng = np.random.default_rng(seed)
    most = np.where(network.v_base_kv < 1.0, 15.0, 150.0) * (network.bus_of_node >= 0)
    p_kw = most * rng.uniform(-0.7, 1.0, (steps, network.nodes))
    q_kvar = most * rng.uniform(-0.2, 0.4, (steps, network.nodes))
    return grid, network, p_kw, q_kvar


@given(st.integers(0, 100_000), st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_every_step_is_the_single_solution(seed: int, steps: int) -> None:
    grid, network, p_kw, q_kvar = steps_of(seed, steps)
    taps = grid.transformers.tap_pos
    infeed_v_pu = np.random.default_rng(seed).uniform(0.98, 1.04, steps)
    batch = RadialSolver(network, grid, 1e-10).solve_batch(Draws(p_kw, q_kvar), infeed_v_pu, taps)
    single = RadialSolver(network, grid, 1e-12)
    assert batch.converged.all()
    for k in range(steps):
        flow = single.solve(p_kw[k], q_kvar[k], infeed_v_pu[k], taps)
        assert np.abs(batch.v_pu[k] - flow.v_pu).max() < 1e-10
        assert batch.losses_kw[k] == pytest.approx(flow.losses_kw, rel=1e-7, abs=1e-6)
        assert batch.infeed_p_kw[k] == pytest.approx(flow.infeed_p_kw, abs=1e-5)
        assert batch.infeed_q_kvar[k] == pytest.approx(flow.infeed_q_kvar, abs=1e-5)
    assert batch.infeed_p_kw == pytest.approx(batch.losses_kw + p_kw.sum(axis=1), abs=1e-5)
    assert batch.least_v_pu == pytest.approx(batch.v_pu.min(axis=0), abs=1e-15)
    assert batch.greatest_v_pu == pytest.approx(batch.v_pu.max(axis=0), abs=1e-15)


def test_shares_of_profiles_are_draws() -> None:
    grid, network, _, _ = steps_of(3, 1)
    rng = np.random.default_rng(3)
    elements, columns, steps = 40, 5, 30
    shares = Shares(
        node=rng.integers(0, network.nodes, elements),
        p_kw=rng.uniform(-2.0, 5.0, elements),
        q_kvar=rng.uniform(0.0, 2.0, elements),
        p_column=rng.integers(0, columns, elements),
        q_column=rng.integers(0, columns, elements),
        profiles=rng.uniform(0.0, 1.0, (steps, columns)),
    )
    p_kw, q_kvar = np.zeros((steps, network.nodes)), np.zeros((steps, network.nodes))
    for k in range(steps):
        np.add.at(p_kw[k], shares.node, shares.p_kw * shares.profiles[k, shares.p_column])
        np.add.at(q_kvar[k], shares.node, shares.q_kvar * shares.profiles[k, shares.q_column])
    solver = RadialSolver(network, grid, 1e-12)
    one = solver.solve_batch(shares, 1.0, grid.transformers.tap_pos)
    other = solver.solve_batch(Draws(p_kw, q_kvar), 1.0, grid.transformers.tap_pos)
    assert np.abs(one.v_pu - other.v_pu).max() < 1e-12
    extremes = solver.solve_batch(shares, 1.0, grid.transformers.tap_pos, keep_voltages=False)
    assert extremes.v_pu.size == 0
    assert np.array_equal(extremes.least_v_pu, one.least_v_pu)
    assert np.array_equal(extremes.losses_kw, one.losses_kw)


def test_the_batch_is_the_same_in_any_number_of_threads() -> None:
    grid, network, p_kw, q_kvar = steps_of(5, 100)
    solver = RadialSolver(network, grid)
    whole = numba.get_num_threads()
    answers = []
    try:
        for threads in sorted({1, whole}):
            numba.set_num_threads(threads)
            answers.append(solver.solve_batch(Draws(p_kw, q_kvar), 1.0, grid.transformers.tap_pos))
    finally:
        numba.set_num_threads(whole)
    for other in answers[1:]:
        assert np.array_equal(answers[0].v_pu, other.v_pu)
        assert np.array_equal(answers[0].losses_kw, other.losses_kw)
        assert np.array_equal(answers[0].least_v_pu, other.least_v_pu)


@pytest.mark.parametrize("too_much_kw", [1e6, 1e30, np.inf, np.nan])
def test_a_step_that_collapses_is_marked_and_the_others_are_solved(too_much_kw: float) -> None:
    grid, network, p_kw, q_kvar = steps_of(8, 200)
    taps = grid.transformers.tap_pos
    solver = RadialSolver(network, grid)
    good = solver.solve_batch(Draws(p_kw, q_kvar), 1.0, taps)
    disturbed = p_kw.copy()
    low = np.flatnonzero((network.v_base_kv < 1.0) & (network.bus_of_node >= 0))[0]
    disturbed[[3, 9, 11], low] = too_much_kw
    batch = solver.solve_batch(Draws(disturbed, q_kvar), 1.0, taps)
    assert np.flatnonzero(~batch.converged).tolist() == [3, 9, 11]
    assert np.isnan(batch.losses_kw[~batch.converged]).all() and np.isnan(batch.v_pu[~batch.converged]).all()
    assert np.abs(batch.v_pu - good.v_pu)[batch.converged].max() < 2e-8, "twice the solver's tolerance"
    assert np.isfinite(batch.least_v_pu).all()


@given(st.integers(0, 100_000), st.integers(1, 30))
@settings(max_examples=30, deadline=None)
def test_pieces_and_trunk_are_the_whole_tree(seed: int, most: int) -> None:
    parent = radial_network(levels(seed, 9)).parent
    pieces = pieces_of(parent, most)
    nodes = [0, *pieces.trunk.tolist()]
    for first, last in zip(pieces.first, pieces.last, strict=True):
        assert last - first <= most
        assert (parent[first + 1 : last] >= first).all(), "a piece hangs by its first node alone"
        nodes += range(first, last)
    assert sorted(nodes) == list(range(len(parent)))


def test_a_batch_of_a_meshed_network_is_refused() -> None:
    grid = meshed(2, 8, 2)
    network = radial_network(grid, loops="compensate")
    nothing = np.zeros((2, network.nodes))
    with pytest.raises(NetworkError, match="a batch takes a tree"):
        RadialSolver(network, grid).solve_batch(Draws(nothing, nothing), 1.0, grid.transformers.tap_pos)


def test_draws_that_do_not_fit_are_refused() -> None:
    grid, network, p_kw, q_kvar = steps_of(4, 3)
    solver, taps = RadialSolver(network, grid), grid.transformers.tap_pos
    with pytest.raises(NetworkError, match=r"\(steps, \d+\) is expected"):
        solver.solve_batch(Draws(p_kw[:, 1:].copy(), q_kvar[:, 1:].copy()), 1.0, taps)
    one, nothing = np.ones(1), np.zeros(1, dtype=np.int64)
    for node, column, words in (
        (network.nodes, 0, "node is"),
        (0, 2, "p_column is 2; there are 2"),
        (-1, 0, "node is -1"),
    ):
        shares = Shares(nothing + node, one, one, nothing + column, nothing, np.ones((3, 2)))
        with pytest.raises(NetworkError, match=words):
            solver.solve_batch(shares, 1.0, taps)
    none = solver.solve_batch(Draws(p_kw[:0], q_kvar[:0]), 1.0, taps)
    assert none.losses_kw.shape == (0,) and none.v_pu.shape == (0, network.nodes)


def test_nodes_that_are_switched_off_have_no_voltage() -> None:
    grid, network, p_kw, q_kvar = steps_of(6, 20)
    solver, taps = RadialSolver(network, grid), grid.transformers.tap_pos
    is_off = np.zeros(network.nodes, dtype=bool)
    is_off[network.feeder_start[0] : network.feeder_start[1]] = True
    p_kw[:, is_off] = q_kvar[:, is_off] = 0.0
    solver.switch_off(is_off)
    batch = solver.solve_batch(Draws(p_kw, q_kvar), 1.0, taps)
    assert (batch.v_pu[:, is_off] == 0.0).all() and (batch.greatest_v_pu[is_off] == 0.0).all()
    for k in range(20):
        flow = solver.solve(p_kw[k], q_kvar[k], 1.0, taps)
        assert np.abs(batch.v_pu[k] - flow.v_pu).max() < 2e-8
        assert batch.losses_kw[k] == pytest.approx(flow.losses_kw, rel=1e-6)

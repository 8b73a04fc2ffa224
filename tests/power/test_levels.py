"""The radial solver on networks of several voltage levels, against power-grid-model and its own laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.validate.peers.power_grid_model import Peer
from heptagrid.world.balanced.radial_network import radial_network
from heptagrid.world.grid import Buses, BusSwitches, Grid, Lines, Loads, Transformers, Units

NONE = np.empty(0)
NO_ROWS = np.empty(0, dtype=np.int64)
NO_NAMES = np.empty(0, dtype=str)


def levels(seed: int, stations: int, branching_root: bool = False) -> Grid:
    """110 kV to 20 kV, a tree of 20 kV stations, a 0.4 kV tree below some; lines open at either end; couplings.

    With `branching_root` a second transformer feeds a second 20 kV tree straight from the infeed bus.
    """
    rng = np.random.default_rng(seed)
    kv = [110.0]
    lines: list[tuple[int, int, bool, bool]] = []
    transformers: list[tuple[int, int]] = []
    couplings: list[tuple[int, int, bool]] = []

    def bus(level: float) -> int:
        kv.append(level)
        return len(kv) - 1

    def tree(level: float, root: int, size: int) -> list[int]:
        members = [root]
        for _ in range(size):
            upper, lower = int(rng.choice(members)), bus(level)
            ends = (upper, lower) if rng.random() < 0.5 else (lower, upper)
            lines.append((*ends, True, True))
            members.append(lower)
        return members

    middle: list[int] = []
    for _ in range(2 if branching_root else 1):
        infeed, busbar = bus(20.0), bus(20.0)
        transformers.append((0, infeed))
        couplings.append((infeed, busbar, True))
        middle += tree(20.0, busbar, stations)
    for station in middle[1:]:
        if rng.random() < 0.6:
            low = bus(0.4)
            transformers.append((station, low))
            members = tree(0.4, low, int(rng.integers(1, 6)))
            if len(members) > 2:
                near, far = members[1], members[2]
                open_from = bool(rng.random() < 0.5)
                lines.append((near, far, not open_from, open_from))
                couplings.append((near, far, False))
    n, m, t = len(kv), len(lines), len(transformers)
    v = np.array(kv)
    from_bus, to_bus = np.array([line[0] for line in lines]), np.array([line[1] for line in lines])
    hv, lv = np.array([one[0] for one in transformers]), np.array([one[1] for one in transformers])
    low = v[from_bus] < 1.0
    return Grid(
        buses=Buses(np.array([f"bus {k}" for k in range(n)]), v, np.zeros(n), np.zeros(n)),
        lines=Lines(
            names=np.array([f"line {k}" for k in range(m)]),
            from_bus=from_bus,
            to_bus=to_bus,
            from_closed=np.array([line[2] for line in lines]),
            to_closed=np.array([line[3] for line in lines]),
            r_ohm=np.where(low, rng.uniform(0.001, 0.02, m), rng.uniform(0.05, 0.5, m)),
            x_ohm=np.where(low, rng.uniform(0.001, 0.01, m), rng.uniform(0.05, 0.5, m)),
            c_nf=rng.uniform(0.0, 300.0, m),
            g_us=np.zeros(m),
            max_i_ka=np.full(m, 0.3),
            length_km=np.full(m, 0.1),
        ),
        transformers=Transformers(
            names=np.array([f"trafo {k}" for k in range(t)]),
            hv_bus=hv,
            lv_bus=lv,
            sn_mva=np.where(v[hv] > 100.0, 40.0, 0.4),
            vn_hv_kv=v[hv] * rng.uniform(0.98, 1.05, t),
            vn_lv_kv=v[lv] * rng.uniform(0.98, 1.05, t),
            vk_percent=rng.uniform(4.0, 12.0, t),
            vkr_percent=rng.uniform(0.3, 1.5, t),
            pfe_kw=np.where(v[hv] > 100.0, 20.0, 0.5),
            i0_percent=rng.uniform(0.2, 0.6, t),
            tap_neutral=rng.integers(-1, 2, t),
            tap_min=np.full(t, -9),
            tap_max=np.full(t, 9),
            tap_step_percent=rng.uniform(1.0, 2.5, t),
            tap_pos=np.zeros(t, dtype=np.int64),
            has_controller=np.zeros(t, dtype=bool),
            controller_v_pu=np.full(t, np.nan),
        ),
        switches=BusSwitches(*(np.array([one[k] for one in couplings]) for k in range(3))),
        loads=Loads(NO_NAMES, NO_ROWS, NONE, NONE, NO_ROWS, NO_ROWS, NO_NAMES),
        units=Units(NO_NAMES, NO_ROWS, NONE, NONE, NO_ROWS, NO_NAMES),
        infeed_bus=0,
        infeed_v_pu=1.01,
    )


def draws(seed: int, grid: Grid, network) -> tuple[np.ndarray, np.ndarray]:
    """Up to 15 kW of load or infeed at low voltage, ten times as much above; nothing at open ends."""
    rng = np.random.default_rng(seed + 1)
    most = np.where(network.v_base_kv < 1.0, 15.0, 150.0) * (network.bus_of_node >= 0)
    return most * rng.uniform(-0.7, 1.0, network.nodes), most * rng.uniform(-0.2, 0.4, network.nodes)


@given(st.integers(0, 100_000), st.integers(2, 12), st.booleans())
@settings(max_examples=40, deadline=None)
def test_several_levels_agree_with_power_grid_model(seed: int, stations: int, branching_root: bool) -> None:
    grid = levels(seed, stations, branching_root)
    network = radial_network(grid)
    taps = np.random.default_rng(seed).integers(-3, 4, len(grid.transformers.names))
    p_kw, q_kvar = draws(seed, grid, network)
    flow = RadialSolver(network, grid).solve(p_kw, q_kvar, grid.infeed_v_pu, taps)
    v_pu, losses_kw = Peer(grid, network, taps, grid.infeed_v_pu).solve(p_kw[np.newaxis], q_kvar[np.newaxis])
    assert len(flow.held) == 0
    assert np.abs(flow.v_pu[network.node_of_bus] - v_pu[0]).max() < 1e-6
    # The peer's losses are the difference of two great numbers and carry some 6e-5 kW of its own tolerance.
    assert flow.losses_kw == pytest.approx(losses_kw[0], rel=1e-6, abs=1e-4)
    assert flow.infeed_p_kw == pytest.approx(flow.losses_kw + p_kw.sum(), abs=1e-4)


@given(st.integers(0, 100_000), st.integers(2, 12))
@settings(max_examples=40, deadline=None)
def test_the_returned_error_is_below_the_tolerance(seed: int, stations: int) -> None:
    grid = levels(seed, stations)
    network = radial_network(grid)
    p_kw, q_kvar = draws(seed, grid, network)
    taps = np.zeros(len(grid.transformers.names), dtype=np.int64)
    close, closer = RadialSolver(network, grid), RadialSolver(network, grid, 1e-13)
    for step in range(4):  # warm from the second on
        scale = 1.0 + 0.3 * np.sin(step)
        flow = close.solve(scale * p_kw, q_kvar, grid.infeed_v_pu, taps)
        exact = closer.solve(scale * p_kw, q_kvar, grid.infeed_v_pu, taps)
        assert np.hypot(flow.v_re - exact.v_re, flow.v_im - exact.v_im).max() < 1e-8


def test_an_islands_buses_are_named() -> None:
    grid = levels(3, 6)
    couplings = replace(grid.switches, closed=np.zeros_like(grid.switches.closed))
    with pytest.raises(NetworkError, match=r"no path to the infeed 'bus 0': bus 2, bus 3"):
        radial_network(replace(grid, switches=couplings))


def test_the_line_that_closes_a_loop_is_named() -> None:
    grid = levels(3, 6)
    lines = grid.lines
    open_one = int(np.flatnonzero(~(lines.from_closed & lines.to_closed))[0])
    closed = np.arange(len(lines.names)) == open_one
    meshed = replace(lines, from_closed=lines.from_closed | closed, to_closed=lines.to_closed | closed)
    with pytest.raises(NetworkError, match="loop closed by line") as refused:
        radial_network(replace(grid, lines=meshed))
    ends = {int(lines.from_bus[open_one]), int(lines.to_bus[open_one])}
    around = [k for k in range(len(lines.names)) if ends & {int(lines.from_bus[k]), int(lines.to_bus[k])}]
    assert any(f"'line {k}'" in str(refused.value) for k in around)


@pytest.mark.parametrize("too_much_kw", [1e5, 1e9, 1e30, 1e100, np.inf, np.nan, -1e7])
def test_no_load_however_absurd_disturbs_the_other_feeders(too_much_kw: float) -> None:
    grid = levels(8, 9)
    network = radial_network(grid)
    p_kw, q_kvar = draws(8, grid, network)
    taps = np.zeros(len(grid.transformers.names), dtype=np.int64)
    solver = RadialSolver(network, grid)
    before = solver.solve(p_kw, q_kvar, grid.infeed_v_pu, taps)
    good_v, good_infeed_kw = before.v_pu.copy(), before.infeed_p_kw
    solver.remember()
    low = np.flatnonzero((network.v_base_kv < 1.0) & (network.bus_of_node >= 0) & (network.feeder > 0))
    disturbed = p_kw.copy()
    disturbed[low[0]] = too_much_kw
    flow = solver.solve(disturbed, q_kvar, grid.infeed_v_pu, taps)
    assert len(network.feeder_start) > 2, "more than one feeder"
    assert flow.held.tolist() == [int(network.feeder[low[0]])]
    assert np.abs(flow.v_pu - good_v).max() < 2e-8, "twice the solver's tolerance"
    assert flow.infeed_p_kw == pytest.approx(good_infeed_kw, abs=1e-2)


@pytest.mark.parametrize("seed", range(8))
def test_a_held_feeder_keeps_the_infeed_when_the_root_branches(seed: int) -> None:
    grid = levels(seed, 6, branching_root=True)
    network = radial_network(grid)
    p_kw, q_kvar = draws(seed, grid, network)
    taps = np.zeros(len(grid.transformers.names), dtype=np.int64)
    for node in np.flatnonzero((network.v_base_kv < 1.0) & (network.bus_of_node >= 0)):
        solver = RadialSolver(network, grid)
        good_infeed_kw = solver.solve(p_kw, q_kvar, grid.infeed_v_pu, taps).infeed_p_kw
        solver.remember()
        disturbed = p_kw.copy()
        disturbed[node] = 1e7
        flow = solver.solve(disturbed, q_kvar, grid.infeed_v_pu, taps)
        assert len(flow.held) > 0
        assert flow.infeed_p_kw == pytest.approx(good_infeed_kw, abs=1e-2)

"""A day of a city: 96 quarter hours of up to a million nodes, warm from step to step, on one thread, as a run solves them.

The city is synthetic, its parts are SimBench's: 110 kV, primary substations of 40 MVA, twelve medium-voltage feeders each, a low-voltage
network of three to six cables below each local substation; loads and units follow SimBench's profiles of 27 January 2016.
The peer is power-grid-model's batch, iterative current, one thread, on the smallest city. Cost against size is fitted over all sizes.
Usage: city.py [nodes ..., default 100000 300000 1000000] [--record]
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.history import report
from heptagrid.importers.extract import read_grid, read_profiles
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.scenario import load
from heptagrid.validate.peers.power_grid_model import Peer
from heptagrid.world.balanced.radial_network import RadialNetwork, radial_network
from heptagrid.world.grid import Buses, BusSwitches, Grid, Lines, Loads, Transformers, Units

TOWN = load.DATA / "town"
STEPS, PER_SUBSTATION, FEEDERS = 96, 10_400, 12
SEED = 6


def city(nodes: int) -> Grid:
    """About so many buses: 110 kV, 20 kV rings that stand open, 0.4 kV trees. Loads are the town's, drawn at random."""
    rng = np.random.default_rng(SEED)
    town = read_grid(TOWN)
    primaries = max(1, round(nodes / PER_SUBSTATION))
    level, parent, kind = [np.array([110.0])], [np.array([-1])], [np.array([0])]  # kind: 0 line, 1 transformer
    buses = 1

    def add(above: np.ndarray, kv: float, is_transformer: bool) -> np.ndarray:
        nonlocal buses
        made = buses + np.arange(len(above))
        buses += len(above)
        level.append(np.full(len(above), kv))
        parent.append(above)
        kind.append(np.full(len(above), int(is_transformer)))
        return made

    high = add(np.zeros(primaries, dtype=np.int64), 110.0, False)
    busbars = add(high, 20.0, True)
    ends = np.repeat(busbars, FEEDERS)
    for _ in range(20):  # stations along the feeders; each goes on with a chance, so that lengths differ
        ends = add(ends[rng.random(len(ends)) < 0.955], 20.0, False)
        low = add(ends[rng.random(len(ends)) < 0.9], 0.4, True)
        cables = add(np.repeat(low, rng.integers(3, 7, len(low))), 0.4, False)
        for _ in range(20):
            service = cables[rng.random(len(cables)) < 0.6]
            add(service, 0.4, False)
            cables = add(cables[rng.random(len(cables)) < 0.92], 0.4, False)
    kv, above, is_transformer = np.concatenate(level), np.concatenate(parent), np.concatenate(kind) == 1
    shuffled = rng.permutation(buses)  # so that nothing is in a tree's order yet
    shuffled[[0, np.flatnonzero(shuffled == 0)[0]]] = shuffled[[np.flatnonzero(shuffled == 0)[0], 0]]
    own, upper = shuffled, shuffled[np.maximum(above, 0)]
    line = np.flatnonzero((above >= 0) & ~is_transformer)
    low_line, high_line = kv[line] < 1.0, kv[line] > 100.0
    km = np.where(low_line, rng.uniform(0.005, 0.045, len(line)), rng.uniform(0.2, 0.9, len(line)))
    km[high_line] = rng.uniform(2.0, 12.0, int(high_line.sum()))
    r_per_km = np.where(low_line, 0.2067, np.where(high_line, 0.05, 0.161))
    x_per_km = np.where(low_line, 0.0804, np.where(high_line, 0.2, 0.117))
    c_per_km = np.where(low_line, 830.0, np.where(high_line, 9.5, 273.0))
    t = np.flatnonzero(is_transformer)
    like = np.where(kv[t] > 1.0, 0, 1 + rng.integers(0, 3, len(t)))
    models = [np.flatnonzero(town.transformers.sn_mva == mva)[0] for mva in (40.0, 0.25, 0.4, 0.63)]
    row = np.array(models)[like]
    figures = town.transformers
    houses = np.flatnonzero((kv < 1.0) & (rng.random(buses) < 0.75))
    of_load = rng.integers(0, len(town.loads.bus), len(houses))
    roofs = rng.choice(houses, len(houses) // 12, replace=False)
    of_unit = rng.integers(0, len(town.units.bus), len(roofs))
    place_kv = np.empty(buses)
    place_kv[own] = kv
    closed, steps = np.ones(len(line), dtype=bool), rng.integers(0, 1, len(t))
    no_rows, nothing = np.empty(0, dtype=np.int64), np.zeros(buses)
    return Grid(
        buses=Buses(np.arange(buses).astype(str), place_kv, nothing, nothing),
        lines=Lines(
            *(np.arange(len(line)).astype(str), upper[line], own[line], closed, closed),
            *(r_per_km * km, x_per_km * km, c_per_km * km, np.zeros(len(line)), np.full(len(line), 0.3), km),
        ),
        transformers=Transformers(
            *(np.arange(len(t)).astype(str), upper[t], own[t], figures.sn_mva[row], figures.vn_hv_kv[row]),
            *(figures.vn_lv_kv[row], figures.vk_percent[row], figures.vkr_percent[row], figures.pfe_kw[row]),
            *(figures.i0_percent[row], figures.tap_neutral[row], figures.tap_min[row], figures.tap_max[row]),
            *(figures.tap_step_percent[row], steps, np.zeros(len(t), dtype=bool), np.full(len(t), np.nan)),
        ),
        switches=BusSwitches(no_rows, no_rows, np.empty(0, dtype=bool)),
        loads=Loads(
            *(np.arange(len(houses)).astype(str), own[houses], 0.5 * town.loads.p_kw[of_load]),
            *(0.5 * town.loads.q_kvar[of_load], town.loads.p_profile[of_load], town.loads.q_profile[of_load]),
            town.loads.profile_names[of_load],
        ),
        units=Units(
            *(np.arange(len(roofs)).astype(str), own[roofs], np.minimum(town.units.p_kw[of_unit], 15.0)),
            *(np.zeros(len(roofs)), town.units.profile[of_unit], town.units.kinds[of_unit]),
        ),
        infeed_bus=int(own[0]),
        infeed_v_pu=1.05,
    )


def draws_of(grid: Grid, network: RadialNetwork) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What the nodes draw, kW and kvar, in each quarter hour of the day."""
    quarters = read_profiles(TOWN).millionths[26 * 96 : 27 * 96] * 1e-6
    loads, units = grid.loads, grid.units
    of_load, of_unit = network.node_of_bus[loads.bus], network.node_of_bus[units.bus]
    for share in quarters:
        p_kw = np.bincount(of_load, loads.p_kw * share[loads.p_profile], network.nodes)
        p_kw -= np.bincount(of_unit, units.p_kw * share[units.profile], network.nodes)
        yield p_kw, np.bincount(of_load, loads.q_kvar * share[loads.q_profile], network.nodes)


def against_the_peer(grid: Grid, network: RadialNetwork, solver: RadialSolver, ours_ns: float) -> None:
    """The same city in a few quarter hours: time, and the greatest difference of a voltage."""
    some = list(draws_of(grid, network))[:: STEPS // 8]
    p_kw, q_kvar = (np.array([pair[k] for pair in some]) for k in (0, 1))
    taps = grid.transformers.tap_pos
    peer = Peer(grid, network, taps, grid.infeed_v_pu)
    update = peer.update(p_kw, q_kvar)
    cpu_began = time.process_time()
    result = peer.calculate(update, 1e-8, -1, ["node", "source"], "iterative_current")
    theirs_ns = (time.process_time() - cpu_began) / len(some) / network.nodes * 1e9
    off = 0.0
    for k in range(len(some)):
        ours = solver.solve(p_kw[k], q_kvar[k], grid.infeed_v_pu, taps).v_pu[network.node_of_bus]
        off = max(off, float(np.abs(result["node"]["u_pu"][k] - ours).max()))
    print(f"  {theirs_ns:.0f} ns in the peer; its voltages differ by at most {off:.1e} pu")
    report(
        "city, a day in quarter hours", ours_ns, "ns per node and step", theirs_ns / ours_ns, "power-grid-model's batch"
    )


sizes = [int(one) for one in sys.argv[1:] if one.isdigit()] or [100_000, 300_000, 1_000_000]
measured = []
for size in sizes:
    began = time.perf_counter()
    grid = city(size)
    network = radial_network(grid)
    solver = RadialSolver(network, grid)
    built = time.perf_counter() - began
    taps = grid.transformers.tap_pos
    cpu_s, iterations, residual, lowest, highest = 0.0, 0, 0.0, np.inf, 0.0
    solver.solve(*next(draws_of(grid, network)), grid.infeed_v_pu, taps)  # compiles, and starts warm
    for p_kw, q_kvar in draws_of(grid, network):
        cpu_began = time.process_time()
        flow = solver.solve(p_kw, q_kvar, grid.infeed_v_pu, taps)
        cpu_s += time.process_time() - cpu_began
        assert not len(flow.held), "every feeder converges"
        iterations += flow.iterations
        residual = max(residual, abs(flow.infeed_p_kw - flow.losses_kw - p_kw.sum()) / abs(flow.infeed_p_kw))
        lowest, highest = min(lowest, flow.v_pu.min()), max(highest, flow.v_pu.max())
    assert residual < 1e-6, f"the energy balance is off by {residual}"
    measured.append((network.nodes, cpu_s))
    print(
        f"{network.nodes:,} nodes, {len(grid.transformers.names):,} transformers, {STEPS} steps: {cpu_s:.2f} s of processor time "
        f"(built in {built:.0f} s), {iterations / STEPS:.2f} iterations, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB; "
        f"voltages {lowest:.3f} to {highest:.3f} pu, energy residual {residual:.1e}"
    )
    if size == sizes[0]:
        against_the_peer(grid, network, solver, cpu_s / STEPS / network.nodes * 1e9)
if len(measured) > 1:
    nodes, seconds = np.log(np.array(measured)).T
    print(f"processor time grows with size to the power of {np.polyfit(nodes, seconds, 1)[0]:.3f}")

"""A day of a city, minute by minute: 1,440 steps of up to a million nodes, warm from step to step, on all threads.

The city is synthetic, its parts are SimBench's: 110 kV, primary substations of 40 MVA, twelve medium-voltage feeders each, a low-voltage
network of three to six cables below each local substation; loads and units follow SimBench's profiles of 27 January 2016, interpolated to minutes.
The peer is power-grid-model's batch, iterative current, on the smallest city. Cost against size is fitted over all sizes.
Usage: city.py [nodes ..., default 100000 300000 1000000] [--record]
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.history import report
from heptagrid.importers.extract import read_grid, read_profiles
from heptagrid.planes.power.balanced.batch import BatchFlow, Shares
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.scenario import load
from heptagrid.validate.peers.power_grid_model import Peer
from heptagrid.world.balanced.radial_network import RadialNetwork, radial_network
from heptagrid.world.grid import Buses, BusSwitches, Grid, Lines, Loads, Transformers, Units

TOWN = load.DATA / "town"
STEPS, PER_SUBSTATION, FEEDERS = 1440, 10_400, 12
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


def shares_of(grid: Grid, network: RadialNetwork) -> Shares:
    """Loads and units over the profiles' minutes of the day."""
    profiles = read_profiles(TOWN)
    quarters = profiles.millionths[26 * 96 : 27 * 96 + 1] * 1e-6
    minute = np.arange(STEPS) / 15.0
    whole, part = minute.astype(np.int64), (minute % 1.0)[:, np.newaxis]
    loads, units = grid.loads, grid.units
    return Shares(
        node=network.node_of_bus[np.concatenate([loads.bus, units.bus])],
        p_kw=np.concatenate([loads.p_kw, -units.p_kw]),
        q_kvar=np.concatenate([loads.q_kvar, np.zeros(len(units.bus))]),
        p_column=np.concatenate([loads.p_profile, units.profile]),
        q_column=np.concatenate([loads.q_profile, units.profile]),
        profiles=quarters[whole] * (1.0 - part) + quarters[whole + 1] * part,
    )


def drawn_kw(shares: Shares) -> np.ndarray:
    """What all elements draw in each step."""
    per_column = np.bincount(shares.p_column, shares.p_kw, minlength=shares.profiles.shape[1])
    return np.asarray(shares.profiles @ per_column)


def against_the_peer(grid: Grid, network: RadialNetwork, shares: Shares, flow: BatchFlow, ours_ns: float) -> None:
    """The same city at a few minutes of the day: time, and the greatest difference of a voltage."""
    minutes = np.arange(0, STEPS, STEPS // 8)
    p_kw, q_kvar = np.zeros((8, network.nodes)), np.zeros((8, network.nodes))
    for k, minute in enumerate(minutes):
        np.add.at(p_kw[k], shares.node, shares.p_kw * shares.profiles[minute, shares.p_column])
        np.add.at(q_kvar[k], shares.node, shares.q_kvar * shares.profiles[minute, shares.q_column])
    peer = Peer(grid, network, grid.transformers.tap_pos, grid.infeed_v_pu)
    update = peer.update(p_kw, q_kvar)
    threads, parts = numba.get_num_threads(), ["node", "source"]
    began = time.perf_counter()
    result = peer.calculate(update, 1e-8, threads, parts, "iterative_current")
    theirs_ns = (time.perf_counter() - began) / 8 / network.nodes * 1e9
    v_pu = result["node"]["u_pu"]
    ours = (flow.least_v_pu[network.node_of_bus], flow.greatest_v_pu[network.node_of_bus])
    beyond = max(float((ours[0] - v_pu.min(axis=0)).max()), float((v_pu.max(axis=0) - ours[1]).max()))
    losses_kw = result["source"]["p"][:, 0] / 1e3 - p_kw.sum(axis=1)
    off = np.abs(losses_kw / flow.losses_kw[minutes] - 1.0).max()
    print(
        f"  {theirs_ns:.0f} ns in the peer; its voltages are within the day's extremes to {beyond:.1e} pu, losses to {off:.1e}"
    )
    report("city, a day in minutes", ours_ns, "ns per node and step", theirs_ns / ours_ns, "power-grid-model's batch")


sizes = [int(one) for one in sys.argv[1:] if one.isdigit()] or [100_000, 300_000, 1_000_000]
measured = []
for size in sizes:
    began = time.perf_counter()
    grid = city(size)
    network = radial_network(grid)
    solver, shares = RadialSolver(network, grid), shares_of(grid, network)
    built = time.perf_counter() - began
    taps = grid.transformers.tap_pos
    warm = Shares(shares.node, shares.p_kw, shares.q_kvar, shares.p_column, shares.q_column, shares.profiles[:8].copy())
    solver.solve_batch(warm, grid.infeed_v_pu, taps, keep_voltages=False)  # compiles
    began, cpu_began = time.perf_counter(), time.process_time()
    flow = solver.solve_batch(shares, grid.infeed_v_pu, taps, keep_voltages=False)
    took, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
    residual = np.abs(flow.infeed_p_kw - flow.losses_kw - drawn_kw(shares)).max() / np.abs(flow.infeed_p_kw).max()
    assert flow.converged.all(), "every step converges"
    assert residual < 1e-6, f"the energy balance is off by {residual}"
    measured.append((network.nodes, cpu_s))
    print(
        f"{network.nodes:,} nodes, {len(grid.transformers.names):,} transformers, {STEPS} steps, "
        f"{numba.get_num_threads()} threads: {took:.1f} s, {cpu_s:.1f} s of processor time (built in {built:.0f} s), {flow.iterations.mean():.2f} iterations, "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB; voltages {flow.least_v_pu.min():.3f} to "
        f"{flow.greatest_v_pu.max():.3f} pu, losses {100 * flow.losses_kw.sum() / drawn_kw(shares).sum():.1f} %, "
        f"energy residual {residual:.1e}"
    )
    if size == sizes[0]:
        against_the_peer(grid, network, shares, flow, took / STEPS / network.nodes * 1e9)
if len(measured) > 1:
    nodes, seconds = np.log(np.array(measured)).T
    print(f"processor time grows with size to the power of {np.polyfit(nodes, seconds, 1)[0]:.3f}")

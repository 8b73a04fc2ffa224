"""The batch of sweeps against the fastest ways to install a power flow, on SimBench's urban medium- and low-voltage grid.

Peers: power-grid-model's batch, Newton-Raphson and iterative current, the faster counts; pandapower with lightsim2grid, snapshot by snapshot.
All take turns in each round, with the same tolerance (1e-8) and, but for pandapower, which has one, the same number of threads. What
each is really off by is measured against a solution to 1e-13. Needs the `networks` extra.
Usage: power_peers.py [steps, default 672] [rounds, default 5] [--record]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numba
import numpy as np
import pandapower
import simbench
from power_grid_model import ComponentType

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.history import report
from heptagrid.importers.extract import read_grid
from heptagrid.planes.power.balanced.batch import Draws
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.validate.peers.power_grid_model import Peer
from heptagrid.world.balanced.radial_network import radial_network
from tools.build_town import grid_arrays, profile_table, save_arrays

CODE = "1-MVLV-urban-all-0-sw"
FIRST_QUARTER = 24 * 96  # a week, from 25 January
TOLERANCE = 1e-8
SNAPSHOTS = 3  # of pandapower in a round

numbers = [int(one) for one in sys.argv[1:] if one.isdigit()]
steps, rounds = (*numbers, *(672, 5)[len(numbers) :])
net = simbench.get_simbench_net(CODE)
table, names = profile_table(net)
with tempfile.TemporaryDirectory() as folder:
    save_arrays(Path(folder) / "grid.npz", grid_arrays(net, names))
    grid = read_grid(Path(folder))
network = radial_network(grid)
loads, units, taps = grid.loads, grid.units, grid.transformers.tap_pos
relative = table[FIRST_QUARTER : FIRST_QUARTER + steps] * 1e-6
p_kw, q_kvar = np.zeros((steps, network.nodes)), np.zeros((steps, network.nodes))
for k in range(steps):
    np.add.at(p_kw[k], network.node_of_bus[loads.bus], loads.p_kw * relative[k, loads.p_profile])
    np.add.at(q_kvar[k], network.node_of_bus[loads.bus], loads.q_kvar * relative[k, loads.q_profile])
    np.subtract.at(p_kw[k], network.node_of_bus[units.bus], units.p_kw * relative[k, units.profile])

solver, peer = RadialSolver(network, grid, TOLERANCE), Peer(grid, network, taps, grid.infeed_v_pu)
draws, update, threads = Draws(p_kw, q_kvar), peer.update(p_kw, q_kvar), numba.get_num_threads()
net.trafo["tap_pos"] = taps
parts = [ComponentType.node, ComponentType.source]


def sweeps() -> Any:
    return solver.solve_batch(draws, grid.infeed_v_pu, taps)


def newton() -> Any:
    return peer.calculate(update, TOLERANCE, threads, parts)


def iterative_current() -> Any:
    return peer.calculate(update, TOLERANCE, threads, parts, "iterative_current")


def snapshots() -> Any:
    for k in range(SNAPSHOTS):
        net.load["p_mw"] = loads.p_kw * relative[k, loads.p_profile] * 1e-3
        net.load["q_mvar"] = loads.q_kvar * relative[k, loads.q_profile] * 1e-3
        net.sgen["p_mw"] = units.p_kw * relative[k, units.profile] * 1e-3
        pandapower.runpp(net, lightsim2grid=True, tolerance_mva=TOLERANCE, init="dc")


ways: dict[str, tuple[Callable[[], Any], int]] = {
    "heptagrid's sweeps": (sweeps, steps),
    "power-grid-model, Newton-Raphson": (newton, steps),
    "power-grid-model, iterative current": (iterative_current, steps),
    "pandapower with lightsim2grid": (snapshots, SNAPSHOTS),
}
truth = RadialSolver(network, grid, 1e-13).solve_batch(draws, grid.infeed_v_pu, taps).v_pu[:, network.node_of_bus]
off = {
    "heptagrid's sweeps": np.abs(sweeps().v_pu[:, network.node_of_bus] - truth).max(),
    "power-grid-model, Newton-Raphson": np.abs(newton()[ComponentType.node]["u_pu"] - truth).max(),
    "power-grid-model, iterative current": np.abs(iterative_current()[ComponentType.node]["u_pu"] - truth).max(),
}
snapshots()
took: dict[str, list[float]] = {way: [] for way in ways}
for _ in range(rounds):
    for way, (run, count) in ways.items():
        began = time.perf_counter()
        run()
        took[way].append((time.perf_counter() - began) / count / network.nodes * 1e9)
print(f"{CODE}: {network.nodes} nodes, {steps} steps, {threads} threads, {rounds} rounds; ns per node and step")
for way, each in took.items():
    error = f"off by {off[way]:.1e} pu at most" if way in off else ""
    print(f"  {way:36s} least {min(each):8.1f}  median {median(each):8.1f}  {error}")
ours = min(took["heptagrid's sweeps"])
fastest = min((way for way in ways if way.startswith("power-grid-model")), key=lambda way: min(took[way]))
report("batch of sweeps, urban", ours, "ns per node and step", min(took[fastest]) / ours, fastest)
pandapowers = min(took["pandapower with lightsim2grid"])
report("batch of sweeps, urban", ours, "ns per node and step", pandapowers / ours, "pandapower with lightsim2grid")

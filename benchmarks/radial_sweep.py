"""The sweep kernel along the town's day: nanoseconds per node and solve, one thread, tolerance 1e-8, warm start.

1,440 one-minute steps of base demand as the scenario draws it. The peer is power-grid-model's batch on the same steps
(every tenth), Newton-Raphson, tolerance 1e-8, one thread.
"""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.history import report
from heptagrid.assembly.span import Phase, Span
from heptagrid.assembly.world import build_world
from heptagrid.domains.customers import demand, local_units
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.scenario.load import load
from heptagrid.validate.peers.power_grid_model import Peer

scenario = load("town")
world = build_world(scenario)
grid, network = world.grid, world.network
loads, units = grid.loads, grid.units
base = demand.BaseDemand(
    *(demand.Parameters(), world.profiles, np.arange(len(loads.bus)), loads.p_kw, loads.q_kvar),
    *(loads.p_profile, loads.q_profile, 1),
)
local = local_units.LocalUnits(world.profiles, units.p_kw, units.profile, world.owned.unit_point, world.points)
steps = [step for phase, step in Span(date(2016, 1, 27), 1, 60, 60, scenario.zone).steps() if phase is Phase.COUNTED]
p_kw, q_kvar = np.zeros((len(steps), network.nodes)), np.zeros((len(steps), network.nodes))
for k, step in enumerate(steps):
    point_p, point_q = np.zeros(world.points), np.zeros(world.points)
    base.advance(step, point_p, point_q)
    local.advance(step, point_p)
    np.add.at(p_kw[k], world.point_node, point_p)
    np.add.at(q_kvar[k], world.point_node, point_q)

taps = grid.transformers.tap_pos
solver = RadialSolver(network, grid)
solver.solve(p_kw[0], q_kvar[0], grid.infeed_v_pu, taps)
best = np.inf
for _ in range(3):
    iterations = 0
    began = time.perf_counter()
    for k in range(len(steps)):
        iterations += solver.solve(p_kw[k], q_kvar[k], grid.infeed_v_pu, taps).iterations
    best = min(best, time.perf_counter() - began)
ours_ns = best / len(steps) / network.nodes * 1e9
print(f"{network.nodes} nodes, {iterations / len(steps):.2f} iterations a solve")

peer = Peer(grid, network, taps, grid.infeed_v_pu)
peer.solve(p_kw[:2], q_kvar[:2], 1e-8)
began = time.perf_counter()
peer.solve(p_kw[::10], q_kvar[::10], 1e-8, threading=-1)
peer_ns = (time.perf_counter() - began) / len(steps[::10]) / network.nodes * 1e9
report("radial sweep", ours_ns, "ns per node and solve", peer_ns / ours_ns, "power-grid-model's batch")

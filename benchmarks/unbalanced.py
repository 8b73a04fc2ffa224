"""Unbalanced sweeps over a day of the IEEE 8500-node feeder: nanoseconds per node and solve, one thread, warm start.

1,440 one-minute steps, four load shapes shared out over the loads, taps and capacitors held. The peer is OpenDSS's own daily mode on the same
shapes, controls off, without monitors, alternately in the same run. Both stop where the voltages are as near to the solution as OpenDSS
comes at its tolerance; the errors are printed. Two threads: our steps in parallel; OpenDSS has one circuit on one thread.
"""

from __future__ import annotations

import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numba
import numpy as np
from dss import DSS

sys.path.insert(0, str(Path(__file__).parents[1]))

import heptagrid
from benchmarks.history import report
from heptagrid.importers.opendss import read
from heptagrid.planes.power.unbalanced.series import Draws
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver

FEEDER = Path(heptagrid.__file__).parent / "validate/cases/feeders/8500-node.zip"
STEPS, SHAPES, ROUNDS = 1440, 4, 2
THEIR_TOLERANCE, OUR_TOLERANCE_PU = 1e-6, 3e-6


def day() -> np.ndarray:
    """(steps, shapes) two humps a day, later from shape to shape, with minutes of noise."""
    hour = np.arange(STEPS)[:, None] / STEPS * 24.0
    later = np.arange(SHAPES)[None, :]
    humps = np.exp(-((hour - 8.0 - later) ** 2) / 8.0) + 1.4 * np.exp(-((hour - 18.5 - later) ** 2) / 10.0)
    return (0.35 + 0.4 * humps) * (1.0 + 0.02 * np.random.default_rng(1).standard_normal((STEPS, SHAPES)))


class Peer:
    """OpenDSS with the same shapes on the same loads."""

    def __init__(self, master: Path, shapes: np.ndarray, shape_of: dict[str, int], folder: Path) -> None:
        self.dss: Any = DSS.NewContext()
        self.dss.AllowForms = self.dss.AllowChangeDir = False
        self.do(f'redirect "{master}"')
        for k in range(SHAPES):
            np.savetxt(folder / f"shape{k}.txt", shapes[:, k], fmt="%.17g")
            self.do(f'new loadshape.day{k} npts={STEPS} minterval=1 mult=(file="{folder / f"shape{k}.txt"}")')
        for name, k in shape_of.items():
            self.do(f"{name}.daily=day{k} status=variable")
        self.do(f"set maxiterations=100 tolerance={THEIR_TOLERANCE}")

    def do(self, command: str) -> None:
        self.dss.Text.Command = command

    def solve(self, first: int, steps: int) -> float:
        """Seconds for some steps of the day."""
        self.do("set mode=daily")  # which also lets the controls act again, and goes back to midnight
        self.do(f"set controlmode=off stepsize=1m number={steps} hour={first // 60} sec={first % 60 * 60}")
        began = time.perf_counter()
        self.dss.ActiveCircuit.Solution.Solve()
        spent = time.perf_counter() - began
        assert self.dss.ActiveCircuit.Solution.Converged
        return spent

    def magnitudes(self) -> dict[str, float]:
        circuit = self.dss.ActiveCircuit
        return dict(zip(circuit.AllNodeNames, np.array(circuit.AllBusVmagPu), strict=True))


with tempfile.TemporaryDirectory() as place:
    folder = Path(place)
    zipfile.ZipFile(FEEDER).extractall(folder)
    master = next(folder.rglob("Master-unbal.dss"))
    circuit = read(str(master))
    nodes, devices = len(circuit.nodes.bus), len(circuit.devices.names)
    shape = np.arange(devices) % SHAPES
    shapes = day()
    draws = Draws(shapes, shapes, shape, np.ones(devices))
    peer = Peer(master, shapes, dict(zip(circuit.devices.names.tolist(), shape.tolist(), strict=True)), folder)
names = [f"{circuit.buses.names[b]}.{n}".lower() for b, n in zip(circuit.nodes.bus, circuit.nodes.number, strict=True)]

solver = UnbalancedSolver(circuit, tolerance_pu=OUR_TOLERANCE_PU)
exact = UnbalancedSolver(circuit, tolerance_pu=1e-11)
series = solver.solve_steps(draws)
print(f"{nodes} nodes, {series.iterations.mean():.2f} iterations a solve, {solver.method}: {solver.reason}")
worst = {"ours": 0.0, "OpenDSS": 0.0}
for t in np.linspace(0, STEPS - 1, 12).astype(int):
    flow = exact.solve(*(rated * shapes[t, shape] for rated in (circuit.devices.p_kw, circuit.devices.q_kvar)))
    peer.solve(int(t), 1)
    theirs = peer.magnitudes()
    worst["ours"] = max(worst["ours"], float(np.abs(series.v_pu[t] - flow.v_pu).max()))
    worst["OpenDSS"] = max(worst["OpenDSS"], max(abs(theirs[n] - v) for n, v in zip(names, flow.v_pu, strict=True)))
print("error of the voltages reached, pu: " + ", ".join(f"{name} {error:.1e}" for name, error in worst.items()))

best = {1: np.inf, 2: np.inf, "OpenDSS": np.inf}
for _ in range(ROUNDS):
    best["OpenDSS"] = min(best["OpenDSS"], peer.solve(0, STEPS))
    for threads in (1, 2):
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        began = time.perf_counter()
        solver.solve_steps(draws)
        best[threads] = min(best[threads], time.perf_counter() - began)
per = 1e9 / STEPS / nodes
print(f"OpenDSS: {best['OpenDSS'] * per:.4g} ns per node and solve; two threads here: {best[2] * per:.4g} ns")
report("unbalanced sweeps", best[1] * per, "ns per node and solve", best["OpenDSS"] / best[1], "OpenDSS's daily mode")

"""Unbalanced sweeps over a day of the IEEE 8500-node feeder: nanoseconds per node and solve, one thread, warm start.

1,440 one-minute steps, four load shapes shared out over the loads, taps and capacitors held. The peer is OpenDSS's own daily mode on the same
shapes, controls off, without monitors, alternately in the same run.
Both stop where the voltages are as near to the solution as OpenDSS comes at its tolerance; the errors are printed.
"""

from __future__ import annotations

import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from dss import DSS

sys.path.insert(0, str(Path(__file__).parents[1]))

import heptagrid
from benchmarks.history import report
from heptagrid.importers.opendss import read
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
    peer = Peer(master, shapes, dict(zip(circuit.devices.names.tolist(), shape.tolist(), strict=True)), folder)
names = [f"{circuit.buses.names[b]}.{n}".lower() for b, n in zip(circuit.nodes.bus, circuit.nodes.number, strict=True)]

solver = UnbalancedSolver(circuit, tolerance_pu=OUR_TOLERANCE_PU)
exact = UnbalancedSolver(circuit, tolerance_pu=1e-11)


def drawn(t: int) -> tuple[np.ndarray, np.ndarray]:
    return circuit.devices.p_kw * shapes[t, shape], circuit.devices.q_kvar * shapes[t, shape]


def whole_day() -> float:
    """Seconds for the day, step after step."""
    began = time.perf_counter()
    for t in range(STEPS):
        solver.solve(*drawn(t))
    return time.perf_counter() - began


iterations = np.array([solver.solve(*drawn(t)).iterations for t in range(STEPS)])
print(f"{nodes} nodes, {iterations.mean():.2f} iterations a solve, {solver.method}: {solver.reason}")
worst = {"ours": 0.0, "OpenDSS": 0.0}
for t in np.linspace(0, STEPS - 1, 12).astype(int).tolist():
    flow, ours = exact.solve(*drawn(t)), solver.solve(*drawn(t))
    peer.solve(t, 1)
    theirs = peer.magnitudes()
    worst["ours"] = max(worst["ours"], float(np.abs(ours.v_pu - flow.v_pu).max()))
    worst["OpenDSS"] = max(worst["OpenDSS"], max(abs(theirs[n] - v) for n, v in zip(names, flow.v_pu, strict=True)))
print("error of the voltages reached, pu: " + ", ".join(f"{name} {error:.1e}" for name, error in worst.items()))

ours_s = theirs_s = np.inf
for _ in range(ROUNDS):
    theirs_s, ours_s = min(theirs_s, peer.solve(0, STEPS)), min(ours_s, whole_day())
per = 1e9 / STEPS / nodes
print(f"OpenDSS: {theirs_s * per:.4g} ns per node and solve")
report(
    "unbalanced sweeps, one by one", ours_s * per, "ns per node and solve", theirs_s / ours_s, "OpenDSS's daily mode"
)

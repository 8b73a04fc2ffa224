"""OpenDSS on scripts of its own, by way of dss-python: each script is compiled and solved by the engine alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heptagrid.importers.opendss.script import opendss
from heptagrid.world.circuit import Complex, Floats, Ints


@dataclass(frozen=True)
class Solution:
    """nodes: (nodes,) names such as `671.1`. v: (nodes,) complex volts. v_base_v: (nodes,) of their buses, to neutral. taps: (regulators,) by their names, sorted; capacitors: (capacitors,)
    closed steps, by their names, sorted.
    """

    nodes: list[str]
    v: Complex
    v_base_v: Floats
    losses_kw: float
    taps: Ints
    capacitors: Ints


def solved(script: Path, tolerance: float = 1e-9) -> Solution:
    """Execute a script, whose own solves let its controls act, and solve once more as closely as `tolerance`, the controls still at work."""
    with opendss() as engine:
        engine.Text.Command = f'Compile "{script}"'
        circuit, solution = engine.ActiveCircuit, engine.ActiveCircuit.Solution
        solution.Tolerance, solution.MaxIterations, solution.MaxControlIterations = tolerance, 1000, 200
        solution.Solve()
        packed = np.asarray(circuit.YNodeVarray)
        regulators, capacitors = circuit.RegControls, circuit.Capacitors
        taps = {}
        for name in _names(regulators.AllNames):
            regulators.Name = name
            taps[name] = int(regulators.TapNumber)
        closed = {}
        for name in _names(capacitors.AllNames):
            capacitors.Name = name
            closed[name] = int(np.sum(capacitors.States))
        nodes = [str(name).lower() for name in circuit.YNodeOrder]
        base_v = {}
        for k in range(circuit.NumBuses):
            bus = circuit.Buses(k)
            base_v[str(bus.Name).lower()] = 1e3 * float(bus.kVBase)
        return Solution(
            nodes=nodes,
            v=packed[0::2] + 1j * packed[1::2],
            v_base_v=np.array([base_v[node.rpartition(".")[0]] for node in nodes]),
            losses_kw=float(np.asarray(circuit.Losses)[0]) / 1e3,
            taps=np.array([taps[name] for name in sorted(taps)], dtype=np.int64),
            capacitors=np.array([closed[name] for name in sorted(closed)], dtype=np.int64),
        )


def _names(names: list[str]) -> list[str]:
    return [name for name in names if name and name.upper() != "NONE"]

"""OpenDSS on scripts of its own, by way of dss-python: each script is compiled and solved by the engine alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.importers.opendss.script import opendss
from heptagrid.world.circuit.circuit import Complex, Floats, Ints


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


def solved(script: Path, tolerance: float = 1e-9, most_control_iterations: int = 200) -> Solution:
    """Execute a script, whose own solves let its controls act, and solve once more as closely as `tolerance`, the controls still at work."""
    with opendss() as engine:
        engine.Text.Command = f'Compile "{script}"'
        circuit, solution = engine.ActiveCircuit, engine.ActiveCircuit.Solution
        solution.Tolerance, solution.MaxIterations, solution.MaxControlIterations = (
            tolerance,
            1000,
            most_control_iterations,
        )
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
        base_v = _base_v(circuit)
        return Solution(
            nodes=nodes,
            v=packed[0::2] + 1j * packed[1::2],
            v_base_v=np.array([base_v[node.rpartition(".")[0]] for node in nodes]),
            losses_kw=float(np.asarray(circuit.Losses)[0]) / 1e3,
            taps=np.array([taps[name] for name in sorted(taps)], dtype=np.int64),
            capacitors=np.array([closed[name] for name in sorted(closed)], dtype=np.int64),
        )


@dataclass(frozen=True)
class Day:
    """nodes: (nodes,) names such as `67.1`, sorted. v_v: (minutes, nodes) magnitudes; v_base_v: (nodes,). taps: (minutes, regulators) in the
    file's order. p_kw, q_kvar: (minutes,) fed by all photovoltaics.
    """

    nodes: list[str]
    v_v: Floats
    v_base_v: Floats
    taps: Ints
    p_kw: Floats
    q_kvar: Floats


def day(script: Path, minutes: int, control_mode: str) -> Day:
    """Execute a script, then solve so many minutes in mode `daily`, each after the other.

    control_mode: `static` or `time`.
    """
    with opendss() as engine:
        engine.Text.Command = f'Compile "{script}"'
        engine.Text.Command = f"Set mode=daily number=1 stepsize=1m controlmode={control_mode}"
        circuit = engine.ActiveCircuit
        nodes = [str(name).lower() for name in circuit.AllNodeNames]
        order = np.argsort(nodes)
        v_v, taps, powers = [], [], []
        for _ in range(minutes):
            circuit.Solution.Solve()
            v_v.append(np.asarray(circuit.AllBusVmag)[order])
            taps.append([int(control.TapNumber) for control in circuit.RegControls])
            powers.append(_fed(circuit))
        total, base_v = np.array(powers), _base_v(circuit)
    v_base_v = np.array([base_v[node.rpartition(".")[0]] for node in sorted(nodes)])
    return Day(sorted(nodes), np.array(v_v), v_base_v, np.array(taps), total[:, 0], total[:, 1])


def _fed(circuit: Any) -> tuple[float, float]:
    systems = circuit.PVSystems
    return sum(system.kW for system in systems), sum(system.kvar for system in systems)


def _base_v(circuit: Any) -> dict[str, float]:
    """Of each bus, to neutral."""
    buses = (circuit.Buses(k) for k in range(circuit.NumBuses))
    return {str(bus.Name).lower(): 1e3 * float(bus.kVBase) for bus in buses}


def _names(names: list[str]) -> list[str]:
    return [name for name in names if name and name.upper() != "NONE"]

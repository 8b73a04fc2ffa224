"""What is in a circuit of conductors."""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.unbalanced.conductors import Conductors, conductors_of
from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
from heptagrid.studies.flow.inventory import Count, Inventory, drawing, levels, loops
from heptagrid.world.circuit.circuit import GROUND, Bools, Circuit, Ints


def inventory(circuit: Circuit, source: str, format: str) -> Inventory:
    """Count, sum and draw a circuit; nothing is solved."""
    buses, devices, windings = circuit.buses, circuit.devices, circuit.transformers.windings
    from_bus, to_bus = _strokes(circuit)
    device_bus = _bus(circuit, devices.circuit_from[devices.circuit_at[:-1]])
    solver, conductors = _solver(circuit)
    is_dead, served = _dead_buses(circuit, conductors), np.ones(len(devices.names))
    if conductors is not None:
        served = conductors.served_share(devices)
    phases = circuit.alike_phases
    p_kw, q_kvar = phases * served * devices.p_kw, phases * served * devices.q_kvar
    draws = np.zeros(len(buses.names))
    np.add.at(draws, device_bus, np.maximum(p_kw, 0.0))
    feeds = devices.p_kw < 0.0
    return Inventory(
        source=source,
        format=format,
        name=circuit.name,
        shape=_shape(circuit, from_bus, to_bus),
        solver=solver,
        counts=[
            Count("bus", len(buses.names), int((~is_dead).sum()), _nodes(circuit, conductors)),
            *_counts("source", circuit.sources.names),
            *_counts("line", circuit.lines.names, _closed(circuit), f"{int(circuit.lines.is_switch.sum())} switches"),
            *_counts(
                "transformer",
                circuit.transformers.names,
                sum=f"{phases * circuit.transformers.rated_kva.sum():,.6g} kVA, {len(windings.kv)} windings",
            ),
            *(
                Count(kind, int(mine.sum()), int((served[mine] > 0.0).sum()), f"{np.abs(p_kw[mine].sum()):,.6g} kW")
                for kind in np.unique(devices.kinds).tolist()
                for mine in [devices.kinds == kind]
            ),
            *_counts(
                "capacitor",
                circuit.capacitors.names,
                sum=f"{phases * circuit.capacitors.step_kvar[circuit.capacitors.is_closed].sum():,.6g} kvar closed",
            ),
            *_counts("other linear element", circuit.shunts.names),
            *_counts("regulator control", circuit.regulators.names),
            *_counts("capacitor control", circuit.capacitor_controls.names),
            *_counts("controlled inverter", circuit.inverters.device),
        ],
        levels=levels(np.sqrt(3.0) * buses.v_base_kv, draws, np.arange(len(buses.names))),
        totals={
            "loads_kw": float(p_kw[~feeds].sum()),
            "loads_kvar": float(q_kvar[~feeds].sum()),
            "generation_kw": float(-p_kw[feeds].sum()),
        },
        drawing=drawing(
            buses.names.tolist(),
            buses.x,
            buses.y,
            np.sqrt(3.0) * buses.v_base_kv,
            from_bus,
            to_bus,
            _source_buses(circuit),
            np.arange(len(buses.names)),
            is_dead,
        ),
        remarks=circuit.left_out,
    )


def _solver(circuit: Circuit) -> tuple[str, Conductors | None]:
    """Which solver the circuit gets, and its conductors; or why it gets none."""
    try:
        solver = UnbalancedSolver(circuit)
        return f"{solver.method}: {solver.reason}", conductors_of(solver)
    except NetworkError as problem:
        return f"none: {problem}", None


def _dead_buses(circuit: Circuit, conductors: Conductors | None) -> Bools:
    """(buses,) those without an energised conductor."""
    is_dead = np.zeros(len(circuit.buses.names), dtype=np.bool_)
    if conductors is not None:
        is_dead[:] = True
        is_dead[circuit.nodes.bus[~conductors.is_dead]] = False
    return is_dead


def _nodes(circuit: Circuit, conductors: Conductors | None) -> str:
    """How many nodes there are, and what is not an energised phase conductor."""
    words = [f"{len(circuit.nodes.bus)} nodes"]
    if conductors is not None:
        for count, kind in ((conductors.is_neutral.sum(), "neutral"), (conductors.is_dead.sum(), "de-energised")):
            words += [f"{count} {kind}"] if count else []
    return ", ".join(words)


def _counts(kind: str, rows: np.ndarray, in_service: Bools | None = None, sum: str = "") -> list[Count]:
    """A kind's count, if there are any."""
    count = len(rows)
    return [Count(kind, count, count if in_service is None else int(in_service.sum()), sum)] if count else []


def _closed(circuit: Circuit) -> Bools:
    """(lines,) whether any conductor is closed at both ends."""
    through = circuit.lines.from_closed & circuit.lines.to_closed
    return np.logical_or.reduceat(np.append(through, False), circuit.lines.node_at[:-1])


def _bus(circuit: Circuit, nodes: Ints) -> Ints:
    """The bus of each node; of the ground, bus 0, which no stroke is drawn to."""
    return np.asarray(np.where(nodes == GROUND, 0, np.append(circuit.nodes.bus, 0)[nodes]), dtype=np.int64)


def _strokes(circuit: Circuit) -> tuple[Ints, Ints]:
    """From and to buses of closed lines, of transformers from their first to each other winding, and of what else joins two buses."""
    lines, transformers, shunts = circuit.lines, circuit.transformers, circuit.shunts
    first = lines.node_at[:-1][_closed(circuit)]
    ends = [(lines.from_node[first], lines.to_node[first])]
    windings = transformers.windings
    winding_node = windings.node[windings.conductor_at[:-1]]
    of_first = np.repeat(transformers.winding_at[:-1], np.diff(transformers.winding_at))
    others = np.flatnonzero(of_first != np.arange(len(of_first)))
    ends.append((winding_node[of_first[others]], winding_node[others]))
    middle = (shunts.node_at[:-1] + shunts.node_at[1:]) // 2
    ends.append((shunts.node[shunts.node_at[:-1]], shunts.node[middle]))
    begin, end = (np.concatenate([pair[k] for pair in ends]) for k in range(2))
    begin, end = begin[joins := (begin != GROUND) & (end != GROUND)], end[joins]
    from_bus, to_bus = _bus(circuit, begin), _bus(circuit, end)
    pairs = np.unique(np.sort(np.stack([from_bus, to_bus], axis=1)[from_bus != to_bus], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _source_buses(circuit: Circuit) -> Ints:
    first = circuit.sources.to_node[circuit.sources.node_at[:-1]]
    return np.unique(_bus(circuit, first[first != GROUND]))


def _shape(circuit: Circuit, from_bus: Ints, to_bus: Ints) -> str:
    """Of buses: phases that go the same way are one branch."""
    count, parts = loops(len(circuit.buses.names), from_bus, to_bus)
    words = "radial" if count == 0 else f"meshed, {count} independent loop{'s' if count > 1 else ''}"
    return words if parts <= 1 else f"{words}, in {parts} parts"

"""The snapshot of a circuit of conductors: solved, its controls at work if it has any, and told in the file's names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from heptagrid.foundation.errors import NetworkError
from heptagrid.foundation.sums import dot
from heptagrid.planes.power.controls.control import Controlled
from heptagrid.planes.power.unbalanced.conductors import Conductors, conductors_of
from heptagrid.planes.power.unbalanced.flow import CircuitFlow
from heptagrid.planes.power.unbalanced.holding import HoldingSolver
from heptagrid.planes.power.unbalanced.primitives import Primitives, currents
from heptagrid.planes.power.unbalanced.voltage_bases import misfits, misrated
from heptagrid.studies.flow import balance
from heptagrid.studies.flow.snapshot import (
    DE_ENERGISED,
    NEUTRAL,
    PHASE,
    BranchRows,
    NodeRows,
    NotServed,
    Snapshot,
    Totals,
    fed_and_taken,
)
from heptagrid.world.circuit.circuit import GROUND, Circuit, Complex, Floats, Ints, Model

PHASES = {1: "a", 2: "b", 3: "c"}
TOLERANCE_PU = 1e-10
_SHOWN = 20


def snapshot(circuit: Circuit, source: str, format: str) -> Snapshot:
    """Solve a circuit; a voltage collapse is a snapshot that did not converge.

    Raises
    ------
    NetworkError
        For a circuit without a meaning, with all that is wrong with it; for a solution that does not balance.
    """
    began = time.perf_counter()
    try:
        solver = HoldingSolver(circuit, tolerance_pu=TOLERANCE_PU)
    except NetworkError as problem:
        raise NetworkError(f"{source}: {problem}") from problem
    controlled = Controlled(circuit, solver)
    try:
        flow = controlled.snapshot()
    except NetworkError as problem:
        return _collapsed(circuit, source, format, solver, str(problem), time.perf_counter() - began)
    seconds = time.perf_counter() - began
    conductors, totals = conductors_of(solver), _totals(flow)
    balance.check_circuit(flow, totals)
    return Snapshot(
        source=source,
        format=format,
        solver=f"{solver.method}: {solver.reason}",
        converged=True,
        iterations=flow.iterations,
        seconds=seconds,
        nodes=_nodes(flow, conductors),
        branches=_branches(flow),
        totals=totals,
        not_served=_not_served(circuit, conductors),
        remarks=(
            *circuit.left_out,
            *_dead(circuit, conductors),
            *misfits(circuit, conductors),
            *misrated(circuit, conductors),
            *_between_phases(circuit, conductors),
            *_settled(controlled),
            *_beyond_limits(flow, conductors),
            *_at_rest(flow),
        ),
    )


def _nodes(flow: CircuitFlow, conductors: Conductors) -> NodeRows:
    circuit = flow.network.circuit
    return NodeRows(
        *_node_names(circuit),
        v_pu=flow.v_pu,
        angle_deg=np.rad2deg(np.angle(flow.v)),
        conductor=np.select([conductors.is_phase, conductors.is_neutral], [PHASE, NEUTRAL], DE_ENERGISED).tolist(),
        v_to_neutral_pu=conductors.v_pu(circuit, flow.v),
    )


def _unserved(circuit: Circuit, conductors: Conductors) -> Floats:
    """(devices,) the share of each load that no source feeds; 0 of what feeds in."""
    devices = circuit.devices
    return np.where(devices.kinds == "load", 1.0 - conductors.served_share(devices), 0.0)


def _not_served(circuit: Circuit, conductors: Conductors) -> NotServed:
    devices, share = circuit.devices, _unserved(circuit, conductors)
    kw, kvar = (circuit.alike_phases * dot(share, drawn) for drawn in (devices.p_kw, devices.q_kvar))
    return NotServed(devices.names[share > 0.0].tolist(), kw, kvar)


def _dead(circuit: Circuit, conductors: Conductors) -> list[str]:
    """Loads that are not served, all in one line, then de-energised buses."""
    devices, share = circuit.devices, _unserved(circuit, conductors)
    loads = np.flatnonzero(share > 0.0)
    bus_of = np.append(circuit.nodes.bus, 0)[devices.circuit_from[devices.circuit_at[:-1]]]
    found = []
    if len(loads):
        names = [
            f"{devices.names[k]} at bus {circuit.buses.names[bus_of[k]]} ({'' if share[k] == 1.0 else f'{share[k]:.0%} of '}{circuit.alike_phases * devices.p_kw[k]:g} kW)"
            for k in loads[:_SHOWN].tolist()
        ]
        found.append(f"no source feeds these loads, so they are not served: {_some(names, len(loads))}")
    buses = circuit.nodes.bus
    dead = circuit.buses.names[np.setdiff1d(buses[conductors.is_dead], buses[~conductors.is_dead])].tolist()
    if dead:
        found.append(f"de-energised: bus{'es' if len(dead) > 1 else ''} {_some(dead[:_SHOWN], len(dead))}")
    return found


def _between_phases(circuit: Circuit, conductors: Conductors) -> list[str]:
    """A line for buses whose voltages are told between phases."""
    buses = circuit.buses.names[np.unique(circuit.nodes.bus[conductors.next_phase != GROUND])].tolist()
    if not buses:
        return []
    return [
        f"nothing earths bus{'es' if len(buses) > 1 else ''} {_some(buses[:_SHOWN], len(buses))}: voltages there are between phases (of a that to b, "
        "of b to c, of c to a); those to ground depend on stray capacitances alone"
    ]


def _some(shown: list[str], count: int) -> str:
    more = f" and {count - len(shown)} more" if count > len(shown) else ""
    return ", ".join(shown) + more


def _settled(controlled: Controlled) -> list[str]:
    """Where the controls came to rest."""
    circuit = controlled.circuit
    taps = zip(circuit.regulators.names.tolist(), controlled.tap_positions.tolist(), strict=True)
    found = [f"{name} stands at tap {int(tap):+d}" for name, tap in taps]
    for k in np.flatnonzero(circuit.regulators.max_taps == 0).tolist():
        found[k] += ", and never moves: its maxtapchange is 0"
    capacitors = circuit.capacitors
    for k in np.unique(circuit.capacitor_controls.capacitor).tolist():
        steps = controlled.is_closed[capacitors.step_at[k] : capacitors.step_at[k + 1]]
        found.append(f"{capacitors.names[k]} has {int(steps.sum())} of {len(steps)} steps closed")
    for k, device in enumerate(circuit.inverters.device.tolist()):
        bank = controlled.bank
        p_kw, q_kvar = circuit.alike_phases * bank.p_kw[k], circuit.alike_phases * bank.q_kvar[k]
        found.append(f"{circuit.devices.names[device]} feeds {p_kw:.3f} kW and {q_kvar:+.3f} kvar")
    return found


def _beyond_limits(flow: CircuitFlow, conductors: Conductors) -> list[str]:
    """Loads that are served and do not draw what they are rated for, since their voltage is beyond their limits."""
    devices, circuits = flow.network.circuit.devices, flow.circuits
    device = circuits.device
    v_pu = np.abs(flow.circuits_v) / devices.v_rated_v[device]
    is_limited = ((devices.kinds == "load") & (devices.model != Model.CONSTANT_IMPEDANCE))[device]
    is_limited &= conductors.are_served(devices)
    found = []
    for word, limit, beyond_pu in (
        ("below", "vminpu", devices.v_min_pu[device] - v_pu),
        ("above", "vmaxpu", v_pu - devices.v_max_pu[device]),
    ):
        rows = np.flatnonzero(is_limited & (beyond_pu > 0.0))
        if not len(rows):
            continue
        these, worst = np.unique(device[rows]), rows[np.argmax(beyond_pu[rows])]
        phases = flow.network.circuit.alike_phases
        drawn_kw = phases * flow.devices_kva[these].real.sum()
        rated_kw = phases * (conductors.served_share(devices) * devices.p_kw)[these].sum()
        loads = "1 load has" if len(these) == 1 else f"{len(these)} loads have"
        found.append(
            f"{loads} a voltage {word} {limit} (farthest: {devices.names[device[worst]]} at {v_pu[worst]:.4f} of its rated voltage), "
            f"beyond which a load is an impedance: {drawn_kw:,.3f} kW instead of {rated_kw:,.3f}"
        )
    return found


def _at_rest(flow: CircuitFlow) -> list[str]:
    """That voltages are known less closely than asked for."""
    if flow.last_change_pu <= TOLERANCE_PU:
        return []
    return [
        f"voltages still change by {flow.last_change_pu:.1g} pu and get no closer: a part of the circuit nearly floats"
    ]


def _collapsed(
    circuit: Circuit, source: str, format: str, solver: HoldingSolver, trouble: str, seconds: float
) -> Snapshot:
    nodes = len(circuit.nodes.bus)
    unknown = np.full(nodes, np.nan)
    return Snapshot(
        source=source,
        format=format,
        solver=f"{solver.method}: {solver.reason}",
        converged=False,
        iterations=0,
        seconds=seconds,
        nodes=NodeRows(*_node_names(circuit), unknown, unknown, [PHASE] * nodes, unknown),
        branches=_rows([]),
        totals=Totals(*[np.nan for _ in fields(Totals)]),
        not_served=NotServed([], 0.0, 0.0),
        remarks=circuit.left_out,
        trouble=trouble,
    )


def _node_names(circuit: Circuit) -> tuple[list[str], list[str]]:
    """The bus and the phase of each node."""
    return circuit.buses.names[circuit.nodes.bus].tolist(), [_phase(number) for number in circuit.nodes.number.tolist()]


def _phase(number: int) -> str:
    return PHASES.get(number, str(number))


def _totals(flow: CircuitFlow) -> Totals:
    drawn, shunts = flow.devices_kva, flow.shunts_kva
    is_lost = flow.network.circuit.shunts.counts_as_loss
    feeds = drawn.real < 0.0
    fed_in, taken_back = fed_and_taken(flow.sources_kva)
    fed_in -= drawn[feeds].sum()
    loads = drawn[~feeds].sum()
    used = shunts[~is_lost].sum() + flow.capacitors_kva.sum()
    lost = flow.lines_kva.sum() + flow.transformers_kva.sum() + shunts[is_lost].sum()
    phases = flow.network.circuit.alike_phases
    return Totals(
        *[phases * float(part) for kva in (fed_in, taken_back, loads, used, lost) for part in (kva.real, kva.imag)]
    )


@dataclass(frozen=True)
class _Ends:
    """Where conductors of branches begin and end: positions in `nodes` and `into_a` of some elements, -1 where there is no end."""

    element: Ints
    begin: Ints
    end: Ints


def _branches(flow: CircuitFlow) -> BranchRows:
    """Conductor by conductor; a transformer's first winding against its second, further windings by themselves."""
    circuit, network = flow.network.circuit, flow.network
    parts = [
        _part(flow, network.lines, flow.lines_a, circuit.lines.names, _halves(network.lines)),
        _part(flow, network.transformers, flow.transformers_a, circuit.transformers.names, _windings(circuit)),
        _part(flow, network.capacitors, flow.capacitors_a, circuit.capacitors.names, _alone(network.capacitors)),
        _part(flow, network.shunts, currents(network.shunts, flow.v), circuit.shunts.names, _alone(network.shunts)),
    ]
    return _rows(parts)


def _halves(elements: Primitives) -> _Ends:
    """The first half of each element's conductors against its second."""
    size = np.diff(elements.node_at) // 2
    element = np.repeat(np.arange(elements.elements), size)
    within = np.arange(len(element)) - np.repeat(np.cumsum(size) - size, size)
    begin = elements.node_at[element] + within
    return _Ends(element, begin, begin + size[element])


def _alone(elements: Primitives) -> _Ends:
    """Each conductor by itself."""
    element = np.repeat(np.arange(elements.elements), np.diff(elements.node_at))
    return _Ends(element, np.arange(len(elements.node)), np.full(len(elements.node), -1))


def _windings(circuit: Circuit) -> _Ends:
    rows = [row for k in range(len(circuit.transformers.names)) for row in _conductors(circuit, k)]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return _Ends(*columns)


def _conductors(circuit: Circuit, transformer: int) -> Iterator[tuple[int, int, int]]:
    of = circuit.transformers
    at = of.windings.conductor_at
    first, last = int(of.winding_at[transformer]), int(of.winding_at[transformer + 1])
    for winding in range(first + 1, last):
        begins = list(range(at[first], at[first + 1])) if winding == first + 1 else []
        ends = list(range(at[winding], at[winding + 1]))
        for k in range(max(len(begins), len(ends))):
            yield transformer, begins[k] if k < len(begins) else -1, ends[k] if k < len(ends) else -1


def _part(flow: CircuitFlow, elements: Primitives, into_a: Complex, names: object, ends: _Ends) -> BranchRows:
    """The rows of one table of elements, whose currents are packed as their nodes."""
    circuit = flow.network.circuit
    full = np.asarray(names, dtype=str)[ends.element].tolist()
    node = np.append(elements.node, GROUND)
    into, v = np.append(into_a, 0.0), np.append(flow.v, 0.0)
    begin, end = node[ends.begin], node[ends.end]
    s_from = circuit.alike_phases * v[begin] * into[ends.begin].conj() / 1e3
    s_to = circuit.alike_phases * v[end] * into[ends.end].conj() / 1e3
    lost = s_from + s_to
    at = np.where(begin == GROUND, end, begin)
    return BranchRows(
        branch=full,
        kind=[name.partition(".")[0] for name in full],
        from_node=_ends_named(circuit, begin),
        to_node=_ends_named(circuit, end),
        phase=[_phase(number) if number else "" for number in np.append(circuit.nodes.number, 0)[at].tolist()],
        i_from_a=_magnitudes(into, ends.begin),
        i_to_a=_magnitudes(into, ends.end),
        p_from_kw=s_from.real,
        q_from_kvar=s_from.imag,
        p_to_kw=s_to.real,
        q_to_kvar=s_to.imag,
        losses_kw=lost.real,
        losses_kvar=lost.imag,
    )


def _magnitudes(into_a: Complex, at: Ints) -> Floats:
    return np.where(at < 0, np.nan, np.abs(into_a[at]))


def _ends_named(circuit: Circuit, nodes: Ints) -> list[str]:
    """Bus and number of each node, as in 671.1; nothing for the ground."""
    names = [
        f"{bus}.{number}"
        for bus, number in zip(
            circuit.buses.names[circuit.nodes.bus].tolist(), circuit.nodes.number.tolist(), strict=True
        )
    ]
    return [names[node] if node != GROUND else "" for node in nodes.tolist()]


def _rows(parts: list[BranchRows]) -> BranchRows:
    """Tables one after another."""
    columns: dict[str, Any] = {}
    for one in fields(BranchRows):
        values = [getattr(part, one.name) for part in parts]
        is_text = one.type == "list[str]"
        columns[one.name] = (
            [text for value in values for text in value] if is_text else np.concatenate([np.empty(0), *values])
        )
    return BranchRows(**columns)

"""What is wrong with a circuit, all at once, before anything is solved."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.unbalanced.network import Network, network_of
from heptagrid.planes.power.unbalanced.primitives import is_bond
from heptagrid.world.circuit.circuit import Bools, Circuit, Floats, Ints, Names

MOST = 1e12  # kW, kvar, kV, V, A or S: beyond every grid, and squares of it can be computed with
# "Infinite" impedances stand for none, and a source of current is a voltage as great behind one.
_UNBOUNDED = frozenset(("impedance", "reactance", "winding resistance", "voltage"))


def checked_network(circuit: Circuit, tap_pu: Floats, is_closed: Bools) -> Network:
    """The circuit with these taps (windings,) and capacitor steps (steps,), if it has a meaning; every violation names its element.

    Raises
    ------
    NetworkError
        With all violations: values that are not numbers or beyond `MOST`, negative lengths, names that occur twice, impedances without an inverse, rings of
        lines without impedance, no source with a voltage.
    """
    found = [*_numbers(circuit), *_names(circuit), *_impedances(circuit), *_rings(circuit)]
    if not len(circuit.sources.names):
        found.append("it has no source")
    elif not circuit.sources.emf_v.any():
        found.append(f"{', '.join(circuit.sources.names)}: no source has a voltage")
    _refuse(circuit, found)
    return network_of(circuit, tap_pu, is_closed)


def check_circuit(circuit: Circuit) -> None:
    """As `checked_network`, with the circuit's own taps and capacitor steps."""
    checked_network(circuit, circuit.transformers.windings.tap_pu, circuit.capacitors.is_closed)


def _refuse(circuit: Circuit, found: list[str]) -> None:
    if found:
        shown = found[:20] + ([f"and {len(found) - 20} more"] if len(found) > 20 else [])
        count = f"{len(found)} problem{'s' if len(found) > 1 else ''}"
        raise NetworkError("\n  ".join([f"{circuit.name}: {count} in the circuit", *shown]))


def _numbers(circuit: Circuit) -> Iterator[str]:
    lines, transformers, devices = circuit.lines, circuit.transformers, circuit.devices
    windings = transformers.windings
    of_winding = np.repeat(np.arange(len(transformers.names)), np.diff(transformers.winding_at))
    of_pair = np.repeat(np.arange(len(transformers.names)), np.diff(transformers.x_at))
    every = np.arange
    for names, row, values, what, least in (
        (lines.names, _rows(lines.matrix_at), lines.z_ohm, "impedance", -np.inf),
        (lines.names, _rows(lines.matrix_at), lines.y_s, "shunt admittance", -np.inf),
        (transformers.names, of_winding, windings.kv, "rated voltage", 1e-12),
        (transformers.names, of_winding, windings.kva, "rating", 1e-12),
        (transformers.names, of_winding, windings.tap_pu, "tap", 1e-12),
        (transformers.names, of_winding, windings.r_percent, "winding resistance", 0.0),
        (transformers.names, of_pair, transformers.x_percent, "reactance", -np.inf),
        (devices.names, every(len(devices.names)), devices.p_kw, "active power", -np.inf),
        (devices.names, every(len(devices.names)), devices.q_kvar, "reactive power", -np.inf),
        (devices.names, every(len(devices.names)), devices.v_rated_v, "rated voltage", 1e-12),
        (circuit.capacitors.names, _rows(circuit.capacitors.step_at), circuit.capacitors.step_kvar, "power", -np.inf),
        (
            circuit.capacitors.names,
            every(len(circuit.capacitors.names)),
            circuit.capacitors.v_rated_v,
            "rated voltage",
            1e-12,
        ),
        (circuit.shunts.names, _rows(circuit.shunts.matrix_at), circuit.shunts.y_s, "admittance", -np.inf),
        (circuit.sources.names, _rows(circuit.sources.node_at), circuit.sources.emf_v, "voltage", -np.inf),
        (circuit.sources.names, _rows(circuit.sources.matrix_at), circuit.sources.y_s, "admittance", -np.inf),
        (circuit.buses.names, every(len(circuit.buses.names)), circuit.buses.v_base_kv, "base voltage", 1e-12),
    ):
        bad = ~np.isfinite(values)
        for k in np.unique(row[bad]):
            yield f"{names[k]}: its {what} is not a number"
        is_bounded = what not in _UNBOUNDED
        for k in np.unique(row[~bad][np.abs(values[~bad]) > MOST]) if is_bounded else ():
            yield f"{names[k]}: its {what} is {np.abs(values[row == k]).max():g}, more than {MOST:g}"
        for k in np.unique(row[~bad][values.real[~bad] < least]):
            yield f"{names[k]}: its {what} is {values.real[row == k].min():g}; it must be {'positive' if least > 0.0 else 'at least 0'}"
    yield from _sources(circuit)
    for k in np.flatnonzero(lines.length_km < 0.0):
        yield f"{lines.names[k]}: its length is {lines.length_km[k]:g} km"


def _sources(circuit: Circuit) -> Iterator[str]:
    """Sources beyond the bound in both, their voltage and what they would feed into a short circuit: a source of current has a great voltage only."""
    sources = circuit.sources
    for k, name in enumerate(sources.names):
        emf_v = np.abs(sources.emf_v[sources.node_at[k] : sources.node_at[k + 1]])
        y_s = np.abs(sources.y_s[sources.matrix_at[k] : sources.matrix_at[k + 1]])
        with np.errstate(over="ignore"):
            current_a = emf_v.max(initial=0.0) * y_s.max(initial=0.0)
        if min(emf_v.max(initial=0.0), current_a) > MOST:
            yield f"{name}: its voltage is {emf_v.max():g}, more than {MOST:g}"


def _rows(at: Ints) -> Ints:
    return np.repeat(np.arange(len(at) - 1), np.diff(at))


def _names(circuit: Circuit) -> Iterator[str]:
    tables: tuple[tuple[str, Names], ...] = (
        ("buses", circuit.buses.names),
        ("sources", circuit.sources.names),
        ("lines", circuit.lines.names),
        ("transformers", circuit.transformers.names),
        ("devices", circuit.devices.names),
        ("capacitors", circuit.capacitors.names),
        ("shunts", circuit.shunts.names),
    )
    for what, names in tables:
        different, count = np.unique(names, return_counts=True)
        for name, times in zip(different[count > 1], count[count > 1], strict=True):
            yield f"{name}: {times} {what} have this name"


def _impedances(circuit: Circuit) -> Iterator[str]:
    """Matrices of lines without an inverse that are not zero altogether."""
    lines = circuit.lines
    bonds = is_bond(lines)
    for n in np.unique(np.diff(lines.node_at)):
        rows = np.flatnonzero((np.diff(lines.node_at) == n) & ~bonds)
        matrices = lines.z_ohm[lines.matrix_at[rows][:, None] + np.arange(n * n)].reshape(-1, n, n)
        finite = np.isfinite(matrices).all(axis=(1, 2))
        rows, matrices = rows[finite], matrices[finite]
        largest = np.abs(matrices).max(axis=(1, 2), initial=0.0)
        smallest = np.linalg.svd(matrices, compute_uv=False).min(axis=1, initial=np.inf)
        for k in rows[smallest <= 1e-14 * largest]:
            yield f"{lines.names[k]}: its impedance matrix has no inverse; give every conductor an impedance"


def _rings(circuit: Circuit) -> Iterator[str]:
    """Lines without impedance that close rings: their currents are undetermined."""
    lines = circuit.lines
    rows = np.repeat(is_bond(lines), np.diff(lines.node_at))
    line = _rows(lines.node_at)[rows]
    pairs = np.stack([lines.from_node[rows], lines.to_node[rows]], axis=1)
    parts = np.arange(len(circuit.nodes.bus) + 1)
    for k, (a, b) in enumerate(pairs.tolist()):
        if parts[a] == parts[b]:
            yield f"{lines.names[line[k]]}: it closes a ring of lines without impedance; open it or give it one"
        parts[parts == parts[b]] = parts[a]

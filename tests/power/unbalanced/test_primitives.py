"""Primitive admittances against OpenDSS's own, element by element."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.planes.power.unbalanced.primitives import capacitor_primitives, line_primitives
from heptagrid.planes.power.unbalanced.transformers import transformer_primitives
from heptagrid.world.circuit.builder import CircuitBuilder, Winding
from heptagrid.world.circuit.circuit import GROUND, Connection
from tests.power.unbalanced.opendss import engine, primitive

WYE, DELTA = Connection.WYE, Connection.DELTA
NAMES = {WYE: "wye", DELTA: "delta"}

# phases, connections, kV, kVA of the windings, reactances, taps, further properties
TRANSFORMERS = {
    "wye-wye": (3, (WYE, WYE), (12.47, 0.48), (500, 500), (5.0,), (1.0, 1.0), {}),
    "delta-wye": (3, (DELTA, WYE), (12.47, 0.48), (500, 500), (5.0,), (1.0, 1.05), {}),
    "wye-delta": (3, (WYE, DELTA), (12.47, 4.8), (500, 500), (5.0,), (0.975, 1.0), {}),
    "wye-delta up": (3, (WYE, DELTA), (4.8, 12.47), (500, 500), (5.0,), (1.0, 1.0), {}),
    "delta-delta": (3, (DELTA, DELTA), (12.47, 4.8), (500, 500), (5.0,), (1.0, 1.0), {}),
    "delta-wye leading": (3, (DELTA, WYE), (12.47, 0.48), (500, 500), (5.0,), (1.0, 1.0), {"leadlag": "lead"}),
    "wye-delta leading": (3, (WYE, DELTA), (12.47, 4.8), (500, 500), (5.0,), (1.0, 1.0), {"leadlag": "lead"}),
    "single-phase": (1, (WYE, WYE), (7.2, 0.24), (50, 50), (2.0,), (1.0, 1.0125), {}),
    "across two phases": (1, (DELTA, WYE), (12.47, 0.24), (50, 50), (2.0,), (1.0, 1.0), {}),
    "regulator": (1, (WYE, WYE), (7.2, 7.2), (2000, 2000), (0.01,), (1.0, 1.0625), {}),
    "regulator across two phases": (1, (DELTA, DELTA), (4.8, 4.8), (2000, 2000), (1.0,), (1.0, 0.95), {}),
    "open delta": (2, (WYE, DELTA), (12.47, 0.24), (50, 50), (2.0,), (1.0, 1.0), {}),
    "centre tap": (1, (WYE, WYE, WYE), (7.2, 0.12, 0.12), (25, 25, 25), (2.04, 2.04, 1.36), (1.0, 1.0, 1.0), {}),
    "three windings": (3, (DELTA, WYE, DELTA), (115, 12.47, 4.8), (9e3, 9e3, 3e3), (8, 12, 5), (1, 1.02, 1), {}),
    "four windings": (3, (WYE,) * 4, (66, 12.47, 4.8, 0.48), (9e3,) * 4, (8, 9, 10, 5, 6, 7), (1.0,) * 4, {}),
}


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformers_have_the_admittances_of_opendss(name: str) -> None:
    phases, connections, kv, kva, x, taps, more = TRANSFORMERS[name]
    builder = CircuitBuilder("test", 60.0)
    windings, buses, kept, first = [], [], [], 0
    for w, connection in enumerate(connections):
        conductors = phases if connection == DELTA and phases > 2 else phases + 1
        builder.bus(f"b{w}", 1.0)
        numbers = range(1, conductors + 1)
        nodes = builder.nodes(f"b{w}", *numbers)
        neutral = 2.5 + 1j if w == 1 and connection == WYE else complex(np.nan, 0.0)
        windings.append(Winding(connection, kv[w], kva[w], nodes, 0.5 + 0.1 * w, taps[w], neutral_ohm=neutral))
        buses.append(f"b{w}" + "".join(f".{k}" for k in numbers))
        kept += range(first, first + conductors)
        first += phases + 1  # OpenDSS has a neutral's place in every winding
    builder.transformer(
        *("t", phases, windings, x),
        **{"no_load_loss_percent": 0.2, "magnetizing_percent": 0.6, "is_lead": bool(more), "antifloat_ppm": 1.0},
    )
    text = f"new transformer.t phases={phases} windings={len(windings)} ppm_antifloat=1 %noloadloss=0.2 %imag=0.6"
    for w, connection in enumerate(connections):
        text += f" wdg={w + 1} bus={buses[w]} conn={NAMES[connection]} kv={kv[w]} kva={kva[w]} tap={taps[w]}"
        text += f" %r={0.5 + 0.1 * w}" + (" rneut=2.5 xneut=1" if w == 1 and connection == WYE else "")
    text += f" xscarray=({' '.join(map(str, x))})" + "".join(f" {key}={value}" for key, value in more.items())
    dss = engine(text)
    dss.ActiveCircuit.Solution.BuildYMatrix(1, 0)
    theirs = primitive(dss, "transformer.t")[np.ix_(kept, kept)]
    circuit = builder.circuit()
    ours = transformer_primitives(circuit.transformers, circuit.transformers.windings.tap_pu).matrix(0)
    np.testing.assert_allclose(ours, theirs, rtol=0.0, atol=1e-9 * np.abs(theirs).min(initial=1.0, where=theirs != 0))


def test_lines_have_the_admittances_of_opendss() -> None:
    dss = engine(
        "new line.l bus1=source bus2=b phases=3 length=2 units=km rmatrix=(0.3 | 0.1 0.31 | 0.1 0.11 0.29)"
        " xmatrix=(1.0 | 0.4 1.1 | 0.35 0.42 1.05) cmatrix=(12 | -2 11 | -1 -2 12)"
    )
    dss.ActiveCircuit.Solution.BuildYMatrix(1, 0)
    theirs = primitive(dss, "line.l")
    r = np.array([[0.3, 0.1, 0.1], [0.1, 0.31, 0.11], [0.1, 0.11, 0.29]])
    x = np.array([[1.0, 0.4, 0.35], [0.4, 1.1, 0.42], [0.35, 0.42, 1.05]])
    c_nf = np.array([[12.0, -2.0, -1.0], [-2.0, 11.0, -2.0], [-1.0, -2.0, 12.0]])
    y_s = 2j * np.pi * 60.0 * 1e-9 * c_nf * 2.0
    builder = CircuitBuilder("test", 60.0)
    builder.bus("source", 7.2)
    builder.bus("b", 7.2)
    builder.line("l", builder.nodes("source", 1, 2, 3), builder.nodes("b", 1, 2, 3), 2.0 * (r + 1j * x), y_s)
    ours = line_primitives(builder.circuit().lines).matrix(0)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize(("from_closed", "to_closed"), [("011", "111"), ("111", "101"), ("110", "101"), ("011", "011")])
def test_open_conductors_take_no_current_at_the_open_end(from_closed: str, to_closed: str) -> None:
    """Against the full line with the open ends as nodes of their own, eliminated one at a time."""
    z = np.array(
        [[0.3 + 1j, 0.1 + 0.4j, 0.1 + 0.3j], [0.1 + 0.4j, 0.3 + 1j, 0.1 + 0.4j], [0.1 + 0.3j, 0.1 + 0.4j, 0.3 + 1j]]
    )
    y_s = 1e-6j * (4.0 * np.eye(3) - 1.0)
    ends = [[digit == "1" for digit in word] for word in (from_closed, to_closed)]
    builder = CircuitBuilder("test", 50.0)
    builder.bus("a", 7.2)
    builder.bus("b", 7.2)
    nodes = builder.nodes("a", 1, 2, 3), builder.nodes("b", 1, 2, 3)
    builder.line("whole", *nodes, z, y_s)
    builder.line("cut", *nodes, z, y_s, from_closed=ends[0], to_closed=ends[1])
    lines = line_primitives(builder.circuit().lines)
    whole, cut = lines.matrix(0).copy(), lines.matrix(1)
    for k in np.flatnonzero(~np.array(ends).ravel()):
        pivot = whole[k, k]
        whole -= np.outer(whole[:, k], whole[k, :]) / pivot
    np.testing.assert_allclose(cut, whole, atol=1e-9)


@pytest.mark.parametrize("connection", ["wye", "delta"])
def test_capacitors_have_the_admittances_of_opendss(connection: str) -> None:
    dss = engine(
        f"new capacitor.c bus1=source phases=3 conn={connection} kv=12.47 numsteps=2 kvar=(300 600) states=(1 0)"
    )
    dss.ActiveCircuit.Solution.BuildYMatrix(1, 0)
    theirs = primitive(dss, "capacitor.c")[:3, :3]
    builder = CircuitBuilder("test", 60.0)
    builder.bus("source", 7.2)
    n = builder.nodes("source", 1, 2, 3)
    if connection == "wye":
        circuits, volts = [(n[k], GROUND) for k in range(3)], 12470.0 / np.sqrt(3.0)
    else:
        circuits, volts = [(n[k], n[(k + 1) % 3]) for k in range(3)], 12470.0
    builder.capacitor("c", circuits, volts, [300.0, 600.0], [True, False])
    capacitors = builder.circuit().capacitors
    table = capacitor_primitives(capacitors, capacitors.is_closed)
    ours = np.zeros((4, 4), dtype=complex)
    for row, a in enumerate(table.nodes(0)):
        for column, b in enumerate(table.nodes(0)):
            ours[a, b] += table.matrix(0)[row, column]
    np.testing.assert_allclose(ours[:3, :3], theirs, rtol=1e-9, atol=1e-12)

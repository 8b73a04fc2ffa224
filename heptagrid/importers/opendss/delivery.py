"""Sources, lines, transformers, capacitors and other linear elements, from the admittances and properties that OpenDSS holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from heptagrid.importers.opendss.elements import Element
from heptagrid.world.circuit.circuit import (
    GROUND,
    Capacitors,
    Complex,
    Connection,
    Ints,
    Lines,
    Shunts,
    Sources,
    Transformers,
    Windings,
)

# A current source stands as a voltage source behind this much, which takes a hundred-millionth of an ampere at a million volts.
CURRENT_SOURCE_OHM = 1e14
KM_PER_UNIT = {
    "mi": 1.609344,
    "kft": 0.3048,
    "km": 1.0,
    "m": 1e-3,
    "ft": 0.3048e-3,
    "in": 0.0254e-3,
    "cm": 1e-5,
    "mm": 1e-6,
    "miles": 1.609344,
    "meter": 1e-3,
}


def offsets(lengths: Sequence[int]) -> Ints:
    """Where each row of a table with rows of these lengths begins, and the last ends."""
    return np.concatenate([[0], np.cumsum(np.asarray(lengths, dtype=np.int64))]).astype(np.int64)


def joined(parts: Sequence[Any], kind: Any) -> Any:
    """Arrays one after another, of a kind that holds without any too."""
    return np.concatenate([np.ravel(part) for part in parts]).astype(kind) if parts else np.empty(0, dtype=kind)


def sources(elements: Sequence[Element], frequency_hz: float) -> Sources:
    """Voltage and current sources."""
    emf: list[Complex] = []
    y: list[Any] = []
    for one in elements:
        n = one.nodes.shape[1]
        if one.kind == "isource":
            y.append(np.eye(n, dtype=complex) / CURRENT_SOURCE_OHM)
            emf.append(CURRENT_SOURCE_OHM * _phasors(one, float(one.properties["amps"]), n, frequency_hz))
        else:
            y.append(one.y_s[:n, :n])
            of_circle = 1.0 if n == 1 else 2.0 * np.sin(np.pi / n)
            magnitude = 1e3 * one.properties["basekv"] * one.properties["pu"] / of_circle
            emf.append(_phasors(one, magnitude, n, frequency_hz))
    return Sources(
        names=np.array([one.full_name for one in elements], dtype=str),
        node_at=offsets([one.nodes.shape[1] for one in elements]),
        from_node=joined(
            [one.nodes[1] if len(one.nodes) > 1 else np.full_like(one.nodes[0], GROUND) for one in elements], np.int64
        ),
        to_node=joined([one.nodes[0] for one in elements], np.int64),
        emf_v=joined(emf, complex),
        matrix_at=offsets([one.nodes.shape[1] ** 2 for one in elements]),
        y_s=joined(y, complex),
    )


def off_frequency(elements: Sequence[Element], frequency_hz: float) -> list[str]:
    """Sources of another frequency than the circuit's, a line each; they give no voltage and no current at it."""
    off = [one for one in elements if _is_off_frequency(one, frequency_hz)]
    return [
        f"{one.full_name}: its frequency is {float(one.properties['frequency']):g} Hz and the circuit's {frequency_hz:g} Hz, so it "
        f"{'drives no current' if one.kind == 'isource' else 'has no voltage'}"
        for one in off
    ]


def is_silent(elements: Sequence[Element], frequency_hz: float) -> bool:
    """Whether there are voltage sources, and all are of another frequency than the circuit's."""
    voltages = [one for one in elements if one.kind == "vsource"]
    return bool(voltages) and all(_is_off_frequency(one, frequency_hz) for one in voltages)


def lost_digits(elements: Sequence[Element]) -> list[str]:
    """Voltage sources of three phases whose positive sequence OpenDSS's matrix does not hold, beside one of infinite impedance; a line each."""
    found = []
    for one in elements:
        if one.kind != "vsource" or one.nodes.shape[1] != 3:
            continue
        z1, z0 = (complex(*one.properties[name]) for name in ("z1", "z0"))
        turn = np.exp(2j * np.pi / 3.0 * np.arange(3))
        y1 = complex(turn.conj() @ one.y_s[:3, :3] @ turn) / 3.0
        if y1 and abs(1.0 / y1 - z1) > 1e-6 * abs(z1):
            found.append(
                f"{one.full_name}: beside a zero sequence of {abs(z0):.3g} ohm OpenDSS's matrix has a positive sequence of "
                f"{1.0 / y1:.4g} ohm, not {z1:.4g}; it is solved as there"
            )
    return found


def _is_off_frequency(one: Element, frequency_hz: float) -> bool:
    return abs(float(one.properties["frequency"]) - frequency_hz) > 1e-3


def _phasors(one: Element, magnitude: float, n: int, frequency_hz: float) -> Complex:
    """What a source gives, phase by phase; nothing at another frequency than its own."""
    if _is_off_frequency(one, frequency_hz):
        return np.zeros(n, dtype=complex)
    step = {"positive": -1.0, "negative": 1.0, "zero": 0.0}[str(one.properties["sequence"]).lower()]
    degrees = float(one.properties["angle"]) + step * 360.0 / n * np.arange(n)
    phasors: Complex = magnitude * np.exp(1j * np.deg2rad(degrees))
    return phasors


def is_line(one: Element) -> bool:
    """Whether an element with two terminals is a pi-model: some admittance between them, the same to ground at both."""
    if one.kind not in ("line", "reactor", "fault", "capacitor") or len(one.nodes) != 2 or not one.counts_as_loss:
        return False
    n = one.nodes.shape[1]
    y = one.y_s
    through = -y[:n, n:]
    scale = 1e-9 * np.abs(y).max()
    return bool(
        np.abs(y[:n, :n] - y[n:, n:]).max() <= scale
        and np.abs(y[:n, n:] - y[n:, :n]).max() <= scale
        and np.linalg.matrix_rank(through, tol=1e-12 * np.abs(through).max()) == n
    )


def lines(elements: Sequence[Element]) -> Lines:
    """Pi-models: see `is_line`."""
    z, y, length, rated = [], [], [], []
    for one in elements:
        n = one.nodes.shape[1]
        z.append(np.linalg.inv(-one.y_s[:n, n:]))
        y.append(2.0 * (one.y_s[:n, :n] + one.y_s[:n, n:]))
        unit = KM_PER_UNIT.get(str(one.properties.get("units", "none")).lower(), np.nan)
        length.append(float(one.properties.get("length", 0.0)) * unit)
        rated.append(float(one.properties.get("normamps") or np.nan))
    return Lines(
        names=np.array([one.full_name for one in elements], dtype=str),
        node_at=offsets([one.nodes.shape[1] for one in elements]),
        from_node=joined([one.nodes[0] for one in elements], np.int64),
        to_node=joined([one.nodes[1] for one in elements], np.int64),
        matrix_at=offsets([one.nodes.shape[1] ** 2 for one in elements]),
        z_ohm=joined(z, complex),
        y_s=joined(y, complex),
        from_closed=joined([one.closed[0] for one in elements], bool),
        to_closed=joined([one.closed[1] for one in elements], bool),
        length_km=np.array(length, dtype=float),
        rated_a=np.array(rated, dtype=float),
        is_switch=np.array([bool(one.properties.get("switch", False)) for one in elements], dtype=bool),
    )


def transformers(elements: Sequence[Element]) -> Transformers:
    """Transformers of their windings' data."""
    data = [one.properties for one in elements]

    def each(key: str, kind: Any = float) -> Any:
        return joined([np.asarray(one[key]) for one in data], kind)

    connection, neutral_ohm, nodes = [], [], []
    for one in elements:
        wye = np.array([str(word).lower() in ("wye", "y", "ln") for word in one.properties["conns"]])
        connection.append(np.where(wye, Connection.WYE, Connection.DELTA))
        r, x = np.asarray(one.properties["rneut"], dtype=float), np.asarray(one.properties["xneut"], dtype=float)
        neutral_ohm.append(np.where(wye & (r >= 0.0), r + 1j * x, np.nan))
        # The engine gives a delta of three phases a last conductor too, which nothing is connected to.
        nodes += [of[: one.phases + (is_wye or one.phases < 3)] for of, is_wye in zip(one.nodes, wye, strict=True)]
    first_kva = np.array([one["kvas"][0] for one in data], dtype=float)
    windings = Windings(
        connection=joined(connection, np.int64),
        kv=each("kvs"),
        kva=each("kvas"),
        r_percent=each("pctrs"),
        tap_pu=each("taps"),
        tap_min_pu=each("mintap"),
        tap_max_pu=each("maxtap"),
        tap_steps=each("numtaps", np.int64),
        neutral_ohm=joined(neutral_ohm, complex),
        conductor_at=offsets([len(of) for of in nodes]),
        node=joined(nodes, np.int64),
    )
    return Transformers(
        names=np.array([one.full_name for one in elements], dtype=str),
        phases=np.array([one.phases for one in elements], dtype=np.int64),
        winding_at=offsets([len(one.nodes) for one in elements]),
        windings=windings,
        x_at=offsets([len(one["xscarray"]) for one in data]),
        x_percent=each("xscarray"),
        no_load_loss_percent=np.array([one["pctnoloadloss"] for one in data], dtype=float),
        magnetizing_percent=np.array([one["pctimag"] for one in data], dtype=float),
        is_lead=np.array([str(one["leadlag"]).lower() in ("lead", "euro") for one in data], dtype=bool),
        antifloat_ppm=np.array([one["ppm_antifloat"] for one in data], dtype=float),
        rated_kva=first_kva,
    )


def is_plain_capacitor(one: Element) -> bool:
    """Whether a capacitor is nothing but its kvar, from each phase to the other terminal or, in delta, to the next phase.

    Whether a matrix was given instead shows in its admittance alone; a bank whose steps are all open is taken for plain.
    """
    if one.kind != "capacitor" or not (one.closed.all(axis=1) | ~one.closed.any(axis=1)).all():
        return False
    data = one.properties
    if np.any(np.asarray(data["r"], dtype=float)) or np.any(np.asarray(data["xl"], dtype=float)):
        return False
    in_service = np.asarray(data["states"]) > 0
    if not in_service.any():
        return True
    microfarads = float(np.asarray(data["cuf"], dtype=float)[in_service].sum())
    y_s = 2e-6j * np.pi * float(data["basefreq"]) * microfarads
    partner = 1 if str(data["conn"]).lower() == "delta" else one.nodes.shape[1]
    others = one.y_s[0].copy()
    others[[0, partner, one.phases - 1 if partner == 1 else partner]] = 0.0
    return bool(np.isclose(one.y_s[0, partner], -y_s, rtol=1e-6) and np.abs(others).max() <= 1e-6 * abs(y_s))


def capacitors(elements: Sequence[Element], frequency_hz: float) -> Capacitors:
    """Capacitors that are plain: see `is_plain_capacitor`."""
    begins, ends, v_rated, kvar = [], [], [], []
    for one in elements:
        n, kv, first = one.phases, float(one.properties["kv"]), one.nodes[0]
        if str(one.properties["conn"]).lower() == "delta":
            begins.append(first[:n])
            ends.append(np.roll(first, -1)[:n])
            v_rated.append(1e3 * kv)
        else:
            begins.append(first)
            ends.append(one.nodes[1])
            v_rated.append(1e3 * kv / (np.sqrt(3.0) if n in (2, 3) else 1.0))
        # Its capacitances say what the engine makes of the steps, which is not what `kvar` says where steps differ.
        farad = 1e-6 * np.asarray(one.properties["cuf"], dtype=float)
        kvar.append(2.0 * np.pi * frequency_hz * farad * v_rated[-1] ** 2 * n / 1e3)
    return Capacitors(
        names=np.array([one.full_name for one in elements], dtype=str),
        circuit_at=offsets([len(of) for of in begins]),
        circuit_from=joined(begins, np.int64),
        circuit_to=joined(ends, np.int64),
        v_rated_v=np.array(v_rated, dtype=float),
        step_at=offsets([len(of) for of in kvar]),
        step_kvar=joined(kvar, float),
        is_closed=joined([(np.asarray(one.properties["states"]) > 0) & one.closed.all() for one in elements], bool),
    )


def shunts(elements: Sequence[Element]) -> Shunts:
    """Anything linear, by its primitive admittance; open conductors reduced."""
    nodes = [np.ravel(one.nodes) for one in elements]
    return Shunts(
        names=np.array([one.full_name for one in elements], dtype=str),
        node_at=offsets([len(of) for of in nodes]),
        node=joined(nodes, np.int64),
        matrix_at=offsets([len(of) ** 2 for of in nodes]),
        y_s=joined([_reduced(one) for one in elements], complex),
        counts_as_loss=np.array([one.counts_as_loss for one in elements], dtype=bool),
    )


def _reduced(one: Element) -> Complex:
    """The admittance with the currents of open conductors zero (Kron's reduction)."""
    y, closed = one.y_s, np.ravel(one.closed)
    if closed.all():
        return y
    reduced = np.zeros_like(y)
    inner = y[np.ix_(~closed, ~closed)]
    reduced[np.ix_(closed, closed)] = (
        y[np.ix_(closed, closed)] - y[np.ix_(closed, ~closed)] @ np.linalg.pinv(inner) @ y[np.ix_(~closed, closed)]
    )
    return reduced

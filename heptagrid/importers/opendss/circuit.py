"""An OpenDSS script as a Circuit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.foundation.errors import FileError
from heptagrid.importers.importer import MissingPackageError, Reading, some_of
from heptagrid.importers.opendss import delivery
from heptagrid.importers.opendss.apart import BrokenDownError, apart, say
from heptagrid.importers.opendss.controls import capacitor_controls, regulators
from heptagrid.importers.opendss.coverage import divide
from heptagrid.importers.opendss.devices import devices, rated_feed_kw, storage_output_kva, voltage_holders
from heptagrid.importers.opendss.elements import (
    Element,
    GarbledError,
    UnreadableError,
    read_buses,
    read_elements,
    snapshot,
)
from heptagrid.importers.opendss.inverters import Curves, between_phases, curves_of, inverters
from heptagrid.importers.opendss.script import Script, engine_errors, opendss, said
from heptagrid.world.circuit.circuit import GROUND, Buses, Circuit, Floats, Ints, Nodes

ADMITTANCES = 2  # of Set LoadModel
CONTROLS_OFF = -1  # of Set ControlMode
POSITIVE_SEQUENCE = 1  # of Set CktModel


def read(source: str, reading: Reading | None = None) -> Circuit:
    """Execute a script in an engine in a process of its own and read the circuit that it leaves.

    When controls are wanted at work, the script's own solves leave them alone, and the circuit is as it was before any acted. Else they act as
    the script lets them, and taps and capacitors stay where it left them.

    Raises
    ------
    FileError
        If OpenDSS finds an error in the script or breaks down over it, the script does what it may not, or it holds elements that a circuit
        cannot stand for.
    MissingPackageError
        If dss-python is not installed.
    """
    reading = reading or Reading()
    found = _executed(source, reading)
    parts = divide(source, found.elements, reading, found.all_admittances)
    silent = delivery.off_frequency(parts.sources, found.frequency_hz)
    if delivery.is_silent(parts.sources, found.frequency_hz):
        ways = f'put "Set DefaultBaseFrequency={found.frequency_hz:g}" before New Circuit, or give the source frequency={found.frequency_hz:g}'
        raise FileError(source, [f"{line}; {ways}" for line in silent])
    lines, transformers = delivery.lines(parts.lines), delivery.transformers(parts.transformers)
    capacitors = delivery.capacitors(parts.capacitors, found.frequency_hz)
    drawing = devices(parts.devices, found.output_kva, found.frequency_hz, found.all_admittances)
    systems = [one for one in parts.devices if one.kind == "pvsystem"]
    return Circuit(
        name=found.name,
        frequency_hz=found.frequency_hz,
        buses=found.buses,
        nodes=found.nodes,
        sources=delivery.sources(parts.sources, found.frequency_hz),
        lines=lines,
        transformers=transformers,
        devices=drawing,
        capacitors=capacitors,
        shunts=delivery.shunts(parts.shunts),
        regulators=regulators(parts.regulators, transformers),
        capacitor_controls=capacitor_controls(
            parts.capacitor_controls, capacitors.names, lines.names, transformers.names, found.buses.names
        ),
        inverters=inverters(parts.inverter_controls, systems, drawing, found.curves),
        voltage_holders=voltage_holders(parts.devices, drawing, found.all_admittances),
        alike_phases=found.alike_phases,
        rated_feed_kw=rated_feed_kw(parts.devices),
        left_out=(
            *silent,
            *delivery.lost_digits(parts.sources),
            *parts.left_out,
            *found.left_out,
            *between_phases(parts.inverter_controls, systems),
        ),
    )


@dataclass(frozen=True)
class _Found:
    """What the engine held after the script. output_kva: of storages. all_admittances: whether every device is to be an admittance."""

    name: str
    frequency_hz: float
    elements: list[Element]
    buses: Buses
    nodes: Nodes
    output_kva: dict[str, complex]
    all_admittances: bool
    curves: Curves
    alike_phases: int
    left_out: tuple[str, ...]


def _executed(source: str, reading: Reading) -> _Found:
    """What a process of its own finds; it is asked once more where OpenDSS's account came garbled, as one of some hundreds does."""
    if find_spec("dss") is None:
        raise MissingPackageError("OpenDSS files", "dss-python")
    path = str(Path(source).resolve())
    try:
        try:
            return apart(_execute, source, path, reading, errors=(FileError, GarbledError))
        except GarbledError:
            return apart(_execute, source, path, reading, errors=(FileError, GarbledError))
    except GarbledError as problem:
        raise FileError(source, problem.violations) from None
    except BrokenDownError as problem:
        raise FileError(source, [f"OpenDSS {problem.how} {problem.progress}"]) from None


def _execute(source: str, path: str, reading: Reading) -> _Found:
    with opendss() as engine:
        try:
            return _find(engine, Path(path), reading)
        except engine_errors() as problem:
            code, text = said(problem)
            raise FileError(source, [f"{text} (OpenDSS, error {code})"]) from None
        except GarbledError:
            raise
        except UnreadableError as problem:
            raise FileError(source, problem.violations) from None


def _begin(path: Path, number: int, words: str) -> None:
    say(f"at line {number} of {path}" + (f": {words}" if words else ""))


def _find(engine: Any, path: Path, reading: Reading) -> _Found:
    script = Script(engine, path, hold_controls=reading.controls, begin=_begin)
    say("after the last line, while the circuit was taken over")
    circuit = engine.ActiveCircuit
    remarks = []
    if reading.controls and circuit.Solution.ControlMode == CONTROLS_OFF:
        remarks.append("the script switched its controls off; they act all the same (--controls off holds them)")
    alike_phases = 3 if circuit.Settings.CktModel == POSITIVE_SEQUENCE else 1
    if alike_phases == 3:
        remarks.append(
            "CktModel=Positive: the circuit is one of three equal phases; powers and losses are those of all three"
        )
    v_base_kv = _voltage_bases(engine)
    snapshot(engine)
    elements = read_elements(engine)
    buses, nodes, position = read_buses(engine)
    storages = [one.name for one in elements if one.kind == "storage"]
    return _Found(
        name=str(circuit.Name),
        frequency_hz=float(circuit.Solution.Frequency),
        elements=[replace(one, nodes=_renumbered(one.nodes, position)) for one in elements],
        buses=replace(buses, v_base_kv=v_base_kv),
        nodes=nodes,
        output_kva=storage_output_kva(engine, storages, alike_phases) if storages else {},
        all_admittances=circuit.Solution.LoadModel == ADMITTANCES,
        curves=curves_of(engine),
        alike_phases=alike_phases,
        left_out=(*remarks, *_general_objects(engine), *script.left_out),
    )


def _renumbered(theirs: Ints, position: Ints) -> Ints:
    return np.where(theirs < 0, GROUND, position[np.maximum(theirs, 0)])


def _voltage_bases(engine: Any) -> Floats:
    """(buses,) base voltages in kV to neutral.

    For buses that the script gave none OpenDSS chooses among those that sources and transformers name.
    """
    circuit = engine.ActiveCircuit
    circuit.Solution.BuildYMatrix(0, True)  # makes the list of buses, where the script has not
    given = np.array([circuit.Buses(k).kVBase for k in range(circuit.NumBuses)])
    if (given > 0.0).all():
        return given
    named = set()
    for full_name in circuit.AllElementNames:
        kind = full_name.split(".", 1)[0].lower()
        if kind not in ("vsource", "transformer", "autotrans"):
            continue
        circuit.SetActiveElement(full_name)
        active = circuit.ActiveCktElement
        words = active.Properties("basekv" if kind == "vsource" else "kvs").Val
        root_3 = np.sqrt(3.0) if active.NumPhases == 1 else 1.0
        named |= {float(word) * root_3 for word in words.strip("[] ").replace(",", " ").split()}
    engine.Text.Command = f"Set VoltageBases=[{' '.join(repr(float(kv)) for kv in sorted(named))}]"
    engine.Text.Command = "CalcVoltageBases"
    chosen = np.array([circuit.Buses(k).kVBase for k in range(circuit.NumBuses)])
    return np.where(given > 0.0, given, chosen)


def _general_objects(engine: Any) -> list[str]:
    """What is no circuit element and acts in time alone, a line for each kind that the script made."""
    found = []
    for kind in ("LoadShape", "TShape", "PriceShape", "GrowthShape", "TCC_Curve"):
        engine.SetActiveClass(kind)
        names = [name for name in engine.ActiveClass.AllNames if name.lower() not in DEFAULT_OBJECTS]
        if names:
            found.append(f"{kind}: {some_of(names)} (without effect here)")
    return found


DEFAULT_OBJECTS = frozenset(
    (
        *("default", "none", "a", "d", "tlink", "klink", "ulink", "mod_inv", "very_inv", "ext_inv", "definite"),
        *("uv1547", "ov1547"),
    )
)

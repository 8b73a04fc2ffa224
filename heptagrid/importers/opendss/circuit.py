"""An OpenDSS script as a Circuit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.foundation.errors import FileError
from heptagrid.importers.opendss import delivery
from heptagrid.importers.opendss.controls import capacitor_controls, regulators
from heptagrid.importers.opendss.coverage import divide
from heptagrid.importers.opendss.devices import devices, storage_output_kva
from heptagrid.importers.opendss.elements import read_buses, read_elements, snapshot
from heptagrid.importers.opendss.script import Script, opendss
from heptagrid.world.circuit import GROUND, Circuit, Ints


def read_circuit(path: Path, controls: bool = False, ignore: Sequence[str] = ()) -> Circuit:
    """Execute a script and read the circuit that it leaves.

    controls: whether the circuit's controls are wanted at work: then the script's own solves leave them alone, and the circuit is as it
    was before any acted. Else they act as the script lets them, and taps and capacitors stay where it left them.
    ignore: kinds of elements to leave out, such as `storage`.

    Raises
    ------
    FileError
        If OpenDSS finds an error in the script, or it holds elements that a circuit cannot stand for.
    MissingPackage
        If dss-python is not installed.
    """
    with opendss() as engine:
        script = Script(engine, path, hold_controls=controls)
        circuit = engine.ActiveCircuit
        _ensure_voltage_bases(engine)
        snapshot(engine)
        elements = read_elements(engine)
        buses, nodes, position = read_buses(engine)
        storages = [one.name for one in elements if one.kind == "storage"]
        output_kva = storage_output_kva(engine, storages) if storages else {}
        name, frequency_hz = str(circuit.Name), float(circuit.Solution.Frequency)
        general = _general_objects(engine)
    elements = [replace(one, nodes=_renumbered(one.nodes, position)) for one in elements]
    parts = divide(elements, controls, ignore)
    if parts.refused:
        raise FileError(str(path), parts.refused)
    lines, transformers = delivery.lines(parts.lines), delivery.transformers(parts.transformers)
    capacitors = delivery.capacitors(parts.capacitors, frequency_hz)
    return Circuit(
        name=name,
        frequency_hz=frequency_hz,
        buses=buses,
        nodes=nodes,
        sources=delivery.sources(parts.sources, frequency_hz),
        lines=lines,
        transformers=transformers,
        devices=devices(parts.devices, output_kva, frequency_hz),
        capacitors=capacitors,
        shunts=delivery.shunts(parts.shunts),
        regulators=regulators(parts.regulators, transformers),
        capacitor_controls=capacitor_controls(
            parts.capacitor_controls, capacitors.names, lines.names, transformers.names, buses.names
        ),
        left_out=(*parts.left_out, *general, *script.left_out),
    )


def _renumbered(theirs: Ints, position: Ints) -> Ints:
    return np.where(theirs < 0, GROUND, position[np.maximum(theirs, 0)])


def _ensure_voltage_bases(engine: Any) -> None:
    """Where the script gave the buses no base voltages, let OpenDSS choose for each among those that sources and transformers name."""
    circuit = engine.ActiveCircuit
    if any(circuit.Buses(k).kVBase > 0.0 for k in range(circuit.NumBuses)):
        return
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


def _general_objects(engine: Any) -> list[str]:
    """What is no circuit element and acts in time alone: a line for each kind that the script made."""
    found = []
    for kind in ("LoadShape", "TShape", "PriceShape", "GrowthShape", "TCC_Curve"):
        engine.SetActiveClass(kind)
        names = [name for name in engine.ActiveClass.AllNames if name.lower() not in DEFAULT_OBJECTS]
        if names:
            found.append(f"{kind}: {', '.join(names)}")
    return found


DEFAULT_OBJECTS = frozenset(
    ("default", "none", "a", "d", "tlink", "klink", "ulink", "mod_inv", "very_inv", "ext_inv", "definite")
)

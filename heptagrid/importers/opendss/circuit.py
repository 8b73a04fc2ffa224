"""An OpenDSS script as a Circuit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.importers.importer import Reading
from heptagrid.importers.opendss import delivery
from heptagrid.importers.opendss.controls import capacitor_controls, regulators
from heptagrid.importers.opendss.coverage import divide
from heptagrid.importers.opendss.devices import devices, storage_output_kva, voltage_holders
from heptagrid.importers.opendss.elements import read_buses, read_elements, snapshot
from heptagrid.importers.opendss.inverters import curves_of, inverters
from heptagrid.importers.opendss.script import Script, opendss
from heptagrid.world.circuit import GROUND, Circuit, Ints

ADMITTANCES = 2  # of Set LoadModel


def read(source: str, reading: Reading | None = None) -> Circuit:
    """Execute a script and read the circuit that it leaves.

    When controls are wanted at work, the script's own solves leave them alone, and the circuit is as it was before any acted. Else they act as
    the script lets them, and taps and capacitors stay where it left them.

    Raises
    ------
    FileError
        If OpenDSS finds an error in the script, or it holds elements that a circuit cannot stand for.
    MissingPackageError
        If dss-python is not installed.
    """
    reading = reading or Reading()
    with opendss() as engine:
        script = Script(engine, Path(source), hold_controls=reading.controls)
        circuit = engine.ActiveCircuit
        _ensure_voltage_bases(engine)
        snapshot(engine)
        elements = read_elements(engine)
        buses, nodes, position = read_buses(engine)
        storages = [one.name for one in elements if one.kind == "storage"]
        output_kva = storage_output_kva(engine, storages) if storages else {}
        name, frequency_hz = str(circuit.Name), float(circuit.Solution.Frequency)
        all_admittances = circuit.Solution.LoadModel == ADMITTANCES
        general, curves = _general_objects(engine), curves_of(engine)
    elements = [replace(one, nodes=_renumbered(one.nodes, position)) for one in elements]
    parts = divide(source, elements, reading)
    lines, transformers = delivery.lines(parts.lines), delivery.transformers(parts.transformers)
    capacitors = delivery.capacitors(parts.capacitors, frequency_hz)
    drawing = devices(parts.devices, output_kva, frequency_hz, all_admittances)
    systems = [one for one in parts.devices if one.kind == "pvsystem"]
    return Circuit(
        name=name,
        frequency_hz=frequency_hz,
        buses=buses,
        nodes=nodes,
        sources=delivery.sources(parts.sources, frequency_hz),
        lines=lines,
        transformers=transformers,
        devices=drawing,
        capacitors=capacitors,
        shunts=delivery.shunts(parts.shunts),
        regulators=regulators(parts.regulators, transformers),
        capacitor_controls=capacitor_controls(
            parts.capacitor_controls, capacitors.names, lines.names, transformers.names, buses.names
        ),
        inverters=inverters(parts.inverter_controls, systems, drawing, curves),
        voltage_holders=voltage_holders(parts.devices, drawing, all_admittances),
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
    """What is no circuit element and acts in time alone, a line for each kind that the script made; and what figures stand for."""
    found = []
    for kind in ("LoadShape", "TShape", "PriceShape", "GrowthShape", "TCC_Curve"):
        engine.SetActiveClass(kind)
        names = [name for name in engine.ActiveClass.AllNames if name.lower() not in DEFAULT_OBJECTS]
        if names:
            found.append(f"{kind}: {', '.join(names)}")
    engine.Text.Command = "Get CktModel"
    if str(engine.Text.Result).lower().startswith("pos"):
        found.append(
            "CktModel=positive: the circuit is one of three equal phases; powers and losses are those of this one"
        )
    return found


DEFAULT_OBJECTS = frozenset(
    (
        *("default", "none", "a", "d", "tlink", "klink", "ulink", "mod_inv", "very_inv", "ext_inv", "definite"),
        *("uv1547", "ov1547"),
    )
)

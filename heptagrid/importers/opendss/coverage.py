"""Which element of a circuit becomes a row of which table, and which are left out or refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from heptagrid.foundation.errors import FileError
from heptagrid.importers.importer import Reading, some_of, unsupported
from heptagrid.importers.opendss import inverters
from heptagrid.importers.opendss.controls import CAPACITOR_CONTROLS
from heptagrid.importers.opendss.delivery import is_line, is_plain_capacitor
from heptagrid.importers.opendss.devices import GENERATOR_MODELS, KINDS, is_lone_delta
from heptagrid.importers.opendss.elements import Element
from heptagrid.world.circuit.circuit import GROUND

# What measures, or acts only in faults, in time and by command.
WITHOUT_EFFECT = frozenset(("monitor", "energymeter", "sensor", "fuse", "relay", "recloser", "swtcontrol"))
CONTROLS = frozenset(
    (
        *("regcontrol", "capcontrol", "invcontrol", "expcontrol", "storagecontroller", "gendispatcher"),
        *("upfccontrol", "espvlcontrol"),
    )
)
SOURCES = ("vsource", "isource")
SOLID_S = 1e6  # OpenDSS's earthing without impedance
# Linear at one frequency, so that their admittances say everything.
LINEAR = frozenset(("line", "reactor", "fault", "capacitor", "transformer", "autotrans", "gictransformer"))


@dataclass
class Parts:
    """The elements of each table. left_out: a line each kind without effect, and each element ignored as asked."""

    sources: list[Element] = field(default_factory=list)
    lines: list[Element] = field(default_factory=list)
    transformers: list[Element] = field(default_factory=list)
    capacitors: list[Element] = field(default_factory=list)
    shunts: list[Element] = field(default_factory=list)
    devices: list[Element] = field(default_factory=list)
    regulators: list[Element] = field(default_factory=list)
    capacitor_controls: list[Element] = field(default_factory=list)
    inverter_controls: list[Element] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def divide(source: str, elements: Sequence[Element], reading: Reading, all_admittances: bool) -> Parts:
    """Divide the elements among the tables; all_admittances: whether every device is to be its admittance.

    Raises
    ------
    FileError
        Naming every element that none of them can stand for, and what is to be ignored but is not there.
    """
    parts = Parts()
    ignored = {kind.lower() for kind in reading.ignore}
    counting = [one for one in elements if one.kind not in ignored and one.kind not in WITHOUT_EFFECT]
    nonsense = [f"{one.full_name}: {key} is no number" for one in counting for key in one.no_numbers]
    if nonsense:
        raise FileError(source, nonsense)
    without: dict[str, list[str]] = defaultdict(list)
    unrepresented: dict[str, list[str]] = {kind: [] for kind in sorted(ignored)}
    opened: list[str] = []
    for one in sorted(elements, key=lambda one: one.kind in CONTROLS):  # what is controlled comes first
        if one.kind in WITHOUT_EFFECT or (one.kind in CONTROLS and not reading.controls):
            without[one.kind].append(one.name)
            continue
        if one.kind in (*SOURCES, *KINDS) and not one.closed[:, : one.phases].any(axis=1).all():
            opened.append(one.full_name)
            continue
        reason = "" if one.kind in ignored else _why_not(one, parts)
        if reason or one.kind in ignored:
            unrepresented.setdefault(one.kind, []).append(f"{one.name}: {reason}" if reason else one.name)
            continue
        _table(parts, one).append(one)
        if one.kind == "load":
            parts.shunts += _grounded_neutral(one, all_admittances)
    parts.left_out += unsupported(
        source,
        unrepresented,
        frozenset(ignored),
        frozenset(one.kind for one in elements),
        offers_ignore=reading.offers_ignore,
    )
    if opened:
        parts.left_out.append(f"{some_of(opened)}: opened at the terminal, so without power")
    parts.left_out += [f"{kind}: {some_of(names)} (without effect here)" for kind, names in without.items()]
    return parts


def _why_not(one: Element, parts: Parts) -> str:
    """Why an element cannot be represented, or nothing; parts: what is, so far."""
    if one.kind in LINEAR:
        return ""
    if one.kind in SOURCES:
        return "" if one.closed.all() else "a conductor of it is open"
    if one.kind in KINDS:
        return _why_no_device(one)
    if one.kind in ("regcontrol", "capcontrol"):
        return _why_no_control(one, parts)
    systems = [other for other in parts.devices if other.kind == "pvsystem"]
    return inverters.why_not(one, systems) if one.kind == "invcontrol" else "not modelled"


def _why_no_device(one: Element) -> str:
    data = one.properties
    if not one.closed.all():
        return "a conductor of it is open"
    if data.get("balanced"):
        return "balanced=yes, a model of the positive sequence alone"
    if one.kind == "storage" and bool(data["limitcurrent"]) and is_lone_delta(one) and int(data["model"]) == 1:
        return "limitcurrent=yes of a single phase in delta, whose current OpenDSS holds at its limit in operation too"
    if str(data.get("controlmode", "gfl")).lower() == "gfm":
        return "controlmode=GFM, an inverter that forms the grid"
    model = int(data["model"])
    modelled = {"load": range(1, 9), "generator": GENERATOR_MODELS, "pvsystem": (1, 2), "storage": (1, 2)}
    return "" if model in modelled[one.kind] else f"model={model} is not modelled"


def _why_no_control(one: Element, parts: Parts) -> str:
    data = one.properties
    transformers, capacitors = (
        {other.full_name.lower() for other in table} for table in (parts.transformers, parts.capacitors)
    )
    if one.kind == "regcontrol":
        is_there = f"transformer.{data['transformer']}".lower() in transformers
        return "" if is_there else f"it moves {data['transformer']}, which is not among the transformers"
    if f"capacitor.{data['capacitor']}".lower() not in capacitors:
        return f"it switches {data['capacitor']}, which is not among the plain capacitors"
    if str(data["type"]).lower() not in CAPACITOR_CONTROLS:
        return f"type={data['type']} is not modelled"
    watched = str(data["element"] or "").lower()
    known = {other.full_name.lower() for other in parts.lines} | transformers | capacitors
    is_known = watched in known or not watched
    return "" if is_known else f"it watches {watched}, which is not among lines, transformers and capacitors"


def _table(parts: Parts, one: Element) -> list[Element]:
    if one.kind in SOURCES:
        return parts.sources
    if one.kind == "transformer" and one.closed.all():
        return parts.transformers
    if one.kind == "capacitor" and is_plain_capacitor(one):
        return parts.capacitors
    if one.kind in KINDS:
        return parts.devices
    if one.kind == "regcontrol":
        return parts.regulators
    if one.kind == "capcontrol":
        return parts.capacitor_controls
    if one.kind == "invcontrol":
        return parts.inverter_controls
    return parts.lines if is_line(one) else parts.shunts


def _grounded_neutral(load: Element, is_admittance: bool) -> list[Element]:
    """The earthing of a load's neutral that has a conductor of its own.

    Unless the load is its admittance, an impedance there has no effect in OpenDSS: its solution takes out of the load's current what it put
    into the matrix.
    """
    data, neutral = load.properties, load.nodes[0, -1]
    r_ohm, z_ohm = float(data["rneut"]), complex(float(data["rneut"]), float(data["xneut"]))
    has_effect = z_ohm == 0.0 or (is_admittance and r_ohm >= 0.0)
    if str(data["conn"]).lower() != "wye" or neutral == GROUND or not has_effect:
        return []
    node, is_closed = np.array([[neutral]]), np.array([[True]])
    y_s = np.array([[1.0 / z_ohm if z_ohm else SOLID_S + 0j]])
    return [replace(load, name=f"{load.name}.neutral", nodes=node, closed=is_closed, y_s=y_s, counts_as_loss=False)]

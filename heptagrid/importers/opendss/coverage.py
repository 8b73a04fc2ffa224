"""Which element of a circuit becomes a row of which table, and which are left out or refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from heptagrid.importers.opendss.delivery import is_line, is_plain_capacitor
from heptagrid.importers.opendss.devices import GENERATOR_MODELS, KINDS
from heptagrid.importers.opendss.elements import Element

# What measures, or acts only in faults and in time.
WITHOUT_EFFECT = frozenset(("monitor", "energymeter", "sensor", "fuse", "relay", "recloser"))
CONTROLS = frozenset(
    (
        *("regcontrol", "capcontrol", "swtcontrol", "invcontrol", "expcontrol", "storagecontroller", "gendispatcher"),
        *("upfccontrol", "espvlcontrol"),
    )
)
# Linear at one frequency, so that their admittances say everything.
LINEAR = frozenset(("line", "reactor", "fault", "capacitor", "transformer", "autotrans", "gictransformer"))


@dataclass
class Parts:
    """The elements of each table; left_out, refused: a line each."""

    sources: list[Element] = field(default_factory=list)
    lines: list[Element] = field(default_factory=list)
    transformers: list[Element] = field(default_factory=list)
    capacitors: list[Element] = field(default_factory=list)
    shunts: list[Element] = field(default_factory=list)
    devices: list[Element] = field(default_factory=list)
    regulators: list[Element] = field(default_factory=list)
    capacitor_controls: list[Element] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def divide(elements: Sequence[Element], controls: bool, ignore: Sequence[str]) -> Parts:
    """Divide the elements among the tables. controls: whether controls are to act. ignore: kinds to leave out."""
    parts = Parts()
    ignored = {word.lower() for word in ignore}
    without: dict[str, list[str]] = defaultdict(list)
    for one in elements:
        if one.kind in ignored or one.kind in WITHOUT_EFFECT or (one.kind in CONTROLS and not controls):
            without[one.kind].append(one.name)
            continue
        reason = _why_not(one)
        if reason:
            parts.refused.append(f"{one.full_name}: {reason}; --ignore {one.kind} leaves out all of its kind")
            continue
        _table(parts, one).append(one)
    parts.left_out += [f"{kind}: {', '.join(names)}" for kind, names in without.items()]
    return parts


def _why_not(one: Element) -> str:
    """Why an element cannot be represented, or nothing."""
    data = one.properties
    if one.kind in LINEAR or one.kind in ("vsource", "isource", "regcontrol", "capcontrol"):
        return "" if one.kind not in ("vsource", "isource") or one.closed.all() else "a source with an open conductor"
    if one.kind not in KINDS:
        return "is not modelled"
    if not one.closed.all():
        return "some of its conductors are open"
    if str(data.get("balanced", "no")).lower() in ("yes", "true"):
        return "balanced=yes, a model of the positive sequence alone"
    if str(data.get("controlmode", "gfl")).lower() == "gfm":
        return "controlmode=GFM, an inverter that forms the grid"
    if str(data.get("limitcurrent", "no")).lower() in ("yes", "true"):
        return "limits its current"
    model = int(data["model"])
    modelled = {"load": range(1, 9), "generator": GENERATOR_MODELS, "pvsystem": (1, 2), "storage": (1, 2)}
    return "" if model in modelled[one.kind] else f"model={model} is not modelled"


def _table(parts: Parts, one: Element) -> list[Element]:
    if one.kind in ("vsource", "isource"):
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
    return parts.lines if is_line(one) else parts.shunts

"""Which logical nodes (IEC 61850-7-4) the devices of each class have, and in which of their data objects the points and controls of stations stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from heptagrid.live.inventory import PLANTS, PRIMARIES, SUBSTATIONS
from heptagrid.live.protocols.mms.buffered import buffered_block
from heptagrid.live.protocols.mms.classes import (
    Shown,
    counted,
    device_plate,
    double,
    flagged,
    measured,
    mode,
    name_plate,
    set_point,
    setting,
    single,
    state,
    stepped,
    switched,
    unknown,
)
from heptagrid.live.protocols.mms.data import BOOLEAN, INT8, INT32
from heptagrid.live.protocols.mms.nodes import SEPARATOR, Branch, Constrained, logical_node
from heptagrid.live.protocols.mms.reports import NODE, block
from heptagrid.live.stations.points import POINTS, POWER, REGULATE, SWITCH, TAP, TARGET

MEASUREMENTS, STATUS, ENERGY = "Measurements", "Status", "Energy"
"""Data sets."""
PREFIXES = {PRIMARIES: "PRI", SUBSTATIONS: "SUB", PLANTS: "PLT"}
LOGICAL_DEVICE = "LD0"
_SETS: Mapping[Any, tuple[str, str]] = {
    measured: (MEASUREMENTS, "MX"),
    single: (STATUS, "ST"),
    double: (STATUS, "ST"),
    stepped: (STATUS, "ST"),
    counted: (ENERGY, "ST"),
}
"""To which data set, and with which functional constraint, an object of a class belongs."""


@dataclass(frozen=True)
class Told:
    """A data object that shows a point. make: its class."""

    make: Callable[[Shown], Constrained]
    point: str
    text: str = ""


@dataclass(frozen=True)
class Ordered:
    """A data object by which a client commands. point: that shows what it does; empty: none does."""

    make: Callable[..., Constrained]
    action: str
    point: str = ""
    text: str = ""


_SWITCH_PLACE = "switch of the transformer is closed"
_TARGET_POINT, _ENERGY_IN, _ENERGY_OUT = (
    "target of the busbar voltage",
    "imported energy of the town's customers",
    "exported energy of the town's customers",
)
_NODES: Mapping[str, Mapping[str, Mapping[str, Told | Ordered]]] = {
    SUBSTATIONS: {
        "MMXU1": {
            "TotW": Told(measured, "active power to low voltage"),
            "AvPPVPhs": Told(measured, "voltage of the low-voltage busbar"),
        },
        "MMTR1": {
            "DmdWh": Told(counted, "imported energy of its customers"),
            "SupWh": Told(counted, "exported energy of its customers"),
        },
        "YPTR1": {"OpOvA": Told(single, "alarm: transformer overloaded")},
        "XSWI1": {"Pos": Told(double, _SWITCH_PLACE)},
        "CSWI1": {"Pos": Ordered(switched, SWITCH, _SWITCH_PLACE)},
        "GGIO1": {
            "AnIn1": Told(measured, "loading of the transformer"),
            "Ind1": Told(single, "busbar has supply"),
            "Alm1": Told(single, "alarm: voltage beyond its limits"),
        },
    },
    PRIMARIES: {
        "MMXU1": {
            "TotW": Told(measured, "active power of the infeed"),
            "TotVAr": Told(measured, "reactive power of the infeed"),
            "AvPPVPhs": Told(measured, "voltage of the infeed"),
            "Hz": Told(measured, "frequency"),
        },
        "MMXU2": {"AvPPVPhs": Told(measured, "busbar voltage")},
        "MMTR1": {"DmdWh": Told(counted, _ENERGY_IN), "SupWh": Told(counted, _ENERGY_OUT)},
        "ATCC1": {
            "TapChg": Ordered(stepped, TAP, "tap position"),
            "Auto": Ordered(flagged, REGULATE, text="regulates by itself"),
            "BndCtr": Ordered(setting, TARGET, _TARGET_POINT),
        },
        "GGIO1": {"Ind1": Told(single, "busbar has supply")},
    },
    PLANTS: {
        "MMXU1": {"TotW": Told(measured, "active power")},
        "XCBR1": {"Pos": Told(double, "unit is on")},
        "GGIO1": {"AnOut1": Ordered(set_point, POWER, "active power", "set-point of active power")},
    },
}
_OTHERS: Mapping[str, Callable[[], Mapping[str, Constrained]]] = {
    "XSWI": lambda: {**_breaking(), "SwTyp": unknown(INT8, 1)},
    "XCBR": lambda: {**_breaking()},
    "CSWI": lambda: {},
}
"""What classes of logical nodes have beside that, since they must; the grid does not know it, and its quality says so."""


def _breaking() -> Mapping[str, Constrained]:
    return {
        "Loc": unknown(BOOLEAN, False),
        "OpCnt": unknown(INT32, 0),
        "BlkOpn": unknown(BOOLEAN, False, is_controlled=True),
        "BlkCls": unknown(BOOLEAN, False, is_controlled=True),
    }


@dataclass(frozen=True)
class Model:
    """What all devices of a class have.

    sets: the members of each data set by name: their names, such as MMXU1$MX$TotW, and the point that each shows. places: where each control stands, by action. blocks, buffered: the data set of each unbuffered and each buffered report control block.
    """

    root: Branch
    sets: Mapping[str, tuple[tuple[str, str], ...]]
    places: Mapping[str, str]
    blocks: Mapping[str, str] = field(default_factory=dict)
    buffered: Mapping[str, str] = field(default_factory=dict)


def model_of(name: str, control_model: int, clients: int) -> Model:
    """The model of a class of devices; control_model: the number by which its controls are commanded; clients: for how many it has report control blocks."""
    units = {one.name: one.unit for one in POINTS[name]}
    nodes: dict[str, Branch] = {}
    sets: dict[str, list[tuple[str, str]]] = {}
    places: dict[str, str] = {}
    for node, objects in _NODES[name].items():
        made: dict[str, Constrained] = {"Beh": state(1)}
        for object, one in objects.items():
            shown = Shown(one.point, units.get(one.point, ""), one.text)
            if isinstance(one, Told):
                made[object] = one.make(shown)
            else:
                made[object] = _controlled(one, shown, control_model)
                places[one.action] = SEPARATOR.join((node, "SP" if one.make is setting else "CO", object))
            if one.make in _SETS:
                set, constraint = _SETS[one.make]
                sets.setdefault(set, []).append((SEPARATOR.join((node, constraint, object)), one.point))
        made |= _OTHERS.get(node[:4], dict)()
        nodes[node] = logical_node(made)
    blocks = {f"{set}{number:02}": set for set in sets for number in range(1, clients + 1)}
    buffered = {f"Buffered{name}": set for name, set in blocks.items() if set != ENERGY}
    first = {
        NODE: logical_node(
            {"Mod": mode(), "Beh": state(1), "Health": state(1), "NamPlt": name_plate()},
            {
                "RP": Branch({block_name: block(block_name) for block_name in blocks}),
                "BR": Branch({block_name: buffered_block(block_name) for block_name in buffered}),
            },
        ),
        "LPHD1": logical_node({"PhyNam": device_plate(), "PhyHealth": state(1), "Proxy": unknown(BOOLEAN, False)}),
    }
    return Model(
        Branch(first | nodes), {set: tuple(members) for set, members in sets.items()}, places, blocks, buffered
    )


def _controlled(one: Ordered, shown: Shown, control_model: int) -> Constrained:
    if one.make is setting:
        return setting(shown, one.action)
    if one.make is flagged:
        return flagged(one.text, one.action, control_model)
    return one.make(shown, one.action, control_model)

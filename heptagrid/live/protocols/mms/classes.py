"""Common data classes (IEC 61850-7-3): which attributes a data object of each has, for the points and controls of stations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heptagrid.live.protocols.mms.data import (
    BOOLEAN,
    IDENTIFIER,
    INSTANT,
    INT8,
    INT64,
    PAIR,
    QUALITY,
    REAL,
    UINT8,
    WORDS,
    Type,
)
from heptagrid.live.protocols.mms.nodes import Branch, Constrained, Leaf, Node

if TYPE_CHECKING:
    from heptagrid.live.protocols.mms.ied import Client, Ied

NO_UNIT, VOLT, WATT, VAR, HERTZ, WATT_HOURS = 1, 29, 38, 63, 33, 72
"""Units (IEC 61850-7-3, annex A)."""
_KILO, _MEGA = 3, 6
_UNITS = {
    "kV": (VOLT, _KILO),
    "kW": (WATT, _KILO),
    "MW": (WATT, _MEGA),
    "Mvar": (VAR, _MEGA),
    "Hz": (HERTZ, 0),
    "%": (NO_UNIT, 0),
}
WH_PER_KWH = 1000
OFF, ON = "01", "10"
"""Of a double point."""


@dataclass(frozen=True)
class Shown:
    """Which point of a station a data object shows. unit: as the station has it."""

    point: str
    unit: str = ""
    text: str = ""


def fixed(type: Type, value: Any) -> Leaf:
    """An attribute that never changes."""
    return Leaf(type, lambda ied: value)


def _stamped(point: str) -> dict[str, Node]:
    return {"q": Leaf(QUALITY, lambda ied: ied.quality(point)), "t": Leaf(INSTANT, lambda ied: ied.instant())}


def _described(words: str) -> dict[str, Node]:
    return {"d": fixed(WORDS, words)}


def _units(unit: str) -> dict[str, Node]:
    code, multiplier = _UNITS[unit]
    return {"units": Branch({"SIUnit": fixed(INT8, code), "multiplier": fixed(INT8, multiplier)})}


def measured(shown: Shown) -> Constrained:
    """MV: a measured value."""
    value = Leaf(REAL, lambda ied: ied.value(shown.point))
    return {
        "MX": {"mag": Branch({"f": value}), **_stamped(shown.point)},
        "CF": _units(shown.unit),
        "DC": _described(shown.text or shown.point),
    }


def single(shown: Shown) -> Constrained:
    """SPS: an indication that is on or off."""
    return {
        "ST": {"stVal": Leaf(BOOLEAN, lambda ied: ied.value(shown.point) > 0.5), **_stamped(shown.point)},
        "DC": _described(shown.text or shown.point),
    }


def double(shown: Shown) -> Constrained:
    """DPC that is only told: the position of a switch."""
    return {
        "ST": _position(shown.point),
        "CF": {"ctlModel": fixed(INT8, 0)},
        "DC": _described(shown.text or shown.point),
    }


def _position(point: str) -> dict[str, Node]:
    return {"stVal": Leaf(PAIR, lambda ied: ON if ied.value(point) > 0.5 else OFF), **_stamped(point)}


def counted(shown: Shown) -> Constrained:
    """BCR: a register that counts, in Wh."""
    value = Leaf(INT64, lambda ied: round(ied.value(shown.point) * WH_PER_KWH))
    return {
        "ST": {"actVal": value, **_stamped(shown.point)},
        "CF": {
            "units": Branch({"SIUnit": fixed(INT8, WATT_HOURS), "multiplier": fixed(INT8, 0)}),
            "pulsQty": fixed(REAL, 1.0),
        },
        "DC": _described(shown.text or shown.point),
    }


def state(value: int) -> Constrained:
    """ENS: a state of the device itself, such as its health; the device is on and well as long as it answers."""
    return {
        "ST": {
            "stVal": fixed(INT8, value),
            "q": fixed(QUALITY, "0" * 13),
            "t": Leaf(INSTANT, lambda ied: ied.instant()),
        }
    }


def mode() -> Constrained:
    """ENC that is only told: the mode of a logical node."""
    return {**state(1), "CF": {"ctlModel": fixed(INT8, 0)}}


def unknown(type: Type, value: Any, *, is_controlled: bool = False) -> Constrained:
    """A state that the grid does not have: its quality says that it is invalid."""
    told: dict[str, Node] = {
        "stVal": fixed(type, value),
        "q": fixed(QUALITY, "01".ljust(13, "0")),
        "t": Leaf(INSTANT, lambda ied: ied.instant()),
    }
    return {"ST": told, "CF": {"ctlModel": fixed(INT8, 0)}} if is_controlled else {"ST": told}


def name_plate() -> Constrained:
    """LPL: who made a logical device."""
    plate = {"vendor": "heptagrid", "swRev": "1", "configRev": "1"}
    words: dict[str, Node] = {name: fixed(WORDS, value) for name, value in plate.items()}
    return {
        "DC": {**words, "d": Leaf(WORDS, lambda ied: ied.device.name)},
        "EX": {"ldNs": fixed(WORDS, "IEC 61850-7-4:2010")},
    }


def device_plate() -> Constrained:
    """DPL: who made a physical device."""
    return {"DC": {"vendor": fixed(WORDS, "heptagrid"), "model": Leaf(WORDS, lambda ied: ied.device.of.name)}}


def setting(shown: Shown, action: str) -> Constrained:
    """ASG: a setting that a client writes."""
    value = Leaf(REAL, lambda ied: ied.value(shown.point), lambda ied, client, given: ied.set(action, given, client))
    return {
        "SP": {"setMag": Branch({"f": value})},
        "CF": _units(shown.unit),
        "DC": _described(shown.text or shown.point),
    }


_ORIGIN = {"orCat": INT8, "orIdent": IDENTIFIER}


def _order(value: Node, *, has_check: bool) -> dict[str, Node]:
    """The parts of a command; what was commanded last is not kept."""
    origin = Branch({"orCat": fixed(INT8, 0), "orIdent": fixed(IDENTIFIER, b"")})
    parts: dict[str, Node] = {
        "ctlVal": value,
        "origin": origin,
        "ctlNum": fixed(UINT8, 0),
        "T": fixed(INSTANT, 0),
        "Test": fixed(BOOLEAN, False),
    }
    return parts | ({"Check": fixed(PAIR, "00")} if has_check else {})


def _commanded(action: str, value: Node, model: int) -> dict[str, Node]:
    """The attributes by which a client commands, as the control model has them."""

    def write(kind: str) -> Callable[[Ied, Client, Any], None]:
        return lambda ied, client, given: ied.controls.command(kind, action, given, client)

    found: dict[str, Node] = {}
    if model == 2:
        found["SBO"] = Leaf(WORDS, lambda ied: "", select=lambda ied, client: ied.controls.select(action, client))
    if model == 4:
        found["SBOw"] = Branch(_order(value, has_check=True), write("SBOw"))
    found["Oper"] = Branch(_order(value, has_check=True), write("Oper"))
    if model != 1:
        found["Cancel"] = Branch(_order(value, has_check=False), write("Cancel"))
    return found


def switched(shown: Shown, action: str, model: int) -> Constrained:
    """DPC: a switch that a client opens and closes."""
    return {
        "CO": _commanded(action, fixed(BOOLEAN, False), model),
        "ST": _position(shown.point),
        "CF": {"ctlModel": fixed(INT8, model)},
        "DC": _described(shown.text or shown.point),
    }


def flagged(words: str, action: str, model: int) -> Constrained:
    """SPC: something that is on or off, of which the station does not tell which."""
    return {
        "CO": _commanded(action, fixed(BOOLEAN, False), model),
        **unknown(BOOLEAN, False),
        "CF": {"ctlModel": fixed(INT8, model)},
        "DC": _described(words),
    }


def stepped(shown: Shown, action: str, model: int) -> Constrained:
    """BSC: a tap changer that a client moves by one position."""
    position = Branch(
        {"posVal": Leaf(INT8, lambda ied: round(ied.value(shown.point))), "transInd": fixed(BOOLEAN, False)}
    )
    return {
        "CO": _commanded(action, fixed(PAIR, "00"), model),
        "ST": {"valWTr": position, **_stamped(shown.point)},
        "CF": {"ctlModel": fixed(INT8, model), "persistent": fixed(BOOLEAN, False)},
        "DC": _described(shown.text or shown.point),
    }


def set_point(shown: Shown, action: str, model: int) -> Constrained:
    """APC: a set-point; what is told of it is what is reached."""
    value = Branch({"f": fixed(REAL, 0.0)})
    reached = Branch({"f": Leaf(REAL, lambda ied: ied.value(shown.point))})
    return {
        "CO": _commanded(action, value, model),
        "MX": {"mxVal": reached, **_stamped(shown.point)},
        "CF": {"ctlModel": fixed(INT8, model), **_units(shown.unit)},
        "DC": _described(shown.text or shown.point),
    }

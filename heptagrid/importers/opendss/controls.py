"""Controls of transformer taps and of capacitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from heptagrid.importers.opendss.elements import Element
from heptagrid.world.circuit.circuit import GROUND, Connection, Names, Transformers
from heptagrid.world.circuit.controls import (
    HIGHEST,
    LOWEST,
    MEAN,
    CapacitorControl,
    CapacitorControls,
    Monitored,
    Regulators,
)

NOT_REMOTE = -2
OVER_ALL_PHASES = {"max": HIGHEST, "min": LOWEST, "avg": MEAN}
CAPACITOR_CONTROLS = {
    "current": CapacitorControl.CURRENT,
    "voltage": CapacitorControl.VOLTAGE,
    "kvar": CapacitorControl.KVAR,
    "time": CapacitorControl.TIME,
    "powerfactor": CapacitorControl.POWER_FACTOR,
}
USUAL_POWER_FACTORS = (0.95, 1.05)
TYPES = {"Names": str, "Ints": np.int64, "Floats": float, "Bools": bool}

Table = TypeVar("Table")


def regulators(elements: Sequence[Element], transformers: Transformers) -> Regulators:
    """Tap controls of transformers that the circuit has."""
    of_name = positions(transformers.names)
    rows = []
    for one in elements:
        data = one.properties
        transformer = of_name[f"transformer.{data['transformer']}".lower()]
        measured = int(data["winding"]) - 1
        is_delta = transformers.windings.connection[transformers.winding_at[transformer] + measured] == Connection.DELTA
        is_remote = bool(data["bus"])
        rows.append(
            {
                "names": one.full_name,
                "transformer": transformer,
                "winding": int(data["tapwinding"]) - 1,
                "measured_winding": measured,
                "measured_phase": _phase(data["ptphase"]),
                "remote_from": one.nodes[0, 0] if is_remote else NOT_REMOTE,
                "remote_to": (one.nodes[0, 1] if is_delta else GROUND) if is_remote else NOT_REMOTE,
                "remote_pt_ratio": data["remoteptratio"],
                "v_set": data["vreg"],
                "band_v": data["band"],
                "pt_ratio": data["ptratio"],
                "ct_primary_a": data["ctprim"],
                "r_v": data["r"],
                "x_v": data["x"],
                "z_v": data["ldc_z"],
                "delay_s": data["delay"],
                "tap_delay_s": data["tapdelay"],
                "is_inverse_time": data["inversetime"],
                "max_taps": int(data["maxtapchange"]),
                "v_limit": data["vlimit"] if data["vlimit"] > 0.0 else np.nan,
                "is_reversible": data["reversible"],
                "is_cogeneration": data["cogen"],
                "reverse_is_neutral": data["revneutral"],
                "reverse_v_set": data["revvreg"],
                "reverse_band_v": data["revband"],
                "reverse_r_v": data["revr"],
                "reverse_x_v": data["revx"],
                "reverse_z_v": data["rev_z"],
                "reverse_delay_s": data["revdelay"],
                "reverse_threshold_kw": data["revthreshold"],
            }
        )
    return _table(Regulators, rows)


def capacitor_controls(
    elements: Sequence[Element], capacitors: Names, lines: Names, transformers: Names, buses: Names
) -> CapacitorControls:
    """Controls of capacitors that the circuit has; what they look at is among its lines, transformers or capacitors."""
    tables = {
        Monitored.CAPACITOR: positions(capacitors),
        Monitored.LINE: positions(lines),
        Monitored.TRANSFORMER: positions(transformers),
    }
    of_bus = positions(buses)
    rows = []
    for one in elements:
        data = one.properties
        capacitor = tables[Monitored.CAPACITOR][f"capacitor.{data['capacitor']}".lower()]
        element = str(data["element"] or f"capacitor.{data['capacitor']}").lower()
        kind = next(kind for kind, names in tables.items() if element in names)
        has_override = bool(data["voltoverride"])
        rows.append(
            {
                "names": one.full_name,
                "capacitor": capacitor,
                "kind": CAPACITOR_CONTROLS[str(data["type"]).lower()],
                "monitored_kind": kind,
                "monitored": tables[kind][element],
                "monitored_terminal": int(data["terminal"]) - 1,
                "pt_phase": _phase(data["ptphase"]),
                "ct_phase": _phase(data["ctphase"]),
                "on": _setting(data, "onsetting", USUAL_POWER_FACTORS[0]),
                "off": _setting(data, "offsetting", USUAL_POWER_FACTORS[1]),
                "pt_ratio": data["ptratio"],
                "ct_ratio": data["ctratio"],
                "v_min": data["vmin"] if has_override else np.nan,
                "v_max": data["vmax"] if has_override else np.nan,
                "override_bus": of_bus.get(str(data["vbus"]).lower(), -1),
                "delay_on_s": data["delay"],
                "delay_off_s": data["delayoff"],
                "dead_time_s": data["deadtime"],
                "least_kvar_percent": data["pctminkvar"],
            }
        )
    return _table(CapacitorControls, rows)


def _setting(data: Mapping[str, Any], key: str, usual: float) -> float:
    """A capacitor control's setting; power factors lead from 1 to 2, those that a script gives are negative then.

    OpenDSS goes by the usual one where a script gives none, or gives it before it says that it is a power factor.
    """
    value, given = float(data[key]), data["given"]
    if str(data["type"]).lower() != "powerfactor":
        return value
    if key not in given or given.index(key) < given.index("type"):
        return usual
    return 2.0 + value if value < 0.0 else value


def positions(names: Names) -> Mapping[str, int]:
    """The position of each name, in lower case."""
    return {str(name).lower(): k for k, name in enumerate(names)}


def _phase(word: Any) -> int:
    text = str(word).lower()
    return int(text) - 1 if text.isdigit() else int(OVER_ALL_PHASES[text])


def _table(kind: type[Table], rows: Sequence[dict[str, Any]]) -> Table:
    """A dataclass of columns out of rows."""
    columns: dict[str, Any] = {
        one.name: np.array([row[one.name] for row in rows], dtype=TYPES[str(one.type)])
        for one in fields(kind)  # type: ignore[arg-type]
    }
    return kind(**columns)

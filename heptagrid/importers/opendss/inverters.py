"""Inverters under Volt-VAR and Volt-Watt control, out of OpenDSS's InvControl and PVSystem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from heptagrid.importers.opendss.controls import positions
from heptagrid.importers.opendss.delivery import joined, offsets
from heptagrid.importers.opendss.devices import is_lone_delta
from heptagrid.importers.opendss.elements import Element, properties_of
from heptagrid.world.circuit.circuit import GROUND, Devices, Floats, Model
from heptagrid.world.circuit.controls import Inverters

Curves = Mapping[str, tuple[Floats, Floats]]

FAR_PU = 3.0  # OpenDSS draws curves on beyond their last points; so far suffices


def why_not(control: Element, systems: Sequence[Element]) -> str:
    """Why a control is not among those modelled, or nothing; systems: all photovoltaic systems."""
    data = control.properties
    mode, combined = str(data["mode"]).lower(), str(data["combimode"]).lower()
    if combined not in ("", "vv_vw") or (not combined and mode not in ("voltvar", "voltwatt")):
        return f"mode={combined or mode} is not modelled: VOLTVAR, VOLTWATT and VV_VW are"
    without = [key for key in _curve_keys(control) if not data[key]]
    if without:
        return f"{' and '.join(without)} name no XYCurve"
    if float(data["hysteresis_offset"]) != 0.0:
        return "hysteresis is not modelled"
    if str(data["voltage_curvex_ref"]).lower() != "rated" or data["monbus"]:
        return "watches another voltage than the rated one at its terminals"
    if str(data["monvoltagecalc"]).lower() != "avg":
        return "watches another voltage than the mean of its phases"
    if any(not str(name).lower().startswith("pvsystem.") for name in data["derlist"]):
        return "controls others than PVSystems"
    named = controlled([control], systems)
    mine = [one for one in systems if one.full_name.lower() in named]
    thirds = [
        one.name for one in mine if is_lone_delta(one) and int(one.properties["model"]) == Model.CONSTANT_IMPEDANCE
    ]
    if thirds:
        return f"impedances of one phase in delta are not modelled under a control ({', '.join(thirds)})"
    if mode == "voltwatt" and not combined:
        bound = [one.name for one in mine if _has_vars_of_its_own(one)]
        return (
            f"vars that are fixed or at a limit beside VOLTWATT are not modelled ({', '.join(bound)})" if bound else ""
        )
    return ""


def _has_vars_of_its_own(one: Element) -> bool:
    """Whether a system's vars are not simply those of its power factor: fixed, or bound by a limit or by its rating."""
    data = one.properties
    pf, kvar = abs(float(data["pf"])), abs(float(data["kvar"]))
    panel_kw = float(data["irradiance"]) * float(data["pmpp"]) * float(data["pctpmpp"]) / 100.0
    wanted_kvar = max(kvar, panel_kw * np.sqrt(1.0 / pf**2 - 1.0))
    if wanted_kvar == 0.0:
        return False
    most_kvar = min(float(data["kvarmax"]), float(data["kvarmaxabs"]))
    return pf == 1.0 or wanted_kvar > most_kvar or bool(np.hypot(panel_kw, wanted_kvar) > float(data["kva"]))


def controlled(controls: Sequence[Element], systems: Sequence[Element]) -> dict[str, Element]:
    """The control of each photovoltaic system that has one, by name; a control without a list has them all."""
    found = {}
    for control in controls:
        named = [str(name).lower() for name in control.properties["derlist"]]
        for name in named or [one.full_name.lower() for one in systems]:
            found[name] = control
    return found


def between_phases(controls: Sequence[Element], systems: Sequence[Element]) -> list[str]:
    """A remark on the controlled systems that see another voltage than in OpenDSS, which compares that to ground with the rated one."""
    control_of = controlled(controls, systems)
    found = [one.full_name for one in systems if one.full_name.lower() in control_of and one.nodes[0, -1] != GROUND]
    if not found:
        return []
    return [f"{', '.join(found)}: controlled by the voltage across the phases here, by that to ground in OpenDSS"]


def inverters(controls: Sequence[Element], systems: Sequence[Element], devices: Devices, curves: Curves) -> Inverters:
    """The photovoltaic systems that are controlled. curves: of all XYCurves, by name in lower case."""
    control_of = controlled(controls, systems)
    of_device = positions(devices.names)
    rows = [(one, control_of[one.full_name.lower()]) for one in systems if one.full_name.lower() in control_of]
    device = np.array([of_device[one.full_name.lower()] for one, _ in rows], dtype=np.int64)
    vv, vw = ([_curve(control, key, curves) for _, control in rows] for key in _FUNCTIONS)
    available = [_available_kw(one, curves) for one, _ in rows]
    limits = [_limits_kvar(one, kw) for (one, _), kw in zip(rows, available, strict=True)]

    def each(key: str) -> Floats:
        return np.array([float(one.properties[key]) for one, _ in rows], dtype=np.float64)

    p_kw, q_kvar = devices.p_kw[device], devices.q_kvar[device]
    with np.errstate(invalid="ignore", divide="ignore"):
        power_factor = np.where(
            q_kvar == 0.0, 1.0, np.abs(p_kw) / np.hypot(p_kw, q_kvar) * np.where(q_kvar > 0.0, -1.0, 1.0)
        )
    none = np.zeros(len(rows))
    return Inverters(
        device=device,
        available_kw=np.minimum(available, each("pmpp") * each("pctpmpp") / 100.0),
        rated_kw=np.array([_base_kw(one, control, kw) for (one, control), kw in zip(rows, available, strict=True)]),
        rated_kva=each("kva"),
        most_inject_kvar=np.array([inject for inject, _ in limits], dtype=float),
        most_absorb_kvar=np.array([absorb for _, absorb in limits], dtype=float),
        q_base_kvar=np.array([_base_kvar(one, control) for one, control in rows], dtype=float),
        power_factor=power_factor,
        has_watt_priority=np.array([bool(one.properties["wattpriority"]) for one, _ in rows], dtype=bool),
        v_base_v=devices.v_rated_v[device],
        volt_var_at=offsets([len(x) for x, _ in vv]),
        volt_var_v_pu=joined([x for x, _ in vv], float),
        volt_var_q_pu=joined([np.clip(y, -1.0, 1.0) for _, y in vv], float),
        volt_watt_at=offsets([len(x) for x, _ in vw]),
        volt_watt_v_pu=joined([x for x, _ in vw], float),
        volt_watt_p_pu=joined([np.maximum(y, 0.0) for _, y in vw], float),
        volt_var_response_s=none,
        volt_watt_response_s=none,
    )


_FUNCTIONS = {"vvc_curve1": "voltvar", "voltwatt_curve": "voltwatt"}
"""The properties that name a function's curve, and the mode in which a control has it; a combined one has both."""


def _curve_keys(control: Element) -> list[str]:
    """The properties that name the curves of the functions that the control has."""
    data = control.properties
    return [key for key, mode in _FUNCTIONS.items() if data["combimode"] or mode == str(data["mode"]).lower()]


def _curve(control: Element, key: str, curves: Curves) -> tuple[Floats, Floats]:
    """The points of a function that the control has, drawn on to both sides as OpenDSS does; none of one that it has not."""
    if key not in _curve_keys(control):
        return np.empty(0), np.empty(0)
    x, y = curves[str(control.properties[key]).lower()]
    ends = np.array([0.0, FAR_PU])
    outside = (ends < x[0]) | (ends > x[-1])
    x, y = np.concatenate([x, ends[outside]]), np.concatenate([y, value(x, y, ends[outside])])
    order = np.argsort(x, kind="stable")
    return x[order], y[order]


def value(x: Floats, y: Floats, at: Floats) -> Floats:
    """OpenDSS's reading of an XYCurve: straight between its points, and on beyond them."""
    if len(x) == 1:
        return np.full_like(at, y[0])
    k = np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2)
    between: Floats = y[k] + (at - x[k]) * (y[k + 1] - y[k]) / (x[k + 1] - x[k])
    return between


def _available_kw(one: Element, curves: Curves) -> float:
    """What the panels offer after the inverter's losses, before its limit of power; nothing below its cut-out."""
    data = one.properties
    panel_kw = float(data["irradiance"]) * float(data["pmpp"])
    if data["ptcurve"]:
        panel_kw *= float(value(*curves[str(data["ptcurve"]).lower()], np.array([float(data["temperature"])]))[0])
    rated_kva = float(data["kva"])
    if panel_kw < float(data["pctcutout"]) * rated_kva / 100.0:
        return 0.0
    if data["effcurve"]:
        panel_kw *= float(value(*curves[str(data["effcurve"]).lower()], np.array([panel_kw / rated_kva]))[0])
    return panel_kw


def _limits_kvar(one: Element, kw: float) -> tuple[float, float]:
    """The most vars to inject and to absorb at an active power."""
    data = one.properties
    pmpp = float(data["pmpp"])
    if kw < float(data["pctpminnovars"]) * pmpp / 100.0 or (kw == 0.0 and data["varfollowinverter"]):
        return 0.0, 0.0
    least = float(data["pctpminkvarmax"]) * pmpp / 100.0
    share = min(1.0, kw / least) if least > 0.0 else 1.0
    return share * float(data["kvarmax"]), share * float(data["kvarmaxabs"])


def _base_kw(one: Element, control: Element, available_kw: float) -> float:
    data = one.properties
    pmpp = float(data["pmpp"])
    bases = {"pavailablepu": available_kw, "pmpppu": pmpp, "pctpmpppu": pmpp * float(data["pctpmpp"]) / 100.0}
    return bases.get(str(control.properties["voltwattyaxis"]).lower(), float(data["kva"]))


def _base_kvar(one: Element, control: Element) -> float:
    is_rated = str(control.properties["refreactivepower"]).lower().startswith("varmax")
    return float(one.properties["kvarmax"]) if is_rated else np.nan


def curves_of(engine: Any) -> Curves:
    """The points of all XYCurves of the engine, by name in lower case."""
    found = {}
    for name, data in properties_of(engine, {"XYCurve"})["xycurve"].items():
        found[name] = (np.asarray(data["xarray"], dtype=float), np.asarray(data["yarray"], dtype=float))
    return found

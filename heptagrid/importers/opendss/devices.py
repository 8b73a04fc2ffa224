"""Loads, generators, photovoltaic systems and storages, taken apart into single-phase circuits.

What they draw at rated voltage is taken from their primitive admittances, which OpenDSS makes of it: so multipliers, growth, dispatch, irradiance
and efficiencies count as they do there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from heptagrid.importers.opendss.delivery import joined, offsets
from heptagrid.importers.opendss.elements import Element
from heptagrid.world.circuit.circuit import Devices, Floats, Ints, Model, VoltageHolders

KINDS = ("load", "generator", "pvsystem", "storage")
GENERATOR_MODELS = {
    1: Model.CONSTANT_POWER,
    2: Model.CONSTANT_IMPEDANCE,
    3: Model.CONSTANT_POWER,  # and constant voltage: see `voltage_holders`
    4: Model.FIXED_Q,
    5: Model.FIXED_X,
    7: Model.CURRENT_LIMITED,
}
NO_ZIP = np.zeros(7)
WITHOUT_LIMITS = {"vminpu": "1e-6", "vmaxpu": "1e6", "model": "1"}


@dataclass(frozen=True)
class Device:
    """A row of Devices, with its circuits."""

    names: str
    kinds: str
    p_kw: float
    q_kvar: float
    circuit_from: Ints
    circuit_to: Ints
    v_rated_v: float
    model: int
    v_min_pu: float
    v_max_pu: float
    v_low_pu: float
    limited_share: float
    watts_exponent: float
    vars_exponent: float
    zip_: Floats


def devices(
    elements: Sequence[Element], output_kva: dict[str, complex], frequency_hz: float, all_admittances: bool
) -> Devices:
    """All devices of the circuit.

    output_kva: what the storages give, by name. all_admittances: whether every device is to be its admittance, whatever its own model.
    """
    rows = [_device(one, output_kva, frequency_hz, all_admittances) for one in elements]
    columns: dict[str, Any] = {}
    for field in fields(Device):
        values = [getattr(row, field.name) for row in rows]
        if field.name in ("names", "kinds"):
            columns[field.name] = np.array(values, dtype=str)
        elif field.name in ("circuit_from", "circuit_to"):
            columns[field.name] = joined(values, np.int64)
        elif field.name == "zip_":
            columns[field.name] = np.array(values, dtype=float).reshape(len(rows), len(NO_ZIP))
        else:
            columns[field.name] = np.array(values, dtype=np.int64 if field.name == "model" else float)
    return Devices(circuit_at=offsets([len(row.circuit_from) for row in rows]), **columns)


def _device(one: Element, output_kva: dict[str, complex], frequency_hz: float, is_admittance: bool) -> Device:
    data, n = one.properties, one.phases
    is_load = one.kind == "load"
    conductors = one.nodes[0]
    is_delta = str(data["conn"]).lower() in ("delta", "ll")
    begin = np.arange(n)
    end = (begin + 1) % len(conductors) if is_delta else np.full(n, len(conductors) - 1)
    with np.errstate(invalid="ignore"):  # what is no finite number is told with the circuit's other figures
        y = -one.y_s[begin, end]
        y = y.real + 1j * y.imag * frequency_hz / float(data["basefreq"])
    kv = np.float64(data["kv"])
    across_v = 1e3 * kv if n == 1 or is_delta else 1e3 * kv / np.sqrt(3.0)
    # The admittance of a generator counts as between line and neutral, a third of it in each side of a delta.
    reference_v = across_v if is_load or n == 1 or not is_delta else 1e3 * kv / np.sqrt(3.0)
    share = 1.0 if is_load or not is_delta else 3.0
    # A third it is of a single phase too: that one's impedances, within limits and beyond, draw a third of what they should.
    of_impedance = 1.0 / 3.0 if is_lone_delta(one) else 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        s_kva = complex(np.sum(np.conj(y)) * share * reference_v**2 / 1e3)
    holds = _holds_voltage(one) and not is_admittance
    if _holds_voltage(one):
        s_kva *= 100.0  # of which OpenDSS puts only a hundredth into the matrix
        if not np.isfinite(s_kva):  # where it is de-energised, OpenDSS has divided by its voltage
            s_kva = complex(-float(data["kw"]), 0.0)
    if one.kind == "storage" and not is_admittance:
        s_kva = -output_kva[one.name.lower()]
    model = int(Model.CONSTANT_IMPEDANCE) if is_admittance else _model(one)
    if model == Model.CONSTANT_IMPEDANCE:
        s_kva *= of_impedance
    q_kvar = s_kva.imag
    if model in (Model.FIXED_Q, Model.FIXED_X):  # which neither multipliers nor shapes change
        q_kvar = float(np.nan if data["kvar"] is None else data["kvar"]) if is_load else -float(data["kvar"])
        q_kvar *= of_impedance if model == Model.FIXED_X else 1.0
    is_limited = model == Model.CURRENT_LIMITED
    least_pu = float(data["vminpu"])
    if is_limited and one.kind == "pvsystem" and is_lone_delta(one):
        least_pu *= np.sqrt(3.0)  # its current is limited as if it were that of a side of a delta
    zipv = np.asarray(data["zipv"], dtype=float) if is_load and model == Model.ZIP else NO_ZIP
    return Device(
        names=one.full_name,
        kinds=one.kind,
        p_kw=s_kva.real,
        q_kvar=q_kvar,
        circuit_from=conductors[begin],
        circuit_to=conductors[end],
        v_rated_v=across_v,
        model=model,
        v_min_pu=0.0 if holds else least_pu,
        v_max_pu=np.inf if holds else float(data["vmaxpu"]),
        # What is no load is a constant impedance all the way down from its least voltage.
        v_low_pu=float(data["vlowpu"]) if is_load else 0.0,
        # At its limit the current of a generator has its vars the wrong way round.
        limited_share=of_impedance if not is_limited else -1.0 if one.kind == "generator" else 1.0,
        watts_exponent=float(data.get("cvrwatts", 1.0)),
        vars_exponent=float(data.get("cvrvars", 2.0)),
        zip_=zipv,
    )


def rated_feed_kw(elements: Sequence[Element]) -> Floats:
    """(devices,) as `Circuit.rated_feed_kw`: irradiance, dispatch and what else depends on the moment left aside."""
    return np.array([_rated_feed_kw(one) for one in elements], dtype=np.float64)


def _rated_feed_kw(one: Element) -> float:
    data = one.properties
    if one.kind == "generator":
        return max(float(data["kw"]), 0.0)
    if one.kind == "pvsystem":
        return min(float(data["pmpp"]) * float(data["pctpmpp"]) / 100.0, float(data["kva"]))
    return 0.0


def is_lone_delta(one: Element) -> bool:
    """Whether it is a single phase in delta and no load."""
    return one.kind != "load" and one.phases == 1 and str(one.properties["conn"]).lower() in ("delta", "ll")


def _holds_voltage(one: Element) -> bool:
    return one.kind == "generator" and int(one.properties["model"]) == 3


def voltage_holders(elements: Sequence[Element], devices: Devices, all_admittances: bool) -> VoltageHolders:
    """The generators among the devices that hold their voltage."""
    rows = [] if all_admittances else [k for k, one in enumerate(elements) if _holds_voltage(one)]
    data = [elements[k].properties for k in rows]
    device = np.array(rows, dtype=np.int64)
    return VoltageHolders(
        device=device,
        v_held_v=devices.v_rated_v[device] * np.array([float(one["vpu"]) for one in data]),
        least_feed_kvar=np.array([float(one["minkvar"]) for one in data]),
        most_feed_kvar=np.array([float(one["maxkvar"]) for one in data]),
    )


def _model(one: Element) -> int:
    number = int(one.properties["model"])
    if one.kind == "load":
        return int(Model(number))
    if one.kind == "generator":
        return int(GENERATOR_MODELS[number])
    if number != 1:
        return int(Model.CONSTANT_IMPEDANCE)
    # A storage's limit is never reached: below its least voltage it is an impedance, whose current falls.
    is_limited = one.kind == "pvsystem" and bool(one.properties["limitcurrent"])
    return int(Model.CURRENT_LIMITED if is_limited else Model.CONSTANT_POWER)


def storage_output_kva(engine: Any, names: Sequence[str], alike_phases: int) -> dict[str, complex]:
    """What each storage gives at its terminals between its limits of voltage, idling and conversion losses counted.

    OpenDSS tells it only of a solution; any voltages will do, so the engine finds those without load, whose bases are not taken.
    What it tells is of all of `alike_phases`; here it is of one.
    """
    circuit = engine.ActiveCircuit
    engine.Text.Command = "CalcVoltageBases"
    found = {}
    for name in names:
        full_name = f"Storage.{name}"
        circuit.SetActiveElement(full_name)
        settings = {key: circuit.ActiveCktElement.Properties(key).Val for key in WITHOUT_LIMITS}
        _set(engine, full_name, WITHOUT_LIMITS)
        circuit.SetActiveElement(full_name)
        powers = np.asarray(circuit.ActiveCktElement.Powers)
        found[name.lower()] = -complex(powers[0::2].sum(), powers[1::2].sum()) / alike_phases
        _set(engine, full_name, settings)
    return found


def _set(engine: Any, full_name: str, settings: dict[str, str]) -> None:
    for key, value in settings.items():
        engine.Text.Command = f"{full_name}.{key}={value}"

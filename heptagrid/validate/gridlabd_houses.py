"""A house for a week, floating, heated and cooled, against GridLAB-D's recordings: temperatures, duty and energy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.thermal import equipment
from heptagrid.domains.customers.thermal.two_state import (
    OFF,
    Equipment,
    Shape,
    Thermostat,
    course,
    through,
)
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.validate.case import DATA, Case, Finding, case

Floats = npt.NDArray[np.float64]

WEEKS = DATA / "gridlabd" / "weeks.npz"
BTU_PER_KWH = 3412.0  # GridLAB-D's
W_PER_BTU_H = 1000.0 / BTU_PER_KWH
J_PER_K = 3600.0 * W_PER_BTU_H * 1.8  # in 1 Btu/F
W_PER_K = W_PER_BTU_H * 1.8  # in 1 Btu/(h F)
_GAINS_W = 500.0
_HUMIDITY = 0.4  # of the summer's weather file
_NOT_SET_C = 1000.0
PARAMETERS = (
    "loss", "air", "mass", "exchange", "heating_capacity", "cooling_capacity", "heating_cop", "cooling_cop",
    "deadband", "rest_s", "heating_setpoint", "cooling_setpoint", "aux_capacity", "aux_deadband", "latent",
)  # fmt: skip


def celsius(fahrenheit: Any) -> Any:
    return (fahrenheit - 32.0) / 1.8


def week(name: str) -> tuple[dict[str, Floats], dict[str, float]]:
    """What was recorded of a case, with the weather of its season, and the house's parameters."""
    season = name.split("_")[0]
    with np.load(WEEKS) as file:
        found = {key.split("/")[1]: file[key] for key in file if key.split("/")[0] in (name, season)}
    return found, dict(zip(PARAMETERS, found.pop("parameters").tolist(), strict=True))


def house(one: dict[str, float]) -> Shape:
    """The recorded house in our units."""
    return Shape(one["loss"] * W_PER_K, one["exchange"] * W_PER_K, one["air"] * J_PER_K, one["mass"] * J_PER_K)


def equipment_of(name: str, one: dict[str, float], outside_f: float, fan_w: float) -> tuple[Equipment, Floats]:
    """What the case's house has at an outdoor temperature, and what that draws in its states, (4,) in W."""
    none, heating_w = float("nan"), one["heating_capacity"] * W_PER_BTU_H
    if name == "winter_resistance":
        return Equipment(heating_w, none, none), np.array([0.0, heating_w, 0.0, 0.0])
    if name == "winter_heat_pump":
        rated, aux_w = equipment.heat_pump(celsius(outside_f), one["heating_cop"]), one["aux_capacity"] * W_PER_BTU_H
        draws_w = [0.0, heating_w * rated.draw + fan_w, aux_w + fan_w, 0.0]
        return Equipment(heating_w * rated.heat + fan_w, aux_w + fan_w, none), np.array(draws_w)
    if name == "summer_cooling":
        rated = equipment.air_conditioner(celsius(outside_f), one["cooling_cop"], _HUMIDITY, one["latent"])
        cooling_w = one["cooling_capacity"] * W_PER_BTU_H
        return Equipment(none, none, cooling_w * rated.heat), np.array([0.0, 0.0, 0.0, cooling_w * rated.draw])
    return Equipment(none, none, none), np.zeros(4)


def ours(name: str) -> tuple[Floats, Floats]:
    """Air and mass at the begin of every minute in C, and seconds of heat, auxiliary heat and cooling and energy in kWh of each, (minutes, 2) and (minutes, 4)."""
    recorded, one = week(name)
    outside_f, sun_w = recorded["outdoor_f"], recorded["solar"].astype(np.float64) * W_PER_BTU_H
    fan_w = float(recorded["fan_kw"]) * 1000.0
    by_hour = [equipment_of(name, one, float(each), fan_w) for each in outside_f]
    set_c = (
        celsius(one["heating_setpoint"]),
        _NOT_SET_C if name.startswith("winter") else celsius(one["cooling_setpoint"]),
    )
    thermostat = Thermostat(one["deadband"] / 1.8, one["aux_deadband"] / 1.8, int(one["rest_s"]))
    has = np.array([tuple(each) for each, _ in by_hour])
    draws_w = np.array([each for _, each in by_hour])
    begins_c = celsius(float(recorded["begins_f"]))
    gains_w = 0.5 * (sun_w + _GAINS_W)
    states_c, works = _followed(
        begins_c, celsius(outside_f), gains_w, set_c, thermostat, has, draws_w, course(house(one), 60)
    )
    return states_c, works


@kernel
def _followed(begins_c, outside_c, gains_w, set_c, thermostat, has, draws_w, course_of_minute):  # type: ignore[no-untyped-def]
    minutes = gains_w.shape[0]
    states_c, works = np.empty((minutes, 2)), np.empty((minutes, 4))
    air, mass, mode, rests_s = begins_c, begins_c, OFF, 0
    for k in range(minutes):
        hour = k // 60
        states_c[k] = air, mass
        passed = through(
            air, mass, mode, rests_s, 60, outside_c[hour], gains_w[k], gains_w[k], set_c[0], set_c[1], thermostat,
            Equipment(has[hour, 0], has[hour, 1], has[hour, 2]), course_of_minute,
        )  # fmt: skip
        air, mass, mode, rests_s = passed.air_c, passed.mass_c, passed.mode, passed.rests_s - 60
        drawn_j = passed.heat_s * draws_w[hour, 1] + passed.aux_s * draws_w[hour, 2] + passed.cool_s * draws_w[hour, 3]
        works[k, 0], works[k, 1], works[k, 2] = passed.heat_s, passed.aux_s, passed.cool_s
        works[k, 3] = drawn_j / 3.6e6
    return states_c, works


def floating(name: str) -> Callable[[bool], Iterator[Finding]]:
    def compare(live: bool) -> Iterator[Finding]:
        recorded, _ = week(name)
        states_c, _ = ours(name)
        for k, quantity in enumerate(("air", "mass")):
            apart_k = states_c[::10, k] - celsius(recorded[f"{quantity}_temperature"].astype(np.float64))
            yield Finding(f"{quantity}, root mean square over every tenth minute", 0.0, _rms(apart_k), 0.05, unit="K")

    return compare


def switched(name: str, state: str) -> Callable[[bool], Iterator[Finding]]:
    def compare(live: bool) -> Iterator[Finding]:
        recorded, _ = week(name)
        states_c, works = ours(name)
        apart_k = states_c[:, 0].reshape(-1, 60).mean(axis=1) - celsius(recorded["air_temperature"].astype(np.float64))
        yield Finding("air, root mean square over the hours", 0.0, _rms(apart_k), 0.1, unit="K")
        shares = works[:, :3].mean(axis=0) / 60.0
        for column, word in enumerate(("HEAT", "AUX", "COOL")):
            expected = float(recorded[f"is_{word}_on"].mean(dtype=np.float64))
            if expected > 0.0:
                yield Finding(f"duty, {word.lower()}", expected, float(shares[column]), 0.01, relative=True)
        theirs_kwh = float(recorded["hvac_load"].sum(dtype=np.float64))
        yield Finding(f"energy, {state}", theirs_kwh, float(works[:, 3].sum()), 0.01, relative=True, unit="kWh")

    return compare


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _case(name: str, compare: Callable[[bool], Iterator[Finding]]) -> Case:
    source = "GridLAB-D 6.0.0, object house (recorded); the sun through the windows is its figure"
    return case(f"gridlabd-{name.replace('_', '-')}", plane="grid", kind="exact", source=source)(compare)


HOUSES = (
    _case("winter_free", floating("winter_free")),
    _case("summer_free", floating("summer_free")),
    _case("winter_resistance", switched("winter_resistance", "resistance heating")),
    _case("winter_heat_pump", switched("winter_heat_pump", "heat pump and auxiliary heat")),
    _case("summer_cooling", switched("summer_cooling", "cooling")),
)

"""What inverters do by themselves: the function that a scenario gives them, as their installer set it.

Sources: IEEE 1547-2018, clause 5.3 (power factor, constant vars, volt-var, watt-var: table 8 and 9) and 5.4 (volt-watt: table 10) and 6.5.2.7 (frequency-droop:
table 24); VDE-AR-N 4105:2018-11, 5.7.2.4 (power factor by active power).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.inverters import NO_CURVE, Function, Mode
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.power.controls.ieee1547 import FREQUENCY_DROOP, VOLT_VAR, VOLT_WATT, WATT_VAR, Category

Floats = npt.NDArray[np.float64]

_MODES = {
    "unity": Mode.UNITY,
    "power_factor": Mode.POWER_FACTOR,
    "var": Mode.VAR,
    "volt_var": Mode.VOLT_VAR,
    "watt_var": Mode.WATT_VAR,
    "cos_phi_p": Mode.WATT_VAR,
}
_COS_PHI_FROM, _COS_PHI = 0.5, 0.9
"""VDE-AR-N 4105, figure of 5.7.2.4: power factor 1 up to half of the power, from there on falling to 0.90 at all of it, where an inverter gives more than 4.6 kVA."""
_COS_PHI_POINTS = 51


@dataclass(frozen=True)
class Parameters:
    """What inverters of photovoltaics and batteries do with reactive power by themselves, and how much they can."""

    mode: str = parameter(
        "unity",
        info="function: no reactive power, a power factor, constant vars, the category's default volt-var or watt-var curve, or cos phi(P) of VDE-AR-N 4105",
        choices=tuple(_MODES),
        source="IEEE 1547-2018, 5.3.1: constant power factor of 1 as shipped",
    )
    power_factor: float = parameter(
        0.95,
        info="of the mode power_factor, absorbing vars",
        low=0.5,
        high=1.0,
        source="assumption: VDE-AR-N 4105 asks up to 4.6 kVA for 0.95",
    )
    var: float = parameter(
        -0.3,
        info="of the mode var, positive injects",
        unit="of rated kVA",
        low=-1.0,
        high=1.0,
        source="an example; the capability of the category limits it",
    )
    volt_watt: bool = parameter(
        False,
        info="whether high voltages limit active power as well",
        source="IEEE 1547-2018, table 10: off as shipped",
    )
    frequency_droop: bool = parameter(
        False,
        info="whether active power answers the frequency by the default droop, where that is followed",
        source="IEEE 1547-2018, table 24; it asks for droop of all that is new, what stands in the scenarios is older",
    )
    category: str = parameter(
        "B",
        info="normal operating performance category: capability and default curves",
        choices=tuple(one.value for one in Category),
        source="IEEE 1547-2018, 1.4: B where output varies or DER are many",
    )
    watt_priority: bool = parameter(
        False,
        info="whether an inverter at its rating gives up vars before watts",
        source="IEEE 1547-2018, 5.2: reactive power goes before",
    )
    kva_per_kw: float = parameter(
        1.11,
        info="rated apparent power of an inverter, of its rated active power",
        low=1.0,
        high=2.0,
        source="VDE-AR-N 4105, 5.7.2.3: power factor 0.90 at full power",
    )
    local_units: bool = parameter(True, info="whether local units follow the function", source="assumption: all do")
    batteries: bool = parameter(True, info="whether home batteries follow the function", source="assumption: all do")

    @property
    def category_1547(self) -> Category:
        return Category(self.category)


class Curve(NamedTuple):
    """Points of a function."""

    x: Floats
    y: Floats


def cos_phi_p(kva_per_kw: float) -> Curve:
    """VDE-AR-N 4105's power factor by active power as points; vars of the rated kVA, power of the rated kW; between the points it is at most 0.0011 off."""
    # Vars begin as a root of the power does: points lie closer there.
    p = np.concatenate([[0.0], _COS_PHI_FROM + (1.0 - _COS_PHI_FROM) * np.linspace(0.0, 1.0, _COS_PHI_POINTS) ** 2])
    factor = 1.0 - (1.0 - _COS_PHI) * np.maximum(p - _COS_PHI_FROM, 0.0) / (1.0 - _COS_PHI_FROM)
    return Curve(p, -p * np.sqrt(1.0 / factor**2 - 1.0) / kva_per_kw)


def standing(parameters: Parameters) -> tuple[Function, ...]:
    """No vars, no limit, no answer to the frequency, no power factor while drawing; then what the scenario has of each."""
    one, mode, category = parameters, _MODES[parameters.mode], parameters.category_1547
    var, watt = VOLT_VAR[category], VOLT_WATT[category]
    curve, response_s, value = Curve(NO_CURVE, NO_CURVE), 0.0, 0.0
    if mode is Mode.POWER_FACTOR:
        value = -one.power_factor
    elif mode is Mode.VAR:
        value = one.var
    elif mode is Mode.VOLT_VAR:
        points = ((var.v1_pu, var.q1_pu), (var.v2_pu, var.q2_pu), (var.v3_pu, var.q3_pu), (var.v4_pu, var.q4_pu))
        curve, response_s = Curve(*np.array(points).T), var.response_s
    elif mode is Mode.WATT_VAR:
        curve = cos_phi_p(one.kva_per_kw) if one.mode == "cos_phi_p" else Curve(*map(np.array, WATT_VAR[category]))
    limit, limit_s = Curve(NO_CURVE, NO_CURVE), 0.0
    if one.volt_watt:
        limit, limit_s = Curve(*np.array(((watt.v1_pu, 1.0), (watt.v2_pu, watt.p2_pu))).T), watt.response_s
    droop, droop_s = Curve(NO_CURVE, NO_CURVE), 0.0
    if one.frequency_droop:
        droop, droop_s = Curve(*map(np.array, FREQUENCY_DROOP.points)), FREQUENCY_DROOP.response_s
    nothing = Curve(NO_CURVE, NO_CURVE)
    return (
        _function(Mode.UNITY, nothing, 0.0, 0.0, one),
        _function(Mode.VOLT_WATT, nothing, 0.0, 0.0, one),
        _function(Mode.FREQUENCY_DROOP, nothing, 0.0, 0.0, one),
        _function(Mode.POWER_FACTOR_DRAWING, nothing, 0.0, 0.0, one),
        _function(mode, curve, response_s, value, one),
        _function(Mode.VOLT_WATT, limit, limit_s, 0.0, one),
        _function(Mode.FREQUENCY_DROOP, droop, droop_s, -1.0, one),
        _function(Mode.POWER_FACTOR_DRAWING, nothing, 0.0, 0.0, one),
    )


def _function(mode: Mode, curve: Curve, response_s: float, value: float, parameters: Parameters) -> Function:
    none = np.empty(0, dtype=np.int64)
    first, values = np.zeros(1, dtype=np.int64), np.array([value])
    return Function(int(mode), first, values, *curve, response_s, int(parameters.watt_priority), 0, none)

"""What IEEE 1547-2018 asks of inverters: curves of voltage against reactive and active power, categories A and B, and frequency-droop.

The figures of tables 7 to 10 and 24 (clauses 5.2, 5.3, 5.4.2 and 6.5.2.7). The standard itself is not public; defaults and ranges were compared with EPRI's
OpenDER 2.2 (BSD licence), which implements it, and the defaults with characteristic 1 of IEEE 1547.1-2020, tables 25 and 31.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import UsageError
from heptagrid.foundation.parameters import parameter
from heptagrid.world.circuit.controls import Inverters

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TABLE_8 = "IEEE 1547-2018, table 8 (category B); EPRI OpenDER"
TABLE_10 = "IEEE 1547-2018, table 10; EPRI OpenDER"
CURVE_STEP_PU = 0.02  # least between V1 and V2, and between V3 and V4
CURVE_REACH_PU = 0.18  # most of V1 below and of V4 above the reference
WATT_STEP_PU = 0.01  # least between the two voltages of volt-watt
ROUNDING = 1e-9


class Category(Enum):
    """Normal operating performance: A where DER are few, B where they are many or their power varies."""

    A = "A"
    B = "B"


@dataclass(frozen=True)
class Capability:
    """Reactive power that an inverter must have, as shares of its apparent power."""

    inject: float
    absorb: float


CAPABILITY = {Category.A: Capability(0.44, 0.25), Category.B: Capability(0.44, 0.44)}  # table 7


@dataclass(frozen=True)
class FrequencyDroop:
    """Active power against frequency, with the defaults of table 24, the same for categories I to III: a dead band in Hz from nominal on both sides, and parts of the frequency for one part of the rated power."""

    band_below_hz: float = 0.036
    band_above_hz: float = 0.036
    droop_below: float = 0.05
    droop_above: float = 0.05
    response_s: float = 5.0

    @property
    def points(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The ends of the dead band, and the droops there."""
        return (-self.band_below_hz, self.band_above_hz), (self.droop_below, self.droop_above)


FREQUENCY_DROOP = FrequencyDroop()
BAND_HZ, DROOP, DROOP_RESPONSE_S = (0.017, 1.0), (0.02, 0.05), (0.2, 10.0)
"""What table 24 allows; categories I and II begin at a droop of 0.03 and a response of 1 s."""


@dataclass(frozen=True)
class VoltVar:
    """Reactive power against voltage: four points, in pu of the nominal voltage and of the rated apparent power."""

    v_ref_pu: float = parameter(
        1.0, info="reference voltage", unit="pu", low=0.95, high=1.05, source="IEEE 1547-2018, table 8"
    )
    v1_pu: float = parameter(0.92, info="voltage of Q1", unit="pu", low=0.77, high=1.03, source=TABLE_8)
    v2_pu: float = parameter(0.98, info="voltage of Q2", unit="pu", low=0.92, high=1.05, source=TABLE_8)
    v3_pu: float = parameter(1.02, info="voltage of Q3", unit="pu", low=0.95, high=1.08, source=TABLE_8)
    v4_pu: float = parameter(1.08, info="voltage of Q4", unit="pu", low=0.97, high=1.23, source=TABLE_8)
    q1_pu: float = parameter(
        0.44, info="injected at V1 and below", unit="of rated kVA", low=0.0, high=1.0, source=TABLE_8
    )
    q2_pu: float = parameter(0.0, info="injected at V2", unit="of rated kVA", low=-1.0, high=1.0, source=TABLE_8)
    q3_pu: float = parameter(0.0, info="injected at V3", unit="of rated kVA", low=-1.0, high=1.0, source=TABLE_8)
    q4_pu: float = parameter(
        -0.44, info="injected at V4 and above", unit="of rated kVA", low=-1.0, high=0.0, source=TABLE_8
    )
    response_s: float = parameter(
        5.0, info="open-loop response time, to 90 % of a step", unit="s", low=1.0, high=90.0, source=TABLE_8
    )


@dataclass(frozen=True)
class VoltWatt:
    """Most active power against voltage: two points, in pu of the nominal voltage and of the rated active power.

    The standard's P2 is the lesser of 0.2 and the least power at which the unit runs, which is 0 for photovoltaics.
    """

    v1_pu: float = parameter(
        1.06, info="voltage from which power is cut", unit="pu", low=1.05, high=1.09, source=TABLE_10
    )
    v2_pu: float = parameter(1.10, info="voltage of P2", unit="pu", low=1.06, high=1.10, source=TABLE_10)
    p2_pu: float = parameter(
        0.0, info="power left at V2 and above", unit="of rated kW", low=0.0, high=1.0, source=TABLE_10
    )
    response_s: float = parameter(
        10.0, info="open-loop response time, to 90 % of a step", unit="s", low=0.5, high=60.0, source=TABLE_10
    )


VOLT_VAR = {
    Category.A: VoltVar(
        v1_pu=0.9, v2_pu=1.0, v3_pu=1.0, v4_pu=1.1, q1_pu=0.25, q4_pu=-0.25, response_s=10.0
    ),  # table 8, defaults
    Category.B: VoltVar(),
}
VOLT_WATT = {Category.A: VoltWatt(), Category.B: VoltWatt()}  # table 10 knows no difference
WATT_VAR = {
    Category.A: ((0.0, 0.5, 1.0), (0.0, 0.0, -0.25)),
    Category.B: ((0.0, 0.5, 1.0), (0.0, 0.0, -0.44)),
}
"""Table 9, defaults while power is given: of rated active power, and what is injected, of rated apparent power; nothing up to half of the power."""


def volt_var_problems(settings: VoltVar, category: Category) -> list[str]:
    """How settings leave the ranges that the standard allows; empty if they do not."""
    s, most = settings, CAPABILITY[category]
    lowest = s.v_ref_pu - (0.03 if category is Category.B else 0.0)
    highest = s.v_ref_pu + (0.03 if category is Category.B else 0.0)
    ranges = [
        ("V_ref", s.v_ref_pu, 0.95, 1.05),
        ("V1", s.v1_pu, s.v_ref_pu - CURVE_REACH_PU, s.v2_pu - CURVE_STEP_PU),
        ("V2", s.v2_pu, lowest, s.v_ref_pu),
        ("V3", s.v3_pu, s.v_ref_pu, highest),
        ("V4", s.v4_pu, s.v3_pu + CURVE_STEP_PU, s.v_ref_pu + CURVE_REACH_PU),
        ("Q1", s.q1_pu, 0.0, most.inject),
        ("Q2", s.q2_pu, -most.absorb, most.inject),
        ("Q3", s.q3_pu, -most.absorb, most.inject),
        ("Q4", s.q4_pu, -most.absorb, 0.0),
        ("response time", s.response_s, 1.0, 90.0),
    ]
    problems = _outside(ranges)
    if not s.q1_pu >= s.q2_pu >= s.q3_pu >= s.q4_pu:
        problems.append("Q1 to Q4 must not rise with the voltage")
    return problems


def volt_watt_problems(settings: VoltWatt) -> list[str]:
    """How settings leave the ranges that the standard allows; empty if they do not."""
    s = settings
    return _outside(
        [
            ("V1", s.v1_pu, 1.05, 1.09),
            ("V2", s.v2_pu, s.v1_pu + WATT_STEP_PU, 1.10),
            ("P2", s.p2_pu, 0.0, 1.0),
            ("response time", s.response_s, 0.5, 60.0),
        ]
    )


def _outside(ranges: list[tuple[str, float, float, float]]) -> list[str]:
    return [
        f"{name} is {value:g}, outside {low:g} to {high:g}"
        for name, value, low, high in ranges
        if not low - ROUNDING <= value <= high + ROUNDING
    ]


def inverters_1547(
    device: Ints,
    rated_kw: Floats,
    rated_kva: Floats,
    v_base_v: Floats,
    category: Category = Category.B,
    volt_var: VoltVar | None = None,
    volt_watt: VoltWatt | None = None,
    power_factor: float = 1.0,
) -> Inverters:
    """Inverters that all follow one set of settings, with reactive power before active (clause 5.2).

    device, rated_kw, rated_kva, v_base_v: (inverters,). volt_var, volt_watt: None for inverters without that function; without volt_var
    they keep `power_factor`. The panels offer the rated power until told otherwise; the capability is the category's least.

    Raises
    ------
    UsageError
        If settings leave the standard's ranges, or the power factor is not within -1 to 1, or 0.
    """
    problems = volt_var_problems(volt_var, category) if volt_var else []
    problems += volt_watt_problems(volt_watt) if volt_watt else []
    if power_factor == 0.0 or not -1.0 <= power_factor <= 1.0:
        problems.append(f"the power factor is {power_factor:g}, not within -1 to 1 or 0")
    if problems:
        raise UsageError(f"settings of inverters of category {category.value}: " + "; ".join(problems))
    count = len(device)
    var_v = [volt_var.v1_pu, volt_var.v2_pu, volt_var.v3_pu, volt_var.v4_pu] if volt_var else []
    var_q = [volt_var.q1_pu, volt_var.q2_pu, volt_var.q3_pu, volt_var.q4_pu] if volt_var else []
    watt_v = [volt_watt.v1_pu, volt_watt.v2_pu] if volt_watt else []
    watt_p = [1.0, volt_watt.p2_pu] if volt_watt else []
    capability = CAPABILITY[category]
    return Inverters(
        device=device,
        available_kw=rated_kw.copy(),
        rated_kw=rated_kw,
        rated_kva=rated_kva,
        most_inject_kvar=capability.inject * rated_kva,
        most_absorb_kvar=capability.absorb * rated_kva,
        q_base_kvar=rated_kva,
        power_factor=np.full(count, power_factor),
        has_watt_priority=np.zeros(count, dtype=np.bool_),
        v_base_v=v_base_v,
        volt_var_at=np.arange(count + 1) * len(var_v),
        volt_var_v_pu=np.tile(np.array(var_v), count),
        volt_var_q_pu=np.tile(np.array(var_q), count),
        volt_watt_at=np.arange(count + 1) * len(watt_v),
        volt_watt_v_pu=np.tile(np.array(watt_v), count),
        volt_watt_p_pu=np.tile(np.array(watt_p), count),
        volt_var_response_s=np.full(count, volt_var.response_s if volt_var else 0.0),
        volt_watt_response_s=np.full(count, volt_watt.response_s if volt_watt else 0.0),
    )

"""What inverters have in common, of photovoltaics and of batteries: models 101 and 103, 120 to 122, 126, 131, 132, 134, 701, 702, 704 to 706, 711, 712, 714."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from heptagrid.domains.customers import standing_function
from heptagrid.live.protocols.modbus import curves as curve_models
from heptagrid.live.protocols.modbus import droop, older_curves
from heptagrid.live.protocols.modbus.fleet import (
    Bools,
    Electric,
    Floats,
    Ints,
    Kind,
    Rows,
    scale_of_current,
    scale_of_power,
    scale_of_voltage,
    seconds_since_2000,
)
from heptagrid.live.protocols.modbus.functions import GIVING
from heptagrid.live.protocols.modbus.image import Values
from heptagrid.live.protocols.modbus.rating import Rating
from heptagrid.live.state import State
from heptagrid.planes.power.controls.ieee1547 import CAPABILITY, Capability

OFF, SLEEPING, WORKING, STANDBY = 1, 2, 4, 8
"""States of model 103; WORKING is its MPPT."""
_GRID_DISCONNECT = 1 << 4
_STATE_OF_701 = {OFF: 0, SLEEPING: 1, WORKING: 3, STANDBY: 7}
_CONNECTED, _AVAILABLE, _OPERATING = 1, 2, 4
_MAX_W, _FIXED_W = 1, 2


def ac_scales(rows: Rows) -> Mapping[str, Ints | int]:
    """Of models 103, 120, 121, 701 and 702."""
    power, current, voltage = scale_of_power(rows.rated_w), scale_of_current(rows), scale_of_voltage(rows)
    return {
        **{f"103.{name}_SF": power for name in ("W", "VA", "VAr", "DCW")},
        "103.A_SF": current,
        "103.V_SF": voltage,
        "103.Hz_SF": -2,
        "103.PF_SF": -2,
        "103.WH_SF": 0,
        "103.Tmp_SF": 0,
        **{f"120.{name}_SF": power for name in ("WRtg", "VARtg", "VArRtg")},
        "120.ARtg_SF": current,
        "120.PFRtg_SF": -2,
        "121.WMax_SF": power,
        "121.VRef_SF": voltage,
        "121.VRefOfs_SF": voltage,
        "121.VAMax_SF": power,
        **{f"701.{name}_SF": power for name in ("W", "VA", "Var")},
        "701.A_SF": current,
        "701.V_SF": voltage,
        "701.Hz_SF": -3,
        "701.PF_SF": -3,
        "701.TotWh_SF": 0,
        **{f"702.{name}_SF": power for name in ("W", "VA", "Var")},
        "702.A_SF": current,
        "702.V_SF": voltage,
        "702.PF_SF": -3,
    }


@dataclass(frozen=True)
class Generators(Kind):
    """Devices with inverters. reactive: what these can do. least_pct: the least that they give, of their rating; below 0 they draw."""

    least_pct: ClassVar[int] = 0
    reactive: standing_function.Parameters = field(default_factory=standing_function.Parameters)

    @property
    def capability(self) -> Capability:
        """The most vars, as shares of the apparent power."""
        return CAPABILITY[self.reactive.category_1547]

    def rating(self, row: int) -> Rating:
        rated_kw = float(self.rows.rated_w[row]) / 1000.0
        kva = rated_kw * self.reactive.kva_per_kw
        return Rating(rated_kw, kva, kva * self.capability.inject, kva * self.capability.absorb)

    def ac_scales(self, rows: Rows) -> Mapping[str, Ints | int]:
        """Scale factors of what inverters have in common."""
        curves = {name: power for model in curve_models.MODELS for name, power in model.scales.items()}
        of_704 = {"704.PF_SF": -3, "704.VarSet_SF": 0, "704.VarSetPct_SF": -2}
        return {**ac_scales(rows), **curves, **of_704, **droop.SCALES, **older_curves.SCALES}

    def ratings(self, rows: Rows) -> Values:
        """Ratings of what inverters have in common, and its controls before anybody writes."""
        curves = [model.blank(self.reactive.category_1547) for model in curve_models.MODELS]
        nominal_hz = self.grid.inventory.world.grid.frequency_hz
        curves += [model.blank(self.reactive.category_1547, nominal_hz) for model in older_curves.MODELS]
        found = ratings(rows, self.reactive.kva_per_kw * rows.rated_w, self.capability)
        for one in (factor_of_704(GIVING), vars_of_704(), droop.blank(self.least_pct), *curves):
            found = {**found, **one}
        return found


def ratings(rows: Rows, va: Floats, capability: Capability) -> Values:
    """Of models 103, 120, 121, 701 and 702; va: rated apparent power. Where vars are injected the power factor is below 0, as EEI counts."""
    rated, amperes = rows.rated_w, rows.rated_a * va / np.maximum(rows.rated_w, 1e-9)
    inject, absorb = capability.inject * va, capability.absorb * va
    reactive = {"120.VArRtgQ1": inject, "120.VArRtgQ2": inject, "120.VArRtgQ3": -absorb, "120.VArRtgQ4": -absorb}
    least = {sign: np.sqrt(1.0 - share**2) for sign, share in ((-1.0, capability.inject), (1.0, capability.absorb))}
    factors = {
        f"120.PFRtgQ{quadrant}": sign * least[-1.0 if quadrant < 3 else 1.0]
        for quadrant, sign in ((1, -1.0), (2, 1.0), (3, -1.0), (4, 1.0))
    }
    return {
        "103.ID": np.where(rows.is_single_phase, 101, 103),
        "103.Evt2": 0,
        "120.WRtg": rated,
        "120.VARtg": va,
        **reactive,
        "120.ARtg": amperes,
        **factors,
        "121.WMax": rated,
        "121.VRef": rows.phase_v,
        "121.VRefOfs": 0,
        "121.VAMax": va,
        "701.ACType": np.where(rows.is_single_phase, 0, 2),
        "701.DERMode": 1,  # follows the grid
        "702.WMaxRtg": rated,
        "702.VAMaxRtg": va,
        "702.VarMaxInjRtg": inject,
        "702.VarMaxAbsRtg": absorb,
        "702.VNomRtg": rows.nominal_v,
        "702.AMaxRtg": amperes,
        "702.WMax": rated,
        "702.VAMax": va,
        "702.VarMaxInj": inject,
        "702.VarMaxAbs": absorb,
        "702.VNom": rows.nominal_v,
        "702.AMax": amperes,
    }


def ac_values(at: Electric, status: Ints, given_kwh: Floats, drawn_kwh: Floats) -> Values:
    """Measurements of models 103 and 701. status: of model 103; given_kwh, drawn_kwh: since the start."""
    alarms = np.where(at.is_supplied, 0, _GRID_DISCONNECT)
    voltages = {f"103.PhVph{phase}": at.phase_v if phase == "A" else at.other(at.phase_v) for phase in "ABC"}
    currents = {f"103.Aph{phase}": at.phase_a if phase == "A" else at.other(at.phase_a) for phase in "ABC"}
    between = {f"103.PPVph{pair}": at.other(at.line_v) for pair in ("AB", "BC", "CA")}
    by_phase: dict[str, Floats] = {}
    for phase, pair in ((1, "L1L2"), (2, "L2L3"), (3, "L3L1")):
        of = at.third if phase == 1 else _other_third(at)
        by_phase |= {f"701.WL{phase}": of(at.w), f"701.VAL{phase}": of(at.va), f"701.VarL{phase}": of(at.var)}
        here = phase == 1
        by_phase |= {
            f"701.AL{phase}": at.phase_a if here else at.other(at.phase_a),
            f"701.VL{phase}": at.phase_v if here else at.other(at.phase_v),
            f"701.V{pair}": at.other(at.line_v),
            f"701.PFL{phase}": at.power_factor if here else at.other(at.power_factor),
        }
    states = np.zeros(len(status), dtype=np.int64)
    for one, its in _STATE_OF_701.items():
        states[status == one] = its
    return {
        "103.A": at.total_a,
        **currents,
        **between,
        **voltages,
        "103.W": at.w,
        "103.Hz": at.hz,
        "103.VA": at.va,
        "103.VAr": at.var,
        "103.PF": 100.0 * at.power_factor,
        "103.WH": 1000.0 * given_kwh,
        "103.St": status,
        "103.Evt1": alarms,
        "701.St": at.is_supplied.astype(np.int64),
        "701.InvSt": states,
        "701.ConnSt": at.is_supplied.astype(np.int64),
        "701.Alrm": alarms,
        "701.W": at.w,
        "701.VA": at.va,
        "701.Var": at.var,
        "701.PF": at.power_factor,
        "701.A": at.total_a,
        "701.LLV": at.other(at.line_v),
        "701.LNV": at.phase_v,
        "701.Hz": at.hz,
        "701.TotWhInj": 1000.0 * given_kwh,
        "701.TotWhAbs": 1000.0 * drawn_kwh,
        **by_phase,
    }


def status_values(at: Electric, status: Ints, given_kwh: Floats, state: State, *, is_storage: bool) -> Values:
    """Model 122."""
    works = np.where(status == WORKING, _CONNECTED + _AVAILABLE + _OPERATING, _CONNECTED + _AVAILABLE)
    connected = np.where(at.is_supplied, works, 0)
    return {
        "122.PVConn": 0 if is_storage else connected,
        "122.StorConn": connected if is_storage else 0,
        "122.ECPConn": at.is_supplied.astype(np.int64),
        "122.ActWh": 1000.0 * given_kwh,
        "122.TmSrc": ["grid"] * len(status),
        "122.Tms": seconds_since_2000(state),
    }


def direct_scales(rows: Rows) -> Mapping[str, Ints | int]:
    """Of model 714."""
    return {"714.DCW_SF": scale_of_power(rows.rated_w), "714.DCWH_SF": 0}


def direct_values(w: Floats, given_kwh: Floats, drawn_kwh: Floats, is_supplied: Bools) -> Values:
    """Model 714 with one port; w: given to the inverter."""
    injected, absorbed = 1000.0 * given_kwh, 1000.0 * drawn_kwh
    return {
        "714.DCW": w,
        "714.DCWhInj": injected,
        "714.DCWhAbs": absorbed,
        "714.Prt[0].DCW": w,
        "714.Prt[0].DCWhInj": injected,
        "714.Prt[0].DCWhAbs": absorbed,
        "714.Prt[0].DCSta": is_supplied.astype(np.int64),
    }


def limit_of_704() -> Values:
    """Model 704's limit as it stands before anybody writes: whole, off, without an end."""
    return {
        "704.WMaxLimPctEna": 0,
        "704.WMaxLimPct": 100.0,
        "704.WMaxLimPctRvrt": 100.0,
        "704.WMaxLimPctEnaRvrt": 0,
        "704.WMaxLimPctRvrtTms": 0,
        "704.WMaxLimPctRvrtRem": 0,
    }


def setpoint_of_704() -> Values:
    """Model 704's set-point as it stands before anybody writes."""
    return {
        "704.WSetEna": 0,
        "704.WSetMod": 1,
        "704.WSet": 0,
        "704.WSetRvrt": 0,
        "704.WSetPct": 0,
        "704.WSetPctRvrt": 0,
        "704.WSetEnaRvrt": 0,
        "704.WSetRvrtTms": 0,
        "704.WSetRvrtRem": 0,
    }


def factor_of_704(name: str) -> Values:
    """Model 704's power factor in one direction, as it stands before anybody writes."""
    points = {"Ena": 0, "EnaRvrt": 0, "RvrtTms": 0, "RvrtRem": 0, ".PF": 1.0, ".Ext": 1, "Rvrt.PF": 1.0, "Rvrt.Ext": 1}
    return {f"704.{name}{point}": value for point, value in points.items()}


def vars_of_704() -> Values:
    """Model 704's vars as they stand before anybody writes."""
    sets = {"VarSetEna": 0, "VarSetMod": 3, "VarSetPri": 1, "VarSet": 0, "VarSetRvrt": 0, "VarSetPct": 0}
    sets |= {"VarSetPctRvrt": 0, "VarSetEnaRvrt": 0, "VarSetRvrtTms": 0, "VarSetRvrtRem": 0}
    return {f"704.{name}": value for name, value in sets.items()}


VAR_MODES = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 9 | 1 << 10  # fixed vars, fixed power factor, volt-var, watt-var, volt-watt
LIMIT_MODES, SETPOINT_MODES = _MAX_W, _FIXED_W


def _other_third(at: Electric):  # type: ignore[no-untyped-def]
    return lambda total: at.other(total / 3.0)

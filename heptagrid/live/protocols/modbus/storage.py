"""Batteries with their inverters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import DeviceClass
from heptagrid.live.protocols.modbus import curves, droop, levers, older_curves
from heptagrid.live.protocols.modbus import functions as vars_levers
from heptagrid.live.protocols.modbus.fleet import (
    SINGLE_PHASE_KVA,
    Ints,
    Rows,
    at_voltage,
    electric,
    nominal_at_points,
    scale_of_power,
)
from heptagrid.live.protocols.modbus.generators import (
    OFF,
    SETPOINT_MODES,
    STANDBY,
    VAR_MODES,
    WORKING,
    Generators,
    ac_values,
    direct_scales,
    direct_values,
    factor_of_704,
    setpoint_of_704,
    status_values,
)
from heptagrid.live.protocols.modbus.image import Values, power_of_ten
from heptagrid.live.state import State

_PV_AND_STORAGE = 82
_EMPTY, _DISCHARGING, _CHARGING, _FULL, _HOLDING = 2, 3, 4, 5, 6
_LITHIUM_ION, _CONNECTED, _STARTED = 4, 3, 3
_MOST_UINT16 = 65_534.0
_IDLE_W = 1.0
"""Below this a battery holds what it has: assumption, the resolution of its registers."""


@dataclass(frozen=True)
class Storage(Generators):
    """Batteries; capacity_kwh: usable, of each."""

    capacity_kwh: float = 1.0

    product = "battery inverter"
    models = (1, 103, 120, 121, 122, 124, 126, 131, 132, 134, 701, 702, 704, 705, 706, 711, 712, 713, 714, 802)
    counts = {"Prt": 1, **curves.COUNTS, **droop.COUNTS, **older_curves.COUNTS}  # noqa: RUF012
    levers = (*levers.OF_BATTERIES, *vars_levers.FUNCTIONS, vars_levers.FACTOR_WHILE_DRAWING)
    is_least = False
    least_pct = -100

    def scales(self, rows: Rows) -> Mapping[str, Ints | int]:
        power, energy = scale_of_power(rows.rated_w), power_of_ten(self.capacity_kwh * 1000.0, _MOST_UINT16, 0)
        return {
            **self.ac_scales(rows),
            "120.WHRtg_SF": energy,
            "120.MaxChaRte_SF": power,
            "120.MaxDisChaRte_SF": power,
            "124.WChaMax_SF": power,
            "124.WChaDisChaGra_SF": 0,
            "124.ChaState_SF": -2,
            "124.InOutWRte_SF": -2,
            "704.WSet_SF": 0,
            "704.WSetPct_SF": -2,
            "713.WH_SF": energy,
            "713.Pct_SF": -2,
            **direct_scales(rows),
            "802.WHRtg_SF": energy,
            "802.WChaDisChaMax_SF": power,
            "802.SoC_SF": -2,
            "802.DoD_SF": -2,
            "802.W_SF": power,
        }

    def nameplate(self, rows: Rows) -> Values:
        whole_wh, rated = self.capacity_kwh * 1000.0, rows.rated_w
        return {
            **self.ratings(rows),
            "120.DERTyp": _PV_AND_STORAGE,
            "120.WHRtg": whole_wh,
            "120.MaxChaRte": rated,
            "120.MaxDisChaRte": rated,
            "124.WChaMax": rated,
            "124.WChaGra": 100,
            "124.WDisChaGra": 100,
            "124.StorCtl_Mod": 0,
            "124.OutWRte": 100.0,
            "124.InWRte": 100.0,
            "124.InOutWRte_RvrtTms": 0,
            "124.ChaGriSet": 1,
            "702.WChaRteMaxRtg": rated,
            "702.WDisChaRteMaxRtg": rated,
            "702.WChaRteMax": rated,
            "702.WDisChaRteMax": rated,
            "702.CtrlModes": SETPOINT_MODES | VAR_MODES | droop.FREQUENCY_MODE,
            **setpoint_of_704(),
            **factor_of_704(vars_levers.DRAWING),
            "713.WHRtg": whole_wh,
            "713.Sta": 0,
            "714.NPrt": 1,
            "714.PrtAlrms": 0,
            "714.Prt[0].PrtTyp": 1,
            "714.Prt[0].ID": 1,
            "714.Prt[0].IDStr": ["battery"] * len(rows),
            **self._of_802(rows),
        }

    def _of_802(self, rows: Rows) -> Values:
        events = {f"802.{name}": 0 for name in ("Evt1", "Evt2", "EvtVnd1", "EvtVnd2")}
        return {
            "802.WHRtg": self.capacity_kwh * 1000.0,
            "802.WChaRteMax": rows.rated_w,
            "802.WDisChaRteMax": rows.rated_w,
            "802.SoCMax": 100.0,
            "802.SoCMin": 0.0,
            "802.LocRemCtl": 0,
            "802.AlmRst": 0,
            "802.Typ": _LITHIUM_ION,
            "802.State": _CONNECTED,
            "802.SetOp": 1,
            "802.SetInvState": _STARTED,
            **events,
        }

    def measured(self, rows: Rows, state: State) -> Values:
        mine = state.devices[self.of.name]
        given_w = -1000.0 * mine.power_kw[rows.slice]
        at = electric(rows, state, given_w, 1000.0 * mine.given_kvar[rows.slice])
        is_idle = np.abs(given_w) < _IDLE_W
        status = np.where(at.is_supplied, np.where(is_idle, STANDBY, WORKING), OFF)
        given = state.energy.given_kwh[self.of.name][rows.slice]
        drawn = state.energy.drawn_kwh[self.of.name][rows.slice]
        content = mine.content_kwh[rows.slice]
        held_pct = 100.0 * content / self.capacity_kwh
        charging = np.where(given_w < 0.0, _CHARGING, _DISCHARGING)
        resting = np.where(held_pct > 99.5, _FULL, np.where(held_pct < 0.5, _EMPTY, _HOLDING))
        charge_status = np.where(is_idle, resting, charging)
        return {
            **ac_values(at, status, given, drawn),
            **status_values(at, status, given, state, is_storage=True),
            "124.ChaState": held_pct,
            "124.ChaSt": charge_status,
            "713.WHAvail": 1000.0 * content,
            "713.SoC": held_pct,
            **direct_values(given_w, given, drawn, at.is_supplied),
            "802.SoC": held_pct,
            "802.DoD": 100.0 - held_pct,
            "802.ChaSt": charge_status,
            "802.W": given_w,
        }


def storage(grid: LiveGrid, of: DeviceClass, capacity_kwh: float) -> Storage:
    """All batteries of a grid."""
    rated_w = of.rated_kw * 1000.0
    rows = at_voltage(grid, of, nominal_at_points(grid, of), rated_w, SINGLE_PHASE_KVA * 1000.0)
    return Storage(of, rows, grid, grid.scenario.sections["inverters"], capacity_kwh)

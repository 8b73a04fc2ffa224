"""Local units, photovoltaics above all, as inverters."""

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
    seconds_since_2000,
)
from heptagrid.live.protocols.modbus.generators import (
    LIMIT_MODES,
    OFF,
    SETPOINT_MODES,
    SLEEPING,
    VAR_MODES,
    WORKING,
    Generators,
    ac_values,
    direct_scales,
    direct_values,
    limit_of_704,
    setpoint_of_704,
    status_values,
)
from heptagrid.live.protocols.modbus.image import Values
from heptagrid.live.state import State

_PV = 4


@dataclass(frozen=True)
class Inverters(Generators):
    """Local units; efficiency: of the inverter, from direct to alternating current."""

    efficiency: float = 1.0

    product = "PV inverter"
    models = (1, 103, 120, 121, 122, 123, 126, 131, 132, 134, 160, 701, 702, 703, 704, 705, 706, 711, 712, 714)
    counts = {"module": 1, "Prt": 1, **curves.COUNTS, **droop.COUNTS, **older_curves.COUNTS}  # noqa: RUF012
    levers = (*levers.OF_INVERTERS, *vars_levers.FUNCTIONS_OF_123, *vars_levers.FUNCTIONS)

    def scales(self, rows: Rows) -> Mapping[str, Ints | int]:
        return {
            **self.ac_scales(rows),
            "123.WMaxLimPct_SF": -2,
            "123.OutPFSet_SF": -2,
            "123.VArPct_SF": -2,
            "160.DCW_SF": scale_of_power(rows.rated_w),
            "160.DCWH_SF": 0,
            "704.WMaxLimPct_SF": -2,
            "704.WSet_SF": 0,
            "704.WSetPct_SF": -2,
            **direct_scales(rows),
        }

    def nameplate(self, rows: Rows) -> Values:
        return {
            **self.ratings(rows),
            "120.DERTyp": _PV,
            "702.CtrlModes": LIMIT_MODES | SETPOINT_MODES | VAR_MODES | droop.FREQUENCY_MODE,
            "123.Conn": 1,
            "123.Conn_RvrtTms": 0,
            "123.WMaxLimPct": 100.0,
            "123.WMaxLimPct_RvrtTms": 0,
            "123.WMaxLimPct_RmpTms": 0,
            "123.WMaxLim_Ena": 0,
            "123.OutPFSet": 1.0,
            "123.OutPFSet_RvrtTms": 0,
            "123.OutPFSet_RmpTms": 0,
            "123.OutPFSet_Ena": 0,
            "123.VArWMaxPct": 0.0,
            "123.VArMaxPct": 0.0,
            "123.VArPct_RvrtTms": 0,
            "123.VArPct_RmpTms": 0,
            "123.VArPct_Mod": 1,
            "123.VArPct_Ena": 0,
            "160.N": 1,
            "160.Evt": 0,
            "160.module[0].ID": 1,
            "160.module[0].IDStr": ["PV"] * len(rows),
            "703.ES": 1,
            **limit_of_704(),
            **setpoint_of_704(),
            "714.NPrt": 1,
            "714.PrtAlrms": 0,
            "714.Prt[0].PrtTyp": 0,
            "714.Prt[0].ID": 1,
            "714.Prt[0].IDStr": ["PV"] * len(rows),
        }

    def measured(self, rows: Rows, state: State) -> Values:
        given_w = np.where(state.point_is_supplied[rows.point], 1000.0 * state.unit_kw[rows.slice], 0.0)
        at = electric(rows, state, given_w, 1000.0 * state.unit_kvar[rows.slice])
        status = np.where(at.is_supplied, np.where(given_w > 0.0, WORKING, SLEEPING), OFF)
        given_kwh = state.energy.unit_kwh[rows.slice]
        direct_w, direct_kwh = given_w / self.efficiency, given_kwh / self.efficiency
        return {
            **ac_values(at, status, given_kwh, np.zeros(len(rows))),
            **status_values(at, status, given_kwh, state, is_storage=False),
            "103.DCW": direct_w,
            "160.module[0].DCW": direct_w,
            "160.module[0].DCWH": 1000.0 * direct_kwh,
            "160.module[0].Tms": seconds_since_2000(state),
            "160.module[0].DCSt": status,
            **direct_values(direct_w, direct_kwh, np.zeros(len(rows)), at.is_supplied),
        }


def inverters(grid: LiveGrid, of: DeviceClass, efficiency: float) -> Inverters:
    """All local units of a grid."""
    rated_w = of.rated_kw * 1000.0
    rows = at_voltage(grid, of, nominal_at_points(grid, of), rated_w, SINGLE_PHASE_KVA * 1000.0)
    return Inverters(of, rows, grid, grid.scenario.sections["inverters"], efficiency)

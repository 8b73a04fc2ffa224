"""What measures: meters at metering points, substations' low-voltage sides, and loads, whose highest power can be set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import DeviceClass
from heptagrid.live.protocols.modbus import levers
from heptagrid.live.protocols.modbus.fleet import (
    LOW_V,
    Electric,
    Floats,
    Ints,
    Kind,
    Rows,
    at_voltage,
    electric,
    nominal_at_points,
    scale_of_current,
    scale_of_power,
    scale_of_voltage,
)
from heptagrid.live.protocols.modbus.generators import LIMIT_MODES, limit_of_704
from heptagrid.live.protocols.modbus.image import Values
from heptagrid.live.state import State

_POWER_FAILURE = 1 << 2


def meter_scales(rows: Rows) -> Mapping[str, Ints | int]:
    """Of model 203."""
    power = scale_of_power(rows.rated_w)
    return {
        **{f"203.{name}_SF": power for name in ("W", "VA", "VAR")},
        "203.A_SF": scale_of_current(rows),
        "203.V_SF": scale_of_voltage(rows),
        "203.Hz_SF": -2,
        "203.PF_SF": -2,
        "203.TotWh_SF": 0,
    }


def meter_values(at: Electric, import_kwh: Floats, export_kwh: Floats) -> Values:
    """Of model 203; power is positive where it is drawn from the grid."""
    by_phase: dict[str, Floats] = {}
    for phase in "ABC":
        of = at.third if phase == "A" else lambda total: at.other(total / 3.0)
        same = (lambda value: value) if phase == "A" else at.other
        by_phase |= {
            f"203.Aph{phase}": same(at.phase_a),
            f"203.PhVph{phase}": same(at.phase_v),
            f"203.Wph{phase}": of(at.w),
            f"203.VAph{phase}": of(at.va),
            f"203.VARph{phase}": of(at.var),
            f"203.PFph{phase}": same(100.0 * at.power_factor),
        }
    between = at.other(at.line_v)
    return {
        "203.A": at.total_a,
        "203.PhV": at.phase_v,
        "203.PPV": between,
        **{f"203.PhVph{pair}": between for pair in ("AB", "BC", "CA")},
        "203.Hz": at.hz,
        "203.W": at.w,
        "203.VA": at.va,
        "203.VAR": at.var,
        "203.PF": 100.0 * at.power_factor,
        "203.TotWhImp": 1000.0 * import_kwh,
        "203.TotWhExp": 1000.0 * export_kwh,
        "203.Evt": np.where(at.is_supplied, 0, _POWER_FAILURE),
        **by_phase,
    }


@dataclass(frozen=True)
class Meters(Kind):
    """The meters of all metering points."""

    product = "meter"
    models = (1, 203)
    desk = "operations"

    def scales(self, rows: Rows) -> Mapping[str, Ints | int]:
        return meter_scales(rows)

    def nameplate(self, rows: Rows) -> Values:
        return {"203.ID": np.where(rows.is_single_phase, 201, 203)}

    def measured(self, rows: Rows, state: State) -> Values:
        at = electric(rows, state, 1000.0 * state.point_p_kw[rows.slice], 1000.0 * state.point_q_kvar[rows.slice])
        return meter_values(at, state.import_kwh[rows.slice], state.export_kwh[rows.slice])


@dataclass(frozen=True)
class Substations(Kind):
    """Meters at substations' low-voltage sides; the direction of reactive power is not known there."""

    product = "substation meter"
    models = (1, 203)
    desk = "operations"

    def scales(self, rows: Rows) -> Mapping[str, Ints | int]:
        return meter_scales(rows)

    def nameplate(self, rows: Rows) -> Values:
        return {"203.ID": 203}

    def measured(self, rows: Rows, state: State) -> Values:
        v_pu, w = state.substation_v_pu[rows.slice], 1000.0 * state.substation_kw[rows.slice]
        va = np.maximum(state.substation_pct[rows.slice] / 100.0 * self.of.rated_kw[rows.slice] * 1000.0, np.abs(w))
        at = Electric(
            w,
            np.full(len(rows), np.nan),
            va,
            v_pu * rows.phase_v,
            v_pu * rows.nominal_v,
            v_pu > 0.0,
            rows.is_single_phase,
            state.frequency_hz,
        )
        energy = state.energy
        return meter_values(at, energy.substation_import_kwh[rows.slice], energy.substation_export_kwh[rows.slice])


@dataclass(frozen=True)
class Loads(Kind):
    """Wallboxes and heat pumps, and other devices that draw power: a meter, and a limit of what it draws."""

    product: ClassVar[str] = "load with meter"
    models = (1, 203, 702, 704)
    levers = levers.OF_LOADS

    def scales(self, rows: Rows) -> Mapping[str, Ints | int]:
        power = scale_of_power(rows.rated_w)
        return {**meter_scales(rows), "702.W_SF": power, "702.V_SF": scale_of_voltage(rows), "704.WMaxLimPct_SF": -2}

    def nameplate(self, rows: Rows) -> Values:
        return {
            "203.ID": np.where(rows.is_single_phase, 201, 203),
            "702.WMaxRtg": rows.rated_w,
            "702.WMax": rows.rated_w,
            "702.WChaRteMaxRtg": rows.rated_w,
            "702.WChaRteMax": rows.rated_w,
            "702.WDisChaRteMaxRtg": 0,
            "702.WDisChaRteMax": 0,
            "702.VNomRtg": rows.nominal_v,
            "702.VNom": rows.nominal_v,
            "702.CtrlModes": LIMIT_MODES,
            **limit_of_704(),
        }

    def measured(self, rows: Rows, state: State) -> Values:
        name = self.of.name
        at = electric(rows, state, 1000.0 * state.devices[name].power_kw[rows.slice], np.zeros(len(rows)))
        energy = state.energy
        return meter_values(at, energy.drawn_kwh[name][rows.slice], energy.given_kwh[name][rows.slice])


def meters(grid: LiveGrid, of: DeviceClass) -> Meters:
    """All meters of a grid; each is made for what its customer's devices may draw or give together."""
    world = grid.inventory.world
    most_kw: Floats = np.zeros(world.points)
    np.add.at(most_kw, world.owned.unit_point, world.grid.units.p_kw)
    loads = world.grid.loads.p_kw
    most_kw[: len(loads)] = np.maximum(most_kw[: len(loads)], loads)
    for name, owner in world.owned.devices.items():
        np.add.at(most_kw, owner, grid.inventory.rated_kw[name])
    return Meters(of, at_voltage(grid, of, nominal_at_points(grid, of), 1000.0 * most_kw, 0.0), grid)


def substations(grid: LiveGrid, of: DeviceClass) -> Substations:
    """All substations of a grid."""
    world = grid.inventory.world
    nominal_v = world.network.v_base_kv[world.substations.node] * 1000.0
    rows = Rows(0, of.rated_kw * 1000.0, nominal_v, nominal_v < LOW_V, of.point)
    return Substations(of, rows, grid)


def loads(grid: LiveGrid, of: DeviceClass) -> Loads:
    """All devices of a class that draw power."""
    rows = at_voltage(grid, of, nominal_at_points(grid, of), of.rated_kw * 1000.0, 0.0)
    return Loads(of, rows, grid)

"""What stations have: their points and controls by class of device, and how each point's value follows from the state of the grid.

Addresses of information objects are the same at every station of a class: measured values from 1, indications from 101, step positions from 151, counters
from 301, controls from 1001.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.world import World
from heptagrid.domains.distribution import sensors
from heptagrid.live.inventory import PLANTS, PRIMARIES, SUBSTATIONS
from heptagrid.live.protocols.iec104.elements import Type, Value
from heptagrid.live.state import State

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Read = Callable[["View"], Floats]

MEASURED, INDICATED, STEPS = 1, 2, 3
"""Groups of an interrogation; counters have a first group of their own."""
_NEVER = float("inf")


@dataclass(frozen=True, eq=False)
class Point:
    """Something that a station tells. type: without a time tag. deadband: how far a value must move to be told unasked; relative: to the rating. read: (devices,) values."""

    address: int
    type: Type
    group: int
    name: str
    unit: str
    read: Read
    deadband: float = 0.0


@dataclass(frozen=True, eq=False)
class Control:
    """Something that a station can be told to do.

    type: of the command, without a time tag. action: of `heptagrid.live.protocols.iec104.orders`. low, high: of a set-point. shown_by: the point that a command
    moves.
    """

    address: int
    type: Type
    action: str
    name: str
    unit: str = ""
    low: float = -_NEVER
    high: float = _NEVER
    shown_by: int | None = None

    def accepts(self, kind: int) -> bool:
        """Whether commands of a type are for it; a double command may be given as a single one."""
        return kind == self.type or (self.type == Type.C_DC_NA_1 and kind == Type.C_SC_NA_1)

    def allows(self, kind: int, value: Value, qualifier: int) -> bool:
        """Whether a value and a qualifier of a command can be carried out."""
        if kind == Type.C_SE_NC_1:
            return qualifier & 0x7F == 0 and self.low <= value <= self.high
        is_pulse_known = (qualifier >> 2 & 0x1F) <= 3
        return is_pulse_known and (kind == Type.C_SC_NA_1 or value in (1, 2))

    def value(self, kind: int, value: Value) -> Value:
        """The value of a command as its own type has it: 1 off or lower, 2 on or raise."""
        return value + 1 if kind == Type.C_SC_NA_1 else value


@dataclass(frozen=True)
class View:
    """A state, and what of the world makes figures of it."""

    world: World
    state: State
    sensors: sensors.Parameters

    def substation_sum(self, of_points: Floats) -> Floats:
        """(substations,) sums over the metering points behind each."""
        count = len(self.world.substations.node)
        return np.asarray(
            np.bincount(self.world.substation_of[: len(of_points)], of_points, count)[:count], dtype=np.float64
        )

    def town_sum(self, of_points: Floats) -> Floats:
        """(towns,) sums over the metering points of each."""
        return np.asarray(np.bincount(self.world.town_of, of_points, len(self.world.towns)), dtype=np.float64)


def _is_outside(view: View) -> Floats:
    v_pu, limits = view.state.substation_v_pu, view.sensors
    return ((v_pu > 0.0) & ((v_pu < limits.alarm_low_pu) | (v_pu > limits.alarm_high_pu))).astype(np.float64)


def _infeed_base_kv(view: View) -> Floats:
    return np.array([town.grid.buses.vn_kv[town.grid.infeed_bus] for town in view.world.towns])


def _busbar_base_kv(view: View) -> Floats:
    return np.asarray(view.world.network.v_base_kv[view.world.network.busbars])


_FLOAT, _SINGLE, _DOUBLE, _STEP, _COUNTER = (
    *(Type.M_ME_NC_1, Type.M_SP_NA_1, Type.M_DP_NA_1),
    *(Type.M_ST_NA_1, Type.M_IT_NA_1),
)
POINTS: dict[str, tuple[Point, ...]] = {
    SUBSTATIONS: (
        Point(
            1,
            _FLOAT,
            MEASURED,
            "voltage of the low-voltage busbar",
            "kV",
            lambda view: view.state.substation_v_pu * view.world.network.v_base_kv[view.world.substations.node],
            0.001,
        ),
        Point(2, _FLOAT, MEASURED, "loading of the transformer", "%", lambda view: view.state.substation_pct, 1.0),
        Point(3, _FLOAT, MEASURED, "active power to low voltage", "kW", lambda view: view.state.substation_kw, 2.0),
        Point(
            101,
            _SINGLE,
            INDICATED,
            "busbar has supply",
            "",
            lambda view: (view.state.substation_v_pu > 0.0).astype(np.float64),
        ),
        Point(102, _SINGLE, INDICATED, "alarm: voltage beyond its limits", "", _is_outside),
        Point(
            103,
            _SINGLE,
            INDICATED,
            "alarm: transformer overloaded",
            "",
            lambda view: (view.state.substation_pct > view.sensors.alarm_loading_pct).astype(np.float64),
        ),
        Point(
            301,
            _COUNTER,
            1,
            "imported energy of its customers",
            "kWh",
            lambda view: view.substation_sum(view.state.import_kwh),
            _NEVER,
        ),
        Point(
            302,
            _COUNTER,
            1,
            "exported energy of its customers",
            "kWh",
            lambda view: view.substation_sum(view.state.export_kwh),
            _NEVER,
        ),
    ),
    PRIMARIES: (
        Point(
            1,
            _FLOAT,
            MEASURED,
            "busbar voltage",
            "kV",
            lambda view: view.state.busbar_v_pu * _busbar_base_kv(view),
            0.02,
        ),
        Point(
            2, _FLOAT, MEASURED, "active power of the infeed", "MW", lambda view: view.state.infeed_kw / 1000.0, 0.05
        ),
        Point(
            3,
            _FLOAT,
            MEASURED,
            "reactive power of the infeed",
            "Mvar",
            lambda view: view.state.infeed_kvar / 1000.0,
            0.05,
        ),
        Point(
            4,
            _FLOAT,
            MEASURED,
            "voltage of the infeed",
            "kV",
            lambda view: view.state.infeed_v_pu * _infeed_base_kv(view),
            0.1,
        ),
        Point(
            5,
            _FLOAT,
            MEASURED,
            "target of the busbar voltage",
            "kV",
            lambda view: view.state.busbar_target_pu * _busbar_base_kv(view),
        ),
        Point(
            6,
            _FLOAT,
            MEASURED,
            "frequency",
            "Hz",
            lambda view: np.full(len(view.state.infeed_kw), view.state.frequency_hz),
            0.005,
        ),
        Point(
            101,
            _SINGLE,
            INDICATED,
            "busbar has supply",
            "",
            lambda view: (view.state.busbar_v_pu > 0.0).astype(np.float64),
        ),
        Point(151, _STEP, STEPS, "tap position", "", lambda view: view.state.tap),
        Point(
            301,
            _COUNTER,
            1,
            "imported energy of the town's customers",
            "kWh",
            lambda view: view.town_sum(view.state.import_kwh),
            _NEVER,
        ),
        Point(
            302,
            _COUNTER,
            1,
            "exported energy of the town's customers",
            "kWh",
            lambda view: view.town_sum(view.state.export_kwh),
            _NEVER,
        ),
    ),
    PLANTS: (
        Point(1, _FLOAT, MEASURED, "active power", "MW", lambda view: view.state.bulk_mw, 0.5),
        Point(101, _SINGLE, INDICATED, "unit is on", "", lambda view: view.state.bulk_on.astype(np.float64)),
    ),
}
"""What stations of each class tell."""

TARGET, TAP, REGULATE, SWITCH, POWER = "target", "tap", "regulate", "switch", "power"


def controls_of(world: World, name: str, row: int) -> Sequence[Control]:
    """What a station of a class can be told to do."""
    if name == PRIMARIES:
        kv = float(world.network.v_base_kv[world.network.busbars[row]])
        return (
            Control(1001, Type.C_SE_NC_1, TARGET, "target of the busbar voltage", "kV", 0.9 * kv, 1.1 * kv, 5),
            Control(1002, Type.C_RC_NA_1, TAP, "tap changer: one position lower or higher", shown_by=151),
            Control(1003, Type.C_SC_NA_1, REGULATE, "tap changer: regulates by itself"),
        )
    if name == SUBSTATIONS:
        return (Control(1003, Type.C_DC_NA_1, SWITCH, "switch of the transformer", shown_by=101),)
    if name == PLANTS:
        most_mw = float(world.bulk.units.p_max_mw[row])
        least_mw = min(0.0, float(world.bulk.units.p_min_mw[row]))
        return (Control(1001, Type.C_SE_NC_1, POWER, "set-point of active power", "MW", least_mw, most_mw, 1),)
    return ()

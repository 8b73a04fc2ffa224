"""What stations have: their points and controls by class of device, and how each point's value follows from the state of the grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.world import World
from heptagrid.domains.distribution import sensors
from heptagrid.live.inventory import BUSES, PLANTS, PRIMARIES, SUBSTATIONS
from heptagrid.live.state import State

Floats = npt.NDArray[np.float64]
Read = Callable[["View"], Floats]

FIRST = {PRIMARIES: 1, SUBSTATIONS: 1001, BUSES: 50_001, PLANTS: 60_001}
"""The number of the first station of each class, by which protocols address it; the others follow it."""
_NEVER = float("inf")


class Kind(Enum):
    """What a point is: a measured value, an indication that is on or off, a step position, or a register that counts."""

    MEASURED = "measured"
    INDICATED = "indicated"
    STEP = "step"
    COUNTED = "counted"


@dataclass(frozen=True, eq=False)
class Point:
    """Something that a station tells. deadband: how far a value must move to be told unasked. read: (devices,) values. is_switch: whether an indication is that of a switch, which some protocols tell by both its contacts."""

    kind: Kind
    name: str
    unit: str
    read: Read
    deadband: float = 0.0
    is_switch: bool = False


@dataclass(frozen=True, eq=False)
class Control:
    """Something that a station can be told to do. action: of `heptagrid.live.stations.orders`. low, high: of a set-point. shown_by: the name of the point that it moves."""

    action: str
    name: str
    unit: str = ""
    low: float = -_NEVER
    high: float = _NEVER
    shown_by: str | None = None


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


def _are_closed(view: View) -> Floats:
    """(substations,) 1 but where a substation's own switch was opened by hand."""
    opened = set(view.state.opened)
    return np.array([float(f"substation {k}" not in opened) for k in range(len(view.state.substation_v_pu))])


def _infeed_base_kv(view: View) -> Floats:
    return np.array([town.grid.buses.vn_kv[town.grid.infeed_bus] for town in view.world.towns])


def _busbar_base_kv(view: View) -> Floats:
    return np.asarray(view.world.network.v_base_kv[view.world.network.busbars])


_MEASURED, _INDICATED, _STEP, _COUNTED = Kind
POINTS: dict[str, tuple[Point, ...]] = {
    SUBSTATIONS: (
        Point(
            _MEASURED,
            "voltage of the low-voltage busbar",
            "kV",
            lambda view: view.state.substation_v_pu * view.world.network.v_base_kv[view.world.substations.node],
            0.001,
        ),
        Point(_MEASURED, "loading of the transformer", "%", lambda view: view.state.substation_pct, 1.0),
        Point(_MEASURED, "active power to low voltage", "kW", lambda view: view.state.substation_kw, 2.0),
        Point(
            _INDICATED,
            "busbar has supply",
            "",
            lambda view: (view.state.substation_v_pu > 0.0).astype(np.float64),
        ),
        Point(_INDICATED, "alarm: voltage beyond its limits", "", _is_outside),
        Point(
            _INDICATED,
            "alarm: transformer overloaded",
            "",
            lambda view: (view.state.substation_pct > view.sensors.alarm_loading_pct).astype(np.float64),
        ),
        Point(_INDICATED, "switch of the transformer is closed", "", _are_closed, is_switch=True),
        Point(
            _COUNTED,
            "imported energy of its customers",
            "kWh",
            lambda view: view.substation_sum(view.state.import_kwh),
            _NEVER,
        ),
        Point(
            _COUNTED,
            "exported energy of its customers",
            "kWh",
            lambda view: view.substation_sum(view.state.export_kwh),
            _NEVER,
        ),
    ),
    PRIMARIES: (
        Point(
            _MEASURED,
            "busbar voltage",
            "kV",
            lambda view: view.state.busbar_v_pu * _busbar_base_kv(view),
            0.02,
        ),
        Point(_MEASURED, "active power of the infeed", "MW", lambda view: view.state.infeed_kw / 1000.0, 0.05),
        Point(
            _MEASURED,
            "reactive power of the infeed",
            "Mvar",
            lambda view: view.state.infeed_kvar / 1000.0,
            0.05,
        ),
        Point(
            _MEASURED,
            "voltage of the infeed",
            "kV",
            lambda view: view.state.infeed_v_pu * _infeed_base_kv(view),
            0.1,
        ),
        Point(
            _MEASURED,
            "target of the busbar voltage",
            "kV",
            lambda view: view.state.busbar_target_pu * _busbar_base_kv(view),
        ),
        Point(
            _MEASURED,
            "frequency",
            "Hz",
            lambda view: np.full(len(view.state.infeed_kw), view.state.frequency_hz),
            0.005,
        ),
        Point(
            _INDICATED,
            "busbar has supply",
            "",
            lambda view: (view.state.busbar_v_pu > 0.0).astype(np.float64),
        ),
        Point(_STEP, "tap position", "", lambda view: view.state.tap),
        Point(
            _COUNTED,
            "imported energy of the town's customers",
            "kWh",
            lambda view: view.town_sum(view.state.import_kwh),
            _NEVER,
        ),
        Point(
            _COUNTED,
            "exported energy of the town's customers",
            "kWh",
            lambda view: view.town_sum(view.state.export_kwh),
            _NEVER,
        ),
    ),
    PLANTS: (
        Point(_MEASURED, "active power", "MW", lambda view: view.state.bulk_mw, 0.5),
        Point(_INDICATED, "unit is on", "", lambda view: view.state.bulk_on.astype(np.float64), is_switch=True),
    ),
}
"""What stations of each class tell; points of a kind are numbered in this order."""

TARGET, TAP, REGULATE, SWITCH, POWER = "target", "tap", "regulate", "switch", "power"
"""What controls do: set-points of busbar voltage and of power; a tap lower or higher; regulation by itself off or on; a switch open or closed."""


def controls_of(world: World, name: str, row: int) -> Sequence[Control]:
    """What a station of a class can be told to do."""
    if name == PRIMARIES:
        kv = float(world.network.v_base_kv[world.network.busbars[row]])
        target = "target of the busbar voltage"
        return (
            Control(TARGET, target, "kV", 0.9 * kv, 1.1 * kv, target),
            Control(TAP, "tap changer: one position lower or higher", shown_by="tap position"),
            Control(REGULATE, "tap changer: regulates by itself"),
        )
    if name == SUBSTATIONS:
        return (Control(SWITCH, "switch of the transformer", shown_by="switch of the transformer is closed"),)
    if name == PLANTS:
        most_mw = float(world.bulk.units.p_max_mw[row])
        least_mw = min(0.0, float(world.bulk.units.p_min_mw[row]))
        return (Control(POWER, "set-point of active power", "MW", least_mw, most_mw, "active power"),)
    return ()

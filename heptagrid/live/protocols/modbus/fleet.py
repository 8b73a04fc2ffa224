"""Devices of a class as their registers see them: ratings, nominal voltages, names; and what a kind of device is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import DeviceClass
from heptagrid.live.protocols.modbus.image import Scales, Values, power_of_ten, put
from heptagrid.live.protocols.modbus.layout import RegisterMap
from heptagrid.live.protocols.modbus.levers import Lever
from heptagrid.live.protocols.modbus.rating import Rating
from heptagrid.live.state import State

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint16]

SINGLE_PHASE_KVA = 4.6
"""Up to which a generator or battery is connected to one phase: VDE-AR-N 4105, 5.5."""
LOW_V = 300.0
"""Below this voltage between conductors a service has one phase: 120/240 V, as in North America."""
EPOCH_2000_NS = 946_684_800 * NS_PER_S
HIGHEST_INT16 = 32_767.0


@dataclass(frozen=True)
class Rows:
    """Some devices of a class, (devices,) each. rated_w: the most that each may draw or give, 0 if it is not known. nominal_v: between conductors. point: -1 without one."""

    first: int
    rated_w: Floats
    nominal_v: Floats
    is_single_phase: Bools
    point: Ints

    def __len__(self) -> int:
        return len(self.rated_w)

    @property
    def slice(self) -> slice:
        """Of arrays over all devices of the class."""
        return slice(self.first, self.first + len(self))

    @property
    def phase_v(self) -> Floats:
        """Nominal, at a phase of the device: from a conductor to neutral, or in North America's low voltage over both legs."""
        return np.where(self.nominal_v < LOW_V, self.nominal_v, self.nominal_v / 3.0**0.5)

    @property
    def rated_a(self) -> Floats:
        """Of each phase."""
        return self.rated_w / self.phase_v / np.where(self.is_single_phase, 1.0, 3.0)

    def parted(self, first: int, until: int) -> Rows:
        """Those from one row to another."""
        at = slice(first, until)
        return Rows(first, self.rated_w[at], self.nominal_v[at], self.is_single_phase[at], self.point[at])


@dataclass(frozen=True)
class Kind(ABC):
    """What devices of a class have in their registers. of: the class; rows: all of its devices; grid: to which they belong."""

    of: DeviceClass
    rows: Rows
    grid: LiveGrid

    product: ClassVar[str]
    models: ClassVar[tuple[int, ...]]
    counts: ClassVar[Mapping[str, int]] = {}
    levers: ClassVar[tuple[Lever, ...]] = ()
    is_least: ClassVar[bool] = True
    """Whether of several powers that levers ask for the least holds, and not the last."""
    desk: ClassVar[str] = "aggregator"
    """Who speaks to the devices."""

    @cached_property
    def layout(self) -> RegisterMap:
        return RegisterMap(self.models, self.counts)

    def rating(self, row: int) -> Rating:
        """What one of the devices is made for."""
        return Rating(float(self.rows.rated_w[row]) / 1000.0)

    @abstractmethod
    def scales(self, rows: Rows) -> Mapping[str, Ints | int]:
        """The scale factors, by the names of their points."""

    @abstractmethod
    def nameplate(self, rows: Rows) -> Values:
        """What does not change."""

    @abstractmethod
    def measured(self, rows: Rows, state: State) -> Values:
        """What a solved state says."""

    def blank(self, rows: Rows) -> tuple[Words, Scales]:
        """Registers (devices, registers) with all that does not change."""
        registers = np.tile(self.layout.template, (len(rows), 1))
        given = self.scales(rows)
        scales = Scales(given, len(rows))
        put(registers, self.layout, {**given, **self.common(rows), **self.nameplate(rows)}, scales)
        return registers, scales

    def common(self, rows: Rows) -> Values:
        """The common model."""
        numbers = range(rows.first, rows.first + len(rows))
        return {
            "1.Mn": ["heptagrid"] * len(rows),
            "1.Md": [self.product] * len(rows),
            "1.Vr": [version("heptagrid")] * len(rows),
            "1.SN": [f"{self.of.name}/{number}" for number in numbers],
            "1.DA": 1,
        }

    def identity(self, row: int) -> tuple[str, ...]:
        """The objects of function 43/14."""
        name = f"{self.of.name}/{row}"
        return ("heptagrid", self.of.name, version("heptagrid"), "", f"simulated {self.of.one}", self.product, name)


def at_voltage(grid: LiveGrid, of: DeviceClass, nominal_v: Floats, rated_w: Floats, single_up_to_w: float) -> Rows:
    """All devices of a class; those rated up to `single_up_to_w` are on one phase, as are all at a household's voltage in North America."""
    is_single = (rated_w <= single_up_to_w) | (nominal_v < LOW_V)
    return Rows(0, rated_w, nominal_v, is_single, of.point)


def nominal_at_points(grid: LiveGrid, of: DeviceClass) -> Floats:
    """(devices,) nominal voltage between conductors at the metering point of each, in V."""
    world = grid.inventory.world
    return world.network.v_base_kv[world.point_node[of.point]] * 1000.0


@dataclass(frozen=True)
class Electric:
    """Electrical values of some devices on the alternating side, (devices,) each. w: in the direction that a model counts positive."""

    w: Floats
    var: Floats
    va: Floats
    phase_v: Floats
    line_v: Floats
    is_supplied: Bools
    is_single_phase: Bools
    hz: float

    @cached_property
    def phase_a(self) -> Floats:
        """Current in each phase that the device has."""
        divisor = np.where(self.is_single_phase, 1.0, 3.0) * self.phase_v
        return np.divide(self.va, divisor, out=np.zeros_like(self.va), where=divisor > 0.0)

    @cached_property
    def total_a(self) -> Floats:
        """Summed over phases."""
        return self.phase_a * np.where(self.is_single_phase, 1.0, 3.0)

    @cached_property
    def power_factor(self) -> Floats:
        """Signed as the power is; 1 without any."""
        return np.divide(self.w, self.va, out=np.ones_like(self.w), where=self.va > 0.5)

    def third(self, total: Floats) -> Floats:
        """What of a total is on the first phase."""
        return np.where(self.is_single_phase, total, total / 3.0)

    def other(self, value: Floats) -> Floats:
        """What is on the other phases: nothing where there are none."""
        return np.where(self.is_single_phase, np.nan, value)


def electric(rows: Rows, state: State, w: Floats, var: Floats) -> Electric:
    """At the metering points of some devices."""
    point = rows.point
    is_supplied = state.point_is_supplied[point]
    v_pu = np.where(is_supplied, state.point_v_pu[point], 0.0)
    return Electric(
        w,
        var,
        np.hypot(w, var),
        v_pu * rows.phase_v,
        v_pu * rows.nominal_v,
        is_supplied,
        rows.is_single_phase,
        state.frequency_hz,
    )


def scale_of_power(most_w: Floats) -> Ints:
    """For powers and apparent powers up to half as much again."""
    return power_of_ten(1.5 * most_w, HIGHEST_INT16, 0)


def scale_of_current(rows: Rows) -> Ints:
    """For the sum over three phases."""
    return power_of_ten(4.5 * rows.rated_a, HIGHEST_INT16, -2)


def scale_of_voltage(rows: Rows) -> Ints:
    return power_of_ten(1.3 * rows.nominal_v, HIGHEST_INT16, -1)


def seconds_since_2000(state: State) -> int:
    return max((state.at_ns - EPOCH_2000_NS) // NS_PER_S, 0)

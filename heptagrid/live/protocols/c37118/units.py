"""Phasor measurement units of a grid: what each measures, from the last solved state.

Phasors are of positive sequence: voltages in V from phase to earth, currents in A, root mean square. Angles are against a cosine of nominal frequency (IEEE C37.118.1,
4.2), and so turn by the deviation of the frequency; at the first transmission bus the angle is 0 at first. Between two states frequency and power are constant.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

import numpy as np

from heptagrid.assembly.world import World
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.inventory import BUSES, PRIMARIES, Device, Inventory
from heptagrid.live.protocols.c37118.frames import Configuration, Measurement, Status
from heptagrid.live.state import State

FIRST = {PRIMARIES: 1, BUSES: 50_001}
"""The ID code of the first unit of each class; the others follow it."""
LAST = 65_534
_VOLTS_PER_KV = 1000.0 / math.sqrt(3.0)


@dataclass
class Rotation:
    """How far all phasors have turned against nominal frequency, from the states that were seen."""

    nominal_hz: float
    rad: float = 0.0
    at_ns: int = 0
    deviation_hz: float = 0.0
    rocof_hz_per_s: float = 0.0

    def see(self, state: State) -> None:
        """A state has been solved."""
        deviation_hz = state.frequency_hz - self.nominal_hz
        if self.at_ns:
            since_s = (state.at_ns - self.at_ns) / NS_PER_S
            self.rad = math.remainder(self.rad + 2.0 * math.pi * self.deviation_hz * since_s, 2.0 * math.pi)
            self.rocof_hz_per_s = (deviation_hz - self.deviation_hz) / since_s if since_s > 0.0 else 0.0
        self.at_ns, self.deviation_hz = state.at_ns, deviation_hz

    def at(self, ns: int) -> complex:
        """By what phasors have turned at an instant, as a factor."""
        return cmath.rect(1.0, self.rad + 2.0 * math.pi * self.deviation_hz * (ns - self.at_ns) / NS_PER_S)


class Units:
    """All units, by ID code."""

    def __init__(self, inventory: Inventory, rate: int, is_polar: bool) -> None:
        """Set up; rate: frames a second, 0: as many as the nominal frequency has periods."""
        self._inventory, self._world = inventory, inventory.world
        self._is_polar = is_polar
        nominal_hz = self._world.grid.frequency_hz
        self.rate = rate or round(nominal_hz)
        self.rotation = Rotation(nominal_hz)
        self._seen: State | None = None

    def device(self, id: int) -> Device | None:
        """The device at which the unit with an ID code is; None if there is none."""
        for name, first in FIRST.items():
            of = self._inventory.classes[name]
            if first <= id < first + len(of) and id <= LAST and (name == BUSES or id < FIRST[BUSES]):
                return Device(of, id - first)
        return None

    def id_of(self, device: Device) -> int | None:
        """The ID code of the unit at a device; None if there is none."""
        first = FIRST.get(device.of.name)
        return None if first is None or self.device(first + device.row) is None else first + device.row

    def look(self, state: State) -> None:
        """Take the last solved state."""
        if state is not self._seen:
            self._seen = state
            self.rotation.see(state)

    def configuration(self, device: Device, state: State) -> Configuration:
        """What the data frames of a unit hold. A busbar in a circuit has no angle in the state, and no phasor."""
        nominal_hz = round(self._world.grid.frequency_hz)
        id = FIRST[device.of.name] + device.row
        if device.of.name == BUSES:
            name = f"BUS {self._world.bulk.bus_numbers[device.row]}"
            return Configuration(id, name, (("V1", False),), (), (), nominal_hz, self.rate, self._is_polar)
        town = self._world.towns[device.row]
        busbar = (("V1 BUSBAR", False),) if _has_angle(state, device.row) else ()
        return Configuration(
            id,
            (town.name or "PRIMARY").upper(),
            (("V1 INFEED", False), *busbar, ("I1 INFEED", True)),
            ("P INFEED MW", "Q INFEED MVAR"),
            (("BUSBAR SUPPLIED", *([""] * 15)),),
            nominal_hz,
            self.rate,
            self._is_polar,
        )

    def measured(self, device: Device, state: State, ns: int, is_running: bool) -> Measurement:
        """What a unit measures at an instant."""
        turned, row = self.rotation.at(ns), device.row
        status = Status.GOOD if is_running else Status.DATA_ERROR
        frequency = (state.frequency_hz, self.rotation.rocof_hz_per_s)
        if device.of.name == BUSES:
            volts = _bus_kv(self._world, row) * _VOLTS_PER_KV
            return Measurement(
                status, (_phasor(state.bus_v_pu[row] * volts, state.bus_rad[row]) * turned,), *frequency, (), ()
            )
        bus_rad = float(state.bus_rad[state.town_bus[row]])
        town = self._world.towns[row]
        infeed_v = float(state.infeed_v_pu[row] * town.grid.buses.vn_kv[town.grid.infeed_bus]) * _VOLTS_PER_KV
        infeed = _phasor(infeed_v, bus_rad)
        va = complex(state.infeed_kw[row], state.infeed_kvar[row]) * 1000.0
        current = (va / 3.0 / infeed).conjugate() if infeed_v > 0.0 else 0j
        phasors = [infeed * turned]
        if _has_angle(state, row):
            busbar_kv = float(self._world.network.v_base_kv[self._world.network.busbars[row]])
            busbar_v = float(state.busbar_v_pu[row]) * busbar_kv * _VOLTS_PER_KV
            phasors.append(_phasor(busbar_v, bus_rad + float(state.busbar_rad[row])) * turned)
        phasors.append(current * turned)
        analogs = (float(state.infeed_kw[row]) / 1000.0, float(state.infeed_kvar[row]) / 1000.0)
        return Measurement(status, phasors, *frequency, analogs, (int(state.busbar_v_pu[row] > 0.0),))


def _phasor(magnitude: float, rad: float) -> complex:
    return cmath.rect(float(magnitude), float(rad))


def _has_angle(state: State, town: int) -> bool:
    return bool(np.isfinite(state.busbar_rad[town]))


def _bus_kv(world: World, bus: int) -> float:
    return float(world.bulk.bus_kv[bus])

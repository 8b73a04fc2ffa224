"""The stations of a grid: their common addresses, their process images, and what they tell unasked."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.iec104.elements import INVALID, NOT_TOPICAL, Type, Value
from heptagrid.live.protocols.iec104.points import POINTS, Point, controls_of
from heptagrid.live.protocols.iec104.section import Parameters
from heptagrid.live.protocols.iec104.station import Station
from heptagrid.live.protocols.iec104.time_tag import TimeTag, time_tag
from heptagrid.live.state import State
from heptagrid.live.stations.image import Image
from heptagrid.live.stations.points import FIRST, View

LAST = 65_534
"""The highest common address; `FIRST` has the first of each class."""


class Stations:
    """All stations, each made when somebody first speaks to it."""

    def __init__(self, grid: LiveGrid, parameters: Parameters) -> None:
        self._grid, self._parameters = grid, parameters
        self._zone = grid.scenario.zone if parameters.time_zone == "local" else None
        self._stations: dict[tuple[str, int], Station] = {}
        self._offset_ns: dict[tuple[str, int], int] = {}
        self._images = {
            name: Image(points, len(grid.inventory.classes[name]), INVALID) for name, points in POINTS.items()
        }
        self._seen: State | None = None
        ends = sorted([*FIRST.values(), LAST + 1])
        self._most = {name: ends[ends.index(first) + 1] - first for name, first in FIRST.items()}

    def devices(self) -> Iterator[Device]:
        """All that are stations."""
        for name, rows in self.rows.items():
            of = self._grid.inventory.classes[name]
            yield from (Device(of, row) for row in rows)

    @cached_property
    def rows(self) -> dict[str, list[int]]:
        """The rows of all stations by class."""
        classes = self._grid.inventory.classes
        return {name: list(range(min(len(classes[name]), self._most[name]))) for name in POINTS}

    def is_station(self, device: Device) -> bool:
        """Whether a device is one."""
        return device.of.name in POINTS and device.row < self._most[device.of.name]

    def at(self, common_address: int) -> Device | None:
        """The station that has a common address; None if there is none."""
        for name, first in FIRST.items():
            row = common_address - first
            if name in POINTS and 0 <= row < min(self._most[name], len(self._grid.inventory.classes[name])):
                return Device(self._grid.inventory.classes[name], row)
        return None

    def station(self, device: Device) -> Station:
        """The station that a device is."""
        key = device.of.name, device.row
        found = self._stations.get(key)
        if found is None:
            image = self._images[device.of.name]
            found = self._stations[key] = Station(
                FIRST[device.of.name] + device.row,
                image.points,
                controls_of(self._grid.inventory.world, device.of.name, device.row),
                lambda point: _shown(image, point, device.row),
                lambda: self._tag(key, self._grid.now_ns),
                lambda tag: self._set_clock(key, tag),
                self._parameters.rules,
            )
        return found

    def listened_to(self, devices: Iterable[Device]) -> None:
        """Somebody begins to listen to stations: only what changes from now on is told."""
        self.look()
        for one in devices:
            self._images[one.of.name].settle(one.row)

    def left(self, who: Hashable, device: Device | None) -> None:
        """A connection to a station, None: to all, has ended."""
        found = self._stations.values() if device is None else [self.station(device)]
        for one in found:
            one.left(who)

    def look(self) -> None:
        """Bring the process images up to date."""
        engine = self._grid.engine
        state = engine.state
        if state is None:
            return
        age_s = (self._grid.now_ns - state.until_ns) / NS_PER_S
        quality = age_quality(age_s, self._parameters.topical_s, engine.is_running)
        view = None
        if state is not self._seen:
            self._seen = state
            view = View(self._grid.inventory.world, state, self._grid.scenario.sections["sensors"])
        for image in self._images.values():
            image.look(view, quality)

    def told(self, listened: Mapping[str, Sequence[int]]) -> Iterator[tuple[Device, list[bytes]]]:
        """What stations that somebody listens to, rows by class, tell unasked since the last call."""
        self.look()
        for name, rows in listened.items():
            changes: list[tuple[int, list[Point]]] = self._images[name].changes(np.array(rows, dtype=np.int64))
            for row, points in changes:
                device = Device(self._grid.inventory.classes[name], row)
                at_ns = self._seen.at_ns if self._seen is not None else self._grid.now_ns
                yield device, list(self.station(device).told(points, self._tag((name, row), at_ns)))

    def _tag(self, key: tuple[str, int], ns: int) -> TimeTag:
        return time_tag(ns + self._offset_ns.get(key, 0), self._zone, is_invalid=not self._grid.engine.is_running)

    def _set_clock(self, key: tuple[str, int], tag: TimeTag) -> bool:
        ns = tag.ns(self._zone)
        if ns is not None and self._parameters.clock == "controlling":
            self._offset_ns[key] = ns - self._grid.now_ns
        return ns is not None


def _shown(image: Image[Point], point: Point, row: int) -> tuple[Value, int]:
    """A point's value, of its type, and quality."""
    value, quality = image.read(point, row)
    return (value if point.type == Type.M_ME_NC_1 else round(value)), quality


def age_quality(age_s: float, topical_s: float, is_running: bool) -> int:
    """What the age of a state says of all values: seconds of simulated time since its end, and whether it is still being solved."""
    if not is_running:
        return INVALID
    return NOT_TOPICAL if age_s > topical_s else 0

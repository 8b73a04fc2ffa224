"""The stations of a grid: their common addresses, their process images, and what they tell unasked."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.iec104.elements import INVALID, NOT_TOPICAL, Type, Value
from heptagrid.live.protocols.iec104.points import POINTS, Point, controls_of
from heptagrid.live.protocols.iec104.section import Parameters
from heptagrid.live.protocols.iec104.station import Station
from heptagrid.live.protocols.iec104.time_tag import TimeTag, time_tag
from heptagrid.live.stations.image import Image, Images
from heptagrid.live.stations.numbering import Numbering

LAST = 65_534
"""The highest common address."""


class Stations:
    """All stations, each made when somebody first speaks to it."""

    def __init__(self, grid: LiveGrid, parameters: Parameters) -> None:
        self._grid, self._parameters = grid, parameters
        self._zone = grid.scenario.zone if parameters.time_zone == "local" else None
        self._stations: dict[tuple[str, int], Station] = {}
        self._offset_ns: dict[tuple[str, int], int] = {}
        self._images = Images(grid, POINTS, parameters.topical_s, INVALID, NOT_TOPICAL)
        self._numbering = Numbering(grid.inventory, LAST)
        self.rows, self.devices = self._numbering.rows, self._numbering.devices
        self.is_station, self.at = self._numbering.is_station, self._numbering.at
        self.listened_to, self.look = self._images.listened_to, self._images.look

    def station(self, device: Device) -> Station:
        """The station that a device is."""
        key = device.of.name, device.row
        found = self._stations.get(key)
        if found is None:
            image = self._images.of(device)
            found = self._stations[key] = Station(
                self._numbering.number(device),
                image.points,
                controls_of(self._grid.inventory.world, device.of.name, device.row),
                lambda point: _shown(image, point, device.row),
                lambda: self._tag(key, self._grid.now_ns),
                lambda tag: self._set_clock(key, tag),
                self._parameters.rules,
            )
        return found

    def left(self, who: Hashable, device: Device | None) -> None:
        """A connection to a station, None: to all, has ended."""
        found = self._stations.values() if device is None else [self.station(device)]
        for one in found:
            one.left(who)

    def told(self, listened: Mapping[str, Sequence[int]]) -> Iterator[tuple[Device, list[bytes]]]:
        """What stations that somebody listens to, rows by class, tell unasked since the last call."""
        for device, points, at_ns in self._images.changes(listened):
            tag = self._tag((device.of.name, device.row), at_ns)
            yield device, list(self.station(device).told(points, tag))

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

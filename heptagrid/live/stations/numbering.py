"""By which number a protocol knows each station."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from heptagrid.live.inventory import Device, Inventory
from heptagrid.live.stations.points import FIRST, POINTS


class Numbering:
    """The stations of an inventory; last: the highest number that the protocol has. Those beyond it are none."""

    def __init__(self, inventory: Inventory, last: int) -> None:
        self._classes = inventory.classes
        ends = sorted([*FIRST.values(), last + 1])
        self._most = {name: ends[ends.index(first) + 1] - first for name, first in FIRST.items()}

    @cached_property
    def rows(self) -> dict[str, list[int]]:
        """The rows of all stations by class."""
        return {name: list(range(min(len(self._classes[name]), self._most[name]))) for name in POINTS}

    def devices(self) -> Iterator[Device]:
        """All that are stations."""
        for name, rows in self.rows.items():
            yield from (Device(self._classes[name], row) for row in rows)

    def is_station(self, device: Device) -> bool:
        """Whether a device is one."""
        return device.of.name in POINTS and device.row < self._most[device.of.name]

    def number(self, device: Device) -> int:
        """The number of a station."""
        return FIRST[device.of.name] + device.row

    def at(self, number: int) -> Device | None:
        """The station that has a number; None if there is none."""
        for name, first in FIRST.items():
            row = number - first
            if name in POINTS and 0 <= row < min(self._most[name], len(self._classes[name])):
                return Device(self._classes[name], row)
        return None

"""The devices of a live grid whose power can be ordered."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.flexibility import LOCAL_UNITS
from heptagrid.live.inventory import Device, Inventory

Ints = npt.NDArray[np.int64]


class Orderable:
    """Classes of such devices by name. substation_of: (points,) the substation that feeds each metering point."""

    def __init__(self, inventory: Inventory) -> None:
        names = (*inventory.world.owned.devices, LOCAL_UNITS)
        self.inventory = inventory
        self.classes = {name: inventory.classes[name] for name in names if len(inventory.classes[name])}
        self.substation_of: Ints = inventory.world.substation_of

    def device(self, name: str) -> Device | None:
        """The device that is called so, such as "vehicles-17"; None: there is none."""
        of, _, row = name.replace("/", "-").rpartition("-")
        found = self.classes.get(of)
        if found is None or not (row.isascii() and row.isdecimal() and len(row) < 10 and int(row) < len(found)):
            return None
        return Device(found, int(row))

    def aggregators(self, point: Ints) -> Ints:
        """The endpoints of the aggregators of metering points, (k,)."""
        world = self.inventory.world
        of = world.companies.aggregator_of
        number = np.where((point >= 0) & (point < len(of)), of[np.clip(point, 0, len(of) - 1)], 0)
        return np.asarray(world.endpoints.aggregators[number])


def name_of(device: Device) -> str:
    """A device as protocols call it that take no slash."""
    return f"{device.of.name}-{device.row}"

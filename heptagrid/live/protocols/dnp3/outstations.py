"""The outstations of a grid: their addresses, what they show, and the sessions of their masters."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.dnp3.controls import Order
from heptagrid.live.protocols.dnp3.link import LAST_ADDRESS
from heptagrid.live.protocols.dnp3.objects import COMM_LOST, ONLINE
from heptagrid.live.protocols.dnp3.outstation import Outstation
from heptagrid.live.protocols.dnp3.points import INPUTS, Input, outputs_of
from heptagrid.live.protocols.dnp3.section import Parameters
from heptagrid.live.protocols.dnp3.session import Session
from heptagrid.live.stations.image import Images
from heptagrid.live.stations.numbering import Numbering

_NS_PER_MS = 1_000_000
_INVALID, _NOT_TOPICAL = 1, 2


class Outstations:
    """All outstations, each made when a master first speaks to it. order: called with what one is to carry out."""

    def __init__(self, grid: LiveGrid, parameters: Parameters, order: Callable[[Device, Order], None]) -> None:
        self._grid, self._parameters, self._order = grid, parameters, order
        self._images = Images(grid, INPUTS, parameters.topical_s, _INVALID, _NOT_TOPICAL)
        self._numbering = Numbering(grid.inventory, LAST_ADDRESS)
        self._made: dict[tuple[str, int], Outstation] = {}
        self._listened: dict[str, list[int]] = {}
        self.is_station, self.at, self.address = (
            self._numbering.is_station,
            self._numbering.at,
            self._numbering.number,
        )
        self.look = self._images.look

    def outstation(self, device: Device) -> Outstation:
        """The outstation that a device is."""
        key = device.of.name, device.row
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = Outstation(
                INPUTS[device.of.name],
                outputs_of(self._grid.inventory.world, device.of.name, device.row),
                lambda point: self._read(device, point),
                lambda: self._grid.now_ns // _NS_PER_MS,
                lambda: self._grid.engine.is_running,
                lambda order: self._order(device, order),
                self._parameters.rules,
            )
        return found

    def session(self, device: Device, master: int) -> Session | None:
        """The session of a master; None if the outstation has as many as it may, and all are connected."""
        outstation = self.outstation(device)
        found = outstation.sessions.get(master)
        if found is None:
            if len(outstation.sessions) >= self._parameters.masters:
                gone = next((one for one, each in outstation.sessions.items() if not each.is_reachable), None)
                if gone is None:
                    return None
                del outstation.sessions[gone]
            elif not outstation.sessions:
                self._images.listened_to([device])
                rows = self._listened.setdefault(device.of.name, [])
                rows.append(device.row)
                rows.sort()
            found = outstation.sessions[master] = Session(outstation)
        return found

    def tell(self, now: float) -> Iterator[Device]:
        """Put what has changed since the last call into the sessions' buffers; the outstations that have something to tell."""
        for device, points, at_ns in self._images.changes(self._listened):
            outstation = self.outstation(device)
            for one in outstation.sessions.values():
                moved = (outstation.event(point, at_ns // _NS_PER_MS) for point in points)
                one.tell((event for event in moved if event is not None), now)
            yield device

    def _read(self, device: Device, point: Input) -> tuple[float, int]:
        """A point's value and flags."""
        value, quality = self._images.of(device).read(point, device.row)
        return value, 0 if quality & _INVALID else COMM_LOST if quality & _NOT_TOPICAL else ONLINE

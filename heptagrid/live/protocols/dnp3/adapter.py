"""DNP3 (IEEE 1815-2012) over TCP: the grid's substations, primary substations and plants as outstations on one port."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from heptagrid.live.device_server import DeviceServer
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import PRIMARIES, SUBSTATIONS, Device
from heptagrid.live.protocol import Listening
from heptagrid.live.protocols.dnp3.connection import Connection
from heptagrid.live.protocols.dnp3.controls import Order
from heptagrid.live.protocols.dnp3.line import Line
from heptagrid.live.protocols.dnp3.link import size_of
from heptagrid.live.protocols.dnp3.outstations import Outstations
from heptagrid.live.protocols.dnp3.section import Parameters
from heptagrid.live.stations.orders import carry_out

_log = logging.getLogger(__name__)

LOOKED_S = 0.1
"""How often outstations look for changes and for confirmations that are due, in seconds of the wall clock."""


class Dnp3(DeviceServer):
    """The adapter."""

    name = "dnp3"
    title = "DNP3"
    port = 20_000
    section = Parameters

    parameters: Parameters

    def __init__(self, grid: LiveGrid, parameters: Parameters | None) -> None:
        super().__init__(grid, parameters or Parameters())
        self.outstations = Outstations(grid, self.parameters, self._order)
        self._lines: dict[tuple[str, int], Line] = {}

    def connection(self) -> Connection:
        return Connection(self)

    def serves(self, device: Device) -> bool:
        return self.outstations.is_station(device)

    async def start(self, listening: Listening) -> None:
        await super().start(listening)
        self.spawn(self._watch())

    def greeting(self) -> list[str]:
        classes = self.grid.inventory.classes
        lines = [f"{self.title}: 127.0.0.1:{self.listens_on}, all outstations by link address"]
        for name in (PRIMARIES, SUBSTATIONS):
            if len(classes[name]):
                device = Device(classes[name], 0)
                number, address = self.outstations.address(device), self.addresses.address_of(device)
                lines.append(f"{self.title}: {device.name} is {number}, and alone at {address}:{self.listens_on}")
        return lines

    def line(
        self, connection: Connection, device: Device, master: int, broken: Callable[[Line, str], None]
    ) -> Line | None:
        """A master's line to an outstation, which takes over its session; None if the outstation has too many masters."""
        self.outstations.look()
        session = self.outstations.session(device, master)
        if session is None:
            return None
        before = self._lines.get((device.name, master))
        if before is not None:
            before.session = None
        addresses = master, self.outstations.address(device)
        found = self._lines[device.name, master] = Line(
            self.grid, self.desk, device, addresses, session, connection, broken
        )
        return found

    def forget(self, line: Line) -> None:
        """A line has ended."""
        line.close()
        key = line.device.name, line.master
        if self._lines.get(key) is line:
            del self._lines[key]

    def _order(self, device: Device, order: Order) -> None:
        self.spawn(self._carry_out(device, order))

    async def _carry_out(self, device: Device, order: Order) -> None:
        control = order.output.control
        try:
            size_bytes = size_of(order.size_bytes + 1)
            await carry_out(self.grid, device, control.action, order.value, size_bytes, self.name)
        finally:
            self.outstations.outstation(device).selections.end(control.action)

    async def _watch(self) -> None:
        """Let outstations tell what changes, and what is due."""
        while True:
            self._look(self.grid.loop.time())
            await asyncio.sleep(LOOKED_S)

    def _look(self, now: float) -> None:
        """See to lines and connections at this time of the loop."""
        told = {one.name for one in self.outstations.tell(now)}
        for line in list(self._lines.values()):
            is_due = line.session is not None and line.session.due() <= now
            if line.session is not None and is_due:
                line.session.tick(now)
            if is_due or line.device.name in told:
                line.flush()
        for connection in [one for one in self.connections if isinstance(one, Connection)]:
            connection.tick(now)

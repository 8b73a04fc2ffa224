"""DNP3 (IEEE 1815-2012) over TCP: the grid's substations, primary substations and plants as outstations on one port."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import PRIMARIES, SUBSTATIONS, Device
from heptagrid.live.listening import Addresses, DeviceListener, device_listener
from heptagrid.live.protocol import Listening, Protocol
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


class Dnp3(Protocol):
    """The adapter."""

    name = "dnp3"
    title = "DNP3"
    port = 20_000
    section = Parameters

    parameters: Parameters

    def __init__(self, grid: LiveGrid, parameters: Parameters | None) -> None:
        super().__init__(grid, parameters or Parameters())
        self.desk = grid.desk("operations")
        self.outstations = Outstations(grid, self.parameters, self._order)
        self._addresses = Addresses(grid.inventory)
        self._connections: set[Connection] = set()
        self._lines: dict[tuple[str, int], Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: DeviceListener
        self._server: asyncio.Server | None = None

    async def start(self, listening: Listening) -> None:
        self._listener = device_listener(listening)
        self.listens_on = self._listener.port
        self._server = await self.grid.loop.create_server(
            lambda: Connection(self), sock=self._listener.socket, ssl=listening.tls
        )
        self._spawn(self._watch())

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for one in list(self._connections):
            one.close("the grid stops")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def greeting(self) -> list[str]:
        classes = self.grid.inventory.classes
        lines = [f"{self.title}: 127.0.0.1:{self.listens_on}, all outstations by link address"]
        for name in (PRIMARIES, SUBSTATIONS):
            if len(classes[name]):
                device = Device(classes[name], 0)
                number, address = self.outstations.address(device), self._addresses.address_of(device)
                lines.append(f"{self.title}: {device.name} is {number}, and alone at {address}:{self.listens_on}")
        return lines

    def admits(self, peer: object, local: object) -> bool:
        """Whether a connection may stay, by its ends."""
        return self._listener.admits(peer, local)

    def device_at(self, local: object) -> Device | None:
        """The outstation at whose address a connection was made; None at the front end."""
        device = None
        if self._listener.tells_devices and isinstance(local, tuple):
            device = self._addresses.at(str(local[0]))
        return device if device is not None and self.outstations.is_station(device) else None

    def joined(self, connection: Connection) -> None:
        """A master has connected."""
        self._connections.add(connection)

    def left(self, connection: Connection) -> None:
        """A master's connection has ended."""
        self._connections.discard(connection)

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
        self._spawn(self._carry_out(device, order))

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
            now = self.grid.loop.time()
            told = {one.name for one in self.outstations.tell(now)}
            for line in list(self._lines.values()):
                is_due = line.session is not None and line.session.due() <= now
                if line.session is not None and is_due:
                    line.session.tick(now)
                if is_due or line.device.name in told:
                    line.flush()
            for connection in list(self._connections):
                connection.tick(now)
            await asyncio.sleep(LOOKED_S)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.grid.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            _log.error("DNP3: a task has failed", exc_info=problem)

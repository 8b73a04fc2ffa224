"""DLMS/COSEM over TCP: every meter of the scenario at its own loopback address, and all of them as logical devices of one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

from heptagrid.live.crossing import LostError
from heptagrid.live.grid import FrameRecord, LiveGrid, Peer
from heptagrid.live.inventory import METERS, Device
from heptagrid.live.listening import Addresses, DeviceListener, device_listener
from heptagrid.live.protocol import Listening, Protocol
from heptagrid.live.protocols.dlms.association import Association, LogicalDevice, Rules
from heptagrid.live.protocols.dlms.data import MalformedError
from heptagrid.live.protocols.dlms.meters import FIRST, MANAGEMENT, Meters
from heptagrid.live.protocols.dlms.section import Parameters
from heptagrid.live.protocols.dlms.services import Access, Service, exception
from heptagrid.live.protocols.dlms.text import words_of
from heptagrid.live.protocols.dlms.wrapper import HEADER, Unwrapper, Wrapped, wrap

LOOKED_S = 60.0
"""How often the load profiles take what has come, of the wall clock; a meter keeps more than a day by itself."""
_QUARTERS_PER_DAY = 96
_WAITING = 64
_ASSOCIATIONS = 4096
_LOOPBACK = ("127.", "::1", "localhost")


class Dlms(Protocol):
    """The adapter. meters: what they show; rules: what they ask of clients."""

    name = "dlms"
    title = "DLMS/COSEM"
    port = 4059
    authenticates = True
    section = Parameters

    parameters: Parameters
    rules: Rules

    def __init__(self, grid: LiveGrid, parameters: Parameters | None) -> None:
        super().__init__(grid, parameters or Parameters())
        self.meters = Meters(grid, round(self.parameters.profile_days * _QUARTERS_PER_DAY))
        self.desk = grid.desk("operations")
        self.connections: set[Connection] = set()
        self._addresses = Addresses(grid.inventory)
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: DeviceListener
        self._server: asyncio.Server | None = None

    async def start(self, listening: Listening) -> None:
        self.rules = self.parameters.rules(not listening.host.startswith(_LOOPBACK))
        self._listener = device_listener(listening)
        self.listens_on = self._listener.port
        self._server = await self.grid.loop.create_server(
            lambda: Connection(self), sock=self._listener.socket, ssl=listening.tls
        )
        self.spawn(self._follow())

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for one in list(self.connections):
            one.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def greeting(self) -> list[str]:
        count = len(self.grid.inventory.classes[METERS])
        last = FIRST + count - 1
        lines = [f"{self.title}: 127.0.0.1:{self.listens_on}, {count} meters as logical devices {FIRST} to {last}"]
        address = self._addresses.address_of(self.meters.device(0))
        if self._listener.tells_devices:
            lines.append(f"{self.title}: meters/0 alone at {address}:{self.listens_on}, logical device {MANAGEMENT}")
        return lines

    def admits(self, peer: object, local: object) -> bool:
        """Whether a connection may stay, by its ends."""
        return self._listener.admits(peer, local)

    def meter_at(self, local: object) -> int | None:
        """The row of the meter whose own address a client connected to; None at the common one."""
        if not self._listener.tells_devices or not isinstance(local, tuple):
            return None
        device = self._addresses.at(str(local[0]))
        return device.row if device is not None and device.of.name == METERS else None

    def logical_device(self, row: int | None, point: int) -> tuple[LogicalDevice, int | None] | None:
        """What an access point means at a meter's address, or at the common one (row None), and the meter's row; None for nothing."""
        if row is not None:
            return (self.meters.at(row), row) if point == MANAGEMENT else None
        behind = self.meters.behind(point)
        if behind is not None:
            return self.meters.through(behind), behind
        return (self.meters.directory(), None) if point == MANAGEMENT else None

    async def _follow(self) -> None:
        """Let the load profiles take what has come."""
        while True:
            self.meters.profiles.take(self.grid.state.closed_quarter)
            await asyncio.sleep(LOOKED_S)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self.grid.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class Connection(asyncio.Protocol):
    """One client's connection: units are taken one after the other, each when it has crossed the network."""

    def __init__(self, adapter: Dlms) -> None:
        self._adapter, self._grid = adapter, adapter.grid
        self._unwrapper = Unwrapper(adapter.parameters.unit_bytes)
        self._associations: dict[tuple[int, int], tuple[Association, int | None]] = {}
        self._waiting: list[Wrapped] = []
        self._task: asyncio.Task[None] | None = None
        self._row: int | None = None
        self._transport: asyncio.Transport
        self._peer: Peer | None = None
        self._idle: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self._idle = self._grid.loop.call_later(self._adapter.parameters.idle_s, transport.close)
        ends = [transport.get_extra_info(which) for which in ("peername", "sockname")]
        if not self._adapter.admits(*ends):
            transport.abort()
            return
        self._row = self._adapter.meter_at(ends[1])
        name = self._adapter.meters.device(self._row).name if self._row is not None else ""
        address = f"{ends[0][0]}:{ends[0][1]}"
        self._peer = Peer("dlms", address, "head end", name, self._grid.now_ns)
        self._grid.peers.append(self._peer)
        self._adapter.connections.add(self)

    def connection_lost(self, problem: Exception | None) -> None:
        self._idle.cancel()
        self._adapter.connections.discard(self)
        if self._peer in self._grid.peers:
            self._grid.peers.remove(self._peer)
        if self._task is not None:
            self._task.cancel()

    def close(self) -> None:
        """End the connection."""
        self._transport.close()

    def data_received(self, received: bytes) -> None:
        self._idle.cancel()
        self._idle = self._grid.loop.call_later(self._adapter.parameters.idle_s, self._transport.close)
        if self._peer is not None:
            self._grid.heard("dlms", self._peer.address, received)
        try:
            self._waiting += self._unwrapper.feed(received)
        except MalformedError:
            self._grid.count("dlms: malformed")
            self._transport.abort()
            return
        if len(self._waiting) > _WAITING:
            self._transport.pause_reading()
        if self._waiting and self._task is None:
            self._task = self._adapter.spawn(self._work())

    async def _work(self) -> None:
        """Take what waits, one after the other."""
        try:
            while self._waiting:
                await self._take(self._waiting.pop(0))
                if len(self._waiting) <= _WAITING and not self._transport.is_closing():
                    self._transport.resume_reading()
        finally:
            self._task = None

    async def _take(self, wrapped: Wrapped) -> None:
        found = self._association(wrapped)
        if found is None:
            self._grid.count("dlms: no such logical device")
            return
        association, row = found
        device = self._adapter.meters.device(row) if row is not None else None
        if not await self._cross(device, wrapped.apdu, is_inward=True):
            return
        reply = await self._answered(association, wrapped.apdu, row)
        if reply and await self._cross(device, reply, is_inward=False):
            self._transport.write(wrap(wrapped.destination, wrapped.source, reply))

    def _association(self, wrapped: Wrapped) -> tuple[Association, int | None] | None:
        """That of a client with a logical device; both by their access points."""
        ends = wrapped.source, wrapped.destination
        if ends not in self._associations:
            found = self._adapter.logical_device(self._row, wrapped.destination)
            if found is None or len(self._associations) >= _ASSOCIATIONS:
                return None
            self._associations[ends] = Association(self._adapter.rules, found[0], wrapped.source), found[1]
        return self._associations[ends]

    async def _answered(self, association: Association, apdu: bytes, row: int | None) -> bytes:
        """The answer to a unit, after what it changes."""
        try:
            outcome = association.receive(apdu)
        except MalformedError:
            self._refused("malformed")
            return exception(Service.OTHER_REASON)
        if outcome.refused:
            self._refused(outcome.refused)
        if outcome.change is None or outcome.finish is None:
            return outcome.reply
        access = await self._adapter.meters.change(row, outcome.change) if row is not None else Access.OTHER_REASON
        return outcome.finish(access)

    async def _cross(self, device: Device | None, apdu: bytes, *, is_inward: bool) -> bool:
        """Let a unit cross the network, and log it; whether it arrives. What the directory is asked crosses nothing."""
        grid, size, sent_ns = self._grid, HEADER + len(apdu), self._grid.now_ns
        delay_s: float | None = 0.0
        if device is not None:
            desk = self._adapter.desk
            try:
                arrived_ns = await (grid.ask(desk, device, size) if is_inward else grid.answer(device, desk, size))
                delay_s = (arrived_ns - sent_ns) / 1e9
            except LostError:
                grid.count("dlms: lost")
                delay_s = None
        name = device.name if device is not None else ""
        if self._peer is not None:
            self._peer.frames += 1
            self._peer.bytes += size
            grid.note(FrameRecord(sent_ns, "dlms", self._peer.address, name, is_inward, size, words_of(apdu), delay_s))
        return delay_s is not None and not self._transport.is_closing()

    def _refused(self, why: str) -> None:
        self._grid.count(f"dlms: {why}")
        if self._peer is not None:
            self._peer.refused += 1

"""Protocols whose devices are all reached through one listener, and the connections of their clients: what these have in common."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Coroutine
from typing import Any, ClassVar, Generic, TypeVar, cast

from heptagrid.live.grid import FrameRecord, LiveGrid, Peer
from heptagrid.live.inventory import Device
from heptagrid.live.listening import Addresses, DeviceListener, device_listener
from heptagrid.live.protocol import Listening, Protocol
from heptagrid.live.slices import Slices

MOST_UNREAD = 1 << 20
"""Bytes that wait for a client that does not read; beyond them the connection is closed."""
_log = logging.getLogger(__name__)


class DeviceServer(Protocol):
    """Opens the listener, keeps connections and tasks, and says which device a connection means. desk: from which clients ask. addresses: of the devices. places: for connections. unspoken: connections over which nothing has come yet, the oldest first."""

    def __init__(self, grid: LiveGrid, parameters: Any) -> None:
        super().__init__(grid, parameters)
        self.desk = grid.desk("operations")
        self.addresses = Addresses(grid.inventory)
        self.connections: set[DeviceConnection[Any]] = set()
        self.unspoken: dict[DeviceConnection[Any], None] = {}
        self.places = grid.places.listener(self.connections)
        self.listener: DeviceListener
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @abstractmethod
    def connection(self) -> DeviceConnection[Any]:
        """A new client's connection."""

    @abstractmethod
    def serves(self, device: Device) -> bool:
        """Whether a device speaks the protocol."""

    async def start(self, listening: Listening) -> None:
        self.listener = device_listener(listening)
        self.listens_on = self.listener.port
        self._server = await self.listener.serve(self.connection, listening.tls)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for one in list(self.connections):
            one.close("the grid stops")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def device_at(self, local: object) -> Device | None:
        """The device at whose own address a connection was made; None at the address of all."""
        if not (self.listener.tells_devices and isinstance(local, tuple)):
            return None
        device = self.addresses.at(str(local[0]))
        return device if device is not None and self.serves(device) else None

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do work beside all else until it ends or the server stops; a failure is logged."""
        task = self.grid.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            _log.error("%s: a task has failed", self.title, exc_info=problem)


A = TypeVar("A", bound=DeviceServer)


class DeviceConnection(asyncio.Protocol, Generic[A]):
    """A client's connection; a subclass says what is done when it joins, when bytes come, and when it leaves.

    slices: what has come, handed to `received` so that others are served meanwhile. role, all_devices: what peers show of the client, and of the address of all devices. device: the one at whose own address it was made; None: that of all. transport, peer, slices:
    from `joined` on. is_open: between `joined` and `left`.
    """

    role: ClassVar[str]
    all_devices: ClassVar[str]

    transport: asyncio.Transport
    peer: Peer
    slices: Slices

    def __init__(self, adapter: A) -> None:
        self.adapter, self.grid = adapter, adapter.grid
        self.device: Device | None = None
        self.is_open = False

    @abstractmethod
    def joined(self) -> None:
        """It may stay."""

    @abstractmethod
    def received(self, data: bytes) -> None:
        """Bytes have come, some of them at a time."""

    @abstractmethod
    def left(self) -> None:
        """It has ended; called once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if not self.adapter.listener.admits(peer, local):
            self.grid.count(f"{self.adapter.name}: refused, from another machine")
            self.transport.abort()
            return
        if self.adapter.places.is_full:
            self.grid.count(f"{self.adapter.name}: too many connections")
            oldest = next(iter(self.adapter.unspoken), None)
            if oldest is None:
                self.transport.abort()
                return
            oldest.close("it has said nothing, and another wants its place")
        self.device = self.adapter.device_at(local)
        name = self.device.name if self.device else self.all_devices
        self.peer = Peer(self.adapter.title, f"{peer[0]}:{peer[1]}", self.role, name, self.grid.now_ns)
        self.grid.peers.append(self.peer)
        self.adapter.connections.add(self)
        self.adapter.unspoken[self] = None
        self.slices = Slices(self.grid.loop, self.transport, self._received)
        self.is_open = True
        self.joined()

    def data_received(self, data: bytes) -> None:
        if self.is_open:
            self.adapter.unspoken.pop(self, None)
            self.peer.bytes += len(data)
            self.grid.heard(self.adapter.name, self.peer.address, data)
            self.slices.feed(data)

    def _received(self, data: bytes) -> None:
        if self.is_open:
            self.received(data)

    def connection_lost(self, problem: Exception | None) -> None:
        self._end()

    def close(self, why: str) -> None:
        """End the connection; to a client that does not read at once."""
        if not self.transport.is_closing():
            self.note(f"closed: {why}", 0, is_inward=False, delay_s=None)
            if self.transport.get_write_buffer_size():
                self.transport.abort()
            else:
                self.transport.close()
        self._end()

    def write(self, frame: bytes, text: str | None, delay_s: float, device: str | None = None) -> None:
        """Write a frame that has crossed the network; text: for the log, None: it is left out of it. device: whose, if not that of the connection."""
        if self.transport.is_closing():
            return
        self.peer.frames += 1
        self.peer.bytes += len(frame)
        if text is not None:
            self.note(text, len(frame), is_inward=False, delay_s=delay_s, device=device)
        self.put(frame)

    def put(self, data: bytes) -> None:
        """Write bytes that are noted elsewhere; a client that reads nothing is cut off."""
        self.transport.write(data)
        if self.transport.get_write_buffer_size() > MOST_UNREAD:
            self.grid.count(f"{self.adapter.name}: what was sent is not read")
            self.close("what was sent is not read")

    def note(self, text: str, size: int, *, is_inward: bool, delay_s: float | None, device: str | None = None) -> None:
        """Keep a frame for the log."""
        of = self.peer.device if device is None else device
        title, address = self.adapter.title, self.peer.address
        self.grid.note(FrameRecord(self.grid.now_ns, title, address, of, is_inward, size, text, delay_s))

    def _end(self) -> None:
        if self.is_open:
            self.is_open = False
            self.slices.end()
            self.grid.peers.remove(self.peer)
            self.adapter.connections.discard(self)
            self.adapter.unspoken.pop(self, None)
            self.left()

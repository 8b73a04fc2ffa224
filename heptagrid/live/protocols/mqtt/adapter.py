"""MQTT: the devices publish to the broker that is built in, on its port, or to one outside."""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import suppress
from typing import cast

from heptagrid.foundation.errors import UsageError
from heptagrid.live.grid import LiveGrid, Peer
from heptagrid.live.listening import BACKLOG
from heptagrid.live.protocol import Listening, Protocol
from heptagrid.live.protocols.mqtt.broker import Broker, Login, Session
from heptagrid.live.protocols.mqtt.packets import MalformedError
from heptagrid.live.protocols.mqtt.publisher import LOOKED_S, Publisher
from heptagrid.live.protocols.mqtt.section import Parameters
from heptagrid.live.protocols.mqtt.sparkplug import NAMESPACE
from heptagrid.live.protocols.mqtt.uplinks import Client, OutsideUplink, Place, Uplink, WithinUplink
from heptagrid.live.slices import Slices

MOST_CLIENTS = 1000
_CONNECT_S = 20.0
"""Of the wall clock, within which a client introduces itself."""
_GRACE = 1.5
_CONGESTED_BYTES = 1 << 20
_MOST_UNREAD = 4 << 20
"""Bytes that wait for a client that does not read, beyond which it is cut off; messages stop at the former, answers do not."""
_LOOPBACK = ("127.", "::1", "localhost")


class Mqtt(Protocol):
    """The adapter."""

    name = "mqtt"
    title = "MQTT and Sparkplug B"
    port = 1883
    section = Parameters
    authenticates = True

    parameters: Parameters

    def __init__(self, grid: LiveGrid, parameters: Parameters | None) -> None:
        super().__init__(grid, parameters or Parameters())
        known = grid.inventory.classes
        for name in self.parameters.class_names:
            if name not in known:
                raise UsageError(f"live.mqtt.classes: there is no class {name!r}; there are {', '.join(known)}")
        self.broker = Broker(Login(self.parameters.username, self.parameters.password), self._is_ours)
        self.connections: set[BrokerConnection] = set()
        self.publisher = Publisher(grid, self.parameters, self._uplink_for)
        self._server: asyncio.Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._outside: Place | None = None

    async def start(self, listening: Listening) -> None:
        outside = self.parameters.outside
        if outside is not None:
            host, port, is_tls = outside
            tls = ssl.create_default_context() if is_tls else None
            self._outside = Place(host, port, self.parameters.username, self.parameters.password, tls)
            self._check_package()
            self.listens_on = port
        else:
            await self._listen(listening)
        self.publisher.start()
        self._task = self.grid.loop.create_task(self._follow())

    async def _listen(self, listening: Listening) -> None:
        """Open the broker's port; where others can reach it, only with a password."""
        if not listening.host.startswith(_LOOPBACK) and not (self.parameters.username and self.parameters.password):
            raise UsageError("live.mqtt: other machines could connect; set live.mqtt.username and live.mqtt.password")
        try:
            self._server = await self.grid.loop.create_server(
                lambda: BrokerConnection(self), listening.host, listening.port, ssl=listening.tls, backlog=BACKLOG
            )
        except OSError as problem:
            raise UsageError(
                f"{listening.host} port {listening.port} cannot be listened on: {problem.strerror}; choose another with mqtt=PORT"
            ) from problem
        self.listens_on = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.publisher.stop()
        if self._server is not None:
            self._server.close()
        for one in list(self.connections):
            one.close()

    def greeting(self) -> list[str]:
        if self._outside is not None:
            return [f"{self.title}: publishes to {self._outside.host}:{self._outside.port}"]
        topics = "heptagrid/#".replace("heptagrid", self.parameters.prefix)
        return [f"{self.title}: broker on port {self.listens_on}; mosquitto_sub -p {self.listens_on} -v -t '{topics}'"]

    @property
    def is_wanted(self) -> bool:
        """Whether anybody would hear what is published: an outside broker, or a client that has subscribed."""
        return self._outside is not None or any(one.filters for one in self.broker.sessions.values())

    async def _follow(self) -> None:
        """Let devices report while somebody hears them."""
        loop = self.grid.loop
        last = loop.time()
        while True:
            await asyncio.sleep(LOOKED_S)
            now = loop.time()
            if self.is_wanted:
                self.publisher.look(now - last)
            last = now

    def _is_ours(self, topic: str) -> bool:
        """Whether only devices publish to a topic: values of devices, and what edge nodes say."""
        first, *rest = topic.split("/")
        if self.parameters.plain and first == self.parameters.prefix:
            return len(rest) != 3 or rest[2] != "set"
        is_of_group = self.parameters.sparkplug and first == NAMESPACE and rest[:1] == [self.parameters.group]
        return is_of_group and rest[1:2] not in (["NCMD"], ["DCMD"])

    def _uplink_for(self, client: Client) -> Uplink:
        return WithinUplink(self.broker, client) if self._outside is None else OutsideUplink(self._outside, client)

    def _check_package(self) -> None:
        try:
            import aiomqtt  # noqa: F401
        except ImportError as problem:
            raise UsageError(
                "live.mqtt.broker: an outside broker needs aiomqtt; pip install heptagrid[live]"
            ) from problem


class BrokerConnection(asyncio.Protocol):
    """One client of the built-in broker."""

    def __init__(self, adapter: Mqtt) -> None:
        self._adapter, self._grid = adapter, adapter.grid
        self._peer: Peer | None = None
        self._heard_at = 0.0
        self._transport: asyncio.Transport
        self._session: Session
        self._slices: Slices
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        is_congested = lambda: transport.get_write_buffer_size() > _CONGESTED_BYTES  # noqa: E731
        transport.set_write_buffer_limits(_CONGESTED_BYTES)
        self._session = Session(self._send, transport.close, is_congested)
        self._slices = Slices(self._grid.loop, transport, self._take)
        if len(self._adapter.connections) >= MOST_CLIENTS:
            self._grid.count("mqtt: too many clients")
            idle = min(self._adapter.connections, key=BrokerConnection.worth)
            if idle.worth()[0]:
                transport.abort()
                return
            idle.give_way()
        self._adapter.connections.add(self)
        self._heard_at = time.monotonic()
        host, port = transport.get_extra_info("peername")[:2]
        self._peer = Peer("mqtt", f"{host}:{port}", "client", "", self._grid.now_ns)
        self._grid.peers.append(self._peer)
        self._wait(_CONNECT_S)

    def worth(self) -> tuple[bool, float]:
        """Whether the client hears something, and when it was last heard: who has nothing and says nothing gives way to others, however long it said that it would be silent."""
        return bool(self._session.filters), self._heard_at

    def give_way(self) -> None:
        """End at once."""
        self._adapter.connections.discard(self)
        self._transport.abort()

    def data_received(self, received: bytes) -> None:
        assert self._peer is not None
        self._peer.frames += 1
        self._peer.bytes += len(received)
        self._grid.heard("mqtt", self._peer.address, received)
        self._slices.feed(received)

    def _take(self, received: bytes) -> None:
        if self._transport.is_closing():
            return
        broker = self._adapter.broker
        refused, forged = broker.refused, broker.forged
        try:
            broker.receive(self._session, received)
        except MalformedError:
            self._count("malformed")
            self._transport.abort()
            return
        if broker.refused > refused:
            self._count("refused connection")
        for _ in range(broker.forged - forged):
            self._count("forged")
        self._pump()
        if self._session.is_open:
            self._heard_at = time.monotonic()
            self._wait(self._session.keep_alive_s * _GRACE)
        elif self._transport.is_closing():
            self._wait(_CONNECT_S)  # to read what it was sent
        # A client that has not introduced itself has no longer for coming in pieces.

    def connection_lost(self, problem: Exception | None) -> None:
        self._adapter.connections.discard(self)
        self._slices.end()
        if self._timer is not None:
            self._timer.cancel()
        if self._peer in self._grid.peers:
            self._grid.peers.remove(self._peer)
        forged = self._adapter.broker.forged
        self._adapter.broker.lost(self._session)
        if self._adapter.broker.forged > forged:
            self._grid.count("mqtt: forged")

    def resume_writing(self) -> None:
        self._pump()

    def close(self) -> None:
        """End the connection."""
        self._transport.close()

    def _send(self, raw: bytes) -> None:
        if self._peer is not None:
            self._peer.bytes += len(raw)
        self._transport.write(raw)
        if self._transport.get_write_buffer_size() > _MOST_UNREAD and not self._transport.is_closing():
            self._count("what was sent is not read")
            self._transport.abort()

    def _pump(self) -> None:
        """Send retained messages, one filter's after the other's, so that others are served between."""
        if self._transport.is_closing() or not self._adapter.broker.pump(self._session):
            return
        if self._transport.get_write_buffer_size() <= _CONGESTED_BYTES:
            self._grid.loop.call_soon(self._pump)

    def _count(self, what: str) -> None:
        self._grid.count(f"mqtt: {what}")
        if self._peer is not None:
            self._peer.refused += 1

    def _wait(self, seconds: float) -> None:
        """Close the connection unless something comes within so long; 0: never."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._grid.loop.call_later(seconds, self._transport.abort) if seconds else None

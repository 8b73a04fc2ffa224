"""How messages get to a broker: to the one within this program, or over a connection of aiomqtt to one outside."""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from heptagrid.live.protocols.mqtt.broker import Broker
from heptagrid.live.protocols.mqtt.packets import Message

KEEP_ALIVE_S = 30
AGAIN_S = 5.0
"""Of the wall clock, until a broker that is not there is tried again."""
_MOST_WAITING = 10_000


@dataclass(frozen=True)
class Client:
    """A client of a broker. filters: what it subscribes to; will: made for each connection, None for none; heard: told each message; up: told when it is connected."""

    name: str
    filters: Sequence[str]
    will: Callable[[], Message] | None
    heard: Callable[[Message], None]
    up: Callable[[], None]


class Uplink(ABC):
    """One client's way to its broker. is_up: whether it is connected; dropped: messages that found no way."""

    is_up = False
    dropped = 0

    @abstractmethod
    def start(self) -> None:
        """Connect."""

    @abstractmethod
    def publish(self, message: Message) -> None:
        """Send a message, soon."""

    @abstractmethod
    async def stop(self, farewell: Message | None) -> None:
        """End the connection, after a last message."""


class WithinUplink(Uplink):
    """To the broker within this program: always up."""

    def __init__(self, broker: Broker, client: Client) -> None:
        self._broker, self._client = broker, client

    def start(self) -> None:
        for name in self._client.filters:
            self._broker.listen(name, self._client.heard)
        if self._client.will is not None:
            self._client.will()
        self.is_up = True
        self._client.up()

    def publish(self, message: Message) -> None:
        self._broker.publish(message)

    async def stop(self, farewell: Message | None) -> None:
        self.is_up = False
        if farewell is not None:
            self._broker.publish(farewell)


@dataclass(frozen=True)
class Place:
    """An outside broker; tls: None for none."""

    host: str
    port: int
    username: str
    password: str
    tls: ssl.SSLContext | None


class OutsideUplink(Uplink):
    """To an outside broker; connects again and again."""

    def __init__(self, place: Place, client: Client) -> None:
        self._place, self._client = place, client
        self._waiting: deque[Message] = deque()
        self._has_waiting = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._has_ended = asyncio.Event()

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._keep_up())

    def publish(self, message: Message) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append(message)
        self._has_waiting.set()

    async def stop(self, farewell: Message | None) -> None:
        if self.is_up and farewell is not None:
            self.publish(farewell)
        self._has_ended.set()
        self._has_waiting.set()
        if self._task is not None:
            if not self.is_up:
                self._task.cancel()
            with suppress(asyncio.CancelledError, TimeoutError):
                await asyncio.wait_for(self._task, KEEP_ALIVE_S)

    async def _keep_up(self) -> None:
        import aiomqtt

        while not self._has_ended.is_set():
            with suppress(aiomqtt.MqttError, OSError):
                await self._connected()
            self.is_up = False
            self._waiting.clear()
            if not self._has_ended.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._has_ended.wait(), AGAIN_S)

    async def _connected(self) -> None:
        """One connection, until it is lost or all that waits is sent and it is to end."""
        import aiomqtt

        place, client = self._place, self._client
        will = client.will() if client.will is not None else None
        connection = aiomqtt.Client(
            place.host,
            place.port,
            username=place.username or None,
            password=place.password or None,
            identifier=client.name,
            keepalive=KEEP_ALIVE_S,
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, will.qos, will.retain),
            tls_context=place.tls,
        )
        async with connection:
            for name in client.filters:
                await connection.subscribe(name, qos=1)
            self.is_up = True
            client.up()
            sending = asyncio.create_task(self._send(connection))
            hearing = asyncio.create_task(self._hear(connection))
            await asyncio.wait((sending, hearing), return_when=asyncio.FIRST_COMPLETED)
            for one in (sending, hearing):
                one.cancel()
            for one in (sending, hearing):
                with suppress(asyncio.CancelledError):
                    await one

    async def _send(self, connection: object) -> None:
        while not (self._has_ended.is_set() and not self._waiting):
            await self._has_waiting.wait()
            self._has_waiting.clear()
            while self._waiting:
                one = self._waiting.popleft()
                await connection.publish(one.topic, one.payload, qos=one.qos, retain=one.retain)  # type: ignore[attr-defined]

    async def _hear(self, connection: object) -> None:
        async for one in connection.messages:  # type: ignore[attr-defined]
            payload = one.payload if isinstance(one.payload, bytes) else b""
            self._client.heard(Message(str(one.topic), payload, one.qos))

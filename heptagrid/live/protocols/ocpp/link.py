"""A WebSocket whose frames cross the modelled network between a device and its aggregator."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.grid import FrameRecord, LiveGrid, Peer, Place
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.ocpp.dialogue import Dialogue, Handle
from heptagrid.live.protocols.ocpp.wire import LONGEST_BYTES, Version

if TYPE_CHECKING:
    from websockets.asyncio.connection import Connection

ANSWER_S = 30.0
"""Of the wall clock, until a call counts as not answered: the default of most implementations; the standard leaves it open."""
CALLS_OPEN = 8
"""Texts that a connection holds unread before its sender has to wait."""
_LOGGED_CHARACTERS = 600
_WARNED_LOG = logging.getLogger("heptagrid.websockets")  # silent unless somebody listens: peers break off at any time
_WARNED_LOG.setLevel(logging.CRITICAL)


def socket_options(pings: bool) -> dict[str, Any]:
    """Options of both ends of `websockets`: without compression, which would cost 64 kB a connection. pings: whether a peer that answers no ping is cut off."""
    return {
        "compression": None,
        "max_size": LONGEST_BYTES,
        "max_queue": CALLS_OPEN,
        "ping_interval": 20.0,
        "ping_timeout": 20.0 if pings else None,
        "close_timeout": 2.0,
        "logger": _WARNED_LOG,
    }


@dataclass
class Link:
    """One connection. is_inner: whether the station is ours, and the socket leads to its CSMS; otherwise a charger is at the other end.

    heard: called after each text that came through, and after its answer was sent.
    """

    grid: LiveGrid
    socket: Connection
    device: Device
    peer: Peer
    version: Version
    is_inner: bool
    lenient: bool
    handle: Handle
    heard: Callable[[], None] = lambda: None
    dialogue: Dialogue = field(init=False)
    is_answering: bool = False
    _sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.dialogue = Dialogue(self.version, self.lenient, self.handle, self._count)
        self._desk: Place = self.grid.desk("aggregator", self.grid.aggregator_of(self.device))

    async def read(self) -> None:
        """Take in texts and answer them until the connection ends."""
        from websockets.exceptions import ConnectionClosed

        with suppress(ConnectionClosed):
            while True:
                text = await self.socket.recv()
                self.grid.heard("ocpp", self.peer.address, text if isinstance(text, bytes) else text.encode())
                if await self._crosses(text, is_inward=True):
                    answer = self.dialogue.receive(text)
                    if answer is not None:
                        self.is_answering = True
                        await self._send(answer)
                        self.is_answering = False
                    self.heard()

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        """Call the other end, one call at a time; the answer, or None without one."""
        done: asyncio.Future[dict[str, Any] | None] = self.grid.loop.create_future()

        def settle(answer: dict[str, Any] | None, why: str) -> None:
            if not done.done():
                done.set_result(answer)

        text = self.dialogue.ask(action, payload, settle)
        try:
            await self._send(text)
            return await asyncio.wait_for(done, ANSWER_S)
        except TimeoutError:
            self._count(f"no answer: {action}")
            return None
        finally:
            self.dialogue.give_up()

    async def _send(self, text: str) -> None:
        async with self._sending:
            if await self._crosses(text, is_inward=False):
                await self.socket.send(text)

    async def _crosses(self, text: str | bytes, *, is_inward: bool) -> bool:
        """Let a frame cross the network and note it; whether it arrived."""
        grid, size = self.grid, len(text) if isinstance(text, bytes) else len(text.encode())
        sent_ns = grid.now_ns
        is_asking = is_inward == self.is_inner
        arrived_ns: int | None = None
        with suppress(HeptagridError):  # lost, or refused by policy: no answer
            if is_asking:
                arrived_ns = await grid.ask(self._desk, self.device, size)
            else:
                arrived_ns = await grid.answer(self.device, self._desk, size)
        self.peer.frames += 1
        self.peer.bytes += size
        shown = text if isinstance(text, str) else text.decode(errors="replace")
        delay_s = None if arrived_ns is None else max(arrived_ns - sent_ns, 0) / NS_PER_S
        name = f"ocpp{self.version}"
        shown = shown[:_LOGGED_CHARACTERS]
        grid.note(FrameRecord(sent_ns, name, self.peer.address, self.device.name, is_inward, size, shown, delay_s))
        return arrived_ns is not None

    def _count(self, what: str) -> None:
        self.grid.count(f"ocpp {what}")
        if what.startswith("malformed") and not what.endswith(("understood", "mended")):
            self.peer.refused += 1


def address_of(socket: Connection) -> str:
    """Where the other end is, for people."""
    remote = socket.remote_address
    return f"{remote[0]}:{remote[1]}" if isinstance(remote, tuple) and len(remote) >= 2 else str(remote)

"""One client's connection: frames in, requests over the modelled network to the device and back, responses out in the order of the requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, cast

from heptagrid.live.grid import Peer, Place
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.modbus import codec
from heptagrid.live.protocols.modbus.codec import Frame, StreamError
from heptagrid.live.protocols.modbus.registers import Registers
from heptagrid.live.slices import Slices

if TYPE_CHECKING:
    from heptagrid.live.protocols.modbus.server import Server

MOST_AT_ONCE = 16
"""Requests of a connection that are under way: the most that the implementation guide names."""
_WRITES = (codec.WRITE_ONE, codec.WRITE, codec.READ_WRITE)


class Target(NamedTuple):
    """A device that is spoken to: its place and its desk's in the communication network, and its registers."""

    device: Device
    place: Place
    desk: Place
    registers: Registers


Work = Callable[[], bytes]
"""Makes a response when a request has arrived."""


class Exchange:
    """A request and what becomes of it.

    sent_ns: when it, or its response, left; -1 before. work: makes the response; None: the device reads. response: that which is on its way back. answer: None until it is known, empty where there is none.
    """

    __slots__ = ("answer", "connection", "frame", "is_write", "response", "sent_ns", "target", "work")

    def __init__(self, connection: Connection, frame: Frame, target: Target | None) -> None:
        self.connection, self.frame, self.target = connection, frame, target
        self.work: Work | None = None
        self.response = b""
        self.answer: bytes | None = None
        self.is_write = frame.pdu[0] in _WRITES
        self.sent_ns = -1

    @property
    def was_launched(self) -> bool:
        return self.sent_ns >= 0

    def end(self, answer: bytes) -> None:
        """The answer is there, or there is none."""
        self.answer = answer
        self.connection.pump()


class Connection(asyncio.Protocol):
    """A client. It holds little while nothing is under way, for there may be ten thousand."""

    __slots__ = ("_is_full", "_is_pumping", "_queue", "_rest", "_server", "_slices", "_target", "_transport", "peer")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._rest = b""
        self._queue: list[Exchange] | None = None
        self._target: Target | None = None
        self._is_pumping = self._is_full = False
        self._transport: asyncio.Transport | None = None
        self._slices: Slices | None = None
        self.peer: Peer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        ends = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if not self._server.listener.admits(*ends):
            self._server.grid.count("modbus: refused, from another machine")
            self._transport.abort()
            return
        if self._server.places.is_full:
            self._server.grid.count("modbus: too many connections")
            oldest = next(iter(self._server.unspoken), None)
            if oldest is None:
                self._transport.abort()
                return
            oldest.abort()
            self._server.unspoken.pop(oldest)
        self._slices = Slices(self._server.grid.loop, self._transport, self._take)
        self._target = self._server.at_address(ends[1])
        self.peer = self._server.greet(ends[0], self._target, self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._queue = None
        if self._slices is not None:
            self._slices.end()
        if self.peer is not None:
            self._server.leave(self.peer, self)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self.pump()

    def data_received(self, data: bytes) -> None:
        self._server.unspoken.pop(self, None)
        self._server.grid.heard("modbus", self.peer.address if self.peer else "", data)
        if self.peer is not None:
            self.peer.bytes += len(data)
        if self._slices is not None:
            self._slices.feed(data)

    def _take(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        try:
            found, self._rest, foreign = codec.frames(self._rest + data if self._rest else data)
        except StreamError:
            self._server.grid.count("modbus: malformed header")
            self.close()
            return
        if foreign:
            for _ in range(foreign):
                self._server.grid.count("modbus: frame of another protocol")
        if not found:
            return
        if self.peer is not None:
            self.peer.frames += len(found)
        if self._queue is None:
            self._queue = []
        for frame in found:
            self._queue.append(Exchange(self, frame, self._target_of(frame.unit)))
        if len(self._queue) > MOST_AT_ONCE and self._slices is not None:
            self._slices.hold()
        self.pump()

    def close(self) -> None:
        """Close after what was written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _target_of(self, unit: int) -> Target | None:
        if self._target is not None:
            return self._target if unit in self._server.own_units else None
        return self._server.at_unit(unit)

    def pump(self) -> None:
        """Send answers that are due, and launch requests that may be."""
        if self._is_pumping or self._queue is None:
            return
        self._is_pumping = True
        try:
            while self._queue and (self._launch() | self._deliver()):
                pass
        finally:
            self._is_pumping = False

    def _launch(self) -> bool:
        """Launch what may be; a write only when all before it is done, and nothing after it until it is."""
        queue, was_any = self._queue, False
        if not queue or queue[-1].was_launched:  # and so all before it
            return False
        if self._is_full or self._transport is None or self._transport.is_closing():
            return False
        for k, one in enumerate(queue[:MOST_AT_ONCE]):
            if one.is_write and (k > 0 or one.was_launched):
                break
            if not one.was_launched:
                was_any = True
                self._server.launch(one)
            if one.is_write and one.answer is None:
                break
        return was_any

    def _deliver(self) -> bool:
        """Write the answers at the head of the queue."""
        queue = self._queue
        if not queue or self._transport is None or self._transport.is_closing():
            self._queue = None
            return False
        if queue[0].answer is None:
            return False
        done = next((k for k, one in enumerate(queue) if one.answer is None), len(queue))
        answers = b"".join([one.answer or b"" for one in queue[:done]])
        was_full = len(queue) > MOST_AT_ONCE
        del queue[:done]
        if not queue:
            self._queue = None
        if answers:
            if self.peer is not None:
                self.peer.frames += done
                self.peer.bytes += len(answers)
            self._transport.write(answers)
        if was_full and len(queue) <= MOST_AT_ONCE and self._slices is not None:
            self._slices.go_on()
        return True


def silenced(pending: asyncio.Task[None]) -> None:
    """A task that nobody awaits has ended; what it raised was dealt with."""
    with suppress(asyncio.CancelledError):
        pending.exception()

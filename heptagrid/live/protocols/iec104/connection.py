"""A controlling station's connection: its socket on one side, one station's end of the link or the front end's on the other.

To a station's own address the whole connection crosses the modelled network, frame by frame and in order. At 127.0.0.1 it ends at a front end in the control
centre, and only ASDUs cross, on the front end's own connections to the stations.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

from heptagrid.live.grid import FrameRecord, Peer
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.iec104.apci import MalformedError, Splitter
from heptagrid.live.protocols.iec104.group import Group
from heptagrid.live.protocols.iec104.link import Happened, Link
from heptagrid.live.protocols.iec104.text import text_of
from heptagrid.live.stream import Stream

if TYPE_CHECKING:
    from heptagrid.live.protocols.iec104.adapter import Iec104

MOST_REPLIES = 20_000
"""Answers that wait for a client that does not confirm; beyond them the connection is closed."""
MOST_UNREAD = 1 << 20
"""Bytes that wait for a client that does not read; beyond them the connection is closed."""
MOST_UNDER_WAY = 64
"""Frames on their way to a station; beyond them nothing more is read, as with a full TCP window."""


class Connection(asyncio.Protocol):
    """One connection. device: the station at whose address it was made; None: the front end."""

    def __init__(self, adapter: Iec104) -> None:
        self._adapter, self._grid = adapter, adapter.grid
        self.device: Device | None = None
        self.group: Group
        self._splitter = Splitter()
        self._replies: deque[bytes] = deque()
        self._inward: Stream[bytes] | None = None
        self._outward: Stream[bytes] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_pumping = False
        self._has_joined = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if not self._adapter.admits(peer, local):
            transport.abort()
            return
        self.host = str(peer[0])
        self._adapter.joined(self, local)
        self.peer = Peer(
            self._adapter.title,
            f"{peer[0]}:{peer[1]}",
            "controlling station",
            self.device.name if self.device else "all stations",
            self._grid.now_ns,
        )
        self._grid.peers.append(self.peer)
        self._has_joined = True
        self._link = Link(self._adapter.parameters.timing, True, self._grid.loop.time())
        self._link.on_asdu, self._link.on_happened = self._take, self._happened
        if self.device is not None:
            grid, desk, device = self._grid, self._adapter.desk, self.device
            self._inward = Stream(
                grid, lambda size, at_ns: grid.ask(desk, device, size, at_ns), self._arrived, self.close
            )
            self._outward = Stream(
                grid, lambda size, at_ns: grid.answer(device, desk, size, at_ns), self._write, self.close
            )
        self._arm()

    def data_received(self, data: bytes) -> None:
        if not self._has_joined:
            return
        self.peer.bytes += len(data)
        self._grid.heard("iec104", self.peer.address, data)
        try:
            frames = self._splitter.feed(data)
        except MalformedError as problem:
            self._grid.count("iec104: malformed")
            self.close(str(problem))
            return
        for one in frames:
            self.peer.frames += 1
            if self._inward is not None:
                self._inward.send(one, len(one))
            else:
                self._arrived(one, 0.0)
        if self._inward is not None and self._inward.under_way > MOST_UNDER_WAY and not self._transport.is_closing():
            self._transport.pause_reading()

    def connection_lost(self, problem: Exception | None) -> None:
        self._end()

    def reply(self, asdu: bytes) -> None:
        """Send an answer as soon as there is room."""
        self._replies.append(asdu)
        if len(self._replies) > MOST_REPLIES:
            self.close("answers are not confirmed")
        else:
            self.pump()

    def pump(self) -> None:
        """Send what may be sent now: answers, then what the group was told."""
        link = self._link
        if self._is_pumping:
            return
        self._is_pumping = True
        now = self._grid.loop.time()
        while link.room > 0:
            asdu = self._replies.popleft() if self._replies else self.group.next() if self._is_active else None
            if asdu is None:
                break
            link.send(asdu, now)
        self._is_pumping = False
        self._flush()

    def set_aside(self) -> None:
        """Another connection of the group carries the data from now on."""
        self._replies.clear()
        self._link.set_aside()
        self.group.stop(self, self._link.unconfirmed())
        self._flush()

    def close(self, why: str) -> None:
        """End the connection."""
        if not self._transport.is_closing():
            self._note(f"closed: {why}", 0, is_inward=False, delay_s=None)
            if self._transport.get_write_buffer_size():
                self._transport.abort()
            else:
                self._transport.close()
        self._end()

    @property
    def _is_active(self) -> bool:
        return self.group.active is self

    def _arrived(self, apdu: bytes, delay_s: float) -> None:
        """A frame has come to the link's own end."""
        if self._transport.is_closing():
            return
        if self._inward is not None and not self._transport.is_reading() and self._inward.under_way < MOST_UNDER_WAY:
            self._transport.resume_reading()
        self._note(text_of(apdu), len(apdu), is_inward=True, delay_s=delay_s)
        self._link.receive(apdu, self._grid.loop.time())
        self.pump()

    def _take(self, raw: bytes) -> None:
        try:
            self._adapter.take(self, raw)
        except MalformedError:
            self._grid.count("iec104: malformed")

    def _happened(self, what: Happened) -> None:
        if what is Happened.STARTED:
            if self.group.start(self):
                self._adapter.first_started(self)
        else:
            self._replies.clear()
            self.group.stop(self, [])

    def _flush(self) -> None:
        for one in self._link.take():
            if self._outward is not None:
                self._outward.send(one, len(one))
            else:
                self._write(one, 0.0)
        if self._link.closed is not None and not self._transport.is_closing():
            word = self._link.closed.partition(":")[0]
            self._grid.count(f"iec104: closed: {word}")
            self.close(self._link.closed)
        else:
            self._arm()

    def _write(self, apdu: bytes, delay_s: float) -> None:
        if self._transport.is_closing():
            return
        self.peer.frames += 1
        self.peer.bytes += len(apdu)
        self._note(text_of(apdu), len(apdu), is_inward=False, delay_s=delay_s)
        self._transport.write(apdu)
        if self._transport.get_write_buffer_size() > MOST_UNREAD:
            self.close("what was sent is not read")

    def _arm(self) -> None:
        """Be woken when the link has something to do."""
        if self._transport.is_closing():
            return
        due = self._link.due()
        if self._timer is not None:
            if self._timer.when() <= due and not self._timer.cancelled():
                return
            self._timer.cancel()
        self._timer = self._grid.loop.call_at(due, self._woken)

    def _woken(self) -> None:
        self._timer = None
        self._link.tick(self._grid.loop.time())
        self.pump()

    def _note(self, text: str, size: int, *, is_inward: bool, delay_s: float | None) -> None:
        device = self.peer.device
        self._grid.note(
            FrameRecord(
                self._grid.now_ns, self._adapter.title, self.peer.address, device, is_inward, size, text, delay_s
            )
        )

    def _end(self) -> None:
        """Leave everything; done once."""
        if not self._has_joined:
            return
        self._has_joined = False
        if self._timer is not None:
            self._timer.cancel()
        for stream in (self._inward, self._outward):
            if stream is not None:
                stream.close()
        self._grid.peers.remove(self.peer)
        self.group.stop(self, self._link.unconfirmed())
        self._adapter.left(self)

"""A master's connection: its socket on one side, a line to each outstation that it speaks to on the other.

At an outstation's own address it is alone; at 127.0.0.1 the control centre's front end tells outstations apart by their link addresses, as on a line with several drops.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from heptagrid.live.grid import FrameRecord, Peer
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.dnp3.line import Line
from heptagrid.live.protocols.dnp3.link import BROADCASTS, LAST_ADDRESS, SELF, MalformedError, Splitter, decode
from heptagrid.live.protocols.dnp3.text import text_of

if TYPE_CHECKING:
    from heptagrid.live.protocols.dnp3.adapter import Dnp3

MOST_UNREAD = 1 << 20
"""Bytes that wait for a master that does not read; beyond them the connection is closed."""
MOST_UNDER_WAY = 64
"""Frames on their way to outstations; beyond them nothing more is read, as with a full TCP window."""
_FROM_MASTER = 0x80


class Connection(asyncio.Protocol):
    """One connection. device: the outstation at whose address it was made; None: the front end."""

    def __init__(self, adapter: Dnp3) -> None:
        self._adapter, self._grid = adapter, adapter.grid
        self.device: Device | None = None
        self._splitter = Splitter()
        self._lines: dict[tuple[str, int], Line] = {}
        self._has_joined = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if not self._adapter.admits(peer, local):
            transport.abort()
            return
        self.device = self._adapter.device_at(local)
        name = self.device.name if self.device else "all outstations"
        self.peer = Peer(self._adapter.title, f"{peer[0]}:{peer[1]}", "master", name, self._grid.now_ns)
        self._grid.peers.append(self.peer)
        self._has_joined = True
        self._adapter.joined(self)
        self._heard_at = self._grid.loop.time()
        self._was_asked = False

    def data_received(self, data: bytes) -> None:
        if not self._has_joined:
            return
        self.peer.bytes += len(data)
        self._grid.heard("dnp3", self.peer.address, data)
        self._heard_at, self._was_asked = self._grid.loop.time(), False
        lost = self._splitter.lost
        for raw in self._splitter.feed(data):
            self.peer.frames += 1
            self._route(raw)
        for _ in range(self._splitter.lost - lost):
            self._grid.count("dnp3: malformed")
        if self._under_way > MOST_UNDER_WAY and not self._transport.is_closing():
            self._transport.pause_reading()

    def connection_lost(self, problem: Exception | None) -> None:
        self._end()

    def close(self, why: str) -> None:
        """End the connection."""
        if not self._transport.is_closing():
            self._note(self.peer.device, f"closed: {why}", 0, is_inward=False, delay_s=None)
            if self._transport.get_write_buffer_size():
                self._transport.abort()
            else:
                self._transport.close()
        self._end()

    def tick(self, now: float) -> None:
        """Ask a silent master whether it is still there, and give up one that does not answer."""
        if not self._has_joined or now < self._heard_at + self._adapter.parameters.keep_alive_s:
            return
        if self._was_asked or not self._lines:
            self.close("nothing was heard of the master")
            return
        self._heard_at, self._was_asked = now, True
        next(iter(self._lines.values())).ask_status()

    def came(self, line: Line, raw: bytes, delay_s: float) -> None:
        if not self._transport.is_closing() and not self._transport.is_reading() and self._under_way <= MOST_UNDER_WAY:
            self._transport.resume_reading()
        self._note(line.device.name, _said(raw), len(raw), is_inward=True, delay_s=delay_s)

    def write(self, line: Line, raw: bytes, delay_s: float) -> None:
        if self._transport.is_closing():
            return
        self.peer.frames += 1
        self.peer.bytes += len(raw)
        self._note(line.device.name, _said(raw), len(raw), is_inward=False, delay_s=delay_s)
        self._transport.write(raw)
        if self._transport.get_write_buffer_size() > MOST_UNREAD:
            self.close("what was sent is not read")

    def refused(self, line: Line, requests: int) -> None:
        self.peer.refused += requests
        for _ in range(requests):
            self._grid.count("dnp3: refused")

    @property
    def _under_way(self) -> int:
        return sum(one.under_way for one in self._lines.values())

    def _route(self, raw: bytes) -> None:
        """Send a frame on its way to the outstation that it names, or to all that this connection speaks to."""
        destination, master = int.from_bytes(raw[4:6], "little"), int.from_bytes(raw[6:8], "little")
        if not raw[3] & _FROM_MASTER or master > LAST_ADDRESS:
            self._grid.count("dnp3: malformed")
            return
        if destination in BROADCASTS and self.device is None:
            for line in [one for one in self._lines.values() if one.master == master]:
                line.send(raw)
            return
        device = self._device_of(destination)
        if device is None:
            self._grid.count("dnp3: no such outstation")
            return
        found = self._lines.get((device.name, master))
        if found is None:
            found = self._adapter.line(self, device, master, self._broken)
            if found is None:
                self._grid.count("dnp3: too many masters")
                return
            self._lines[device.name, master] = found
        found.send(raw)

    def _device_of(self, destination: int) -> Device | None:
        if self.device is None:
            return self._adapter.outstations.at(destination)
        is_meant = destination in BROADCASTS or destination in (SELF, self._adapter.outstations.address(self.device))
        return self.device if is_meant else None

    def _broken(self, line: Line, why: str) -> None:
        """An outstation is not reached any more: a connection of its own ends; the front end connects anew when something is to be sent."""
        self._grid.count("dnp3: outstation not reached")
        if self.device is not None:
            self.close(why)
        else:
            self._lines.pop((line.device.name, line.master), None)
            self._adapter.forget(line)

    def _note(self, device: str, text: str, size: int, *, is_inward: bool, delay_s: float | None) -> None:
        address, title = self.peer.address, self._adapter.title
        self._grid.note(FrameRecord(self._grid.now_ns, title, address, device, is_inward, size, text, delay_s))

    def _end(self) -> None:
        """Leave everything; done once."""
        if not self._has_joined:
            return
        self._has_joined = False
        for one in self._lines.values():
            self._adapter.forget(one)
        self._lines.clear()
        self._grid.peers.remove(self.peer)
        self._adapter.left(self)


def _said(raw: bytes) -> str:
    try:
        return text_of(decode(raw))
    except MalformedError as problem:
        return f"malformed: {problem}"

"""A client's connection to phasor measurement units: commands in, configurations and data out, each frame over the modelled network."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from heptagrid.live.grid import FrameRecord, Peer
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.c37118 import frames
from heptagrid.live.protocols.c37118.frames import Command, FrameType, MalformedError
from heptagrid.live.stream import Stream

if TYPE_CHECKING:
    from heptagrid.live.protocols.c37118.adapter import C37118

MOST_UNREAD = 1 << 20
"""Bytes that wait for a client that does not read; beyond them the connection is closed."""


class Connection(asyncio.Protocol):
    """One connection. device: the unit's place at whose address it was made; None: where the ID code says which unit is meant. sending: of units whose data flow, the index of the last frame."""

    def __init__(self, adapter: C37118) -> None:
        self._adapter, self._grid = adapter, adapter.grid
        self.device: Device | None = None
        self.sending: dict[int, int] = {}
        self._splitter = frames.Splitter()
        self._inward: dict[int, Stream[bytes]] = {}
        self._outward: dict[int, Stream[bytes]] = {}
        self._has_joined = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if not self._adapter.admits(peer, local):
            transport.abort()
            return
        self.device = self._adapter.joined(self, local)
        of = self.device.name if self.device else "all units"
        self.peer = Peer(self._adapter.title, f"{peer[0]}:{peer[1]}", "data concentrator", of, self._grid.now_ns)
        self._grid.peers.append(self.peer)
        self._has_joined = True

    def data_received(self, data: bytes) -> None:
        if not self._has_joined:
            return
        self.peer.bytes += len(data)
        self._grid.heard("c37118", self.peer.address, data)
        try:
            found = self._splitter.feed(data)
        except MalformedError as problem:
            self._grid.count("c37118: malformed")
            self.close(str(problem))
            return
        for one in found:
            self.peer.frames += 1
            id = self._own_id if self.device else int.from_bytes(one[4:6], "big")
            device = self._adapter.units.device(id)
            if device is None:
                self._grid.count("c37118: no such unit")
            else:
                self._stream(self._inward, id, device).send(one, len(one))

    def connection_lost(self, problem: Exception | None) -> None:
        self._end()

    def close(self, why: str) -> None:
        """End the connection."""
        if not self._transport.is_closing():
            self._note(f"closed: {why}", 0, is_inward=False, delay_s=None)
            self._transport.abort() if self._transport.get_write_buffer_size() else self._transport.close()
        self._end()

    def tell(self, id: int, device: Device, frame: bytes) -> None:
        """A unit sends a frame."""
        self._stream(self._outward, id, device).send(frame, len(frame))

    @property
    def _own_id(self) -> int:
        own = self._adapter.units.id_of(self.device) if self.device else None
        return -1 if own is None else own

    def _stream(self, streams: dict[int, Stream[bytes]], id: int, device: Device) -> Stream[bytes]:
        if id not in streams:
            grid, desk = self._grid, self._adapter.desk
            if streams is self._inward:
                streams[id] = Stream(
                    grid,
                    lambda size, at_ns: grid.ask(desk, device, size, at_ns),
                    lambda frame, delay_s: self._arrived(id, device, frame, delay_s),
                    self.close,
                )
            else:
                streams[id] = Stream(
                    grid, lambda size, at_ns: grid.answer(device, desk, size, at_ns), self._write, self.close
                )
        return streams[id]

    def _arrived(self, id: int, device: Device, frame: bytes, delay_s: float) -> None:
        """A frame has come to a unit."""
        try:
            asked = frames.asked(frame)
        except MalformedError as problem:
            self._grid.count("c37118: malformed")
            self._note(f"malformed: {problem}", len(frame), is_inward=True, delay_s=delay_s)
            return
        known = asked.code in Command.__members__.values()
        words = Command(asked.code).name.lower().replace("_", " ") if known else f"command {asked.code}"
        self._note(f"{words} to unit {asked.id}", len(frame), is_inward=True, delay_s=delay_s)
        if asked.id != id:
            self._grid.count("c37118: no such unit")
            return
        if asked.code == Command.DATA_ON:
            self.sending.setdefault(id, self._adapter.index())
        elif asked.code == Command.DATA_OFF:
            self.sending.pop(id, None)
        elif not self._answered(id, device, asked.code):
            self._grid.count("c37118: unknown command")

    def _answered(self, id: int, device: Device, code: int) -> bool:
        state, now_ns = self._grid.state, self._grid.now_ns
        one = self._adapter.units.configuration(device, state)
        if code == Command.SEND_HEADER:
            text = f"{self._grid.scenario.name}: {device.name}, a simulated phasor measurement unit of heptagrid"
            self.tell(id, device, frames.header(one, now_ns, text))
        elif code in (Command.SEND_CONFIGURATION_1, Command.SEND_CONFIGURATION_2):
            is_first = code == Command.SEND_CONFIGURATION_1
            kind = FrameType.CONFIGURATION_1 if is_first else FrameType.CONFIGURATION_2
            self.tell(id, device, frames.configuration(kind, one, now_ns))
        else:
            return False
        return True

    def _write(self, frame: bytes, delay_s: float) -> None:
        if self._transport.is_closing():
            return
        self.peer.frames += 1
        self.peer.bytes += len(frame)
        kind = FrameType(frame[1] >> 4 & 7)
        if kind is not FrameType.DATA:  # fifty a second would push everything else out of the log
            self._note(kind.name.lower().replace("_", " "), len(frame), is_inward=False, delay_s=delay_s)
        self._transport.write(frame)
        if self._transport.get_write_buffer_size() > MOST_UNREAD:
            self.close("what was sent is not read")

    def _note(self, text: str, size: int, *, is_inward: bool, delay_s: float | None) -> None:
        title, address, device = self._adapter.title, self.peer.address, self.peer.device
        self._grid.note(FrameRecord(self._grid.now_ns, title, address, device, is_inward, size, text, delay_s))

    def _end(self) -> None:
        """Leave everything; done once."""
        if not self._has_joined:
            return
        self._has_joined = False
        self.sending.clear()
        for stream in [*self._inward.values(), *self._outward.values()]:
            stream.close()
        self._grid.peers.remove(self.peer)
        self._adapter.left(self)

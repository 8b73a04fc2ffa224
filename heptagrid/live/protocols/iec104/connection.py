"""A controlling station's connection: its socket on one side, one station's end of the link or the front end's on the other.

To a station's own address the whole connection crosses the modelled network, frame by frame and in order. At 127.0.0.1 it ends at a front end in the control
centre, and only ASDUs cross, on the front end's own connections to the stations.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from heptagrid.live.device_server import DeviceConnection
from heptagrid.live.protocols.iec104.apci import MalformedError, Splitter
from heptagrid.live.protocols.iec104.group import Group
from heptagrid.live.protocols.iec104.link import Happened, Link
from heptagrid.live.protocols.iec104.text import text_of
from heptagrid.live.stream import Stream

if TYPE_CHECKING:
    from heptagrid.live.protocols.iec104.adapter import Iec104

MOST_REPLIES = 20_000
"""Answers that wait for a client that does not confirm; beyond them the connection is closed."""
MOST_UNDER_WAY = 64
"""Frames on their way to a station; beyond them nothing more is read, as with a full TCP window."""


class Connection(DeviceConnection["Iec104"]):
    """One connection. device: the station at whose address it was made; None: the front end."""

    role = "controlling station"
    all_devices = "all stations"

    def __init__(self, adapter: Iec104) -> None:
        super().__init__(adapter)
        self.group: Group
        self._splitter = Splitter()
        self._replies: deque[bytes] = deque()
        self._inward: Stream[bytes] | None = None
        self._outward: Stream[bytes] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_pumping = False

    def joined(self) -> None:
        self.host = self.peer.address.rpartition(":")[0]
        self.adapter.joined(self)
        self._link = Link(self.adapter.parameters.timing, True, self.grid.loop.time())
        self._link.on_asdu, self._link.on_happened = self._take, self._happened
        if self.device is not None:
            grid, desk, device = self.grid, self.adapter.desk, self.device
            self._inward = Stream(
                grid, lambda size, at_ns: grid.ask(desk, device, size, at_ns), self._arrived, self.close
            )
            self._outward = Stream(
                grid, lambda size, at_ns: grid.answer(device, desk, size, at_ns), self._write, self.close
            )
        self._arm()

    def received(self, data: bytes) -> None:
        try:
            frames = self._splitter.feed(data)
        except MalformedError as problem:
            self.grid.count("iec104: malformed")
            self.close(str(problem))
            return
        for one in frames:
            self.peer.frames += 1
            if self._inward is not None:
                self._inward.send(one, len(one))
            else:
                self._arrived(one, 0.0)
        if self._inward is not None and self._inward.under_way > MOST_UNDER_WAY:
            self.slices.hold()

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
        now = self.grid.loop.time()
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

    @property
    def _is_active(self) -> bool:
        return self.group.active is self

    def _arrived(self, apdu: bytes, delay_s: float) -> None:
        """A frame has come to the link's own end."""
        if self.transport.is_closing():
            return
        if self._inward is not None and self._inward.under_way < MOST_UNDER_WAY:
            self.slices.go_on()
        self.note(text_of(apdu), len(apdu), is_inward=True, delay_s=delay_s)
        self._link.receive(apdu, self.grid.loop.time())
        self.pump()

    def _take(self, raw: bytes) -> None:
        try:
            self.adapter.take(self, raw)
        except MalformedError:
            self.grid.count("iec104: malformed")

    def _happened(self, what: Happened) -> None:
        if what is Happened.STARTED:
            if self.group.start(self):
                self.adapter.first_started(self)
        else:
            self._replies.clear()
            self.group.stop(self, [])

    def _flush(self) -> None:
        for one in self._link.take():
            if self._outward is not None:
                self._outward.send(one, len(one))
            else:
                self._write(one, 0.0)
        if self._link.closed is not None and not self.transport.is_closing():
            word = self._link.closed.partition(":")[0]
            self.grid.count(f"iec104: closed: {word}")
            self.close(self._link.closed)
        else:
            self._arm()

    def _write(self, apdu: bytes, delay_s: float) -> None:
        self.write(apdu, text_of(apdu), delay_s)

    def _arm(self) -> None:
        """Be woken when the link has something to do."""
        if self.transport.is_closing():
            return
        due = self._link.due()
        if self._timer is not None:
            if self._timer.when() <= due and not self._timer.cancelled():
                return
            self._timer.cancel()
        self._timer = self.grid.loop.call_at(due, self._woken)

    def _woken(self) -> None:
        self._timer = None
        self._link.tick(self.grid.loop.time())
        self.pump()

    def left(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for stream in (self._inward, self._outward):
            if stream is not None:
                stream.close()
        self.group.stop(self, self._link.unconfirmed())
        self.adapter.left(self)

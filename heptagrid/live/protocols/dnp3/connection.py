"""A master's connection: its socket on one side, a line to each outstation that it speaks to on the other.

At an outstation's own address it is alone; at 127.0.0.1 the control centre's front end tells outstations apart by their link addresses, as on a line with several drops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heptagrid.live.device_server import DeviceConnection
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.dnp3.line import Line
from heptagrid.live.protocols.dnp3.link import BROADCASTS, LAST_ADDRESS, SELF, MalformedError, Splitter, decode
from heptagrid.live.protocols.dnp3.text import text_of

if TYPE_CHECKING:
    from heptagrid.live.protocols.dnp3.adapter import Dnp3

MOST_UNDER_WAY = 64
"""Frames on their way to outstations; beyond them nothing more is read, as with a full TCP window."""
_FROM_MASTER = 0x80


class Connection(DeviceConnection["Dnp3"]):
    """One connection. device: the outstation at whose address it was made; None: the front end."""

    role = "master"
    all_devices = "all outstations"

    def __init__(self, adapter: Dnp3) -> None:
        super().__init__(adapter)
        self._splitter = Splitter()
        self._lines: dict[tuple[str, int], Line] = {}

    def joined(self) -> None:
        self._heard_at = self.grid.loop.time()
        self._was_asked = False

    def received(self, data: bytes) -> None:
        self._heard_at, self._was_asked = self.grid.loop.time(), False
        lost = self._splitter.lost
        for raw in self._splitter.feed(data):
            self.peer.frames += 1
            self._route(raw)
        for _ in range(self._splitter.lost - lost):
            self.grid.count("dnp3: malformed")
        if self._under_way > MOST_UNDER_WAY:
            self.slices.hold()

    def tick(self, now: float) -> None:
        """Ask a silent master whether it is still there, and give up one that does not answer."""
        if not self.is_open or now < self._heard_at + self.adapter.parameters.keep_alive_s:
            return
        if self._was_asked or not self._lines:
            self.close("nothing was heard of the master")
            return
        self._heard_at, self._was_asked = now, True
        next(iter(self._lines.values())).ask_status()

    def came(self, line: Line, raw: bytes, delay_s: float) -> None:
        if self.slices.is_held and self._under_way <= MOST_UNDER_WAY:
            self.slices.go_on()
        self.note(_said(raw), len(raw), is_inward=True, delay_s=delay_s, device=line.device.name)

    def told(self, line: Line, raw: bytes, delay_s: float) -> None:
        """A frame of an outstation has come."""
        self.write(raw, _said(raw), delay_s, line.device.name)

    def refused(self, line: Line, requests: int) -> None:
        self.peer.refused += requests
        for _ in range(requests):
            self.grid.count("dnp3: refused")

    @property
    def _under_way(self) -> int:
        return sum(one.under_way for one in self._lines.values())

    def _route(self, raw: bytes) -> None:
        """Send a frame on its way to the outstation that it names, or to all that this connection speaks to."""
        destination, master = int.from_bytes(raw[4:6], "little"), int.from_bytes(raw[6:8], "little")
        if not raw[3] & _FROM_MASTER or master > LAST_ADDRESS:
            self.grid.count("dnp3: malformed")
            return
        if destination in BROADCASTS and self.device is None:
            for line in [one for one in self._lines.values() if one.master == master]:
                line.send(raw)
            return
        device = self._device_of(destination)
        if device is None:
            self.grid.count("dnp3: no such outstation")
            return
        found = self._lines.get((device.name, master))
        if found is None:
            found = self.adapter.line(self, device, master, self._broken)
            if found is None:
                self.grid.count("dnp3: too many masters")
                return
            self._lines[device.name, master] = found
        found.send(raw)

    def _device_of(self, destination: int) -> Device | None:
        if self.device is None:
            return self.adapter.outstations.at(destination)
        is_meant = destination in BROADCASTS or destination in (SELF, self.adapter.outstations.address(self.device))
        return self.device if is_meant else None

    def _broken(self, line: Line, why: str) -> None:
        """An outstation is not reached any more: a connection of its own ends; the front end connects anew when something is to be sent."""
        self.grid.count("dnp3: outstation not reached")
        if self.device is not None:
            self.close(why)
        else:
            self._lines.pop((line.device.name, line.master), None)
            self.adapter.forget(line)

    def left(self) -> None:
        for one in self._lines.values():
            self.adapter.forget(one)
        self._lines.clear()


def _said(raw: bytes) -> str:
    try:
        return text_of(decode(raw))
    except MalformedError as problem:
        return f"malformed: {problem}"

"""The front end in the control centre: one address for all stations, told apart by their common addresses, with a connection of its own to each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heptagrid.live.inventory import Device
from heptagrid.live.protocols.iec104.asdu import Cause, mirrored
from heptagrid.live.stream import Stream

if TYPE_CHECKING:
    from heptagrid.live.protocols.iec104.adapter import Iec104
    from heptagrid.live.protocols.iec104.connection import Connection

_CONTROL_BYTES = 6
"""Of a frame, beside its ASDU."""


class FrontEnd:
    """Carries ASDUs between clients' connections and the stations, in order for each station."""

    def __init__(self, adapter: Iec104) -> None:
        self._adapter = adapter
        self._inward: dict[str, Stream[tuple[bytes, Connection]]] = {}
        self._outward: dict[str, Stream[tuple[bytes, Connection | None]]] = {}

    def ask(self, device: Device, raw: bytes, who: Connection) -> None:
        """An ASDU of a client goes to a station."""
        stream = self._inward.get(device.name)
        if stream is None:
            grid, desk = self._adapter.grid, self._adapter.desk
            stream = self._inward[device.name] = Stream(
                grid,
                lambda size, at_ns: grid.ask(desk, device, size, at_ns),
                lambda content, delay_s: self._adapter.handle(device, content[0], content[1]),
                lambda why: self._broken(device),
            )
        stream.send((raw, who), len(raw) + _CONTROL_BYTES)

    def answer(self, device: Device, raw: bytes, who: Connection | None) -> None:
        """An ASDU of a station comes back to a client, None: to all that listen."""
        stream = self._outward.get(device.name)
        if stream is None:
            grid, desk = self._adapter.grid, self._adapter.desk
            stream = self._outward[device.name] = Stream(
                grid,
                lambda size, at_ns: grid.answer(device, desk, size, at_ns),
                lambda content, delay_s: self._came(*content),
                lambda why: self._broken(device),
            )
        stream.send((raw, who), len(raw) + _CONTROL_BYTES)

    def refuse(self, raw: bytes, who: Connection) -> None:
        """There is no station with this common address."""
        self._adapter.grid.count("iec104: refused")
        who.reply(mirrored(raw, Cause.UNKNOWN_COMMON_ADDRESS, is_negative=True))

    def close(self) -> None:
        """End all connections to stations."""
        for inward in self._inward.values():
            inward.close()
        for outward in self._outward.values():
            outward.close()

    def _came(self, raw: bytes, who: Connection | None) -> None:
        if who is None:
            for group in self._adapter.groups.listening(""):
                group.tell([raw])
        else:
            who.reply(raw)

    def _broken(self, device: Device) -> None:
        """A station is not reached any more; the front end connects anew when something is to be sent."""
        self._adapter.grid.count("iec104: station not reached")
        inward, outward = self._inward.pop(device.name, None), self._outward.pop(device.name, None)
        if inward is not None:
            inward.close()
        if outward is not None:
            outward.close()

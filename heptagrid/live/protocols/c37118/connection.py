"""A client's connection to phasor measurement units: commands in, configurations and data out, each frame over the modelled network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heptagrid.live.device_server import DeviceConnection
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.c37118 import frames
from heptagrid.live.protocols.c37118.frames import Command, FrameType, MalformedError
from heptagrid.live.stream import Stream

if TYPE_CHECKING:
    from heptagrid.live.protocols.c37118.adapter import C37118


MOST_UNDER_WAY = 64
"""Commands on their way to units; beyond them nothing more is read, as with a full TCP window."""


class Connection(DeviceConnection["C37118"]):
    """One connection. device: the unit's place at whose address it was made; None: where the ID code says which unit is meant. sending: of units whose data flow, the index of the last frame."""

    role = "data concentrator"
    all_devices = "all units"

    def __init__(self, adapter: C37118) -> None:
        super().__init__(adapter)
        self.sending: dict[int, int] = {}
        self._splitter = frames.Splitter()
        self._inward: dict[int, Stream[bytes]] = {}
        self._outward: dict[int, Stream[bytes]] = {}

    def joined(self) -> None:
        """Nothing is sent before it is asked for."""

    def received(self, data: bytes) -> None:
        try:
            found = self._splitter.feed(data)
        except MalformedError as problem:
            self.grid.count("c37118: malformed")
            self.close(str(problem))
            return
        for one in found:
            self.peer.frames += 1
            id = self._own_id if self.device else int.from_bytes(one[4:6], "big")
            device = self.adapter.units.device(id)
            if device is None:
                self.grid.count("c37118: no such unit")
            else:
                self._stream(self._inward, id, device).send(one, len(one))
        if self._under_way > MOST_UNDER_WAY:
            self.slices.hold()

    @property
    def _under_way(self) -> int:
        return sum(one.under_way for one in self._inward.values())

    def tell(self, id: int, device: Device, frame: bytes) -> None:
        """A unit sends a frame."""
        self._stream(self._outward, id, device).send(frame, len(frame))

    @property
    def _own_id(self) -> int:
        own = self.adapter.units.id_of(self.device) if self.device else None
        return -1 if own is None else own

    def _stream(self, streams: dict[int, Stream[bytes]], id: int, device: Device) -> Stream[bytes]:
        if id not in streams:
            grid, desk = self.grid, self.adapter.desk
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
        if self.slices.is_held and self._under_way <= MOST_UNDER_WAY:
            self.slices.go_on()
        try:
            asked = frames.asked(frame)
        except MalformedError as problem:
            self.grid.count("c37118: malformed")
            self.note(f"malformed: {problem}", len(frame), is_inward=True, delay_s=delay_s)
            return
        known = asked.code in Command.__members__.values()
        words = Command(asked.code).name.lower().replace("_", " ") if known else f"command {asked.code}"
        self.note(f"{words} to unit {asked.id}", len(frame), is_inward=True, delay_s=delay_s)
        if asked.id != id:
            self.grid.count("c37118: no such unit")
            return
        if asked.code == Command.DATA_ON:
            self.sending.setdefault(id, self.adapter.index())
        elif asked.code == Command.DATA_OFF:
            self.sending.pop(id, None)
        elif not self._answered(id, device, asked.code):
            self.grid.count("c37118: unknown command")

    def _answered(self, id: int, device: Device, code: int) -> bool:
        state, now_ns = self.grid.state, self.grid.now_ns
        one = self.adapter.units.configuration(device, state)
        if code == Command.SEND_HEADER:
            text = f"{self.grid.scenario.name}: {device.name}, a simulated phasor measurement unit of heptagrid"
            self.tell(id, device, frames.header(one, now_ns, text))
        elif code in (Command.SEND_CONFIGURATION_1, Command.SEND_CONFIGURATION_2):
            is_first = code == Command.SEND_CONFIGURATION_1
            kind = FrameType.CONFIGURATION_1 if is_first else FrameType.CONFIGURATION_2
            self.tell(id, device, frames.configuration(kind, one, now_ns))
        else:
            return False
        return True

    def _write(self, frame: bytes, delay_s: float) -> None:
        kind = FrameType(frame[1] >> 4 & 7)
        # Data, fifty a second, would push everything else out of the log.
        text = None if kind is FrameType.DATA else kind.name.lower().replace("_", " ")
        self.write(frame, text, delay_s)

    def left(self) -> None:
        self.sending.clear()
        for stream in [*self._inward.values(), *self._outward.values()]:
            stream.close()

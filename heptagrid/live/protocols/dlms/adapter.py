"""DLMS/COSEM over TCP: every meter of the scenario at its own loopback address, and all of them as logical devices of one."""

from __future__ import annotations

import asyncio

from heptagrid.live.crossing import LostError
from heptagrid.live.device_server import DeviceConnection, DeviceServer
from heptagrid.live.grid import FrameRecord, LiveGrid
from heptagrid.live.inventory import METERS, Device
from heptagrid.live.protocol import Listening
from heptagrid.live.protocols.dlms.association import Association, LogicalDevice, Rules
from heptagrid.live.protocols.dlms.data import MalformedError
from heptagrid.live.protocols.dlms.meters import FIRST, MANAGEMENT, Meters
from heptagrid.live.protocols.dlms.section import Parameters
from heptagrid.live.protocols.dlms.services import Access, Service, exception
from heptagrid.live.protocols.dlms.text import words_of
from heptagrid.live.protocols.dlms.wrapper import HEADER, Unwrapper, Wrapped, wrap

LOOKED_S = 60.0
"""How often the load profiles take what has come, of the wall clock; a meter keeps more than a day by itself."""
_QUARTERS_PER_DAY = 96
_WAITING = 64
_ASSOCIATIONS = 4096
_LOOPBACK = ("127.", "::1", "localhost")


class Dlms(DeviceServer):
    """The adapter. meters: what they show; rules: what they ask of clients."""

    name = "dlms"
    title = "DLMS/COSEM"
    port = 4059
    authenticates = True
    section = Parameters

    parameters: Parameters
    rules: Rules

    def __init__(self, grid: LiveGrid, parameters: Parameters | None) -> None:
        super().__init__(grid, parameters or Parameters())
        self.meters = Meters(grid, round(self.parameters.profile_days * _QUARTERS_PER_DAY))

    def connection(self) -> Connection:
        return Connection(self)

    def serves(self, device: Device) -> bool:
        return device.of.name == METERS

    async def start(self, listening: Listening) -> None:
        self.rules = self.parameters.rules(not listening.host.startswith(_LOOPBACK))
        await super().start(listening)
        self.spawn(self._follow())

    def greeting(self) -> list[str]:
        count = len(self.grid.inventory.classes[METERS])
        last = FIRST + count - 1
        lines = [f"{self.title}: 127.0.0.1:{self.listens_on}, {count} meters as logical devices {FIRST} to {last}"]
        address = self.addresses.address_of(self.meters.device(0))
        if self.listener.tells_devices:
            lines.append(f"{self.title}: meters/0 alone at {address}:{self.listens_on}, logical device {MANAGEMENT}")
        return lines

    def logical_device(self, row: int | None, point: int) -> tuple[LogicalDevice, int | None] | None:
        """What an access point means at a meter's address, or at the common one (row None), and the meter's row; None for nothing."""
        if row is not None:
            return (self.meters.at(row), row) if point == MANAGEMENT else None
        behind = self.meters.behind(point)
        if behind is not None:
            return self.meters.through(behind), behind
        return (self.meters.directory(), None) if point == MANAGEMENT else None

    async def _follow(self) -> None:
        """Let the load profiles take what has come."""
        while True:
            self.meters.profiles.take(self.grid.state.closed_quarter)
            await asyncio.sleep(LOOKED_S)


class Connection(DeviceConnection[Dlms]):
    """One client's connection: units are taken one after the other, each when it has crossed the network."""

    role = "head end"
    all_devices = ""

    def __init__(self, adapter: Dlms) -> None:
        super().__init__(adapter)
        self._unwrapper = Unwrapper(adapter.parameters.unit_bytes)
        self._associations: dict[tuple[int, int], tuple[Association, int | None]] = {}
        self._waiting: list[Wrapped] = []
        self._task: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle

    @property
    def _row(self) -> int | None:
        """The meter at whose own address it was made; None at that of all."""
        return self.device.row if self.device is not None else None

    def joined(self) -> None:
        self._wait()

    def _wait(self) -> None:
        """Close the connection when nothing has come for so long; not while the client waits for an answer."""
        self._idle = self.grid.loop.call_later(self.adapter.parameters.idle_s, self._silent)

    def _silent(self) -> None:
        if self._task is None:
            self.transport.close()

    def left(self) -> None:
        self._idle.cancel()
        if self._task is not None:
            self._task.cancel()

    def received(self, data: bytes) -> None:
        self._idle.cancel()
        self._wait()
        try:
            self._waiting += self._unwrapper.feed(data)
        except MalformedError:
            self.grid.count("dlms: malformed")
            self.transport.abort()
            return
        if len(self._waiting) > _WAITING:
            self.slices.hold()
        if self._waiting and self._task is None:
            self._task = self.adapter.spawn(self._work())

    async def _work(self) -> None:
        """Take what waits, one after the other."""
        try:
            while self._waiting:
                await self._take(self._waiting.pop(0))
                if len(self._waiting) <= _WAITING:
                    self.slices.go_on()
        finally:
            self._task = None
            if self.is_open:
                self._idle.cancel()
                self._wait()

    async def _take(self, wrapped: Wrapped) -> None:
        found = self._association(wrapped)
        if found is None:
            self.grid.count("dlms: no such logical device")
            return
        association, row = found
        device = self.adapter.meters.device(row) if row is not None else None
        if not await self._cross(device, wrapped.apdu, is_inward=True):
            return
        reply = await self._answered(association, wrapped.apdu, row)
        if reply and await self._cross(device, reply, is_inward=False):
            self.put(wrap(wrapped.destination, wrapped.source, reply))

    def _association(self, wrapped: Wrapped) -> tuple[Association, int | None] | None:
        """That of a client with a logical device; both by their access points."""
        ends = wrapped.source, wrapped.destination
        if ends not in self._associations:
            found = self.adapter.logical_device(self._row, wrapped.destination)
            if found is None or len(self._associations) >= _ASSOCIATIONS:
                return None
            self._associations[ends] = Association(self.adapter.rules, found[0], wrapped.source), found[1]
        return self._associations[ends]

    async def _answered(self, association: Association, apdu: bytes, row: int | None) -> bytes:
        """The answer to a unit, after what it changes."""
        try:
            outcome = association.receive(apdu)
        except MalformedError:
            self._refused("malformed")
            return exception(Service.OTHER_REASON)
        if outcome.refused:
            self._refused(outcome.refused)
        if outcome.change is None or outcome.finish is None:
            return outcome.reply
        access = await self.adapter.meters.change(row, outcome.change) if row is not None else Access.OTHER_REASON
        return outcome.finish(access)

    async def _cross(self, device: Device | None, apdu: bytes, *, is_inward: bool) -> bool:
        """Let a unit cross the network, and log it; whether it arrives. What the directory is asked crosses nothing."""
        grid, size, sent_ns = self.grid, HEADER + len(apdu), self.grid.now_ns
        delay_s: float | None = 0.0
        if device is not None:
            desk = self.adapter.desk
            try:
                arrived_ns = await (grid.ask(desk, device, size) if is_inward else grid.answer(device, desk, size))
                delay_s = (arrived_ns - sent_ns) / 1e9
            except LostError:
                grid.count("dlms: lost")
                delay_s = None
        name = device.name if device is not None else ""
        self.peer.frames += 1
        self.peer.bytes += 0 if is_inward else size
        title, address = self.adapter.title, self.peer.address
        grid.note(FrameRecord(sent_ns, title, address, name, is_inward, size, words_of(apdu), delay_s))
        return delay_s is not None and not self.transport.is_closing()

    def _refused(self, why: str) -> None:
        self.grid.count(f"dlms: {why}")
        self.peer.refused += 1

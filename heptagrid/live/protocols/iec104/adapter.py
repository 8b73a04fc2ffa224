"""IEC 60870-5-104: the grid's substations, primary substations and plants as controlled stations on one port, and the desk as a controlling station."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable

from heptagrid.live.device_server import DeviceServer
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import PRIMARIES, SUBSTATIONS, Device
from heptagrid.live.protocol import Listening
from heptagrid.live.protocols.iec104.apci import MalformedError
from heptagrid.live.protocols.iec104.asdu import BROADCAST, HEADER
from heptagrid.live.protocols.iec104.connection import Connection
from heptagrid.live.protocols.iec104.controlling import TITLE, ControllingStation, outside_stations
from heptagrid.live.protocols.iec104.elements import Type
from heptagrid.live.protocols.iec104.front_end import FrontEnd
from heptagrid.live.protocols.iec104.group import Groups
from heptagrid.live.protocols.iec104.section import Parameters
from heptagrid.live.protocols.iec104.station import Command
from heptagrid.live.protocols.iec104.stations import Stations
from heptagrid.live.stations.orders import carry_out
from heptagrid.live.stations.points import FIRST

_log = logging.getLogger(__name__)

LOOKED_S = 0.1
"""How often stations look for changes, in seconds of the wall clock; a state is published at most 25 times a second."""
_ALL_STATIONS = frozenset((Type.C_IC_NA_1, Type.C_CI_NA_1, Type.C_CS_NA_1, Type.C_RP_NA_1))


class Iec104(DeviceServer):
    """The adapter. outside: stations that the desk asks, by name."""

    name = "iec104"
    title = TITLE
    port = 2404
    section = Parameters

    parameters: Parameters

    def __init__(self, grid: LiveGrid, parameters: Parameters | None) -> None:
        super().__init__(grid, parameters or Parameters())
        self.stations = Stations(grid, self.parameters)
        self.front_end = FrontEnd(self)
        self.outside = {
            one.name: ControllingStation(grid, one, self.parameters.timing, self.parameters.interrogate_s)
            for one in outside_stations(self.parameters.outstations)
        }
        self.groups = Groups(self.parameters.buffer)

    def connection(self) -> Connection:
        return Connection(self)

    def serves(self, device: Device) -> bool:
        return self.stations.is_station(device)

    async def start(self, listening: Listening) -> None:
        await super().start(listening)
        self.spawn(self._watch())
        for one in self.outside.values():
            self.spawn(one.run())

    async def stop(self) -> None:
        self.front_end.close()
        await super().stop()

    def greeting(self) -> list[str]:
        classes = self.grid.inventory.classes
        lines = [f"{self.title}: 127.0.0.1:{self.listens_on}, all stations by common address"]
        for name in (PRIMARIES, SUBSTATIONS):
            if len(classes[name]):
                address = self.addresses.address_of(Device(classes[name], 0))
                lines.append(f"{self.title}: {name}/0 is {FIRST[name]}, and alone at {address}:{self.listens_on}")
        return lines

    def joined(self, connection: Connection) -> None:
        """A client has connected: find its redundancy group."""
        connection.group = self.groups.join(*self._key(connection))

    def left(self, connection: Connection) -> None:
        """A client's connection has ended."""
        if self.parameters.redundancy == "connection":
            self.groups.forget(*self._key(connection))
        self.stations.left(connection, connection.device)

    def _key(self, connection: Connection) -> tuple[str, Hashable]:
        """By what a connection's group is known: its station, and who it is."""
        rule = self.parameters.redundancy
        mark: Hashable = connection if rule == "connection" else connection.host if rule == "address" else None
        return connection.device.name if connection.device else "", mark

    def first_started(self, connection: Connection) -> None:
        """A redundancy group has been started for the first time: it is told what changes from now on."""
        listening = self.groups.listening
        is_first_here = len(listening("")) == (0 if connection.device else 1)
        chosen = [connection.device] if connection.device else self.stations.devices()
        alone = (one for one in chosen if len(listening(one.name)) == (1 if connection.device else 0))
        if is_first_here:
            self.stations.listened_to(alone)
        if connection.device is not None:
            connection.group.tell([self.stations.station(connection.device).initialised()])

    def take(self, connection: Connection, raw: bytes) -> None:
        """An ASDU has come from a client, at a station or at the front end.

        Raises
        ------
        MalformedError
            If it is none.
        """
        if connection.device is not None:
            self.handle(connection.device, raw, connection)
            return
        if len(raw) < HEADER:
            raise MalformedError(f"an ASDU of {len(raw)} bytes is shorter than its header")
        address = int.from_bytes(raw[4:6], "little")
        if address == BROADCAST and raw[0] in _ALL_STATIONS:
            for one in self.stations.devices():
                self.front_end.ask(one, raw, connection)
            return
        device = self.stations.at(address)
        if device is None:
            self.front_end.refuse(raw, connection)
        else:
            self.front_end.ask(device, raw, connection)

    def handle(self, device: Device, raw: bytes, connection: Connection) -> None:
        """A station takes an ASDU, and answers."""
        self.stations.look()
        station = self.stations.station(device)
        outcome = station.receive(raw, connection, self.grid.loop.time())
        if outcome.was_refused:
            self.grid.count("iec104: refused")
            connection.peer.refused += 1
        if outcome.was_reset:
            for group in self.groups.listening(device.name):
                group.clear()
        for one in outcome.replies:
            self._answer(device, one, connection)
        if outcome.command is not None:
            self.spawn(self._carry_out(device, outcome.command, connection))

    def _answer(self, device: Device, raw: bytes, connection: Connection) -> None:
        if connection.device is None:
            self.front_end.answer(device, raw, connection)
        else:
            connection.reply(raw)

    async def _carry_out(self, device: Device, command: Command, connection: Connection) -> None:
        order = command.control
        value = float(command.value) if order.type == Type.C_SE_NC_1 else float(command.value == 2)
        is_done = await carry_out(self.grid, device, order.action, value, len(command.raw), self.name)
        self._answer(device, self.stations.station(device).finished(command, is_done), connection)

    async def _watch(self) -> None:
        """Let stations tell what changes, while somebody listens."""
        while True:
            for device, asdus in self.stations.told(self._listened()):
                for group in self.groups.listening(device.name):
                    group.tell(asdus)
                if self.groups.listening(""):
                    for one in asdus:
                        self.front_end.answer(device, one, None)
            await asyncio.sleep(LOOKED_S)

    def _listened(self) -> dict[str, list[int]]:
        """The stations to which somebody listens: rows by class."""
        names = self.groups.names()
        if "" in names:
            return self.stations.rows
        found: dict[str, list[int]] = {}
        for of, _, row in (name.partition("/") for name in names):
            found.setdefault(of, []).append(int(row))
        return {of: sorted(rows) for of, rows in found.items()}

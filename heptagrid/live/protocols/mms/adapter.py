"""IEC 61850 over MMS: the grid's substations, primary substations and plants as intelligent electronic devices on one port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from heptagrid.live.device_server import DeviceServer
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import PRIMARIES, SUBSTATIONS, Device
from heptagrid.live.protocol import Listening
from heptagrid.live.protocols.mms.connection import Connection
from heptagrid.live.protocols.mms.gateway import Gateway
from heptagrid.live.protocols.mms.ieds import Ieds
from heptagrid.live.protocols.mms.section import Parameters
from heptagrid.live.stations.orders import carry_out

LOOKED_S = 0.1
"""How often devices look for changes and for reports that are due, in seconds of the wall clock."""
_COMMAND_BYTES = 120
"""Of a command: what is known of it by MMS, a reference and a structure of six parts."""


class Mms(DeviceServer):
    """The adapter."""

    name = "mms"
    title = "IEC 61850 MMS"
    port = 10_102
    section = Parameters

    parameters: Parameters

    def __init__(self, grid: LiveGrid, parameters: Parameters | None) -> None:
        super().__init__(grid, parameters or Parameters())
        self.ieds = Ieds(grid, self.parameters, self._order)
        self.gateway = Gateway(self)

    def connection(self) -> Connection:
        return Connection(self)

    def serves(self, device: Device) -> bool:
        return self.ieds.is_station(device)

    async def start(self, listening: Listening) -> None:
        await super().start(listening)
        self.spawn(self._watch())

    async def stop(self) -> None:
        self.gateway.close()
        await super().stop()

    def greeting(self) -> list[str]:
        classes = self.grid.inventory.classes
        lines = [f"{self.title}: 127.0.0.1:{self.listens_on}, the logical devices of all devices"]
        for name in (PRIMARIES, SUBSTATIONS):
            if len(classes[name]):
                device = Device(classes[name], 0)
                address = self.addresses.address_of(device)
                lines.append(
                    f"{self.title}: {device.name} is {self.ieds.domain(device)}, and alone at {address}:{self.listens_on}"
                )
        return lines

    def _order(self, device: Device, action: str, value: float, done: Callable[[bool], None]) -> None:
        self.spawn(self._carry_out(device, action, value, done))

    async def _carry_out(self, device: Device, action: str, value: float, done: Callable[[bool], None]) -> None:
        is_done = False
        try:
            is_done = await carry_out(self.grid, device, action, value, _COMMAND_BYTES, self.name)
        finally:
            done(is_done)

    async def _watch(self) -> None:
        """Let devices tell what changes, and what is due."""
        while True:
            self.ieds.tell()
            await asyncio.sleep(LOOKED_S)

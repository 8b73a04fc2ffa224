"""IEEE C37.118.2-2011 over TCP: primary substations and transmission substations as phasor measurement units that send at simulated instants."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.device_server import DeviceServer
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import BUSES, PRIMARIES, Device
from heptagrid.live.protocol import Listening
from heptagrid.live.protocols.c37118 import frames
from heptagrid.live.protocols.c37118.connection import Connection
from heptagrid.live.protocols.c37118.units import FIRST, Units

_LOCK_STEP_S = 60
"""Simulated seconds whose frames are sent at once where a client lets time go on by so much."""
TICK_S = 0.01
"""How often is looked what is due, in seconds of the wall clock: half of what lies between two frames."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parameters:
    """What the units send."""

    rate: int = parameter(
        0,
        info="data frames in a simulated second; 0: as many as the nominal frequency has periods",
        low=0,
        high=240,
        source="IEEE C37.118.1-2011, 5.4.1: 10, 25 and 50 at 50 Hz, up to 60 at 60 Hz",
    )
    phasors: str = parameter(
        "polar",
        info="whether phasors are magnitude and angle, or real and imaginary part; both in floating point",
        choices=("polar", "rectangular"),
        source="assumption: what most units are set to",
    )


class C37118(DeviceServer):
    """The adapter."""

    name = "c37118"
    title = "IEEE C37.118"
    port = 4712
    section = Parameters

    parameters: Parameters

    def __init__(self, grid: LiveGrid, parameters: Parameters | None) -> None:
        super().__init__(grid, parameters or Parameters())
        self.units = Units(grid.inventory, self.parameters.rate, self.parameters.phasors == "polar")

    def connection(self) -> Connection:
        return Connection(self)

    def serves(self, device: Device) -> bool:
        return self.units.id_of(device) is not None

    async def start(self, listening: Listening) -> None:
        await super().start(listening)
        self.spawn(self._send())

    def greeting(self) -> list[str]:
        lines = []
        for name in (PRIMARIES, BUSES):
            of = self.grid.inventory.classes[name]
            if len(of):
                own = self.addresses.address_of(Device(of, 0))
                lines.append(
                    f"{self.title}: {name}/0 is unit {FIRST[name]}, at 127.0.0.1:{self.listens_on} by its ID code, and alone at {own}:{self.listens_on}"
                )
        return lines

    def index(self) -> int:
        """How many frames were due since 1970 by now."""
        return self.grid.now_ns * self.units.rate // NS_PER_S

    async def _send(self) -> None:
        """Send what is due, as long as the grid is live."""
        while True:
            try:
                if self.grid.engine.state is not None:
                    self.units.look(self.grid.state)
                    self._send_due()
            except Exception:
                _log.exception("IEEE C37.118: frames could not be sent")
            await asyncio.sleep(TICK_S)

    def _send_due(self) -> None:
        clock = self.grid.engine.pace.state
        last = clock.ns * self.units.rate // NS_PER_S
        is_fast = not clock.is_paused and (clock.speed is None or clock.speed > 1.0)
        seconds = _LOCK_STEP_S if clock.is_paused else 1
        most = 1 if is_fast else seconds * self.units.rate
        made: dict[tuple[int, int], bytes] = {}
        for connection in [one for one in self.connections if isinstance(one, Connection)]:
            for id, before in list(connection.sending.items()):
                device = self.units.device(id)
                assert device is not None
                for index in range(max(before, last - most) + 1, last + 1):
                    frame = made.get((id, index))
                    if frame is None:
                        frame = made[id, index] = self._frame(device, index)
                    connection.tell(id, device, frame)
                if id in connection.sending:
                    connection.sending[id] = max(before, last)

    def _frame(self, device: Device, index: int) -> bytes:
        """The data frame of a unit at the `index`-th instant since 1970."""
        second, part = divmod(index, self.units.rate)
        ns = second * NS_PER_S + part * NS_PER_S // self.units.rate
        state = self.grid.state
        measured = self.units.measured(device, state, ns, self.grid.engine.is_running)
        return frames.data(self.units.configuration(device, state), ns, measured)

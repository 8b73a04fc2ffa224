"""The adapter of OpenADR 3: the VTN of a live grid over HTTP, with tokens and webhooks."""

from __future__ import annotations

import asyncio
from typing import Any

from heptagrid.live.access import is_loopback
from heptagrid.live.grid import LiveGrid
from heptagrid.live.http.listener import HttpListener
from heptagrid.live.protocol import Listening, Protocol
from heptagrid.live.protocols.openadr.access import BL, VEN, Access
from heptagrid.live.protocols.openadr.app import PREFIX, Gateway
from heptagrid.live.protocols.openadr.desk import Desk
from heptagrid.live.protocols.openadr.notify import Notifier
from heptagrid.live.protocols.openadr.section import Parameters
from heptagrid.live.protocols.openadr.vtn import Vtn

_LOOKS_S = 1.0
"""How often it is looked who has gone, in seconds of the wall clock."""


class OpenAdr(Protocol):
    """OpenADR 3.0.1 and 3.1."""

    name = "openadr"
    title = "OpenADR 3 (VTN of retailer and aggregator)"
    port = 8180
    section = Parameters

    def __init__(self, grid: LiveGrid, parameters: Any) -> None:
        super().__init__(grid, parameters)
        one: Parameters = parameters or Parameters()
        self.access = Access()
        self._bl = self.access.enrol(one.bl_client, BL, one.bl_secret)
        self._ven = self.access.enrol(one.ven_client, VEN, one.ven_secret)
        self.desk = Desk.of(grid)
        self.vtn = Vtn(self.desk.store, self.access, self.desk.targets.granted, grid.count)
        self.gateway = Gateway(grid, self.vtn, self.desk.targets)
        self.notifier = Notifier(self.desk.store, self.access, self.gateway.crossing, grid.count)
        self._listener = HttpListener(grid, self.name, "OpenADR")
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, listening: Listening) -> None:
        self.desk.built_in.refresh()
        await self._listener.start(self.gateway.app(), listening)
        self.listens_on = self._listener.port
        self.notifier.is_local = is_loopback(listening.host)
        self.desk.start()
        self._tasks = [asyncio.create_task(self.notifier.run()), asyncio.create_task(self._look())]

    async def stop(self) -> None:
        if not self._tasks:
            return
        await self._listener.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.desk.stop()

    def greeting(self) -> list[str]:
        root = f"{self._listener.scheme}://{self._listener.host}:{self.listens_on}"
        return [
            f"{self.title}: {root}{PREFIX}/3.1.0 and {root}{PREFIX}/3.0.1, tokens at {root}/auth/token",
            f"  desk: client {self._bl.id} secret {self._bl.secret}    end node: client {self._ven.id} secret {self._ven.secret}",
        ]

    async def _look(self) -> None:
        while True:
            self.gateway.visitors.forget_silent()
            await asyncio.sleep(_LOOKS_S)

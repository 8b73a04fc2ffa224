"""The adapter of OpenADR 2.0b: its VTN over HTTP or HTTPS, on the desk that OpenADR 3 has."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from heptagrid.foundation.errors import UsageError
from heptagrid.live.access import is_loopback
from heptagrid.live.grid import LiveGrid
from heptagrid.live.http.listener import HttpListener
from heptagrid.live.protocol import Listening, Protocol
from heptagrid.live.protocols.openadr.desk import Desk
from heptagrid.live.protocols.openadr20b.app import PREFIX, Gateway20b
from heptagrid.live.protocols.openadr20b.section import Parameters
from heptagrid.live.protocols.openadr20b.vtn import Vtn20b

_LOOKS_S = 1.0
"""How often it is looked who has gone and which events are over, in seconds of the wall clock."""


class OpenAdr20b(Protocol):
    """OpenADR 2.0b."""

    name = "openadr20b"
    title = "OpenADR 2.0b (VTN of retailer and aggregator)"
    port = 8181
    section = Parameters

    def __init__(self, grid: LiveGrid, parameters: Any) -> None:
        super().__init__(grid, parameters)
        self.desk = Desk.of(grid)
        one: Parameters = parameters or Parameters()
        self.vtn = Vtn20b(self.desk.store, self.desk.targets, lambda: grid.now_ns, one, grid.count)
        self.gateway = Gateway20b(grid, self.vtn)
        self._listener = HttpListener(grid, self.name, "OpenADR 2.0b")
        self._looking: asyncio.Task[None] | None = None

    async def start(self, listening: Listening) -> None:
        tls = listening.tls
        if not is_loopback(listening.host) and (tls is None or tls.verify_mode is not ssl.CERT_REQUIRED):
            raise UsageError("OpenADR 2.0b knows VENs by their certificates: name their authority with --tls-ca")
        self.desk.built_in.refresh()
        await self._listener.start(self.gateway.app(), listening)
        self.listens_on = self._listener.port
        self.desk.start()
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        if self._looking is None:
            return
        await self._listener.stop()
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)
        self._looking = None
        await self.desk.stop()

    def greeting(self) -> list[str]:
        listener = self._listener
        return [f"{self.title}: {listener.scheme}://{listener.host}:{self.listens_on}{PREFIX}"]

    async def _look(self) -> None:
        while True:
            self.gateway.visitors.forget_silent()
            self.vtn.forget_over()
            await asyncio.sleep(_LOOKS_S)

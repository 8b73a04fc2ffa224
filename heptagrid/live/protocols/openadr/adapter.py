"""The adapter: the VTN of a live grid, and the work that its built-in VENs do beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass
from typing import Any

from heptagrid.foundation.errors import HeptagridError, UsageError
from heptagrid.foundation.parameters import parameter
from heptagrid.live.access import is_loopback
from heptagrid.live.grid import LiveGrid
from heptagrid.live.http.embedded import embedded
from heptagrid.live.http.heard import heard
from heptagrid.live.protocol import Listening, Protocol
from heptagrid.live.protocols.openadr.access import BL, VEN, Access
from heptagrid.live.protocols.openadr.app import PREFIX, Gateway
from heptagrid.live.protocols.openadr.built_in import BuiltIn
from heptagrid.live.protocols.openadr.dispatch import Dispatcher
from heptagrid.live.protocols.openadr.notify import Notifier
from heptagrid.live.protocols.openadr.played import Played
from heptagrid.live.protocols.openadr.reports import Reporter
from heptagrid.live.protocols.openadr.store import Store
from heptagrid.live.protocols.openadr.targets import Targets
from heptagrid.live.protocols.openadr.vtn import Vtn

TICK_S = 0.05
"""How often the built-in VENs look, in seconds of the wall clock."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parameters:
    """Credentials of the desk, and what built-in VENs do at a level of demand response."""

    bl_client: str = parameter(
        "bl", info="client id of the desk's business logic", source="assumption: its role's name"
    )
    bl_secret: str = parameter(
        "", info="its secret; empty: a new one at each start, which is shown", source="assumption: no secret in a file"
    )
    ven_client: str = parameter("ven", info="client id of a VEN that is enrolled from the start", source="assumption")
    ven_secret: str = parameter(
        "", info="its secret; empty: a new one at each start, which is shown", source="assumption: no secret in a file"
    )
    simple_1_share: float = parameter(
        0.6,
        info="share of its rated power that level 1 of SIMPLE, moderate load shed, leaves a device",
        low=0.0,
        high=1.0,
        source="assumption: of an 11 kW charger 6.6 kW, and OpenADR leaves it to the program",
    )
    simple_2_share: float = parameter(
        0.38,
        info="share that level 2, high load shed, leaves",
        low=0.0,
        high=1.0,
        source="assumption: 4.2 kW of 11, to which section 14a EnWG lets a grid operator dim",
    )
    simple_3_share: float = parameter(
        0.0, info="share that level 3, emergency load shed, leaves", low=0.0, high=1.0, source="assumption: nothing"
    )
    control_period_s: int = parameter(
        60,
        info="how often a gateway looks again what a limit of its site leaves its devices",
        unit="s",
        low=1,
        high=900,
        source="assumption: a minute, the coupling step",
    )


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
        self.store = Store(lambda: grid.now_ns)
        self.targets = Targets(grid.inventory)
        self.built_in = BuiltIn(grid, self.store, self.targets)
        shares = {1: one.simple_1_share, 2: one.simple_2_share, 3: one.simple_3_share}
        self.dispatcher = Dispatcher(grid, self.store, self.targets, shares, one.control_period_s)
        self.reporter = Reporter(grid, self.store, self.targets)
        self.played = Played(grid, self.store, self.access, self.targets)
        self.vtn = Vtn(self.store, self.access, self.targets.granted, grid.count)
        self.gateway = Gateway(grid, self.vtn, self.targets)
        self.notifier = Notifier(self.store, self.access, self.gateway.crossing, grid.count)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, listening: Listening) -> None:
        try:
            import uvicorn
        except ImportError as missing:
            raise UsageError(f"OpenADR needs {missing.name}: install heptagrid[live]") from missing
        from heptagrid.live.http.connection import CONNECTIONS, KEPT_S, connections, read_through

        self.built_in.refresh()
        family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # or asyncio leaves Nagle on
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((listening.host, listening.port))
        except OSError as wrong:
            listener.close()
            where = f"{listening.host} port {listening.port}"
            raise UsageError(f"OpenADR: {where} cannot be listened on: {wrong.strerror}") from wrong
        self.listens_on = listener.getsockname()[1]
        self._host, self.notifier.is_local = listening.host, is_loopback(listening.host)
        config = uvicorn.Config(
            read_through(heard(self.gateway.app(), self.grid, "openadr")),
            log_level="error",
            http=connections(self.grid, "openadr"),
            timeout_keep_alive=round(KEPT_S),
            limit_concurrency=CONNECTIONS + 1,
            lifespan="off",
            ws="none",
            access_log=False,
        )
        config.load()
        config.ssl = listening.tls
        self._scheme = "https" if listening.tls else "http"
        self._server = embedded(config)
        self._tasks = [
            asyncio.create_task(self._server.serve([listener])),
            asyncio.create_task(self.notifier.run()),
            asyncio.create_task(self._work()),
        ]
        while not self._server.started and not self._tasks[0].done():
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        if not self._tasks:
            return
        self._server.should_exit = self._server.force_exit = True
        for task in self._tasks[1:]:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*self._tasks, return_exceptions=True), 3.0)
        for one in (self.dispatcher, self.reporter, self.played):
            await one.stop()

    def greeting(self) -> list[str]:
        root = f"{self._scheme}://{self._host}:{self.listens_on}"
        return [
            f"{self.title}: {root}{PREFIX}/3.1.0 and {root}{PREFIX}/3.0.1, tokens at {root}/auth/token",
            f"  desk: client {self._bl.id} secret {self._bl.secret}    end node: client {self._ven.id} secret {self._ven.secret}",
        ]

    async def _work(self) -> None:
        """Keep built-in events fresh, dispatch the desk's, and report."""
        while True:
            try:
                self.built_in.refresh()
                self.dispatcher.tick()
                self.reporter.tick(self.dispatcher.played)
                self.gateway.forget_silent()
            except HeptagridError as problem:
                _log.warning("OpenADR: %s", problem)
            await asyncio.sleep(TICK_S)

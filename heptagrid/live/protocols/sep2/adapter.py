"""The adapter: a server for IEEE 2030.5 over mutual TLS, and the orders that its controls mean."""

from __future__ import annotations

import asyncio
import logging
import shutil
import ssl
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heptagrid.foundation.errors import HeptagridError, UsageError
from heptagrid.foundation.parameters import parameter
from heptagrid.live.grid import LiveGrid
from heptagrid.live.inventory import Device
from heptagrid.live.listening import BACKLOG
from heptagrid.live.orderable import Orderable
from heptagrid.live.protocol import Listening, Protocol
from heptagrid.live.protocols.sep2.answers import Hooks
from heptagrid.live.protocols.sep2.connection import Connection
from heptagrid.live.protocols.sep2.controls import AREA, Controls, PlayedDevices
from heptagrid.live.protocols.sep2.functions import Functions
from heptagrid.live.protocols.sep2.identity import server_context
from heptagrid.live.protocols.sep2.server import OPERATOR, Sep2Server
from heptagrid.live.tls import counted

TICK_S = 0.05
SYSTEM_PRIMACY, CLASS_PRIMACY, AREA_PRIMACY = 90, 80, 70
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parameters:
    """Certificates, registration, and how often clients ask and post."""

    certificates: str = parameter(
        "",
        info="folder that `heptagrid certs` made, with a server's certificate for localhost; empty: a new one at each start",
        source="assumption: no keys in a file that others read",
    )
    server: str = parameter(
        "localhost", info="name of the server's certificate in that folder", source="heptagrid certs: its first name"
    )
    pin: int = parameter(
        111_115,
        info="registration PIN of all devices",
        low=0,
        high=999_999,
        source="CSIP 2.1: its example; the last digit is a checksum",
    )
    poll_rate_s: int = parameter(
        300,
        info="how often clients may ask",
        unit="s",
        low=1,
        high=86_400,
        source="CSIP 2.1: 5 minutes for programmes and controls",
    )
    post_rate_s: int = parameter(
        300, info="how often clients may post readings", unit="s", low=1, high=86_400, source="CSIP 2.1: 5 minutes"
    )


class Sep2(Protocol):
    """IEEE 2030.5."""

    name = "sep2"
    title = "IEEE 2030.5 (utility server)"
    port = 8443
    section = Parameters

    def __init__(self, grid: LiveGrid, parameters: Any) -> None:
        super().__init__(grid, parameters)
        self._own: Parameters = parameters or Parameters()
        orderable = Orderable(grid.inventory)
        hooks = Hooks(device=orderable.device, area=self._area, count=grid.count)
        self.server = Sep2Server(
            lambda: grid.now_ns, grid.scenario.zone, hooks, self._own.pin, self._own.poll_rate_s, self._own.post_rate_s
        )
        self.server.functions = Functions(grid.scenario.sections["inverters"])
        self.controls = Controls(grid, self.server, orderable)
        played = PlayedDevices(grid, self.controls.ordering, 3 * self._own.post_rate_s)
        hooks.put, hooks.read, hooks.changed = played.put, played.read, self._changed
        self._orderable = orderable
        self._add_programs()
        self._connections: set[asyncio.Task[None]] = set()
        self.places = grid.places.listener(self._connections)
        self._made_folder = ""

    async def start(self, listening: Listening) -> None:
        context = self._context(listening)
        if context is not listening.tls:
            counted(context, self.grid.count, "sep2")
        try:
            self._listener = await asyncio.start_server(
                self._accept, listening.host, listening.port, ssl=context, ssl_handshake_timeout=10.0, backlog=BACKLOG
            )
        except OSError as wrong:
            where = f"{listening.host} port {listening.port}"
            raise UsageError(f"IEEE 2030.5: {where} cannot be listened on: {wrong.strerror}") from wrong
        self._host = listening.host
        self.listens_on = self._listener.sockets[0].getsockname()[1]
        self._worker = asyncio.create_task(self._work())

    async def stop(self) -> None:
        if not self.listens_on:
            return
        self._listener.close()
        for task in (*self._connections, self._worker):
            task.cancel()
        await asyncio.gather(*self._connections, self._worker, return_exceptions=True)
        await self.controls.stop()
        if self._made_folder:
            shutil.rmtree(self._made_folder, ignore_errors=True)

    def greeting(self) -> list[str]:
        lines = [f"{self.title}: https://{self._host}:{self.listens_on}/dcap"]
        if self._made_folder:
            lines.append(
                f"  certificates until it ends: {self._made_folder} (heptagrid certs --help makes lasting ones)"
            )
        return lines

    def _add_programs(self) -> None:
        self.server.add_program("system", SYSTEM_PRIMACY)
        for name in self._orderable.classes:
            self.server.add_program(name.upper(), CLASS_PRIMACY, (name.upper(),))
        for number in range(int(self._orderable.substation_of.max()) + 1):
            self.server.add_program(f"{AREA}{number}", AREA_PRIMACY, (f"{AREA}{number}",))

    def _area(self, device: Device) -> str:
        return f"{AREA}{self._orderable.substation_of[device.point]}"

    def _changed(self) -> None:
        self.controls.is_stale = True

    def _context(self, listening: Listening) -> ssl.SSLContext:
        """The context of the folder that is named, or that `serve` was given, or of a folder that is made."""
        if not self._own.certificates and listening.tls is not None:
            if listening.tls.verify_mode is not ssl.CERT_REQUIRED:
                raise UsageError("IEEE 2030.5 knows clients by their certificates: name their authority with --tls-ca")
            return listening.tls
        folder = Path(self._own.certificates) if self._own.certificates else self._made()
        files = [folder / f"{self._own.server}.pem", folder / f"{self._own.server}.key", folder / "ca.pem"]
        try:
            return server_context(*(str(file) for file in files))
        except OSError as problem:
            raise UsageError(
                f"live.sep2.certificates {folder}: {problem}; heptagrid certs {folder} --server localhost,127.0.0.1 --ieee2030-5 makes what is needed"
            ) from problem

    def _made(self) -> Path:
        """A folder with an authority, a server and an operator, for this run."""
        from heptagrid.live.certificates import Authority, Leaf

        self._made_folder = tempfile.mkdtemp(prefix="heptagrid-sep2-")
        authority = Authority.of(Path(self._made_folder))
        authority.sign(Leaf(self._own.server, "server", ("127.0.0.1", "::1"), True))
        authority.sign(Leaf(OPERATOR, "client", (), True))
        return Path(self._made_folder)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.places.is_full:
            self.grid.count("sep2: too many connections")
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Connection(self.grid, self.server, reader, writer).serve()
        except (TimeoutError, OSError):
            pass
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _work(self) -> None:
        while True:
            try:
                self.controls.tick()
            except HeptagridError as problem:
                _log.warning("IEEE 2030.5: %s", problem)
            await asyncio.sleep(TICK_S)

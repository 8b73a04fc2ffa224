"""A protocol over HTTP: an application of ours behind a socket of its own, in the event loop that all share."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, Any

from heptagrid.foundation.errors import UsageError
from heptagrid.live.grid import LiveGrid
from heptagrid.live.http.embedded import embedded
from heptagrid.live.http.heard import Application, heard
from heptagrid.live.protocol import Listening

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol

CERTIFICATE = "certificate"
"""Where a request's `state` has the client's certificate in DER; None: it has shown none."""


class HttpListener:
    """Serves an application. port: on which it listens; host, scheme: for addresses that people copy."""

    def __init__(self, grid: LiveGrid, protocol: str, title: str) -> None:
        """Set up; protocol: under which the wire log has what comes in. title: for messages."""
        self.port, self.host, self.scheme = 0, "", "http"
        self._grid, self._protocol, self._title = grid, protocol, title
        self._serving: asyncio.Task[None] | None = None

    async def start(self, application: Application, listening: Listening) -> None:
        """Listen.

        Raises
        ------
        UsageError
            If the port is taken, or a package is missing.
        """
        try:
            import uvicorn
        except ImportError as missing:
            raise UsageError(f"{self._title} needs {missing.name}: install heptagrid[live]") from missing

        from heptagrid.live.http.connection import CONNECTIONS, KEPT_S, connections, read_through

        listener = self._bound(listening)
        self.port, self.host = listener.getsockname()[1], listening.host
        self.scheme = "https" if listening.tls else "http"
        config = uvicorn.Config(
            read_through(heard(application, self._grid, self._protocol)),
            log_level="error",
            http=_telling_certificates(connections(self._grid, self._protocol)),
            timeout_keep_alive=round(KEPT_S),
            limit_concurrency=CONNECTIONS + 1,
            lifespan="off",
            ws="none",
            access_log=False,
        )
        config.load()
        config.ssl = listening.tls
        self._server = embedded(config)
        self._serving = asyncio.create_task(self._server.serve([listener]))
        while not self._server.started and not self._serving.done():
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """End all connections; nothing if it never began."""
        if self._serving is None:
            return
        self._server.should_exit = self._server.force_exit = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(self._serving, return_exceptions=True), 3.0)

    def _bound(self, listening: Listening) -> socket.socket:
        family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # or asyncio leaves Nagle on
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((listening.host, listening.port))
        except OSError as wrong:
            listener.close()
            where = f"{listening.host} port {listening.port}"
            raise UsageError(f"{self._title}: {where} cannot be listened on: {wrong.strerror}") from wrong
        return listener


def certificate_of(scope: Any) -> bytes | None:
    """The certificate in DER that the client of a request has shown; None: it has shown none."""
    found = (scope.get("state") or {}).get(CERTIFICATE)
    return found if isinstance(found, bytes) else None


def _telling_certificates(kind: type[H11Protocol]) -> type[H11Protocol]:
    """Connections of a kind that tell their requests the certificate which the client has shown."""

    class Telling(kind):  # type: ignore[misc, valid-type]
        app_state: dict[str, Any]

        def connection_made(self, transport: asyncio.Transport) -> None:
            secured: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
            shown = secured.getpeercert(binary_form=True) if secured is not None else None
            self.app_state = {**self.app_state, CERTIFICATE: shown}
            super().connection_made(transport)

    return Telling

"""The HTTP server of a live grid, in the event loop that its protocols share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING

from heptagrid.foundation.errors import UsageError

if TYPE_CHECKING:
    from heptagrid.live.serve import LiveRun


class HttpServer:
    """Serves the control room and the interface. port: on which it listens, from `start` on."""

    def __init__(self, run: LiveRun) -> None:
        self.port = 0
        self._run = run

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises
        ------
        UsageError
            If the port is taken.
        """
        import uvicorn

        from heptagrid.live.http.app import guarded
        from heptagrid.live.http.connection import CONNECTIONS, KEPT_S, connections, read_through
        from heptagrid.live.http.embedded import embedded
        from heptagrid.live.http.heard import heard
        from heptagrid.live.http.interface import Interface

        logging.getLogger("uvicorn.error").addFilter(_is_ours)
        self._interface = Interface(self._run)
        config = uvicorn.Config(
            read_through(heard(guarded(self._interface), self._run.grid, "http")),
            log_level="error",
            lifespan="off",
            http=connections(self._run.grid, "interface"),
            timeout_keep_alive=round(KEPT_S),
            ws="websockets-sansio",
            ws_max_size=64 * 1024,
            ws_max_queue=16,
            limit_concurrency=CONNECTIONS + 1,
            server_header=False,
        )
        config.load()
        config.ssl = self._run.access.tls
        self._server = embedded(config)
        listener = socket.socket(
            socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
        )
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as problem:
            listener.close()
            raise UsageError(
                f"--http {port}: {host} port {port} cannot be listened on: {problem.strerror}"
            ) from problem
        self.port = listener.getsockname()[1]
        self._task = asyncio.create_task(self._server.serve([listener]))
        while not self._server.started and not self._task.done():
            await asyncio.sleep(0.002)

    async def stop(self) -> None:
        """End streams and connections; nothing if it never began."""
        if self.port == 0:
            return
        self._interface.close()
        await self._interface.actions.close()
        self._server.should_exit = self._server.force_exit = True
        with contextlib.suppress(asyncio.CancelledError, TimeoutError):
            await asyncio.wait_for(self._task, 3.0)


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a record tells of this program; what clients send wrong would fill the log."""
    return not record.getMessage().startswith("Invalid UTF-8")

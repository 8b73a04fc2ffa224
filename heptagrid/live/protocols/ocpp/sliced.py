"""Connections of `websockets` that take what comes a slice at a time, as those of other protocols do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar, cast

from heptagrid.live.slices import Slices

if TYPE_CHECKING:
    from websockets.asyncio.connection import Connection

    C = TypeVar("C", bound=Connection)


def sliced(kind: type[C]) -> type[C]:
    """A class of connections, for `create_connection`."""
    base: Any = kind

    class Sliced(base):  # type: ignore[misc]
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            reading = cast(asyncio.ReadTransport, transport)
            self._slices = Slices(self.loop, reading, super().data_received)
            super().connection_made(transport)
            # Texts that nobody takes hold up what comes after them, not the transport alone.
            self.recv_messages.pause, self.recv_messages.resume = self._slices.hold, self._slices.go_on

        def data_received(self, data: bytes) -> None:
            self._slices.feed(data)

        def connection_lost(self, exc: Exception | None) -> None:
            self._slices.end()
            super().connection_lost(exc)

    return cast("type[C]", Sliced)

"""A client of a protocol over TCP, for tests: bytes by hand, so that a test can also do what no client may."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress

WITHIN_S = 60.0


class WireClient(ABC):
    """One connection. is_closed: whether the other end has closed. on_bytes: called with whether they came, and all bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.is_closed = False
        self.on_bytes: Callable[[bool, bytes], None] = lambda is_answer, data: None
        self._writer = writer
        self._task = asyncio.create_task(self._read(reader))

    @abstractmethod
    def received(self, data: bytes) -> None:
        """Bytes have come."""

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.on_bytes(False, data)
        self._writer.write(data)

    async def until(self, holds: Callable[[], object], within_s: float = WITHIN_S) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(within_s):
            while not holds():
                await asyncio.sleep(0.005)

    async def close(self) -> None:
        self._task.cancel()
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                self.on_bytes(True, data)
                self.received(data)
        self.is_closed = True

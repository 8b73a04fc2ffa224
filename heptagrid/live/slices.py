"""What a client sends, handed on a slice at a time: however much comes at once, the event loop serves the others between two slices.

A socket gives up to 256 KB in one call, which may be ten thousand requests. What has been read and not handed on waits here, and nothing more is read until it is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

SLICE_BYTES = 1024
"""Of what came, handed on at once: some dozens of the shortest requests."""
TURN_S = 0.002
"""Slices are handed on in one turn of the event loop until so much time has passed; one at least."""


class Slices:
    """What one connection has read. take: called with each slice; nothing is handed on while it is held, or once it has ended."""

    __slots__ = ("_at", "_is_called", "_is_over", "_loop", "_rest", "_take", "_transport", "is_held")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, transport: asyncio.ReadTransport, take: Callable[[bytes], None]
    ) -> None:
        self._loop, self._transport, self._take = loop, transport, take
        self._rest = b""
        self._at = 0
        self.is_held = self._is_called = self._is_over = False

    def feed(self, data: bytes) -> None:
        """Hand on what has come, or as much of it as one turn has time for."""
        self._rest = self._rest[self._at :] + data
        self._at = 0
        if not self._is_called:
            self._hand_on()

    def hold(self) -> None:
        """Hand on nothing more, and read nothing more, as with a full TCP window."""
        self.is_held = True
        self._pace()

    def go_on(self) -> None:
        """Hand on again what waits, and read again."""
        if self.is_held:
            self.is_held = False
            self._pace()

    def end(self) -> None:
        """Forget what waits, and who took it: he has this himself, and only a collection would find the two."""
        self._is_over = True
        self._rest = b""
        self._take = _leave

    @property
    def waiting(self) -> int:
        """Bytes that were read and not handed on."""
        return max(len(self._rest) - self._at, 0)

    def _hand_on(self) -> None:
        self._is_called = True  # what `take` does may hold it, or let it go on
        until_s = self._loop.time() + TURN_S
        while self.waiting and not self.is_held and not self._is_over:
            begin, self._at = self._at, self._at + SLICE_BYTES
            self._take(self._rest[begin : self._at])
            if self._loop.time() >= until_s:
                break
        self._is_called = False
        if not self.waiting:
            self._rest, self._at = b"", 0
        self._pace()

    def _pace(self) -> None:
        """Read if nothing waits, and see to it that what waits is handed on."""
        if self._is_over or self._is_called or self._transport.is_closing():
            return
        if self.is_held or self.waiting:
            self._transport.pause_reading()
        elif not self._transport.is_reading():
            self._transport.resume_reading()
        if self.waiting and not self.is_held:
            self._is_called = True
            self._loop.call_soon(self._hand_on)


def _leave(_: bytes) -> None:
    """Nobody takes it."""

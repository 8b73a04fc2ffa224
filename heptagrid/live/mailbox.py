"""Calls into an event loop from other threads: however many come at once, the loop is woken once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class Mailbox:
    """What other threads want done in an event loop, in the order in which they said so."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self._is_called = False

    def post(self, work: Callable[..., Any], *given: Any) -> None:
        """Have something done soon, from any thread; nothing once the loop has ended."""
        self._waiting.append((work, given))
        # Whoever empties the box says so before it looks into it: what is put in after it has looked calls it again.
        if not self._is_called:
            self._is_called = True
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._empty)

    def _empty(self) -> None:
        self._is_called = False
        while self._waiting:
            work, given = self._waiting.popleft()
            self._loop.call_soon(work, *given)

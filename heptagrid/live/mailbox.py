"""Calls into an event loop from other threads: however many come at once, the loop is woken once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

Work = tuple[Callable[..., Any], tuple[Any, ...]]
"""What is called, and what it is given."""
MOST_AT_ONCE = 256
"""Calls that are made in one turn of the loop, for however many there are it serves its sockets between."""


class Mailbox:
    """What other threads want done in an event loop, in the order in which they said so."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Work] = deque()
        self._is_called = False

    def post(self, work: Callable[..., Any], *given: Any) -> None:
        """Have something done soon, from any thread; nothing once the loop has ended."""
        self.post_all([(work, given)])

    def post_all(self, works: Iterable[Work]) -> None:
        """Have several things done, as `post` does."""
        self._waiting.extend(works)
        # Whoever empties the box says so before it looks into it: what is put in after it has looked calls it again.
        if not self._is_called:
            self._is_called = True
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._empty)

    def _empty(self) -> None:
        self._is_called = False
        waiting = self._waiting
        for _ in range(min(len(waiting), MOST_AT_ONCE)):
            work, given = waiting.popleft()
            try:
                work(*given)
            except (SystemExit, KeyboardInterrupt):
                raise
            except (
                BaseException
            ) as problem:  # as the loop does with its own callbacks: the next one is called all the same
                self._loop.call_exception_handler(
                    {"message": f"what another thread wanted done has failed: {work}", "exception": problem}
                )
        if waiting and not self._is_called:
            self._is_called = True
            self._loop.call_soon(self._empty)

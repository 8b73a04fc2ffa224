"""A span of time that an event queue passes on a thread of its own, while the caller goes on with other work."""

from __future__ import annotations

import threading

from heptagrid.planes.messages.kernel.event_queue import EventQueue
from heptagrid.planes.messages.tables import Ints, Outcome


class Ahead:
    """Messages travel to `until_ns` from now on; until `outcome` has been called, the queue is the thread's alone.

    The kernel holds no interpreter lock, so it takes a second core. `start` returns when the thread runs, and the thread keeps the lock until
    it has entered the kernel: so it never waits for the caller's Python code before its work begins.
    """

    def __init__(self, queue: EventQueue, due: Ints, until_ns: int) -> None:
        self.until_ns = until_ns
        self._work = (queue, due)
        self._found: Outcome | BaseException | None = None
        self._thread = threading.Thread(target=self._advance)
        self._thread.start()

    def _advance(self) -> None:
        queue, due = self._work
        try:
            self._found = queue.advance(due, self.until_ns)
        except BaseException as problem:
            self._found = problem

    def outcome(self) -> Outcome:
        """Wait for the thread: what became known in the span."""
        self._thread.join()
        if isinstance(self._found, BaseException):
            raise self._found
        assert self._found is not None
        return self._found

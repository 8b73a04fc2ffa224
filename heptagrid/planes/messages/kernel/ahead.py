"""A span of time that an event queue passes on a thread of its own, while the caller goes on with other work."""

from __future__ import annotations

import threading
from collections.abc import Callable

from heptagrid.planes.messages.kernel.event_queue import EventQueue
from heptagrid.planes.messages.tables import Ints, Outcome


class Ahead:
    """Messages travel to `until_ns` from now on; until `outcome` has been called, the queue is the thread's alone.

    The kernel holds no interpreter lock, so it takes a second core. The constructor returns when the thread runs, and the thread keeps the lock
    until it has entered the kernel: so it never waits for the caller's Python code before its work begins.
    """

    def __init__(self, queue: EventQueue, due: Ints, until_ns: int) -> None:
        self.until_ns = until_ns
        self._work = (queue, due)
        self._found: Outcome | BaseException | None = None
        self._thread = _waiting.pop() if _waiting else _Thread()
        self._thread.begin(self._advance)

    def _advance(self) -> None:
        queue, due = self._work
        try:
            self._found = queue.advance(due, self.until_ns)
        except BaseException as problem:
            self._found = problem

    def outcome(self) -> Outcome:
        """Wait for the thread: what became known in the span."""
        self._thread.end()
        _waiting.append(self._thread)
        if isinstance(self._found, BaseException):
            raise self._found
        assert self._found is not None
        return self._found


class _Thread:
    """A thread that does one piece of work after another; to make a new one for each step would take four times as long."""

    def __init__(self) -> None:
        self._work: Callable[[], None] | None = None
        self._may_begin, self._has_begun, self._is_done = _locked(), _locked(), _locked()
        threading.Thread(target=self._run, daemon=True).start()

    def begin(self, work: Callable[[], None]) -> None:
        """Let it do this; returns when it runs."""
        self._work = work
        self._may_begin.release()
        self._has_begun.acquire()

    def end(self) -> None:
        """Wait until it is done."""
        self._is_done.acquire()

    def _run(self) -> None:
        while True:
            self._may_begin.acquire()
            self._has_begun.release()
            assert self._work is not None
            self._work()
            self._work = None
            self._is_done.release()


def _locked() -> threading.Lock:
    """A lock that somebody waits for until another releases it."""
    lock = threading.Lock()
    lock.acquire()
    return lock


_waiting: list[_Thread] = []
"""The threads that wait for work: as many as there were planes ahead at one time."""

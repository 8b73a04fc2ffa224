"""Threads that do a piece of work each, while the caller goes on with other work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from heptagrid.planes.messages.tables import Outcome

T = TypeVar("T")


class Beside(Generic[T]):
    """A piece of work that a thread does from now on.

    A kernel holds no interpreter lock, so it takes a second core. The constructor returns when the thread runs, and the thread keeps the lock
    until it has entered the kernel: so it never waits for the caller's Python code before its work begins.
    """

    def __init__(
        self,
        work: Callable[[], T],
        then: Sequence[Callable[[], object]] = (),
        first: Sequence[Callable[[], object]] = (),
    ) -> None:
        """Begin; what comes first and what comes then is done on the thread as well, for what it writes."""
        self._work, self._then, self._first = work, then, first
        self._found: T | None = None
        self._problem: BaseException | None = None
        self._thread = _waiting.pop() if _waiting else _Thread()
        self._thread.begin(self._do)

    def _do(self) -> None:
        try:
            for one in self._first:
                one()
            self._found = self._work()
            for one in self._then:
                one()
        except BaseException as problem:
            self._problem = problem

    def outcome(self) -> T:
        """Wait for the thread: what the work came to."""
        self._thread.end()
        _waiting.append(self._thread)
        if self._problem is not None:
            raise self._problem
        return cast(T, self._found)


@dataclass(frozen=True)
class Ahead:
    """A span of time that messages pass on threads of their own, while the caller goes on with other work: to `until_ns`.

    outcome: waits for them, and tells what became known; until it has been called, the queue is the threads' alone.
    """

    until_ns: int
    outcome: Callable[[], Outcome]


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

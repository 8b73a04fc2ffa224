"""Ctrl-C: what must not break off in its midst is finished first, and work in steps is asked to end."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Interruptions:
    """How many times Ctrl-C has been pressed."""

    def __init__(self) -> None:
        self.count = 0


@contextmanager
def counted_interrupts(second_raises: bool = False) -> Iterator[Interruptions]:
    """Count Ctrl-C instead of raising `KeyboardInterrupt` wherever the program is; `second_raises`: but for the second.

    Outside the main thread, where Python delivers no signals, nothing is changed and the count stays zero.
    """
    found = Interruptions()
    if threading.current_thread() is not threading.main_thread():
        yield found
        return

    def count(*_: object) -> None:
        found.count += 1
        if second_raises and found.count > 1:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, count)
    try:
        yield found
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def noted_interrupts() -> Iterator[Interruptions]:
    """Raise `KeyboardInterrupt` as ever and note it: libraries may turn it into another error, or say that they ignore it."""
    found = Interruptions()
    if threading.current_thread() is not threading.main_thread():
        yield found
        return

    once_more: list[threading.Timer] = []

    def note(*_: object) -> None:
        found.count += 1
        sys.unraisablehook = again
        raise KeyboardInterrupt

    def again(ignored: sys.UnraisableHookArgs) -> None:
        """Python drops what is raised while it frees an object; so raise it once more, elsewhere."""
        if issubclass(ignored.exc_type, KeyboardInterrupt):
            once_more.append(threading.Timer(0.1, signal.raise_signal, [signal.SIGINT]))
            once_more[-1].start()

    before, hook = signal.signal(signal.SIGINT, note), sys.unraisablehook
    try:
        yield found
    finally:
        for timer in once_more:
            timer.cancel()
        signal.signal(signal.SIGINT, before)
        sys.unraisablehook = hook


@contextmanager
def inherited_by_none() -> Iterator[None]:
    """Start processes here that Ctrl-C does not reach, from their first instruction on; the parent tells them.

    A process inherits the blocked signals of the thread that starts it. A handler of its own would come too late: Python imports
    modules for a second before it runs what it was started for.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows: a worker ignores Ctrl-C once it has begun
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def to_the_end(write: Callable[[], object]) -> None:
    """Write; if Ctrl-C comes in the midst of it, write again and interrupt afterwards.

    polars turns Ctrl-C into an exception wherever it is, which would leave half a file.
    """
    try:
        write()
    except KeyboardInterrupt:
        write()
        signal.raise_signal(signal.SIGINT)

"""A process or a thread beside this one, for work whose result is needed later: pure functions, begun with what they are given and waited for when they are asked for.

Python runs in one thread at a time, so a second core takes no Python of this process: a process beside it does. A thread is for who may not stand still, and takes no
memory. Whether there is one of them changes no result: what is begun without is done at once, and what one does not bring to its end is done here.
"""

from __future__ import annotations

import importlib
import pickle
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from concurrent.futures.process import ProcessPoolExecutor

P = ParamSpec("P")
T = TypeVar("T")

_running: list[Executor] = []


class Promise(Generic[T]):
    """What a function will return; in a file it is what it returned."""

    def __init__(self, work: bytes | None, future: Future[T] | None, value: T | None = None) -> None:
        self._work, self._future, self._value = work, future, value

    def result(self) -> T:
        """Wait for it. What the function raised is raised here."""
        if self._future is not None:
            assert self._work is not None
            future, self._future, work, self._work = self._future, None, self._work, None
            try:
                self._value = future.result()
            except (CancelledError, _broken()):
                self._value = _do(work)
        return self._value  # type: ignore[return-value]

    @property
    def size(self) -> int:
        """Bytes that are kept until the result has been asked for; 0 of work that was done at once."""
        return len(self._work or b"")

    def __reduce__(self) -> tuple[Any, ...]:
        return Promise, (None, None, self.result())


def begin(function: Callable[P, T], /, *given: P.args, **named: P.kwargs) -> Promise[T]:
    """Begin `function(*given, **named)`; what it is given may be changed afterwards. Work is done in the order in which it is begun.

    function: one that a new process can import, whose result hangs on nothing else.
    """
    if not _running:
        return Promise(None, None, function(*given, **named))
    work = pickle.dumps((function, given, named), protocol=5)
    try:
        return Promise(work, _running[-1].submit(_do, work))
    except (RuntimeError, OSError):  # it was killed
        return Promise(None, None, _do(work))


def is_there() -> bool:
    """Whether there is a process or a thread beside this one."""
    return bool(_running)


@contextmanager
def thread() -> Iterator[None]:
    """Keep a thread beside this one; what is not begun yet at the end is left."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(1, "beside")
    _running.append(pool)
    try:
        yield
    finally:
        _running.remove(pool)
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def process(modules: tuple[str, ...] = ()) -> Iterator[None]:
    """Keep a process beside this one; modules: what it imports while it waits for work.

    One that cannot be started is done without.
    """
    try:
        pool = _started(modules)
    except OSError:  # no more processes or memory
        yield
        return
    _running.append(pool)
    try:
        yield
    except BaseException:
        _end(pool, at_once=True)
        raise
    finally:
        _running.remove(pool)
        _end(pool, at_once=False)


def _started(modules: tuple[str, ...]) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures.process import ProcessPoolExecutor

    from heptagrid.foundation.interrupts import inherited_by_none

    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_prepare)
    with main_hidden(), inherited_by_none():
        pool.submit(_import, modules)
    return pool


def _end(pool: ProcessPoolExecutor, at_once: bool) -> None:
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    if at_once:
        for one in processes:
            one.kill()


def _broken() -> type[Exception]:
    from concurrent.futures.process import BrokenProcessPool

    return BrokenProcessPool


def _do(work: bytes) -> Any:
    function, given, named = pickle.loads(work)
    return function(*given, **named)


def _import(modules: tuple[str, ...]) -> None:
    for one in modules:
        importlib.import_module(one)


def _prepare() -> None:
    from heptagrid.foundation.garbage import collect_rarely

    collect_rarely()
    end_with_parent()


def end_with_parent() -> None:
    """Leave Ctrl-C to the parent, and end when it does: a worker whose parent was killed would wait for more work for ever."""
    import signal
    import threading

    # Ctrl-C reaches all processes of a terminal; the parent tells its workers, which were started with it blocked.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    import multiprocessing.connection
    import os

    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


@contextmanager
def main_hidden() -> Iterator[None]:
    """Start workers without the caller's script, which they do not need.

    A spawned process would import it, and a script that calls heptagrid outside `if __name__ == "__main__"`
    would start over in each.
    """
    main = sys.modules["__main__"]
    kept: dict[str, Any] = {name: vars(main)[name] for name in ("__spec__", "__file__") if name in vars(main)}
    vars(main).pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(kept)

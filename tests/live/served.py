"""A live grid in a thread of its own, for tests whose clients block: programs of others, and plain sockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from heptagrid.live.access import AccessFiles
from heptagrid.live.serve import Options, loop_factory
from heptagrid.scenario.schema import Scenario
from tests.live.harness import EVENING, Harness, live_grid

T = TypeVar("T")
CLIENTS_S = 0.005
"""Of the wall clock, that a client has between two steps."""


class Served:
    """A grid that stands still unless `advance` lets time go on. harness: as in its own loop; ask it for things with `call`."""

    def __init__(self, harness: Harness, loop: asyncio.AbstractEventLoop) -> None:
        self.harness, self._loop = harness, loop

    @property
    def grid(self) -> Any:
        return self.harness.run.grid

    @property
    def ports(self) -> dict[str, int]:
        return self.harness.ports

    def call(self, made: Callable[[], Awaitable[T]]) -> T:
        """Await what is made, in the grid's loop."""

        async def await_it() -> T:
            return await made()

        return asyncio.run_coroutine_threadsafe(await_it(), self._loop).result(120.0)

    def advance(self, seconds: float) -> None:
        """Let simulated time go on by so much."""
        self.call(lambda: self.harness.advance(seconds))

    def while_time_goes_on(self, work: Callable[[], T], step_s: float = 1.0, at_most_s: float = 600.0) -> T:
        """What a client that blocks comes to, while simulated time goes on in steps; between them the processor is the client's."""
        with ThreadPoolExecutor(1) as pool:
            done: Future[T] = pool.submit(work)
            passed_s = 0.0
            while not wait([done], CLIENTS_S).done and passed_s < at_most_s:
                self.advance(step_s)
                passed_s += step_s
            return done.result(30.0)


@contextmanager
def served(
    scenario: Scenario,
    protocols: Mapping[str, int | None],
    *,
    settings: tuple[str, ...] = (),
    is_ideal: bool = False,
    at: str = EVENING,
    out: Path | None = None,
    access: AccessFiles | None = None,
) -> Iterator[Served]:
    """A grid with protocols on free ports, solved once; access: certificates."""
    ready: Future[Served] = Future()
    over: list[Callable[[], None]] = []

    async def live() -> None:
        files = access or AccessFiles()
        options = Options(at=at, paused=True, http_port=None, is_ideal=is_ideal, access=files)
        async with live_grid(scenario, protocols, settings=settings, options=options, out=out) as harness:
            await harness.advance(60.0)
            loop, ended = asyncio.get_running_loop(), asyncio.Event()
            over.append(lambda: loop.call_soon_threadsafe(ended.set) and None)
            ready.set_result(Served(harness, loop))
            await ended.wait()

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(live())
        except BaseException as problem:
            if ready.done():
                raise
            ready.set_exception(problem)

    thread = threading.Thread(target=run, name="served")
    thread.start()
    try:
        yield ready.result(300.0)
    finally:
        for end in over:
            end()
        thread.join(120.0)

"""A live grid with its HTTP server, in a thread of its own, for tests that look at it from outside."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from heptagrid.live.http.server import HttpServer
from heptagrid.live.serve import LiveRun, Options
from heptagrid.scenario.schema import Scenario
from tests.live.harness import EVENING, live_grid

RUNNING = Options(speed=60.0, at=EVENING, http_port=None)


@dataclass
class Served:
    """url: without a slash at its end. run: the grid."""

    url: str
    run: LiveRun


@contextmanager
def served(scenario: Scenario, options: Options = RUNNING) -> Iterator[Served]:
    """A grid and its server, until the block ends; what failed there is raised here."""
    found: list[Served] = []
    problems: list[BaseException] = []
    ready, loops = threading.Event(), []
    over = asyncio.Event()

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        async with live_grid(scenario, options=options) as harness:
            http = HttpServer(harness.run)
            await http.start("127.0.0.1", 0)
            found.append(Served(f"http://127.0.0.1:{http.port}", harness.run))
            ready.set()
            try:
                await over.wait()
            finally:
                await http.stop()

    def work() -> None:
        try:
            asyncio.run(serve())
        except BaseException as problem:
            problems.append(problem)
        finally:
            ready.set()

    thread = threading.Thread(target=work, name="server")
    thread.start()
    ready.wait()
    try:
        if found:
            yield found[0]
    finally:
        if not problems and loops:
            loops[0].call_soon_threadsafe(over.set)
        thread.join()
        if problems:
            raise problems[0]

"""A live grid within a test: in lock-step, without the HTTP server, with the protocols that are asked for on free ports."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.serve import LiveRun, Options
from heptagrid.scenario.load import revised
from heptagrid.scenario.schema import Scenario

MINUTE_NS = 60 * NS_PER_S
EVENING = "2016-07-04T18:00"
"""When test grids begin unless told otherwise: vehicles come home, the sun is still up."""


class Harness:
    """A live grid that a test drives.

    run: the grid as `serve` has it; once it is over, `run.result` is what the arm came to and `run.folder` where that was written. ports: of the protocols, by name.
    """

    def __init__(self, run: LiveRun) -> None:
        self.run = run

    @property
    def ports(self) -> dict[str, int]:
        return {one.name: one.listens_on for one in self.run.protocols}

    async def advance(self, seconds: float) -> None:
        """Let simulated time go on by so much, and wait until it has."""
        await self._come_to(self.run.pace.step(seconds))

    async def advance_in_minutes(self, seconds: float) -> None:
        """The same in steps of a minute but for the last minute, where nobody looks at what is between; for more than three minutes."""
        pace = self.run.pace
        from_ns = pace.step(0.0)
        # The step that follows has its length already when time comes to its beginning: it is of a minute still.
        minutes_end_ns = ((from_ns + round(seconds * NS_PER_S)) // MINUTE_NS - 2) * MINUTE_NS
        pace.set_step(60)
        await self._come_to(pace.run_to(minutes_end_ns))
        pace.set_step(None)
        await self.advance(seconds - (minutes_end_ns - from_ns) / NS_PER_S)

    async def _come_to(self, ns: int) -> None:
        has_come = await self.run.grid.loop.run_in_executor(None, self.run.pace.wait_for, ns, 60.0)
        assert has_come, "time did not go on"


@asynccontextmanager
async def live_grid(
    scenario: Scenario,
    protocols: Mapping[str, int | None] | None = None,
    *,
    settings: tuple[str, ...] = (),
    options: Options | None = None,
    out: Path | None = None,
) -> AsyncIterator[Harness]:
    """A grid on a scenario, paused at an evening in July unless `options` say otherwise; `out` takes its run's folder.

    protocols: those that are opened, each on a free port unless one is named.
    """
    ports = {name: 0 if port is None else port for name, port in (protocols or {}).items()}
    chosen = replace(options or Options(at=EVENING, paused=True, http_port=None), ports=ports, out=out)
    harness = Harness(LiveRun(revised(scenario, list(settings)), chosen))
    with harness.run.prepared():
        await harness.run.start()
        try:
            yield harness
        finally:
            await harness.run.stop()


@contextmanager
def in_thread(grid: AbstractAsyncContextManager[Harness]) -> Iterator[Harness]:
    """A grid in a loop and thread of its own, for all tests of a module that leave it as it was."""
    began, over = threading.Event(), asyncio.Event()
    found: list[Harness] = []

    async def serve() -> None:
        async with grid as harness:
            found.append(harness)
            began.set()
            await over.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        finally:
            began.set()

    thread = threading.Thread(target=run)
    thread.start()
    began.wait()
    assert found, "the grid has not started"
    try:
        yield found[0]
    finally:
        found[0].run.grid.loop.call_soon_threadsafe(over.set)
        thread.join()

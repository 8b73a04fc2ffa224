"""A live grid against the clock: until it is ready, how late steps and frames are at speed 1, whether it keeps up at speed 60, what memory that takes.

python benchmarks/live.py [SCENARIO] [--seconds S]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.processes import resident_mb
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.crossing import LostError
from heptagrid.live.serve import LiveRun, Options
from heptagrid.scenario.load import load


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("scenario", nargs="?", default="town")
    options.add_argument("--seconds", type=float, default=60.0)
    given = options.parse_args()
    at_speed(given.scenario, 1.0, given.seconds)
    at_speed(given.scenario, 60.0, given.seconds)
    at_speed(given.scenario, None, min(given.seconds, 30.0))


def at_speed(name: str, speed: float | None, seconds: float) -> None:
    began = time.perf_counter()
    run = LiveRun(load(name), Options(speed=speed, at="2016-07-04T17:00", ports={}, http_port=None))
    with run.prepared():
        asyncio.run(watched(run, began, seconds))


async def watched(run: LiveRun, began: float, seconds: float) -> None:
    """Ask meters over the network all the while, and look at the clock ten times a second."""
    await run.start()
    pace, words = run.pace, "max" if run.options.speed is None else f"{run.options.speed:g}"
    print(f"speed {words}: ready after {time.perf_counter() - began:.1f} s")
    from_ns, from_s, lags_s, memory_mb = pace.state.ns, time.monotonic(), [], [resident_mb()]
    asking = asyncio.create_task(asked(run))
    while time.monotonic() - from_s < seconds:
        await asyncio.sleep(0.1)
        lags_s.append(pace.state.lag_s)
        memory_mb.append(resident_mb())
    asking.cancel()
    took_s, simulated_s = time.monotonic() - from_s, (pace.state.ns - from_ns) / NS_PER_S
    print(f"  {simulated_s / took_s:.2f} simulated seconds in one; steps made longer: {pace.state.forced}")
    print(f"  lag: median {np.median(lags_s) * 1e3:.1f} ms, p99 {np.percentile(lags_s, 99) * 1e3:.1f} ms")
    third = len(memory_mb) // 3
    print(
        f"  resident memory {memory_mb[-1]:.0f} MB, {memory_mb[-1] - memory_mb[third]:+.0f} MB in the last two thirds"
    )
    if run.options.speed is not None:
        late_ms = RELEASED_MS
        print(
            f"  frames released after the plane's time: median {np.median(late_ms):.1f} ms, p99 {np.percentile(late_ms, 99):.1f} ms of {len(late_ms)}"
        )
    RELEASED_MS.clear()
    await run.stop()


RELEASED_MS: list[float] = []


async def asked(run: LiveRun) -> None:
    """Ask one meter after another, and note how late each frame is released, in milliseconds of the wall clock."""
    grid, speed = run.grid, run.options.speed
    meters, desk = grid.inventory.classes["meters"], grid.desk("operations")
    k = 0
    while True:
        k += 37
        try:
            arrived_ns = await grid.ask(desk, grid.inventory.device(f"meters/{k % len(meters)}"), 60)
        except LostError:
            continue
        due_ns = run.pace.due_ns()
        if due_ns is not None and speed is not None:
            RELEASED_MS.append((due_ns - arrived_ns) / NS_PER_S / speed * 1e3)
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    main()

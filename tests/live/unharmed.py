"""What a live grid must be after an attack: alive, no larger than before, connected to nobody, and counting what it refused."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.live.served import Served

BACK_WITHIN_S = 40.0
"""Of the wall clock, in which connections of an attacker that has gone are forgotten."""


class Footprint(NamedTuple):
    """What a grid holds. resident_mb: of this process, in which the attacker lives too; descriptors: open files; tasks: of the event loop; peers: who is connected."""

    resident_mb: float
    descriptors: int
    tasks: int
    peers: int


def footprint(grid: Served) -> Footprint:
    async def tasks() -> int:
        return len(asyncio.all_tasks())

    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    resident_mb = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return Footprint(resident_mb, len(list(Path("/proc/self/fd").iterdir())), grid.call(tasks), len(grid.grid.peers))


@contextmanager
def unharmed(grid: Served, grown_mb: float, *, is_counted: bool = True) -> Iterator[Footprint]:
    """Nothing of what is done within is left: no descriptor, no task, no peer, no more memory than `grown_mb`; and something was counted, unless it is a matter of the library below."""
    before, counted, ns = footprint(grid), sum(grid.grid.counts.values()), grid.grid.state.at_ns
    yield before
    until = time.monotonic() + BACK_WITHIN_S
    while _has_more(after := footprint(grid), before) and time.monotonic() < until:
        time.sleep(0.1)
    assert after.descriptors <= before.descriptors, (before, after)
    assert after.tasks <= before.tasks and after.peers <= before.peers, (before, after)
    assert after.resident_mb - before.resident_mb < grown_mb, (before, after)
    assert sum(grid.grid.counts.values()) > counted or not is_counted, "what was refused is counted"
    assert grid.grid.state.at_ns == ns and grid.grid.engine.is_running


def _has_more(after: Footprint, before: Footprint) -> bool:
    return any(now > then for now, then in zip(after[1:], before[1:], strict=True))

"""Outsiders come, ask, order, break things and vanish at random: energy, messages and money stay whole, and the day can be run again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

import heptagrid
from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.again import replay
from heptagrid.live.grid import LiveGrid
from heptagrid.scenario.schema import Scenario
from tests.live.harness import live_grid

CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("open", {"where": "all"}),
    ("close", {}),
    ("loss", {"links": "access", "share": 0.4}),
    ("loss", {"links": "access", "share": 0.0}),
    ("jam", {"where": "access", "duration_s": 90.0}),
    ("fail", {"site": "meter", "number": 6, "duration_s": 200.0}),
    ("stuck_meter", {"meter": 2, "stuck": True}),
    ("meter_clock", {"meter": 9, "ahead_s": -1800.0}),
    ("unit_trip", {"where": "largest", "duration_s": 400.0}),
    ("read_all", {"duration_s": 30.0}),
    ("cut", {"where": "operations", "duration_s": 120.0}),
    ("nonsense", {}),
]


def _something(grid: LiveGrid, random: Random) -> Any:
    """What an outsider may do next."""
    name = random.choice(["vehicles", "batteries", "heat_pumps", "local_units", "meters"])
    count = len(grid.inventory.classes[name])
    choice = random.random()
    if choice < 0.2 or not count:
        return grid.change(*random.choice(CHANGES), "somebody")
    device = grid.inventory.device(f"{name}/{random.randrange(count)}")
    if choice < 0.6 or name == "meters":
        return grid.ask(grid.desk(random.choice(["operations", "aggregator"])), device, random.randrange(1, 1500))
    begins_ns = sorted(grid.now_ns + random.randrange(3600) * NS_PER_S for _ in range(random.randrange(1, 4)))
    powers_kw = [random.uniform(-5.0, 12.0) for _ in begins_ns]
    return grid.order(device, powers_kw, begins_ns, begins_ns[-1] + random.randrange(1, 7200) * NS_PER_S)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_whoever_comes_and_goes_nothing_is_lost(lane: Scenario, tmp_path: Path, seed: int) -> None:
    random = Random(seed)

    async def drive() -> None:
        async with live_grid(
            lane, settings=("vehicles.share=1.0", "batteries.share=1.0"), out=tmp_path / "live"
        ) as harness:
            grid, waiting = harness.run.grid, []
            for _ in range(40):
                waiting += [asyncio.create_task(_something(grid, random)) for _ in range(random.randrange(6))]
                await asyncio.sleep(0)
                if waiting and random.random() < 0.3:
                    waiting.pop(random.randrange(len(waiting))).cancel()
                await harness.advance(random.choice([0.5, 1.0, 7.25, 30.0, 61.0, 300.0]))
            for one in waiting:
                one.cancel()
            ends = await asyncio.gather(*waiting, return_exceptions=True)
            wrong = [one for one in ends if isinstance(one, Exception) and not isinstance(one, HeptagridError)]
            assert not wrong
        result = harness.run.result
        assert result.messages is not None and result.messages.residual == 0
        assert abs(result.energy.residual) < 1e-6 * result.energy.imported
        assert result.money.sum == 0

    asyncio.run(drive())
    run = heptagrid.open_run(tmp_path / "live")
    assert run.summary["live"]["messages"] > 10 and run.summary["live"]["changes"] > 3
    assert replay(tmp_path / "live", out=tmp_path / "again").differing == []

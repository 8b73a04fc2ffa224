"""A live grid in lock-step: what enters from outside travels, acts, is conserved, and can be run again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import polars
import pytest

import heptagrid
from heptagrid.foundation.time import NS_PER_S
from heptagrid.inquiry.audit import audit
from heptagrid.live.again import replay
from heptagrid.live.crossing import LostError
from heptagrid.scenario.schema import Scenario
from tests.live.harness import Harness, live_grid

UNSTEERED = ("vehicles.share=1.0", "gateways.enrolled_share=0.0", "gateways.dynamic_tariff_share=0.0")


def test_time_moves_only_when_it_is_let_go(lane: Scenario) -> None:
    async def drive() -> None:
        async with live_grid(lane) as harness:
            before = harness.run.pace.state.ns
            await asyncio.sleep(0.05)
            assert harness.run.pace.state.ns - before <= 1
            await harness.advance(90.0)
            assert harness.run.pace.state.ns - before == pytest.approx(90 * NS_PER_S, abs=2)

    asyncio.run(drive())


async def _order(harness: Harness, device: str, power_kw: float, for_s: float) -> int:
    grid = harness.run.grid
    order = asyncio.create_task(
        grid.order(grid.inventory.device(device), [power_kw], None, grid.now_ns + round(for_s * NS_PER_S))
    )
    await asyncio.sleep(0)
    await harness.advance(60.0)
    return await order


def test_an_order_crosses_the_network_and_sets_the_power(lane: Scenario) -> None:
    async def drive() -> None:
        async with live_grid(lane, settings=UNSTEERED) as harness:
            grid = harness.run.grid
            await harness.advance(60.0)
            home = np.flatnonzero(grid.state.devices["vehicles"].power_kw > 5.0)
            assert len(home), "somebody charges at six in the evening"
            sent_ns = grid.now_ns
            arrived_ns = await _order(harness, f"vehicles/{home[0]}", 1.5, 3600.0)
            assert 0.0 < (arrived_ns - sent_ns) / NS_PER_S < 30.0, "a mesh takes some time, and not half a minute"
            await harness.advance(120.0)
            assert grid.state.devices["vehicles"].power_kw[home[0]] == pytest.approx(1.5)
            others = home[1:]
            assert (grid.state.devices["vehicles"].power_kw[others] > 1.5).any(), "nobody else is held"
        result = harness.run.result
        assert result.messages is not None and result.messages.residual == 0
        assert result.money.sum == 0
        assert abs(result.energy.residual) < 1e-3

    asyncio.run(drive())


def test_what_the_network_loses_gets_no_answer(lane: Scenario) -> None:
    async def drive() -> None:
        async with live_grid(lane) as harness:
            grid = harness.run.grid
            device = grid.inventory.device("meters/3")
            harness.run.engine.simulation.grid.transport._plane.fail(  # type: ignore[attr-defined]
                grid.endpoints.gateways[3:4], grid.now_ns + NS_PER_S, grid.now_ns + 3600 * NS_PER_S
            )
            await harness.advance(5.0)
            asked = asyncio.create_task(grid.ask(grid.desk("operations"), device, 40))
            await asyncio.sleep(0)
            await harness.advance(300.0)
            with pytest.raises(LostError):
                await asked

    asyncio.run(drive())


def test_a_live_day_can_be_run_again_to_the_last_bit(lane: Scenario, tmp_path: Path) -> None:
    async def drive() -> None:
        async with live_grid(lane, settings=UNSTEERED, out=tmp_path / "live") as harness:
            grid = harness.run.grid
            await harness.advance(7.5)
            for k in range(5):
                await _order(harness, f"vehicles/{k}", 0.5 * k, 1200.0)
                asked = asyncio.create_task(grid.ask(grid.desk("operations"), grid.inventory.device(f"meters/{k}"), 60))
                await asyncio.sleep(0)
                await harness.advance(11.25)
                await asked

    asyncio.run(drive())
    run = heptagrid.open_run(tmp_path / "live")
    assert not run.partial and run.summary["arms"]["smart"]["messages"]["residual"] == 0
    waves = run.waves.filter(polars.col("topic").is_in(["frame", "order.vehicles"]))
    assert waves["messages"].sum() == 10
    again = replay(tmp_path / "live", out=tmp_path / "again")
    assert again.differing == [] and again.remarks == []
    assert again.run.waves.height == run.waves.height > 10
    assert (run.summary["live"]["messages"], run.summary["live"]["changes"]) == (10, 0)
    assert "10 messages and 0 changes came from outside" in run.report.read_text(encoding="utf-8")
    assert not audit(run).problems

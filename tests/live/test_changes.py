"""What somebody breaks or switches while the grid runs takes effect at once, is conserved, and comes again in a replay."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import heptagrid
from heptagrid.foundation.errors import UsageError
from heptagrid.live.again import replay
from heptagrid.live.crossing import LostError
from heptagrid.scenario.schema import Scenario
from heptagrid.simulation.changes import CHANGES
from tests.live.harness import Harness, live_grid


async def _change(harness: Harness, what: str, **given: Any) -> None:
    changed = asyncio.create_task(harness.run.grid.change(what, given, "a test"))
    await asyncio.sleep(0)
    await harness.advance(60.0)
    await changed


def test_a_switch_that_is_opened_takes_supply_until_it_is_closed(lane: Scenario, tmp_path: Path) -> None:
    async def drive() -> None:
        async with live_grid(lane, out=tmp_path / "live") as harness:
            grid = harness.run.grid
            await harness.advance(61.0)
            assert grid.state.point_is_supplied.all()
            await _change(harness, "open", where="all")
            await harness.advance_in_minutes(1800.0)
            assert not grid.state.point_is_supplied.any() and (grid.state.point_v_pu == 0.0).all()
            assert grid.state.point_p_kw.sum() == pytest.approx(0.0, abs=1e-9)
            await _change(harness, "close")
            await harness.advance_in_minutes(900.0)
            assert grid.state.point_is_supplied.all() and (grid.state.point_v_pu > 0.8).all()
            asked = asyncio.create_task(grid.ask(grid.desk("operations"), grid.inventory.device("meters/2"), 20))
            await asyncio.sleep(0)
            await harness.advance(60.0)
            assert await asked, "its modem has power again"
        assert harness.run.result.messages is not None and harness.run.result.messages.residual == 0
        assert harness.run.result.interruptions["customer_minutes"] == pytest.approx(17 * 31.0, rel=0.05)

    asyncio.run(drive())
    assert replay(tmp_path / "live", out=tmp_path / "again").differing == []


def test_a_blackout_a_jam_and_a_trip_begin_at_once(lane: Scenario, tmp_path: Path) -> None:
    async def drive() -> None:
        async with live_grid(lane, out=tmp_path / "live") as harness:
            await harness.advance(61.0)
            await _change(harness, "blackout", where="substation 0", duration_s=300.0)
            assert not harness.run.grid.state.point_is_supplied.all()
            await _change(harness, "unit_trip", where="largest", duration_s=600.0)
            await _change(harness, "jam", where="access", duration_s=120.0)
            await _change(harness, "read_all", duration_s=60.0)
            await harness.advance_in_minutes(900.0)
            assert harness.run.grid.state.point_is_supplied.all()

    asyncio.run(drive())
    run = heptagrid.open_run(tmp_path / "live")
    assert [one["kind"] for one in run.summary["events"]] == ["blackout", "unit_trip", "jam", "read_all"]
    assert run.summary["events"][0]["arms"]["smart"]["customers"] > 0
    assert run.summary["events"][1]["arms"]["smart"]["lost_mw"] > 0.0
    assert replay(tmp_path / "live", out=tmp_path / "again").differing == []


def test_meters_get_stuck_lose_their_clock_and_their_modem(lane: Scenario) -> None:
    async def drive() -> None:
        async with live_grid(lane) as harness:
            grid = harness.run.grid
            await harness.advance(61.0)
            await _change(harness, "stuck_meter", meter=3)
            await _change(harness, "meter_clock", meter=4, ahead_s=3600.0)
            await _change(harness, "fail", site="meter", number=5, duration_s=7200.0)
            before = grid.state.import_kwh.copy()
            await harness.advance_in_minutes(3600.0)
            counted = grid.state.import_kwh - before
            assert counted[3] == 0.0 and counted[2] > 0.0
            assert harness.run.engine.simulation.grid.operations.customers_desk.from_the_future in (3, 4)
            asked = asyncio.create_task(grid.ask(grid.desk("operations"), grid.inventory.device("meters/5"), 20))
            await asyncio.sleep(0)
            await harness.advance(120.0)
            with pytest.raises(LostError):
                await asked
            await _change(harness, "stuck_meter", meter=3, stuck=False)
            await harness.advance(60.0)
            assert grid.state.import_kwh[3] > before[3]

    asyncio.run(drive())


def test_losses_begin_and_end(lane: Scenario) -> None:
    async def drive() -> None:
        async with live_grid(lane) as harness:
            grid = harness.run.grid

            async def answered() -> int:
                desk = grid.desk("operations")
                asked = [
                    asyncio.create_task(grid.ask(desk, grid.inventory.device(f"meters/{k % 17}"), 20))
                    for k in range(60)
                ]
                await asyncio.sleep(0)
                await harness.advance(60.0)
                return sum(
                    not isinstance(one, LostError) for one in await asyncio.gather(*asked, return_exceptions=True)
                )

            await harness.advance(61.0)
            assert await answered() == 60
            await _change(harness, "loss", links="access", share=0.5)
            assert 10 < await answered() < 50
            await _change(harness, "loss", links="access", share=0.0)
            assert await answered() == 60

    asyncio.run(drive())


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("explode", {}, "there is no change 'explode'"),
    ("open", {"where": "nowhere"}, "there is no such place"),
    ("open", {"wear": "all"}, "open.wear: there is no such field"),
    ("loss", {"share": 1.5}, "loss.share = 1.5"),
    ("loss", {"share": float("nan")}, "loss.share"),
    ("stuck_meter", {"meter": 17_000}, "there is no meter 17000"),
    ("tap", {"town": 3}, "there is no town 3"),
    ("fail", {"site": "moon"}, "fail.site"),
]


def test_a_change_that_cannot_be_made_says_why(lane: Scenario) -> None:
    async def drive() -> None:
        async with live_grid(lane) as harness:
            for what, given, said in WRONG:
                with pytest.raises(UsageError) as problem:
                    await _change(harness, what, **given)
                assert said in str(problem.value)

    asyncio.run(drive())


def test_every_change_explains_its_fields() -> None:
    from heptagrid.foundation.parameters import declarations

    for name, one in CHANGES.items():
        assert one.title and one.__doc__, name
        for field, _, default, declaration in declarations(one):
            assert declaration.info, f"{name}.{field}"
            assert default is not None


@pytest.mark.long
def test_a_tap_is_moved_by_hand() -> None:
    async def drive() -> None:
        async with live_grid(heptagrid.load("town")) as harness:
            grid = harness.run.grid
            await harness.advance(61.0)
            before = grid.state.busbar_v_pu[0]
            await _change(harness, "tap", steps=2)
            await harness.advance_in_minutes(600.0)
            assert before - grid.state.busbar_v_pu[0] == pytest.approx(0.03, abs=0.006), (
                "two steps of 1.5 %, and it stays"
            )
            await _change(harness, "regulate")
            await harness.advance_in_minutes(900.0)
            assert grid.state.busbar_v_pu[0] == pytest.approx(before, abs=0.02)
            assert np.isfinite(grid.state.node_v_pu).all()

    asyncio.run(drive())


def test_one_of_two_opened_switches_is_closed_alone(lane: Scenario, tmp_path: Path) -> None:
    async def drive() -> None:
        async with live_grid(lane, out=tmp_path / "live") as harness:
            grid = harness.run.grid
            await harness.advance(61.0)
            await _change(harness, "open", where="substation 0")
            await _change(harness, "open", where="all")
            with pytest.raises(UsageError, match="is open"):
                await _change(harness, "open", where="substation 0")
            await _change(harness, "close", where="substation 0")
            await harness.advance(120.0)
            assert not grid.state.point_is_supplied.any(), "the other switch is open"
            with pytest.raises(UsageError, match="was opened"):
                await _change(harness, "close", where="substation 0")
            await _change(harness, "close")
            await harness.advance(120.0)
            assert grid.state.point_is_supplied.all()

    asyncio.run(drive())
    assert replay(tmp_path / "live", out=tmp_path / "again").differing == []


def test_a_place_behind_two_open_switches_has_supply_when_both_are_closed(lane: Scenario) -> None:
    async def drive() -> None:
        async with live_grid(lane) as harness:
            grid, device = harness.run.grid, harness.run.grid.inventory.device("meters/2")

            async def answers() -> bool:
                asked = asyncio.create_task(grid.ask(grid.desk("operations"), device, 20))
                await asyncio.sleep(0)
                await harness.advance(120.0)
                return not isinstance((await asyncio.gather(asked, return_exceptions=True))[0], LostError)

            behind = "substation 0" if grid.inventory.world.substation_of[2] == 1 else "feeder 1"
            await _change(harness, "open", where=behind)
            await _change(harness, "open", where="all")
            await harness.advance_in_minutes(600.0)
            assert not await answers()
            await _change(harness, "close", where=behind)
            assert not grid.state.point_is_supplied[2] and not await answers()
            await _change(harness, "close", where="all")
            await harness.advance(120.0)
            assert grid.state.point_is_supplied[2] and await answers()

    asyncio.run(drive())

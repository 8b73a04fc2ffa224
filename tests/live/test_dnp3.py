"""DNP3 on a live grid: outstations are polled, tell what changes unasked, and take commands, over the modelled network."""

from __future__ import annotations

import asyncio
import json
import math
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from heptagrid.live.listening import Addresses
from heptagrid.live.protocols.dnp3.application import Function, Indications
from heptagrid.live.protocols.dnp3.controls import Status
from heptagrid.live.protocols.dnp3.link import SELF, Primary, Secondary
from heptagrid.live.serve import Options
from heptagrid.scenario.schema import Scenario
from tests.live.dnp3_master import (
    CLASS_0,
    CLOSE,
    EVENTS,
    INTEGRITY,
    LATCH_OFF,
    LATCH_ON,
    Answer,
    Master,
    master_at,
    relay,
    request,
    set_point,
)
from tests.live.harness import Harness, live_grid

NIGHT = "2016-07-04T00:20"
"""Soon after midnight, since a live grid is stepped from there to its present."""
IDEAL = Options(at=NIGHT, speed=None, paused=True, http_port=None, is_ideal=True)
PRIMARY, SUBSTATION = 1, 1001


@asynccontextmanager
async def outstations(
    scenario: Scenario, *settings: str, options: Options = IDEAL, out: Path | None = None
) -> AsyncIterator[Harness]:
    chosen = tuple(f"live.dnp3.{one}" for one in settings)
    async with live_grid(scenario, {"dnp3": None}, settings=chosen, options=options, out=out) as harness:
        yield harness


def _port(harness: Harness) -> int:
    return harness.ports["dnp3"]


def _own(harness: Harness, device: str) -> str:
    inventory = harness.run.grid.inventory
    address = Addresses(inventory).address_of(inventory.device(device))
    assert address is not None
    return address


async def _analogs(master: Master, outstation: int) -> list[tuple[int, float]]:
    """The flags and values of all analog inputs."""
    told = await master.ask(outstation, Function.READ, bytes((30, 5, 6)))
    count = told.objects[4] + 1
    return [struct.unpack_from("<Bf", told.objects, 5 + 5 * k) for k in range(count)]


def _binary_events(told: Answer) -> list[tuple[int, int]]:
    """Indices and flags of the events of binary inputs that an answer tells, with their times."""
    at = told.objects.find(bytes((2, 2, 0x17)))
    count = told.objects[at + 3] if at >= 0 else 0
    return [(told.objects[at + 4 + 8 * k], told.objects[at + 5 + 8 * k]) for k in range(count)]


def test_outstations_are_told_apart_by_link_address_or_by_their_own(lane: Scenario) -> None:
    async def drive() -> None:
        async with outstations(lane) as harness:
            grid = harness.run.grid
            async with master_at(_port(harness)) as master:
                for k in range(len(grid.inventory.classes["substations"])):
                    found = await _analogs(master, SUBSTATION + k)
                    assert [flags for flags, _ in found] == [1, 1, 1]
                    assert found[1][1] == pytest.approx(grid.state.substation_pct[k], rel=1e-6)
                    assert found[2][1] == pytest.approx(grid.state.substation_kw[k], rel=1e-6)
                found = await _analogs(master, PRIMARY)
                assert math.isnan(grid.state.tap[0]) and found[-1][0] == 0, "what a circuit regulates is not online"
                master.link(Primary.REQUEST_STATUS, 999)
                master.link(Primary.REQUEST_STATUS, PRIMARY)
                await master.until(lambda: master.links)
                assert master.links[0].function == Secondary.STATUS and master.links[0].source == PRIMARY
                assert grid.counts["dnp3: no such outstation"] == 1
            async with master_at(_port(harness), _own(harness, "substations/0")) as master:
                told = await master.ask(SUBSTATION, Function.READ, INTEGRITY)
                assert told.indications & Indications.DEVICE_RESTART
                master.link(Primary.REQUEST_STATUS, SELF)
                await master.until(lambda: master.links)
                assert master.links[0].source == SUBSTATION and grid.peers[-1].device == "substations/0"

    asyncio.run(drive())


def test_what_changes_is_told_unasked_and_kept_while_nobody_listens(lane: Scenario) -> None:
    async def drive() -> None:
        async with outstations(lane) as harness:
            async with master_at(_port(harness)) as master:
                told = await master.ask(SUBSTATION, Function.ENABLE_UNSOLICITED, EVENTS)
                assert told.indications & Indications.DEVICE_RESTART
                await master.until(lambda: master.unsolicited(SUBSTATION))
                assert not master.unsolicited(SUBSTATION)[0].objects
                change = asyncio.create_task(harness.run.grid.change("open", {"where": "substation 0"}))
                await harness.advance(120.0)
                await change
                await harness.advance(120.0)
                await master.until(
                    lambda: [one for one in master.unsolicited(SUBSTATION) if (0, 1) in _binary_events(one)]
                )
            change = asyncio.create_task(harness.run.grid.change("close", {"where": "substation 0"}))
            await harness.advance(120.0)
            await change
            await harness.advance(120.0)
            await asyncio.sleep(0.3)
            async with master_at(_port(harness)) as master:
                told = await master.ask(SUBSTATION, Function.READ, bytes((60, 2, 6)))
                assert (0, 0x81) in _binary_events(told) and told.must_confirm

    asyncio.run(drive())


def test_commands_change_the_grid_and_can_be_run_again(lane: Scenario, tmp_path: Path) -> None:
    async def drive() -> None:
        async with outstations(lane, out=tmp_path / "run") as harness:
            grid = harness.run.grid
            network = grid.inventory.world.network
            kv = float(network.v_base_kv[network.busbars[0]])
            async with master_at(_port(harness)) as master:
                told = await master.ask(SUBSTATION, Function.DIRECT_OPERATE, relay(0, LATCH_OFF))
                assert told.objects[-1] == Status.SUCCESS
                await harness.advance(180.0)
                assert grid.state.substation_v_pu[0] == 0.0
                told = await master.ask(SUBSTATION, Function.SELECT, relay(0, LATCH_ON))
                told = await master.ask(SUBSTATION, Function.OPERATE, relay(0, LATCH_ON))
                assert told.objects[-1] == Status.SUCCESS
                await harness.advance(180.0)
                assert grid.state.substation_v_pu[0] > 0.9
                told = await master.ask(PRIMARY, Function.DIRECT_OPERATE, relay(0, CLOSE))
                assert told.objects[-1] == Status.AUTOMATION_INHIBIT, "the circuit has regulators of its own"
                told = await master.ask(PRIMARY, Function.DIRECT_OPERATE, set_point(0, 2.0 * kv))
                assert told.objects[-1] == Status.OUT_OF_RANGE
                assert grid.counts["dnp3: refused"] == 2
                master.fragment(PRIMARY, request(0, 130))
                master.write(b"\x05\x64\x05\xc0")
                master.write(b"no frame at all")
                await master.ask(PRIMARY, Function.READ, CLASS_0)
                assert grid.counts["dnp3: malformed"] >= 2
        entries = [json.loads(line) for line in (tmp_path / "run" / "journal.jsonl").read_text().splitlines()]
        said = json.dumps(entries)
        assert "dnp3" in said and '"open"' in said and '"close"' in said

    asyncio.run(drive())


def test_frames_cross_the_modelled_network_and_take_their_time(lane: Scenario) -> None:
    async def drive() -> None:
        async with outstations(lane, options=Options(at=NIGHT, http_port=None)) as harness:
            async with master_at(_port(harness), _own(harness, "substations/0")) as master:
                async with asyncio.timeout(20.0):
                    master.send(SUBSTATION, Function.READ, INTEGRITY)
                    await master.until(lambda: master.answers, 20.0)
            frames = [one for one in harness.run.grid.frames if one.size_bytes]
            assert frames and all(one.delay_s is not None and 0.0 < one.delay_s < 10.0 for one in frames)
            assert {one.is_inward for one in frames} == {True, False}
            assert frames[0].text.startswith("read 0: object 60")

    asyncio.run(drive())


def test_a_silent_master_is_asked_and_then_given_up(lane: Scenario) -> None:
    async def drive() -> None:
        async with outstations(lane, "keep_alive_s=1.0") as harness, master_at(_port(harness)) as master:
            await master.ask(SUBSTATION, Function.READ, CLASS_0)
            await master.until(lambda: master.links)
            assert master.links[0].function == Primary.REQUEST_STATUS and master.links[0].is_primary
            await master.until(lambda: master.is_closed)

    asyncio.run(drive())


def test_an_outstation_has_so_many_masters(lane: Scenario) -> None:
    async def drive() -> None:
        async with outstations(lane, "masters=1") as harness:
            async with master_at(_port(harness), address=1) as first, master_at(_port(harness), address=2) as second:
                await first.ask(SUBSTATION, Function.READ, CLASS_0)
                second.send(SUBSTATION, Function.READ, CLASS_0)
                await first.until(lambda: harness.run.grid.counts.get("dnp3: too many masters"))
                assert not second.answers
            async with master_at(_port(harness), address=2) as second:
                await second.ask(SUBSTATION, Function.READ, CLASS_0)

    asyncio.run(drive())

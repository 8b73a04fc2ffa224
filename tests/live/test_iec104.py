"""IEC 60870-5-104 on a live grid: stations are interrogated, tell what changes, and take commands, over the modelled network."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from heptagrid.live.listening import Addresses
from heptagrid.live.protocols.iec104.apci import Function, Information, Unnumbered, encode
from heptagrid.live.protocols.iec104.asdu import BROADCAST, Asdu, Cause, Object
from heptagrid.live.protocols.iec104.elements import SELECT, Type
from heptagrid.live.serve import Options
from heptagrid.scenario.schema import Scenario
from tests.live.harness import Harness, in_thread, live_grid
from tests.live.iec104_client import client_to, interrogated, malformed

NIGHT = "2016-07-04T00:20"
"""Soon after midnight, since a live grid is stepped from there to its present."""
IDEAL = Options(at=NIGHT, speed=None, paused=True, http_port=None, is_ideal=True)
PRIMARY, SUBSTATION = 1, 1001


@asynccontextmanager
async def stations(
    scenario: Scenario, *settings: str, options: Options = IDEAL, out: Path | None = None
) -> AsyncIterator[Harness]:
    chosen = tuple(f"live.iec104.{one}" for one in settings)
    async with live_grid(scenario, {"iec104": None}, settings=chosen, options=options, out=out) as harness:
        yield harness


@pytest.fixture(scope="module")
def shared(lane: Scenario) -> Iterator[Harness]:
    """A grid with the standard's settings for all tests that leave it as it was."""
    with in_thread(stations(lane)) as harness:
        yield harness


def _port(harness: Harness) -> int:
    return harness.ports["iec104"]


def _own(harness: Harness, device: str) -> str:
    inventory = harness.run.grid.inventory
    address = Addresses(inventory).address_of(inventory.device(device))
    assert address is not None
    return address


def test_all_stations_answer_an_interrogation_of_address_65535(shared: Harness) -> None:
    async def drive() -> None:
        harness = shared
        async with client_to(_port(harness)) as client:
            classes = harness.run.grid.inventory.classes
            count = sum(len(classes[name]) for name in ("substations", "primary_substations", "plants"))
            await client.start()
            client.command(Type.C_IC_NA_1, BROADCAST, quality=20)
            await client.until(lambda: len(client.of(Type.C_IC_NA_1, Cause.ACTIVATION_TERMINATION)) == count)
            assert len(client.of(Type.C_IC_NA_1, Cause.ACTIVATION_CON)) == count
            told = {one.common_address: one for one in client.of(Type.M_ME_NC_1, Cause.INTERROGATED)}
            assert len(told) == count and {PRIMARY, SUBSTATION} <= told.keys()
            state = harness.run.grid.state
            values = {one.address: one.value for one in told[SUBSTATION].objects}
            assert values[2] == pytest.approx(state.substation_pct[0], rel=1e-6)
            assert values[3] == pytest.approx(state.substation_kw[0], rel=1e-6)

    asyncio.run(drive())


def test_at_its_own_address_a_station_is_alone_and_tells_that_it_has_begun(shared: Harness) -> None:
    async def drive() -> None:
        harness = shared
        async with client_to(_port(harness), _own(harness, "substations/0")) as client:
            await client.start()
            await client.until(lambda: client.of(Type.M_EI_NA_1))
            client.command(Type.C_IC_NA_1, SUBSTATION, quality=20)
            await client.until(interrogated(client, SUBSTATION))
            client.command(Type.C_IC_NA_1, SUBSTATION + 1, quality=20)
            await client.until(lambda: client.of(Type.C_IC_NA_1, Cause.UNKNOWN_COMMON_ADDRESS))
            assert harness.run.grid.peers[-1].device == "substations/0"

    asyncio.run(drive())


def test_what_a_circuit_regulates_itself_is_marked_invalid(shared: Harness) -> None:
    async def drive() -> None:
        harness = shared
        async with client_to(_port(harness), _own(harness, "primary_substations/0")) as client:
            await client.start()
            client.command(Type.C_IC_NA_1, PRIMARY, quality=20)
            await client.until(interrogated(client, PRIMARY))
            found = {each.address: each for one in client.asdus if one.cause == 20 for each in one.objects}
            assert math.isnan(harness.run.grid.state.tap[0])
            assert found[151].quality & 0x80 and not found[1].quality

    asyncio.run(drive())


def test_frames_cross_the_modelled_network_and_take_their_time(lane: Scenario) -> None:
    async def drive() -> None:
        options = Options(at=NIGHT, http_port=None)
        async with stations(lane, options=options) as harness:
            async with client_to(_port(harness), _own(harness, "substations/0")) as client:
                await client.start()
                client.command(Type.C_IC_NA_1, SUBSTATION, quality=20)
                await client.until(interrogated(client, SUBSTATION), 20.0)
            frames = [one for one in harness.run.grid.frames if one.size_bytes]
            assert frames and all(one.delay_s is not None and 0.0 < one.delay_s < 10.0 for one in frames)
            assert {one.is_inward for one in frames} == {True, False}

    asyncio.run(drive())


def test_an_i_frame_before_the_start_closes(shared: Harness) -> None:
    async def drive() -> None:
        harness = shared
        async with client_to(_port(harness)) as client:
            client.command(Type.C_IC_NA_1, PRIMARY, quality=20)
            await client.until(lambda: client.is_closed)
            assert not client.asdus

    asyncio.run(drive())


def test_an_i_frame_after_the_stop_closes(shared: Harness) -> None:
    async def drive() -> None:
        harness = shared
        async with client_to(_port(harness)) as client:
            await client.start()
            client.ask(Function.STOPDT_ACT)
            await client.until(lambda: Unnumbered(Function.STOPDT_CON) in client.frames)
            client.command(Type.C_IC_NA_1, PRIMARY, quality=20)
            await client.until(lambda: client.is_closed)

    asyncio.run(drive())


def test_a_test_before_the_start_is_answered(shared: Harness) -> None:
    async def drive() -> None:
        harness = shared
        async with client_to(_port(harness)) as client:
            client.ask(Function.TESTFR_ACT)
            await client.until(lambda: client.frames == [Unnumbered(Function.TESTFR_CON)])
            await client.start()

    asyncio.run(drive())


def test_a_jump_of_the_wall_clock_changes_nothing(lane: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    async def drive() -> None:
        async with stations(lane, "t1_s=2.0", "t2_s=1.0", "t3_s=0.3") as harness, client_to(_port(harness)) as client:
            await client.start()
            for shift_s in (86_400.0, -86_400.0):
                now = time.time
                monkeypatch.setattr(time, "time", lambda now=now, shift_s=shift_s: now() + shift_s)
                before = client.frames.count(Unnumbered(Function.TESTFR_ACT))
                await client.until(lambda before=before: client.frames.count(Unnumbered(Function.TESTFR_ACT)) > before)
                client.ask(Function.TESTFR_CON)
            client.command(Type.C_IC_NA_1, PRIMARY, quality=20)
            await client.until(interrogated(client, PRIMARY))
            assert not client.is_closed

    asyncio.run(drive())


def test_what_changes_is_told_with_the_simulated_time(lane: Scenario) -> None:
    async def drive() -> None:
        async with stations(lane) as harness, client_to(_port(harness), _own(harness, "substations/0")) as client:
            await client.start()
            await harness.advance_in_minutes(3600.0)
            await client.until(lambda: client.of(Type.M_ME_TF_1, Cause.SPONTANEOUS))
            told = client.of(Type.M_ME_TF_1, Cause.SPONTANEOUS)[-1]
            tag, state = told.objects[-1].tag, harness.run.grid.state
            assert tag is not None and not tag.is_invalid
            ns = tag.ns()
            assert ns is not None and harness.run.begins.ns <= ns <= state.until_ns
            await asyncio.sleep(0.2)
            counted = len(client.asdus)
            await asyncio.sleep(0.2)
            assert len(client.asdus) == counted, "nothing changes while time stands still"

    asyncio.run(drive())


def test_a_busbars_target_goes_to_the_hub_as_a_message(lane: Scenario, tmp_path: Path) -> None:
    async def drive() -> None:
        async with stations(lane, "must_select=true", out=tmp_path / "run") as harness:
            own = _own(harness, "primary_substations/0")
            async with client_to(_port(harness), own) as client:
                world = harness.run.grid.inventory.world
                kv = float(world.network.v_base_kv[world.network.busbars[0]])
                await client.start()
                client.command(Type.C_SE_NC_1, PRIMARY, 1001, 1.03 * kv, SELECT)
                await client.until(lambda: client.of(Type.C_SE_NC_1, Cause.ACTIVATION_CON))
                client.command(Type.C_SE_NC_1, PRIMARY, 1001, 1.03 * kv)
                await client.until(lambda: len(client.of(Type.C_SE_NC_1, Cause.ACTIVATION_CON)) == 2)
                await harness.advance(60.0)
                await client.until(lambda: client.of(Type.C_SE_NC_1, Cause.ACTIVATION_TERMINATION))
                assert not any(one.is_negative for one in client.of(Type.C_SE_NC_1))

    asyncio.run(drive())
    entries = [json.loads(line) for line in (tmp_path / "run/journal.jsonl").read_text(encoding="utf-8").splitlines()]
    (message,) = [one for one in entries if "contract" in one]
    assert message["contract"][1] == "busbar"
    assert message["source"] == message["destination"], "the command has crossed the network in its frame"


def test_a_target_beyond_what_can_be_held_changes_nothing(lane: Scenario, tmp_path: Path) -> None:
    async def drive() -> None:
        async with stations(lane, out=tmp_path / "run") as harness, client_to(_port(harness)) as client:
            await client.start()
            for value in (math.nan, 0.0, 1e9):
                client.command(Type.C_SE_NC_1, PRIMARY, 1001, value)
            await client.until(lambda: len(client.of(Type.C_SE_NC_1)) == 3)
            assert all(one.is_negative for one in client.of(Type.C_SE_NC_1))
            assert harness.run.grid.counts["iec104: refused"] == 3
            await harness.advance(60.0)

    asyncio.run(drive())
    assert '"contract"' not in (tmp_path / "run/journal.jsonl").read_text(encoding="utf-8")


def test_of_a_redundancy_group_one_connection_carries_data_and_nothing_is_lost(lane: Scenario) -> None:
    async def drive() -> None:
        async with stations(lane, "redundancy='station'") as harness:
            port, host = _port(harness), _own(harness, "substations/0")
            async with client_to(port, host) as first, client_to(port, host) as second:
                await first.start()
                await first.until(lambda: first.of(Type.M_EI_NA_1))
                first.confirms = False
                await harness.advance_in_minutes(3600.0)
                await first.until(lambda: first.of(Type.M_ME_TF_1))
                told = [one.objects for one in first.of(Type.M_ME_TF_1)]
                await second.start()
                await second.until(lambda: len(second.of(Type.M_ME_TF_1)) >= len(told))
                assert [one.objects for one in second.of(Type.M_ME_TF_1)][: len(told)] == told
                counted = len(first.asdus)
                await harness.advance_in_minutes(3600.0)
                await second.until(lambda: len(second.of(Type.M_ME_TF_1)) > len(told))
                assert len(first.asdus) == counted and not first.is_closed
                first.command(Type.C_IC_NA_1, SUBSTATION, quality=20)
                await first.until(lambda: first.is_closed)

    asyncio.run(drive())


def test_what_happens_while_a_group_is_away_is_told_when_it_is_back(lane: Scenario) -> None:
    async def drive() -> None:
        async with stations(lane, "redundancy='address'", "buffer=2") as harness:
            port, host = _port(harness), _own(harness, "substations/0")
            async with client_to(port, host) as client:
                await client.start()
                await client.until(lambda: client.of(Type.M_EI_NA_1))
            for _ in range(4):
                await harness.advance_in_minutes(1800.0)
                await asyncio.sleep(0.15)
            async with client_to(port, host) as client:
                await client.start()
                await client.until(lambda: len(client.asdus) == 2)
                assert not client.of(Type.M_EI_NA_1), "the station has not begun anew"

    asyncio.run(drive())


def test_bytes_that_are_no_frame_close_and_are_counted(shared: Harness) -> None:
    async def drive() -> None:
        harness, before = shared, malformed(shared)
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x68\x03\x07\x00\x00", b"\x68\x04\x0f\x00\x00\x00"):
            async with client_to(_port(harness)) as client:
                client.write(data)
                await client.until(lambda client=client: client.is_closed)
        assert malformed(harness) == before + 3

    asyncio.run(drive())


def test_an_asdu_that_is_malformed_is_counted_and_the_connection_lives(shared: Harness) -> None:
    async def drive() -> None:
        harness, before = shared, malformed(shared)
        async with client_to(_port(harness)) as client:
            await client.start()
            for raw in (
                b"\x64",
                b"\x64\x01\x06\x00\x01\x00",
                b"\x64\x00\x06\x00\x01\x00\0\0\0\x14",
                b"\x2d\x01\x06\x00\x01\x00\0\0\0",
            ):
                client.send(raw)
            client.command(Type.C_IC_NA_1, PRIMARY, quality=20)
            await client.until(interrogated(client, PRIMARY))
            assert malformed(harness) == before + 4

    asyncio.run(drive())


def test_a_client_that_confirms_nothing_is_closed_after_t1(lane: Scenario) -> None:
    async def drive() -> None:
        async with stations(lane, "t1_s=0.3", "t2_s=0.1") as harness, client_to(_port(harness)) as client:
            client.confirms = False
            await client.start()
            client.send(Asdu(Type.C_IC_NA_1, 6, BROADCAST, (Object(0, 0, 20),)))
            await client.until(lambda: client.is_closed)
            sent = [one for one in client.frames if isinstance(one, Information)]
            assert len(sent) == 12, "k frames, and no more"

    asyncio.run(drive())


def test_frames_come_whole_however_the_bytes_are_cut(shared: Harness) -> None:
    async def drive() -> None:
        harness = shared
        async with client_to(_port(harness)) as client:
            for byte in encode(Unnumbered(Function.STARTDT_ACT)):
                client.write(bytes((byte,)))
                await asyncio.sleep(0.002)
            await client.until(lambda: client.frames)
            one = encode(Information(0, 0, bytes.fromhex("64010600010000000014")))
            client.write(one + encode(Unnumbered(Function.TESTFR_ACT)))
            await client.until(interrogated(client, PRIMARY))
            await client.until(lambda: Unnumbered(Function.TESTFR_CON) in client.frames)

    asyncio.run(drive())


def test_a_substations_switch_is_opened_and_closed(lane: Scenario) -> None:
    async def drive() -> None:
        async with (
            stations(lane) as harness,
            client_to(_port(harness), _own(harness, "substations/0")) as client,
        ):
            await client.start()
            for value, is_on in ((1, False), (2, True)):
                client.command(Type.C_DC_NA_1, SUBSTATION, 1003, value)
                count = 1 + is_on
                await client.until(lambda count=count: len(client.of(Type.C_DC_NA_1, 7)) == count)
                await harness.advance(120.0)
                await client.until(lambda count=count: len(client.of(Type.C_DC_NA_1, 10)) == count)
                await client.until(lambda count=count: len(client.of(Type.M_DP_TB_1)) >= count)
                assert client.of(Type.M_DP_TB_1)[-1].cause == Cause.RETURN_REMOTE
                assert client.of(Type.M_DP_TB_1)[-1].objects[0].value == value
                await client.until(lambda count=count: len(client.of(Type.M_SP_TB_1)) >= count)
                assert client.of(Type.M_SP_TB_1)[-1].objects[0].value == is_on
            client.command(Type.C_DC_NA_1, SUBSTATION, 1003, 2)
            await client.until(lambda: len(client.of(Type.C_DC_NA_1, 7)) == 3)
            await harness.advance(60.0)
            await client.until(lambda: len(client.of(Type.C_DC_NA_1, 10)) == 3)
            assert client.of(Type.C_DC_NA_1, 10)[-1].is_negative, "no switch is open"

    asyncio.run(drive())


def test_reports_of_reconnecting_clients(lane: Scenario) -> None:
    """Of several clients none disturbs another that is no member of its group, and whoever comes again is served anew (reported of lib60870.NET)."""

    async def drive() -> None:
        async with stations(lane) as harness:
            port, host = _port(harness), _own(harness, "substations/0")
            async with client_to(port, host) as first:
                await first.start()
                for _ in range(5):
                    async with client_to(port, host) as again:
                        await again.start()
                        again.command(Type.C_IC_NA_1, SUBSTATION, quality=20)
                        await again.until(interrogated(again, SUBSTATION))
                first.command(Type.C_IC_NA_1, SUBSTATION, quality=20)
                await first.until(interrogated(first, SUBSTATION))
            await asyncio.sleep(0.05)
            assert not harness.run.grid.peers

    asyncio.run(drive())

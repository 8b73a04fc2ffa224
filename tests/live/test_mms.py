"""IEC 61850 MMS on a live grid: devices are browsed, read and watched, and take commands, over the modelled network."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from heptagrid.live.listening import Addresses
from heptagrid.live.protocols.mms import pdu as mms
from heptagrid.live.protocols.mms.adapter import Mms
from heptagrid.live.protocols.mms.ber import elements, encoded, integer, parts, text_of
from heptagrid.live.protocols.mms.data import BOOLEAN, REAL, UINT32, Failure, UtcTime
from heptagrid.live.protocols.mms.pdu import Service
from heptagrid.live.serve import Options
from heptagrid.scenario.schema import Scenario
from tests.live.harness import Harness, in_thread, live_grid
from tests.live.mms_client import ServiceFailedError, associated, client_to, told, variables

NIGHT = "2016-07-04T00:20"
"""Soon after midnight, since a live grid is stepped from there to its present."""
IDEAL = Options(at=NIGHT, speed=None, paused=True, http_port=None, is_ideal=True)
VARIABLES, LISTS, DOMAINS = 0, 2, 9
PRIMARY, SUBSTATION, PLANT = "PRI0LD0", "SUB0LD0", "PLT0LD0"


@asynccontextmanager
async def devices(
    scenario: Scenario, *settings: str, options: Options = IDEAL, out: Path | None = None
) -> AsyncIterator[Harness]:
    chosen = tuple(f"live.mms.{one}" for one in settings)
    async with live_grid(scenario, {"mms": None}, settings=chosen, options=options, out=out) as harness:
        yield harness


@pytest.fixture(scope="module")
def shared(lane: Scenario) -> Iterator[Harness]:
    """A grid for all tests that leave it as it was."""
    with in_thread(devices(lane)) as harness:
        yield harness


def port_of(harness: Harness) -> int:
    return harness.ports["mms"]


def own(harness: Harness, device: str) -> str:
    inventory = harness.run.grid.inventory
    address = Addresses(inventory).address_of(inventory.device(device))
    assert address is not None
    return address


def test_the_gateway_has_the_logical_devices_of_all_devices(shared: Harness) -> None:
    async def drive() -> None:
        async with associated(port_of(shared)) as client:
            found, has_more = await client.names(DOMAINS)
            classes = shared.run.grid.inventory.classes
            count = sum(len(classes[name]) for name in ("substations", "primary_substations", "plants"))
            assert len(found) == count and not has_more and found == sorted(found)
            assert {PRIMARY, SUBSTATION, PLANT} <= set(found)

    asyncio.run(drive())


def test_at_its_own_address_a_device_is_alone(shared: Harness) -> None:
    async def drive() -> None:
        async with associated(port_of(shared), own(shared, "substations/1")) as client:
            assert await client.names(DOMAINS) == (["SUB1LD0"], False)
            mine, others = await client.read("SUB1LD0/MMXU1$MX$TotW$mag$f", "SUB0LD0/MMXU1$MX$TotW$mag$f")
            assert mine.tag == 0x87 and told([others]) == [Failure.NON_EXISTENT]
            assert shared.run.grid.peers[-1].device == "substations/1"

    asyncio.run(drive())


def test_values_are_those_of_the_state_with_its_simulated_instant(shared: Harness) -> None:
    async def drive() -> None:
        async with associated(port_of(shared)) as client:
            state = shared.run.grid.state
            names = [f"{SUBSTATION}/MMXU1$MX$TotW", f"{SUBSTATION}/GGIO1$MX$AnIn1", f"{SUBSTATION}/XSWI1$ST$Pos"]
            power, loading, switch = told(await client.read(*names))
            assert isinstance(power, list) and isinstance(loading, list) and isinstance(switch, list)
            assert power[0] == [pytest.approx(state.substation_kw[0], rel=1e-6)]
            assert loading[0] == [pytest.approx(state.substation_pct[0], rel=1e-6)]
            assert power[1] == "0" * 13 and switch[0] == "10"
            ns = UtcTime().decode(next(elements(encoded(0x91, power[2]))))
            assert ns == pytest.approx(state.at_ns, abs=100)
            energy = told(await client.read(f"{PRIMARY}/MMTR1$ST$DmdWh$actVal"))
            assert energy == [round(1000.0 * float(state.import_kwh.sum()))] and energy[0] > 0

    asyncio.run(drive())


def test_what_a_circuit_regulates_itself_is_marked_invalid(shared: Harness) -> None:
    async def drive() -> None:
        async with associated(port_of(shared)) as client:
            assert math.isnan(shared.run.grid.state.tap[0])
            found = await client.read(f"{PRIMARY}/ATCC1$ST$TapChg$q", f"{PRIMARY}/MMXU1$MX$TotW$q")
            assert told(found) == ["01" + "0" * 11, "0" * 13]

    asyncio.run(drive())


def test_names_come_in_alphabetical_order_and_in_pieces(shared: Harness) -> None:
    """A name list that does not fit into a PDU says that more follows, and goes on after the name that it is told."""

    async def drive() -> None:
        async with associated(port_of(shared)) as client:
            whole, has_more = await client.names(VARIABLES, SUBSTATION)
            assert not has_more and whole == sorted(whole) and len(whole) > 200
        async with associated(port_of(shared), largest=600) as client:
            found: list[str] = []
            has_more, calls = True, 0
            while has_more:
                some, has_more = await client.names(VARIABLES, SUBSTATION, found[-1] if found else None)
                assert some
                found += some
                calls += 1
            assert found == whole and calls > 5 and client.longest_pdu <= 600
            assert await client.names(VARIABLES, SUBSTATION, "zzz") == ([], False)
            assert await client.names(LISTS, SUBSTATION) == (
                ["LLN0$Energy", "LLN0$Measurements", "LLN0$Status"],
                False,
            )
            assert await client.names(8, SUBSTATION) == ([], False), "there are no journals"
            with pytest.raises(ServiceFailedError) as failed:
                await client.names(VARIABLES, "SUB999999LD0")
            assert (failed.value.kind, failed.value.code) == mms.NO_SUCH_OBJECT

    asyncio.run(drive())


def test_every_name_has_a_type_and_a_value_that_agree(shared: Harness) -> None:
    async def drive() -> None:
        async with associated(port_of(shared)) as client:
            for domain in (PRIMARY, SUBSTATION, PLANT):
                names, _ = await client.names(VARIABLES, domain)
                for item in names:
                    asked = encoded(0xA0, mms.domain_name(domain, item))
                    described = parts(await client.ask(Service.ATTRIBUTES, asked))
                    (value,) = await client.read(f"{domain}/{item}")
                    assert agree(next(elements(described[0xA2])), value), item

    def agree(described, value) -> bool:  # type: ignore[no-untyped-def]
        if described.tag != 0xA2:
            return bool(described.tag & 0x1F == value.tag & 0x1F)
        components = list(elements(parts(described.content)[0xA1]))
        values = list(elements(value.content))
        return len(components) == len(values) and all(
            agree(next(elements(parts(one.content)[0xA1])), each) for one, each in zip(components, values, strict=True)
        )

    asyncio.run(drive())


def test_of_several_variables_each_fails_for_itself(shared: Harness) -> None:
    async def drive() -> None:
        async with associated(port_of(shared)) as client:
            found = await client.read(
                f"{SUBSTATION}/MMXU1$MX$TotW$mag$f",
                f"{SUBSTATION}/MMXU1$MX$Missing",
                "NOWHERE/LLN0",
                "withoutDomain",
                f"{PRIMARY}/MMXU1$MX$Hz$mag$f",
            )
            assert [one.tag for one in found] == [0x87, 0x80, 0x80, 0x80, 0x87]
            assert told(found[1:4]) == [Failure.NON_EXISTENT] * 3
            partly = encoded(0xA0, mms.domain_name(SUBSTATION, "MMXU1")), encoded(0xA5, b"\x80\x01x")
            answer = parts(await client.ask(Service.READ, encoded(0xA1, encoded(0xA0, encoded(0x30, *partly)))))
            assert told(list(elements(answer[0xA1]))) == [Failure.UNSUPPORTED]

    asyncio.run(drive())


def test_a_data_set_is_read_as_a_whole_and_its_members_are_told(shared: Harness) -> None:
    async def drive() -> None:
        async with associated(port_of(shared)) as client:
            values = await client.read_set(f"{SUBSTATION}/LLN0$Measurements")
            asked = mms.domain_name(SUBSTATION, "LLN0$Measurements")
            members = parts(await client.ask(Service.LIST_ATTRIBUTES, asked))
            assert members[0x80] == b"\x00", "it cannot be deleted"
            assert len(values) == len(list(elements(members[0xA1]))) == 3
            with pytest.raises(ServiceFailedError):
                await client.read_set(f"{SUBSTATION}/LLN0$Missing")
            with pytest.raises(ServiceFailedError):
                await client.ask(Service.LIST_ATTRIBUTES, mms.domain_name(SUBSTATION, "LLN0$Missing"))

    asyncio.run(drive())


def test_an_answer_that_is_longer_than_a_pdu_is_a_service_error(shared: Harness) -> None:
    async def drive() -> None:
        async with associated(port_of(shared), largest=1000) as client:
            with pytest.raises(ServiceFailedError) as failed:
                await client.read(f"{SUBSTATION}/LLN0")
            assert (failed.value.kind, failed.value.code) == mms.TOO_LONG
            with pytest.raises(ServiceFailedError) as failed:
                await client.ask(Service.ATTRIBUTES, encoded(0xA0, mms.domain_name(SUBSTATION, "LLN0")))
            assert (failed.value.kind, failed.value.code) == mms.TOO_LONG
            assert (await client.read(f"{SUBSTATION}/MMXU1"))[0].tag == 0xA2, "the association lives"

    asyncio.run(drive())


def test_identify_and_status_are_answered_and_what_is_not_served_is_rejected(shared: Harness) -> None:
    async def drive() -> None:
        async with associated(port_of(shared)) as client:
            identified = parts(await client.ask(Service.IDENTIFY))
            assert text_of(identified[0x80]) == "heptagrid"
            assert parts(await client.ask(Service.STATUS, b"\xff"))[0x80] == b"\x00"
            with pytest.raises(ServiceFailedError) as failed:
                await client.ask(0xBF4D)
            assert (failed.value.kind, failed.value.code) == (-1, 1), "files: an unrecognised service"
            await client.conclude()

    asyncio.run(drive())


@pytest.mark.parametrize(("wanted", "agreed"), [(65_000, 65_000), (1_000_000, 65_000), (1000, 1000), (None, 65_000)])
def test_the_size_of_pdus_is_that_of_the_smaller(shared: Harness, wanted: int | None, agreed: int) -> None:
    async def drive() -> None:
        async with client_to(port_of(shared)) as client:
            await client.associate(wanted)
            assert client.largest == agreed

    asyncio.run(drive())


@pytest.mark.parametrize("exponent", [7, 10, 13, 16, None])
def test_messages_are_cut_as_the_transport_asks(shared: Harness, exponent: int | None) -> None:
    async def drive() -> None:
        async with client_to(port_of(shared)) as client:
            await client.associate(exponent=exponent)
            client.segment = 128
            (value,) = await client.read(f"{SUBSTATION}/LLN0")
            assert value.tag == 0xA2 and len(value.content) > 1000
            assert client.longest_frame <= 4 + (1 << min(exponent, 13) if exponent else 65_531)

    asyncio.run(drive())


def test_selectors_and_numbers_of_contexts_are_the_clients_choice(shared: Harness) -> None:
    async def drive() -> None:
        async with client_to(port_of(shared)) as client:
            await client.associate(contexts=(5, 9), called=b"\x00\x00\x01\x23")
            assert (await client.read(f"{SUBSTATION}/MMXU1"))[0].tag == 0xA2

    asyncio.run(drive())


def test_what_is_only_read_is_not_written(shared: Harness) -> None:
    async def drive() -> None:
        async with associated(port_of(shared)) as client:
            assert await client.write_value(f"{SUBSTATION}/MMXU1$MX$TotW$mag$f", REAL.encode(1.0)) == Failure.DENIED
            assert await client.write_value(f"{SUBSTATION}/MMXU1$MX$Missing", REAL.encode(1.0)) == Failure.NON_EXISTENT
            name = f"{SUBSTATION}/LLN0$RP$Status01$RptEna"
            assert await client.write_value(name, REAL.encode(1.0)) == Failure.TYPE_INCONSISTENT

    asyncio.run(drive())


def test_a_client_that_takes_too_short_pdus_is_not_connected(shared: Harness) -> None:
    async def drive() -> None:
        async with client_to(port_of(shared)) as client:
            client.begin_association(400)
            await client.until(lambda: client.is_closed)

    asyncio.run(drive())


def test_bytes_that_are_no_frame_close_and_are_counted(shared: Harness) -> None:
    async def drive() -> None:
        counts = shared.run.grid.counts
        before = counts.get("mms: malformed", 0)
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x03\x00\x00\x03", b"\x03\x00\x00\x07\x02\xf0\x80"):
            async with client_to(port_of(shared)) as client:
                client.write(data)
                await client.until(lambda client=client: client.is_closed)
        async with associated(port_of(shared)) as client:
            client.send(encoded(mms.REQUEST, integer(2, 1), encoded(Service.READ, b"\xff\xff")))
            await client.until(lambda: client.is_closed)
        assert counts["mms: malformed"] == before + 4

    asyncio.run(drive())


def test_frames_cross_the_modelled_network_and_take_their_time(lane: Scenario) -> None:
    async def drive() -> None:
        async with devices(lane, options=Options(at=NIGHT, http_port=None)) as harness:
            async with associated(port_of(harness), own(harness, "substations/0")) as client:
                await client.read(f"{SUBSTATION}/MMXU1")
            async with associated(port_of(harness)) as client:
                found = await client.read(f"{SUBSTATION}/MMXU1", f"{PRIMARY}/MMXU1", "SUB1LD0/MMXU1")
                assert all(one.tag == 0xA2 for one in found)
            frames = [one for one in harness.run.grid.frames if " read" in one.text]
            assert len(frames) == 4
            assert all(one.delay_s is not None and 0.0 < one.delay_s < 10.0 for one in frames)

    asyncio.run(drive())


def test_a_device_that_the_gateway_does_not_reach_is_a_service_error(lane: Scenario) -> None:
    async def drive() -> None:
        options = Options(at=NIGHT, speed=None, paused=True, http_port=None)
        async with devices(lane, options=options) as harness, associated(port_of(harness)) as client:
            adapter = next(one for one in harness.run.protocols if isinstance(one, Mms))
            asked = encoded(0xA1, variables(f"{SUBSTATION}/MMXU1", f"{PRIMARY}/MMXU1"))
            answer = client.begin(Service.READ, asked)
            await client.until(lambda: len(adapter.gateway.under_way) == 2)
            adapter.gateway.broken(harness.run.grid.inventory.device("substations/0"))
            error = parts((await asyncio.wait_for(answer, 20.0)).content)[0xA2]
            assert error == encoded(0xA0, integer(0x83, 4)), "resource: capability unavailable"
            again = client.begin(Service.READ, encoded(0xA1, variables(f"{SUBSTATION}/MMXU1")))
            while not again.done():
                await harness.advance(1.0)
            assert again.result().tag == mms.RESPONSE, "it connects anew"

    asyncio.run(drive())


def test_a_setting_goes_to_the_hub_as_a_message(lane: Scenario, tmp_path: Path) -> None:
    async def drive() -> None:
        async with devices(lane, out=tmp_path / "run") as harness, associated(port_of(harness)) as client:
            world = harness.run.grid.inventory.world
            kv = float(world.network.v_base_kv[world.network.busbars[0]])
            name = f"{PRIMARY}/ATCC1$SP$BndCtr$setMag$f"
            for value in (math.nan, 0.0, 1e9):
                assert await client.write_value(name, REAL.encode(value)) == Failure.VALUE_INVALID
            assert harness.run.grid.counts["mms: refused"] == 3
            assert await client.write_value(name, REAL.encode(1.03 * kv)) is None
            await harness.advance(60.0)

    asyncio.run(drive())
    entries = [json.loads(line) for line in (tmp_path / "run/journal.jsonl").read_text(encoding="utf-8").splitlines()]
    (message,) = [one for one in entries if "contract" in one]
    assert message["contract"][1] == "busbar"
    assert message["source"] == message["destination"], "the command has crossed the network in its frame"


def test_several_variables_are_written_at_once_each_with_its_own_outcome(shared: Harness) -> None:
    async def drive() -> None:
        async with associated(port_of(shared)) as client:
            block = f"{SUBSTATION}/LLN0$RP$Status01$"
            names = variables(f"{block}Resv", f"{block}ConfRev", f"{block}IntgPd")
            values = encoded(0xA0, BOOLEAN.encode(True), UINT32.encode(5), UINT32.encode(2000))
            answer = list(elements(await client.ask(Service.WRITE, names, values)))
            assert [one.tag for one in answer] == [0x81, 0x80, 0x81]
            assert told(await client.read(f"{block}IntgPd")) == [2000]
            assert await client.write_value(f"{block}IntgPd", UINT32.encode(0)) is None

    asyncio.run(drive())

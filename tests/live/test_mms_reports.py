"""Reports of IEC 61850 devices: who reserves a block, what is told and why, and in how many pieces."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from heptagrid.live.inventory import SUBSTATIONS, Device
from heptagrid.live.protocols.mms.buffered import BufferedReport
from heptagrid.live.protocols.mms.data import BOOLEAN, OPTIONS, REAL, REFERENCE, TRIGGERS, UINT32, AccessError, Failure
from heptagrid.live.protocols.mms.devices import model_of
from heptagrid.live.protocols.mms.ied import INVALID, Ied, Rules
from heptagrid.live.protocols.mms.reports import entry_number
from heptagrid.scenario.schema import Scenario
from tests.live.harness import Harness
from tests.live.mms_client import Client, associated, told
from tests.live.mms_host import Host
from tests.live.test_mms import PRIMARY, SUBSTATION, devices, own, port_of

BLOCK = f"{SUBSTATION}/LLN0$RP$Measurements01$"
ALL = "0111110011"
"""Sequence number, time, reasons, data set, references, revision, segments."""
DATA_CHANGE, QUALITY_CHANGE, INTEGRITY, INTERROGATION = "010000", "001000", "000010", "000001"


async def enable(client: Client, block: str = BLOCK, **given: bytes) -> None:
    """Write attributes of a block, then enable it."""
    for name, value in given.items():
        assert await client.write_value(block + name, value) is None, name
    assert await client.write_value(block + "RptEna", BOOLEAN.encode(True)) is None


def reports(client: Client) -> list[list[Any]]:
    """The values of all reports that came."""
    return [told(values) for names, values in client.reports if names == ["RPT"]]


def test_an_interrogation_tells_all_members_with_the_reason(lane: Scenario) -> None:
    async def drive(harness: Harness, host: str) -> None:
        async with associated(port_of(harness), host) as client:
            await enable(client, OptFlds=OPTIONS.encode(ALL))
            assert await client.write_value(BLOCK + "GI", BOOLEAN.encode(True)) is None
            await client.until(lambda: client.reports)
            assert client.order[-2:] == ["answer", "report RPT"]
            (report,) = reports(client)
            identifier, options, number, _, data_set, revision, segment, has_more, included, *rest = report
            assert identifier == BLOCK[:-1] and data_set == f"{SUBSTATION}/LLN0$Measurements"
            assert (options, number, revision, segment, has_more, included) == (ALL, 0, 1, 0, False, "111")
            names, values, reasons = rest[:3], rest[3:6], rest[6:]
            assert names[0] == f"{SUBSTATION}/MMXU1$MX$TotW" and reasons == [INTERROGATION] * 3
            state = harness.run.grid.state
            assert values[0][0] == [pytest.approx(state.substation_kw[0], rel=1e-6)]
            assert await client.write_value(BLOCK + "GI", BOOLEAN.encode(True)) is None
            await client.until(lambda: len(client.reports) == 2)
            assert reports(client)[1][2] == 1, "the sequence goes on"

    async def both() -> None:
        async with devices(lane) as harness:
            await drive(harness, "127.0.0.1")
            await drive(harness, own(harness, "substations/0"))

    asyncio.run(both())


def test_what_changes_is_told_and_nothing_else(lane: Scenario) -> None:
    async def drive() -> None:
        async with devices(lane) as harness, associated(port_of(harness)) as client:
            await enable(client, OptFlds=OPTIONS.encode("0001000000"), TrgOps=TRIGGERS.encode(DATA_CHANGE))
            await asyncio.sleep(0.3)
            assert not client.reports, "nothing has changed"
            await harness.advance_in_minutes(3600.0)
            await client.until(lambda: client.reports)
            for report in reports(client):
                included, *rest = report[2:]
                assert "1" in included and len(rest) == 2 * included.count("1")
                assert set(rest[included.count("1") :]) == {DATA_CHANGE}
            assert await client.write_value(BLOCK + "RptEna", BOOLEAN.encode(False)) is None
            count = len(client.reports)
            await harness.advance_in_minutes(3600.0)
            await asyncio.sleep(0.3)
            assert len(client.reports) == count, "it is disabled"

    asyncio.run(drive())


def _alone(host: Host) -> tuple[Ied, str]:
    """A substation without a grid, and the point that its first data set shows first."""
    model = model_of(SUBSTATIONS, 1, 1)
    ied = Ied(Device(None, 0), SUBSTATION, model, {}, host, Rules())  # type: ignore[arg-type]
    return ied, model.sets["Measurements"][0][1]


@pytest.mark.parametrize("wanted", [1, 2])
def test_a_change_of_quality_is_another_trigger_than_one_of_the_value(wanted: int) -> None:
    host = Host()
    ied, point = _alone(host)
    block = ied.reports["Measurements01"]
    block.write("TrgOps", host, DATA_CHANGE if wanted == 1 else QUALITY_CHANGE)
    block.write("RptEna", host, True)
    counts = []
    for reading in ((2.0, 0), (2.0, INVALID), (3.0, INVALID), (3.0, 0)):
        host.reading = reading
        ied.changed([point], 0.0)
        counts.append(len(host.told))
    assert counts == ([1, 1, 2, 2] if wanted == 1 else [0, 1, 1, 2])


def test_a_member_that_changes_twice_within_the_buffer_time_is_told_twice() -> None:
    host = Host()
    ied, point = _alone(host)
    block = ied.reports["Measurements01"]
    block.write("BufTm", host, 1000)
    block.write("RptEna", host, True)
    ied.changed([point], 0.0)
    assert not host.told, "it waits"
    ied.changed([point], 0.5)
    assert len(host.told) == 1, "the first is told before the second is kept"
    ied.tick(1.4)
    assert len(host.told) == 1
    ied.tick(1.5)
    assert len(host.told) == 2


def test_what_waits_is_told_as_it_was_when_it_changed() -> None:
    host = Host()
    ied, point = _alone(host)
    block = ied.reports["Measurements01"]
    block.write("BufTm", host, 1000)
    block.write("RptEna", host, True)
    for at, value in ((0.0, 2.0), (0.5, 3.0)):
        host.reading = (value, 0)
        ied.changed([point], at)
        block.write("RptEna", host, True)  # once more: it changes nothing
    host.reading = (4.0, 0)  # within its deadband: nobody is told
    ied.tick(1.5)
    told = [[value for value in (2.0, 3.0, 4.0) if REAL.encode(value) in report] for report in host.told]
    assert told == [[2.0], [3.0]]


def test_integrity_reports_come_by_the_period(lane: Scenario) -> None:
    async def drive() -> None:
        async with devices(lane) as harness, associated(port_of(harness)) as client:
            await enable(client, IntgPd=UINT32.encode(200), TrgOps=TRIGGERS.encode(INTEGRITY))
            began = asyncio.get_running_loop().time()
            await client.until(lambda: len(client.reports) >= 5)
            assert asyncio.get_running_loop().time() - began > 0.8
            assert {report[-1] for report in reports(client)} == {INTEGRITY}
            numbers = [report[2] for report in reports(client)]
            assert numbers == list(range(len(numbers)))

    asyncio.run(drive())


def test_a_block_is_its_clients_until_it_leaves(lane: Scenario) -> None:
    async def drive() -> None:
        async with devices(lane) as harness:
            async with associated(port_of(harness)) as first, associated(port_of(harness)) as second:
                assert await first.write_value(BLOCK + "Resv", BOOLEAN.encode(True)) is None
                other = await second.write_value(BLOCK + "RptEna", BOOLEAN.encode(True))
                assert other == Failure.TEMPORARILY_UNAVAILABLE
                assert told(await second.read(BLOCK + "Resv")) == [True]
                await enable(first)
                changed = await first.write_value(BLOCK + "IntgPd", UINT32.encode(10))
                assert changed == Failure.TEMPORARILY_UNAVAILABLE, "it is enabled"
                await enable(second, BLOCK.replace("01$", "02$"))
            async with associated(port_of(harness)) as third:
                await third.until(lambda: len(harness.run.grid.peers) == 1)
                assert told(await third.read(BLOCK + "Resv", BLOCK + "RptEna")) == [False, False]
                await enable(third)

    asyncio.run(drive())


def test_a_block_takes_only_data_sets_that_there_are(lane: Scenario) -> None:
    async def drive() -> None:
        async with devices(lane) as harness, associated(port_of(harness)) as client:
            name = BLOCK + "DatSet"
            for wrong in (f"{SUBSTATION}/LLN0$Missing", f"{PRIMARY}/LLN0$Status", "Status"):
                assert await client.write_value(name, REFERENCE.encode(wrong)) == Failure.VALUE_INVALID
            assert await client.write_value(name, REFERENCE.encode("")) is None
            enabled = await client.write_value(BLOCK + "RptEna", BOOLEAN.encode(True))
            assert enabled == Failure.ATTRIBUTE_INCONSISTENT, "it has no data set"
            interrogated = await client.write_value(BLOCK + "GI", BOOLEAN.encode(True))
            assert interrogated == Failure.TEMPORARILY_UNAVAILABLE, "it is not enabled"
            assert await client.write_value(name, REFERENCE.encode(f"{SUBSTATION}/LLN0$Status")) is None
            assert told(await client.read(BLOCK + "ConfRev")) == [3], "each change of the data set is one of the block"

    asyncio.run(drive())


def test_a_report_that_is_longer_than_a_pdu_comes_in_segments(lane: Scenario) -> None:
    async def drive() -> None:
        async with devices(lane) as harness, associated(port_of(harness), largest=500) as client:
            block = f"{PRIMARY}/LLN0$RP$Measurements01$"
            identifier = REFERENCE.encode("a" * 129)
            await enable(client, block, OptFlds=OPTIONS.encode("0111110010"), RptID=identifier)
            assert await client.write_value(block + "GI", BOOLEAN.encode(True)) is None
            await client.until(lambda: len(client.reports) > 1 and reports(client)[-1][7] is False)
            found = reports(client)
            assert [report[6] for report in found] == list(range(len(found)))
            assert all(report[7] for report in found[:-1]) and len({report[2] for report in found}) == 1
            places = [[k for k, bit in enumerate(report[8]) if bit == "1"] for report in found]
            assert [place for each in places for place in each] == list(range(len(found[0][8]))), "each member once"
            assert client.longest_pdu <= 500

    asyncio.run(drive())


def _buffered(host: Host, most: int = 200) -> tuple[Ied, BufferedReport, str]:
    """A substation without a grid, its buffered block, enabled once and left, and the point that its data set shows first."""
    model = model_of(SUBSTATIONS, 1, 1)
    ied = Ied(Device(None, 0), SUBSTATION, model, {}, host, Rules(buffer=most))  # type: ignore[arg-type]
    report = ied.reports["BufferedMeasurements01"]
    assert isinstance(report, BufferedReport)
    report.write("RptEna", host, True)
    ied.left(host)
    return ied, report, model.sets["Measurements"][0][1]


def _happen(ied: Ied, host: Host, point: str, count: int) -> None:
    for _ in range(count):
        host.reading = host.reading[0] + 1.0, 0
        ied.changed([point], 0.0)


def test_what_happens_while_nobody_listens_is_told_to_the_client_that_comes() -> None:
    host = Host()
    ied, report, point = _buffered(host)
    _happen(ied, host, point, 3)
    assert not host.told
    report.write("RptEna", host, True)
    assert len(host.told) == 3
    _happen(ied, host, point, 1)
    assert len(host.told) == 4
    values = [REAL.encode(float(k)) for k in (2, 3, 4, 5)]
    assert all(value in pdu for value, pdu in zip(values, host.told, strict=True)), "the values of then"


def test_a_client_goes_on_after_the_entry_that_it_names() -> None:
    host = Host()
    ied, report, point = _buffered(host)
    report.write("RptEna", host, True)
    _happen(ied, host, point, 5)
    ied.left(host)
    host.told.clear()
    report.write("RptEna", host, True)
    assert not host.told, "all was sent"
    for named, missed in ((3, 2), (0, 5)):
        report.write("RptEna", host, False)
        report.write("EntryID", host, entry_number(named))
        report.write("RptEna", host, True)
        assert len(host.told) == missed
        host.told.clear()
    report.write("RptEna", host, False)
    with pytest.raises(AccessError):
        report.write("EntryID", host, entry_number(99))


def test_what_finds_no_room_is_dropped_and_said_so() -> None:
    host = Host()
    ied, report, point = _buffered(host, most=2)
    _happen(ied, host, point, 3)
    assert report.has_overflown
    report.write("RptEna", host, True)
    assert [BOOLEAN.encode(True) in pdu for pdu in host.told] == [True, False]
    _happen(ied, host, point, 5)
    assert not report.has_overflown, "what was told is dropped without loss"


def test_only_a_change_of_a_block_empties_it() -> None:
    """Clients write all attributes each time that they connect."""
    host = Host()
    ied, report, point = _buffered(host)
    _happen(ied, host, point, 2)
    for attribute, value in (
        ("TrgOps", report.triggers),
        ("IntgPd", report.period_ms),
        ("DatSet", report.set_reference),
        ("RptID", report.identifier),
        ("OptFlds", "0100000000"),
    ):
        report.write(attribute, host, value)
    report.write("RptEna", host, True)
    assert len(host.told) == 2
    for attribute, value in (("TrgOps", DATA_CHANGE), ("PurgeBuf", True)):
        ied.left(host)
        _happen(ied, host, point, 2)
        report.write(attribute, host, value)
        report.write("RptEna", host, True)
        assert len(host.told) == 2


def test_a_client_that_comes_again_gets_what_it_has_missed(lane: Scenario) -> None:
    async def drive() -> None:
        block = f"{SUBSTATION}/LLN0$BR$BufferedMeasurements01$"
        async with devices(lane) as harness:
            async with associated(port_of(harness)) as client:
                await enable(client, block)
            for _ in range(3):
                await harness.advance_in_minutes(1800.0)
                await asyncio.sleep(0.3)
            async with associated(port_of(harness)) as client:
                await enable(client, block)
                await client.until(lambda: client.reports)
                (last,) = told(await client.read(block + "EntryID"))
                seen = reports(client)
                assert [report[2] for report in seen] == list(range(len(seen))), "the numbers of this association"
                assert seen[-1][6] == last and seen[0][5] is False, "nothing was dropped"

    asyncio.run(drive())

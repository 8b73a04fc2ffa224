"""Other programs judge IEC 61850 MMS: a client on libiec61850 and one in Rust, each in a process of its own, and tshark's dissector."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from heptagrid.live.protocols.mms import pdu as mms
from heptagrid.live.protocols.mms.ber import encoded
from heptagrid.live.protocols.mms.controls import Cause
from heptagrid.live.protocols.mms.data import BOOLEAN
from heptagrid.live.protocols.mms.pdu import Service
from heptagrid.scenario.schema import Scenario
from tests.live.capture import dissected, write_capture
from tests.live.mms_client import ServiceFailedError, associated, client_to
from tests.live.served import Served, served
from tests.live.test_mms import NIGHT, PLANT, PRIMARY, SUBSTATION, devices, own, port_of
from tests.live.test_mms_controls import SWITCH, command
from tests.live.test_mms_reports import BLOCK, enable

needs_judge = pytest.mark.skipif(
    importlib.util.find_spec("pyiec61850") is None,
    reason="not run: pyiec61850-ng is not installed (pip install 'heptagrid[peers]')",
)


def judged(grid: Served, device: str | None, *what: Any) -> Any:
    """What the client on libiec61850 comes to with a device, None: with the gateway."""
    host = "127.0.0.1" if device is None else own(grid.harness, device)
    client = str(Path(__file__).with_name("pyiec61850_client.py"))
    words = [sys.executable, client, host, str(grid.ports["mms"]), json.dumps(what)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120.0, check=False)
    assert done.returncode == 0, (done.stderr, grid.grid.counts, *list(grid.grid.frames)[-10:])
    return json.loads(done.stdout.splitlines()[-1])


@needs_judge
def test_a_client_on_libiec61850_reads_all_that_there_is(lane: Scenario) -> None:
    with served(lane, {"mms": None}, is_ideal=True, at=NIGHT) as grid:
        found = judged(grid, None, "browse")
        classes = grid.grid.inventory.classes
        assert len(found) == sum(len(classes[name]) for name in ("substations", "primary_substations", "plants"))
        values = {(domain, name): value for domain, one in found.items() for name, value in one["values"].items()}
        assert len(values) > 30 * len(found)
        assert not [one for one in values.items() if "failed" in str(one[1]) or "error" in str(one[1])]
        state = grid.grid.state
        assert values[SUBSTATION, "MMXU1$MX$TotW"][0] == [pytest.approx(state.substation_kw[0], rel=1e-6)]
        assert values[SUBSTATION, "XSWI1$ST$Pos"][:2] == ["10", "0" * 13]
        ns = values[PRIMARY, "MMXU1$MX$Hz"][2] * 1_000_000
        assert abs(ns - state.at_ns) < 2_000_000
        alone = judged(grid, "substations/0", "browse", 1000)
        assert alone.keys() == {SUBSTATION} and alone[SUBSTATION]["variables"] == found[SUBSTATION]["variables"]
        assert grid.grid.counts == {}, "nothing was refused, nothing malformed"


@needs_judge
def test_a_client_on_libiec61850_watches_a_data_set(lane: Scenario) -> None:
    with served(lane, {"mms": None}, is_ideal=True, at=NIGHT) as grid:
        block = f"{SUBSTATION}/LLN0.RP.Measurements01"
        reports = judged(grid, "substations/0", "watch", block, 4)
        assert [one["number"] for one in reports] == [0, 1, 2, 3]
        assert reports[0]["set"] == f"{SUBSTATION}/LLN0$Measurements"
        assert reports[0]["references"][0] == f"{SUBSTATION}/MMXU1$MX$TotW"
        interrogated, by_period = reports[0]["reasons"][0], reports[1]["reasons"][0]
        assert interrogated != by_period
        kw = grid.grid.state.substation_kw[0]
        assert reports[0]["values"][0][0] == [pytest.approx(kw, rel=1e-6)]
        block = f"{SUBSTATION}/LLN0.BR.BufferedMeasurements01"
        entries = []
        for _ in range(2):
            reports = judged(grid, "substations/0", "watch", block, 4)
            entries.append([int(one["entry"], 16) for one in reports])
            grid.advance(3600.0)
        first, second = entries
        assert first[:4] == [1, 2, 3, 4] and second[:4] == list(range(second[0], second[0] + 4))
        assert second[0] > first[3], "what was told is not told again"
        assert reports[0]["reasons"].count(0) < 3 and 1 in reports[0]["reasons"], (
            "a change of data, while nobody listened"
        )


@needs_judge
@pytest.mark.parametrize("model", ["direct-normal", "sbo-normal", "direct-enhanced", "sbo-enhanced"])
def test_a_client_on_libiec61850_commands_by_each_control_model(lane: Scenario, model: str) -> None:
    settings = (f"live.mms.control_model='{model}'",)
    with served(lane, {"mms": None}, is_ideal=True, at=NIGHT, settings=settings) as grid:
        switch = ("command", f"{SUBSTATION}/CSWI1.Pos", False, False)
        found = grid.while_time_goes_on(lambda: judged(grid, "substations/0", *switch), step_s=60.0, at_most_s=36000.0)
        assert found["selected"] and found["operated"], found
        grid.advance(60.0)
        assert grid.grid.state.opened == ("substation 0",)
        most = float(grid.grid.inventory.world.bulk.units.p_max_mw[0])
        power = ("command", f"{PLANT}/GGIO1.AnOut1", 2.0 * most, True)
        found = judged(grid, "plants/0", *power)
        assert not found["operated"] and found["cause"] == Cause.INCONSISTENT_PARAMETERS


@pytest.mark.skipif(
    importlib.util.find_spec("iec61850") is None,
    reason="not run: iec61850 is not installed (pip install 'heptagrid[peers]')",
)
def test_a_client_in_rust_browses_watches_and_commands_over_the_modelled_network(lane: Scenario) -> None:
    settings = ("live.mms.control_model='direct-enhanced'",)
    with served(lane, {"mms": None}, at=NIGHT, settings=settings) as grid:
        host, port = own(grid.harness, "substations/0"), grid.ports["mms"]
        client = str(Path(__file__).with_name("iec61850_client.py"))
        words = [sys.executable, client, host, str(port), SUBSTATION, f"{SUBSTATION}/CSWI1.Pos"]
        done = grid.while_time_goes_on(
            lambda: subprocess.run(words, capture_output=True, text=True, timeout=120.0, check=False), at_most_s=36000.0
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout.splitlines()[-1])
        assert found["devices"].keys() == {SUBSTATION} and len(found["devices"][SUBSTATION]) > 200
        assert {"LLN0", "LPHD1", "MMXU1", "CSWI1"} <= set(found["directory"])
        assert [one["name"] for one in found["type"]["components"]] == ["mag", "q", "t"]
        assert found["power"] > 0.0 and found["quality"] == "good" and found["values"] == 3
        begins_s, now_s = grid.harness.run.begins.ns / 1e9, grid.grid.now_ns / 1e9
        assert begins_s < found["instant"] < now_s
        assert "ObjectNonExistent" in found["several"][1]
        assert len(found["reports"]) == 2 and "general_interrogation=True" in found["reports"][1]
        assert found["outcomes"] == [[True, None], [False, "blocked-by-process"]]
        assert all(one.delay_s for one in grid.grid.frames if one.size_bytes)


def test_tshark_dissects_all_frames(lane: Scenario, tmp_path: Path) -> None:
    packets: list[tuple[bool, bytes]] = []
    missing = mms.domain_name(SUBSTATION, "LLN0$Missing")

    async def drive() -> int:
        async with devices(lane, "control_model='direct-enhanced'") as harness:
            async with client_to(port_of(harness)) as client:
                client.on_bytes = lambda is_answer, data: packets.append((is_answer, data))
                await client.associate()
                await client.names(9)
                await client.names(0, SUBSTATION)
                await client.ask(Service.IDENTIFY)
                await client.ask(Service.STATUS, b"\xff")
                await client.ask(Service.ATTRIBUTES, encoded(0xA0, mms.domain_name(SUBSTATION, "LLN0")))
                await client.ask(Service.LIST_ATTRIBUTES, mms.domain_name(SUBSTATION, "LLN0$Status"))
                await client.read(f"{SUBSTATION}/LLN0", f"{PRIMARY}/Missing")
                await client.read_set(f"{SUBSTATION}/LLN0$Measurements")
                await enable(client)
                await client.write_value(BLOCK + "GI", BOOLEAN.encode(True))
                await client.until(lambda: client.reports)
                await client.write_value(SWITCH + "Oper", command(False))
                await client.write_value(SWITCH + "Oper", command(False))
                await harness.advance(60.0)
                await client.until(lambda: any(names[-1] == SWITCH + "Oper" for names, _ in client.reports))
                for failing, given in ((0xBF4D, b""), (Service.LIST_ATTRIBUTES, missing)):
                    with pytest.raises(ServiceFailedError):
                        await client.ask(failing, given)
                await client.conclude()
            async with associated(port_of(harness), own(harness, "plants/0"), largest=600) as client:
                client.on_bytes = lambda is_answer, data: packets.append((is_answer, data))
                with pytest.raises(ServiceFailedError):
                    await client.read(f"{PLANT}/LLN0")
            return port_of(harness)

    port = asyncio.run(drive())
    write_capture(tmp_path / "mms.pcap", port, packets)
    fields = (
        "mms.confirmedServiceRequest",
        "mms.confirmedServiceResponse",
        "mms.unconfirmedService",
        "mms.initiate_RequestPDU_element",
        "mms.initiate_ResponsePDU_element",
        "cotp.type",
        "_ws.malformed",
        "_ws.expert.message",
    )
    rows = dissected(tmp_path / "mms.pcap", port, "tpkt", *fields)
    requests, responses = ({one for row in rows for one in row[k].split(",") if one} for k in (0, 1))
    assert {"0", "1", "2", "4", "5", "6", "12"} <= requests and {"0", "1", "2", "4", "5", "6", "12"} <= responses
    assert any(row[2] for row in rows) and any(row[3] for row in rows) and any(row[4] for row in rows)
    assert not any(row[6] or row[7] for row in rows), [row for row in rows if row[6] or row[7]]
    assert {"0x0e", "0x0d", "0x0f"} <= {one for row in rows for one in row[5].split(",")}

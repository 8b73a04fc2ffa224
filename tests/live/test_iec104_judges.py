"""Other programs judge IEC 60870-5-104: a client on lib60870 in a process of its own, and tshark's dissector."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from pathlib import Path

import pytest

from heptagrid.live.listening import Addresses
from heptagrid.live.protocols.iec104.apci import Function
from heptagrid.live.protocols.iec104.asdu import BROADCAST
from heptagrid.live.protocols.iec104.elements import SELECT, Type
from heptagrid.live.protocols.iec104.points import POINTS
from heptagrid.live.serve import Options
from heptagrid.live.stations.points import FIRST
from heptagrid.scenario.schema import Scenario
from tests.live.capture import dissected, write_capture
from tests.live.harness import Harness, live_grid
from tests.live.iec104_client import client_to

NIGHT = "2016-07-04T00:20"


def _stations(harness: Harness) -> dict[int, dict[str, list[int]]]:
    """The points of all stations by type, by common address."""
    found: dict[int, dict[str, list[int]]] = {}
    for name, points in POINTS.items():
        for row in range(len(harness.run.grid.inventory.classes[name])):
            by_type = found.setdefault(FIRST[name] + row, {})
            for one in points:
                by_type.setdefault(one.type.name, []).append(one.address)
    return found


async def _judged(
    harness: Harness, host: str, stations: dict[int, dict[str, list[int]]], target_kv: float
) -> dict[str, object]:
    words = [host, str(harness.ports["iec104"]), json.dumps(stations), str(target_kv)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("c104_client.py")),
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 120.0)
    assert process.returncode == 0, (err.decode(), *harness.run.grid.frames)
    found: dict[str, object] = json.loads(out.decode().splitlines()[-1])
    return found


def test_a_client_on_lib60870_reads_all_stations_and_gives_commands(lane: Scenario) -> None:
    if importlib.util.find_spec("c104") is None:
        pytest.skip("not run: c104 is not installed (pip install 'heptagrid[peers]')")

    async def drive() -> None:
        options = Options(at=NIGHT, http_port=None)
        async with live_grid(lane, {"iec104": None}, options=options) as harness:
            inventory = harness.run.grid.inventory
            own = Addresses(inventory).address_of(inventory.device("primary_substations/0"))
            assert own is not None
            network = inventory.world.network
            kv = float(network.v_base_kv[network.busbars[0]])
            stations = _stations(harness)
            found = await _judged(harness, own, {1: stations[1]}, 1.02 * kv)
            assert found["interrogated"]
            assert found["commands"] == {
                "target": True,
                "too_high": False,
                "missing": False,
                "clock": True,
                "counters": True,
                "test": True,
                "read": True,
            }
            found = await _judged(harness, "127.0.0.1", stations, 0.0)
            values = found["values"]
            assert isinstance(values, dict) and len(values) == len(stations)
            state = harness.run.grid.state
            assert values["1"]["1"] == pytest.approx(state.busbar_v_pu[0] * kv, rel=0.02)
            assert not [word for word in harness.run.grid.counts if "closed" in word]

    asyncio.run(drive())


def test_tshark_dissects_all_frames(lane: Scenario, tmp_path: Path) -> None:
    packets: list[tuple[bool, bytes]] = []

    async def drive() -> int:
        options = Options(at=NIGHT, speed=None, paused=True, http_port=None, is_ideal=True)
        async with live_grid(lane, {"iec104": None}, options=options) as harness:
            async with client_to(harness.ports["iec104"]) as client:
                client.on_bytes = lambda is_answer, data: packets.append((is_answer, data))
                await client.start()
                client.command(Type.C_IC_NA_1, BROADCAST, quality=20)
                client.command(Type.C_CI_NA_1, 1, quality=5)
                client.command(Type.C_RD_NA_1, 1, 2, cause=5)
                client.command(Type.C_SE_NC_1, 1, 1001, 20.0, SELECT)
                client.command(Type.C_SC_NA_1, 1, 77)
                client.command(Type.C_IC_NA_1, 999, quality=20)
                await client.until(lambda: client.of(Type.C_IC_NA_1, 46))
                client.ask(Function.TESTFR_ACT)
                await harness.advance_in_minutes(3600.0)
                await client.until(lambda: client.of(Type.M_ME_TF_1))
                client.ask(Function.STOPDT_ACT)
                await asyncio.sleep(0.2)
            return harness.ports["iec104"]

    port = asyncio.run(drive())
    write_capture(tmp_path / "iec104.pcap", port, packets)
    fields = (
        "iec60870_asdu.typeid",
        "iec60870_asdu.causetx",
        "iec60870_104.type",
        "_ws.malformed",
        "_ws.expert.message",
    )
    rows = dissected(tmp_path / "iec104.pcap", port, "iec60870_104", *fields)
    types = {one for row in rows for one in row[0].split(",") if one}
    assert {"100", "101", "102", "13", "1", "15", "36", "45", "50"} <= types
    assert {"46", "47"} <= {one for row in rows for one in row[1].split(",")}
    assert not any(row[3] or row[4] for row in rows), [row for row in rows if row[3] or row[4]]
    assert all(row[2] for row in rows), "each packet is of the protocol"

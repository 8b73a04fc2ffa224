"""Meters over sockets, judged by the clients of others, each in a process of its own; and what crosses the modelled network."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from heptagrid.foundation.time import NS_PER_S, from_ns
from heptagrid.live.again import replay
from heptagrid.live.protocols.dlms import data
from heptagrid.live.protocols.dlms.acse import Mechanism
from heptagrid.live.protocols.dlms.wrapper import HEADER, wrap
from heptagrid.scenario.schema import Scenario
from tests.documents.pages import DOCS, blocks
from tests.live.dlms_client import PASSWORD, REGISTER, aarq, get, target
from tests.live.served import Served, served

HERE = Path(__file__).parent
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="not run: only Linux has all loopback addresses")


@contextmanager
def running(scenario: Scenario) -> Iterator[Served]:
    """A grid at speed 1, for programs that take their time; frames bypass the network."""
    with served(scenario, {"dlms": None}, is_ideal=True) as grid:
        grid.grid.engine.pace.go()
        yield grid


def judged(program: str, package: str, *arguments: object) -> dict[str, Any]:
    """What a client of others says that it read."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"not run: {package} is not installed; pip install heptagrid[peers]")
    command = [sys.executable, str(HERE / program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def dlms_cosem(*arguments: object) -> dict[str, Any]:
    return judged("dlms_cosem_client.py", "dlms_cosem", *arguments)


def exchange(stream: socket.socket, apdu: bytes, client: int = 1, server: int = 19) -> bytes:
    """Send a unit and wait for its answer."""
    stream.sendall(wrap(client, server, apdu))
    header = stream.recv(HEADER, socket.MSG_WAITALL)
    assert header[2:6] == server.to_bytes(2, "big") + client.to_bytes(2, "big"), (
        "the answer comes from where it was sent to"
    )
    return stream.recv(int.from_bytes(header[6:], "big"), socket.MSG_WAITALL)


def connected(grid: Served, host: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((host, grid.ports["dlms"]), timeout=60)


@on_linux
def test_dlms_cosem_reads_meters_at_every_level_of_security(lane: Scenario) -> None:
    with running(lane) as grid:
        port, first = grid.ports["dlms"], 0
        for level, host, server in (
            ("none", "127.16.0.3", 1),
            ("password", "127.0.0.1", 19),
            ("ciphered", "127.16.0.3", 1),
            ("gmac", "127.0.0.1", 19),
        ):
            found = dlms_cosem(host, port, server, level, first)
            first = found["counter"]
            assert found["name"] == "HPG0000000000003"
            assert found["1.0.1.8.0"] == pytest.approx(grid.grid.state.import_kwh[3] * 1000.0, abs=50.0)
            assert found["1.0.16.7.0"] == found["1.0.1.7.0"] - found["1.0.2.7.0"]
            assert found["1.0.32.7.0"] == pytest.approx(grid.grid.state.point_v_pu[3] * 2300.0, abs=60.0)
            assert found["scaler_unit"] == [-1, 35] and found["objects"] == 19
            clock = datetime.fromisoformat(found["clock"])
            assert abs(clock.timestamp() - grid.grid.now_ns / NS_PER_S) < 60.0 and found["is_summer"]
            registers = [int(row[1]) for row in found["profile"]]
            assert registers == sorted(registers) and registers[-1] <= found["1.0.1.8.0"]
            assert len(registers) > 70 and found["recent"] in (8, 9)


def test_dlms_cosem_sets_a_clock_and_a_used_counter_is_refused(lane: Scenario) -> None:
    with running(lane) as grid:
        port = grid.ports["dlms"]
        found = dlms_cosem("127.0.0.1", port, 19, "gmac", 50, 1830.0)
        assert found["set"] == "SUCCESS"
        assert grid.grid.state.clock_quarters.tolist() == [0, 0, 0, 2] + [0] * 13
        with pytest.raises(AssertionError, match="INVOCATION_COUNTER_ERROR"):
            dlms_cosem("127.0.0.1", port, 19, "gmac", 50)
        assert grid.grid.counts["dlms: replayed"] == 1


def test_the_examples_of_the_page_read_a_meter(lane: Scenario) -> None:
    if importlib.util.find_spec("dlms_cosem") is None:
        pytest.skip("not run: dlms_cosem is not installed; pip install heptagrid[peers]")
    with running(lane) as grid:
        for text in blocks(DOCS / "live/dlms.md", "python"):
            command = [sys.executable, "-c", text.replace("4059", str(grid.ports["dlms"]))]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 0, done.stderr
            assert int(done.stdout) == pytest.approx(grid.grid.state.import_kwh[3] * 1000.0, abs=50.0)


def test_gurux_reads_a_meter_in_every_form_of_ciphering(lane: Scenario) -> None:
    expected = {
        "glo": "ciphered get request",
        "general-glo": "general global ciphering",
        "ded": "get request under a dedicated key",
        "general-ded": "general dedicated ciphering",
    }
    with running(lane) as grid:
        for number, (form, words) in enumerate(expected.items()):
            grid.grid.frames.clear()
            found = judged("gurux_client.py", "gurux_dlms", "127.0.0.1", grid.ports["dlms"], 19, form, 1000 * number)
            assert found["objects"] == 19 and found["name"] == "HPG0000000000003"
            assert 200.0 < found["voltage"] < 260.0
            assert len(found["rows"]) == 3 and found["is_connected"] and found["mode"] == 0
            assert "Read-Write denied" in found["disconnect"]
            assert words in {one.text for one in grid.grid.frames}
        assert grid.grid.counts == {"dlms: read write denied": 4}


def test_the_common_address_lists_all_meters_and_asks_no_network(lane: Scenario) -> None:
    with served(lane, {"dlms": None}) as grid:
        grid.advance(5.0)
        with connected(grid) as stream:
            assert exchange(stream, aarq(), server=1)[0] == 0x61
            answer = exchange(stream, get(17, "0.0.41.0.0.255", 2), server=1)
        assert answer[:6] == b"\xc4\x01\xc1\x00\x01\x12" and answer.count(b"HPG") == 18
        assert all(one.delay_s == 0.0 for one in grid.grid.frames)


def test_reads_cross_the_network_with_its_delay_and_its_losses(lane: Scenario) -> None:
    with served(lane, {"dlms": None}) as grid:
        grid.advance(5.0)
        with connected(grid) as stream:
            grid.while_time_goes_on(lambda: exchange(stream, aarq()), step_s=0.1)
            answer = grid.while_time_goes_on(lambda: exchange(stream, REGISTER), step_s=0.1)
            assert answer[:4] == b"\xc4\x01\xc1\x00"
            delays = [one.delay_s for one in grid.grid.frames]
            assert len(delays) == 4 and all(delay is not None and delay > 0.0 for delay in delays)
            grid.call(lambda: _changed(grid, "fail", {"site": "meter", "number": 3, "duration_s": 600.0}))
            stream.sendall(wrap(1, 19, REGISTER))
            grid.advance(300.0)
            stream.settimeout(0.2)
            with pytest.raises(TimeoutError):
                stream.recv(1)
            assert grid.grid.counts["dlms: lost"] == 1


def test_a_connection_ends_by_silence_and_not_while_an_answer_is_under_way(lane: Scenario) -> None:
    with served(lane, {"dlms": None}, settings=("live.dlms.idle_s=1",)) as grid:
        grid.advance(5.0)
        with connected(grid) as stream:
            stream.sendall(wrap(1, 19, aarq()))
            stream.settimeout(1.5)
            with pytest.raises(TimeoutError):
                stream.recv(1)  # the network's time stands still
            stream.settimeout(60.0)
            assert grid.while_time_goes_on(lambda: stream.recv(HEADER), step_s=0.1)
            began = time.monotonic()
            while stream.recv(1000):
                pass
            assert time.monotonic() - began < 30.0


async def _changed(grid: Served, what: str, given: dict[str, Any]) -> None:
    import asyncio

    change = asyncio.ensure_future(grid.grid.change(what, given))
    await asyncio.sleep(0)
    await grid.harness.advance(1.0)
    await change


def test_bytes_that_are_no_frame_end_the_connection_and_are_counted(lane: Scenario) -> None:
    with served(lane, {"dlms": None}) as grid:
        with connected(grid) as stream:
            stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert stream.recv(1) == b""
        with connected(grid) as stream:
            stream.sendall(wrap(1, 9999, REGISTER))
            assert exchange(stream, b"\x01\x02", server=1) == b"\xd8\x01\x03"
        assert grid.grid.counts == {"dlms: malformed": 2, "dlms: no such logical device": 1}


def test_a_day_on_which_a_meter_was_read_and_its_clock_set_can_be_run_again(lane: Scenario, tmp_path: Path) -> None:
    with served(lane, {"dlms": None}, out=tmp_path / "live") as grid, connected(grid) as stream:
        asked = lambda apdu: grid.while_time_goes_on(lambda: exchange(stream, apdu))  # noqa: E731
        assert asked(aarq(mechanism=Mechanism.PASSWORD, value=PASSWORD))[0] == 0x61
        assert asked(REGISTER)[:4] == b"\xc4\x01\xc1\x00"
        later = data.moment(from_ns(grid.grid.now_ns + 3600 * NS_PER_S, lane.zone))
        assert (
            asked(b"\xc1\x01\xc1" + target(8, "0.0.1.0.0.255", 2) + b"\x00" + data.octets(later)) == b"\xc5\x01\xc1\x00"
        )
        grid.advance(60.0)
        assert grid.grid.state.clock_quarters[3] == 4
    again = replay(tmp_path / "live", out=tmp_path / "again")
    assert again.differing == [] and again.remarks == []

"""Malformed requests, from a seed: none is understood, none has an effect, and the grid goes on."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from heptagrid.live.http.routes import ENDPOINTS
from heptagrid.scenario.schema import Scenario
from heptagrid.testing import GridUnderTest, live_grid
from tests.live.damage import damaged
from tests.live.spoken import message, upgrade

STRANGE: tuple[Any, ...] = (
    *(None, True, -1, 10**30, 1e308, -0.5, "", "x" * 5000, "\u0000", "NaN", "../..", [], {}, [[]], {"a": {}}),
    *("\ud800", "1", "null", float("nan"), float("inf")),
)
BODIES: dict[str, dict[str, Any]] = {
    "/clock": {"speed": 1.0},
    "/devices/vehicles/0/order": {"power_kw": 1.0, "for_s": 60.0},
    "/devices/vehicles/0/withdraw": {"by": "fuzz"},
    "/set-points/busbar": {"target_pu": 1.0},
    "/set-points/plant": {"unit": 0, "target_mw": 1.0},
    "/set-points/infeed": {"infeed_v_pu": 1.0},
    "/changes": {"what": "jam", "given": {"where": "access", "duration_s": 60.0}},
    "/roles": {"role": "retailer", "player": "fuzz"},
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


@pytest.fixture(scope="module")
def grid(lane: Scenario) -> Iterator[GridUnderTest]:
    with live_grid(lane) as grid:
        yield grid


def malformed_body(draw: random.Random) -> tuple[str, str, bytes]:
    """A body that no endpoint takes: a field that is none, of another type, cut off, or turned."""
    path, body = draw.choice(list(BODIES.items()))
    found = dict(body)
    kind = draw.randrange(5)
    if kind == 0:
        found[draw.choice(["zz", "", "power", "Speed", "__class__"])] = draw.choice(STRANGE)
    elif kind == 1:
        name = draw.choice(list(found))
        found[name] = draw.choice([[], {"a": 1}, float("nan"), float("-inf"), {"b": []}, [None], 10**400])
    written = bytearray(json.dumps(found).encode())
    if kind == 2:
        del written[draw.randrange(len(written)) :]
    elif kind == 3:
        for _ in range(draw.randrange(1, 4)):
            written[draw.randrange(len(written))] = draw.choice(b'\x00\xff{}[]"\\')
        written += b"]"
    elif kind == 4:
        written = bytearray(draw.randbytes(draw.randrange(200))) + b"\xff"
    return "POST", path, bytes(written)


def malformed_target(draw: random.Random) -> tuple[str, str, bytes]:
    """A path or a query that there is not, or a method that it does not have."""
    one = draw.choice(ENDPOINTS)
    path = one.path.replace("{class}", "vehicles").replace("{number}", "0").replace("{point}", "0")
    path = path.replace("{role}", "retailer")
    kind = draw.randrange(4)
    if kind == 0:
        return draw.choice(METHODS[2:4] + METHODS[5:]), path, b""
    if kind == 1:
        name = draw.choice(["zz", "first", "count", "class", "point", "before", "event", "each", "domain"])
        return "GET", f"/devices?{name}={quote(str(draw.choice([-1, 'x', '', 1e99, 'nan', 'null', '%00'])))}&zz=", b""
    if kind == 2:
        return "GET", path + draw.choice(["/", "//", "/..", "%00", "/zz", "%2e%2e/", ";x"]) + "x", b""
    return "GET", "/" + "/".join(quote(draw.randbytes(6)) for _ in range(draw.randrange(1, 5))), b""


def send(connection: HTTPConnection, method: str, target: str, body: bytes) -> int:
    """Its status; every request has one, and its connection lives."""
    headers = {"Content-Type": "application/json"} if body else {}
    connection.request(method, target, body or None, headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= 400 and content and answer.headers["Content-Type"] == "application/problem+json":
        assert json.loads(content)["status"] == answer.status
    return answer.status


def bombard(grid: GridUnderTest, count: int, seed: int) -> None:
    """Send so many malformed requests; the first that is answered otherwise than by 4xx is named with its seed."""
    draw, at = random.Random(seed), urlsplit(grid.url)
    before = (grid.client.clock(), len(grid.client.actions(1000)), grid.client.state().ns)
    counted = _counted(grid)
    makers: tuple[Callable[[random.Random], tuple[str, str, bytes]], ...] = (malformed_body, malformed_target)
    connection = HTTPConnection(at.hostname or "", at.port, timeout=30)
    for k in range(count):
        method, target, body = draw.choice(makers)(draw)
        status = send(connection, method, target, body)
        assert 400 <= status < 500, f"seed {seed}, request {k}: {method} {target} {body[:200]!r} gave {status}"
    connection.close()
    assert (grid.client.clock(), len(grid.client.actions(1000)), grid.client.state().ns) == before
    assert _counted(grid) == counted + count, "each that is refused is counted"


def bombard_sockets(grid: GridUnderTest, count: int, seed: int) -> None:
    """Send so many malformed frames over WebSockets, ten each: none has an effect, and each socket is ended."""
    draw, at = random.Random(seed), urlsplit(grid.url)
    before = (grid.client.clock(), len(grid.client.actions(1000)), grid.client.state().ns)
    for _ in range(count // 10):
        with socket.create_connection((at.hostname or "", at.port or 0), timeout=30) as one, suppress(ConnectionError):
            one.sendall(upgrade(draw.choice(("/messages/stream", "/room/live"))))
            assert one.recv(12) == b"HTTP/1.1 101"
            for _ in range(9):
                one.sendall(message(draw.randbytes(draw.randrange(60)), opcode=draw.choice((1, 2, 9, 10))))
            one.sendall(damaged(draw, message(b"[]", opcode=draw.randrange(16), reserved=draw.randrange(8))))
            with suppress(OSError):  # it has been cut off
                one.shutdown(socket.SHUT_WR)
            while one.recv(65_536):
                pass
    assert (grid.client.clock(), len(grid.client.actions(1000)), grid.client.state().ns) == before


def _counted(grid: GridUnderTest) -> int:
    return sum(count for word, count in grid.client.peers().counts.items() if word.startswith("interface: "))


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_two_thousand_malformed_requests_have_no_effect(grid: GridUnderTest) -> None:
    bombard(grid, 2000, 16)


def test_bytes_that_are_no_http_end_their_connection_alone(grid: GridUnderTest) -> None:
    draw, at = random.Random(17), urlsplit(grid.url)
    for _ in range(100):
        with socket.create_connection((at.hostname or "", at.port or 0), timeout=10) as one:
            one.sendall(
                draw.choice([b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/9\r\n\r\n"]) + draw.randbytes(60) + b"\r\n\r\n"
            )
            one.shutdown(socket.SHUT_WR)
            assert not one.recv(100) or True
    assert grid.client.clock().is_paused


def test_two_thousand_malformed_frames_of_websockets_have_no_effect(grid: GridUnderTest) -> None:
    bombard_sockets(grid, 2000, 19)


@pytest.mark.slow
@pytest.mark.parametrize("how", [bombard, bombard_sockets])
def test_a_hundred_thousand_malformed_requests_have_no_effect(
    grid: GridUnderTest, how: Callable[[GridUnderTest, int, int], None]
) -> None:
    how(grid, 20_000, 17)
    resident_mb, descriptors = _resident_mb(), len(list(Path("/proc/self/fd").iterdir()))
    how(grid, 80_000, 18)
    assert _resident_mb() - resident_mb < 16.0
    assert len(list(Path("/proc/self/fd").iterdir())) <= descriptors + 2
    grid.advance(minutes=5)


@pytest.mark.slow
def test_schemathesis_finds_nothing(grid: GridUnderTest) -> None:
    """Time is left alone, for it would let years go by, and the stream, for it has no end; 400 for what the document cannot know is meant.

    Time goes on at the pace of the clock, for a request may wait a minute for what it asks for to arrive, which never does while time stands still.
    """
    grid.client.go(1.0)
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{grid.url}/openapi.json", "--seed", "16", "-n", "30"]
    command += ["--exclude-path-regex", "^/(clock|messages/stream)$", "--exclude-checks", "positive_data_acceptance"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    grid.client.pause()
    assert done.returncode == 0, done.stdout[-5000:]
    grid.advance(minutes=5)

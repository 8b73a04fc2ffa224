"""Connections of the HTTP servers: slow clients give way, what is no HTTP gets a status, and each is counted."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from heptagrid.live.http import connection
from heptagrid.live.http.endpoint import LARGEST_BODY
from heptagrid.testing import GridUnderTest, live_grid
from tests.live.spoken import message, upgrade

POST = b"POST /set-points/busbar HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def grid() -> Iterator[GridUnderTest]:
    with live_grid("lane", protocols=("openadr",)) as grid:
        yield grid


def at(grid: GridUnderTest, name: str) -> tuple[str, int]:
    """Where a server listens."""
    if name == "openadr":
        return "127.0.0.1", grid.ports["openadr"]
    found = urlsplit(grid.url)
    return found.hostname or "", found.port or 0


def answered(address: tuple[str, int], sent: bytes, wait_s: float = 30.0) -> bytes:
    """All that a server answers until it closes."""
    with socket.create_connection(address, wait_s) as one:
        one.sendall(sent)
        return received(one)


def received(one: socket.socket) -> bytes:
    found = b""
    while part := one.recv(65_536):
        found += part
    return found


def problem(answer: bytes) -> dict[str, object]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head and b"connection: close" in head.lower()
    found = json.loads(body)
    assert head.startswith(f"HTTP/1.1 {found['status']} ".encode()) and found["remedy"]
    return dict(found)


@pytest.mark.parametrize("name", ["interface", "openadr"])
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET / HTTP/9\r\nHost: 127.0.0.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no host
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 400_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 400_000, 431),
        (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}", 400),
        (POST + b"Content-Length: -1\r\n\r\n{}", 400),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n{}", 501),
        (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffffff\r\n{}", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: b\r\n c\r\n\x00: d\r\n\r\n", 400),
    ],
)
def test_what_is_no_http_gets_a_status_and_is_counted(grid: GridUnderTest, name: str, sent: bytes, status: int) -> None:
    before = grid.client.peers().counts.get(f"{name}: {status}", 0)
    assert problem(answered(at(grid, name), sent))["status"] == status
    assert grid.client.peers().counts[f"{name}: {status}"] == before + 1


@pytest.mark.parametrize("name", ["interface", "openadr"])
def test_a_slow_request_ends_with_408_and_disturbs_nobody(
    grid: GridUnderTest, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connection, "PATIENCE_S", 1.0)
    for begin in (
        b"",
        b"GET / HT",
        POST + b"Content-Length: 100\r\n\r\n{",
        POST + b"Transfer-Encoding: chunked\r\n\r\n64\r\n{",
    ):
        began = time.monotonic()
        with socket.create_connection(at(grid, name), 30.0) as one:
            one.sendall(begin)
            for _ in range(6):  # a byte now and then buys no time
                time.sleep(0.1)
                one.sendall(b"a" if begin else b"G")
            assert problem(received(one))["status"] == 408
        assert 0.9 < time.monotonic() - began < 5.0
    assert grid.client.peers().counts[f"{name}: 408"] == 4
    assert grid.client.clock().is_paused
    assert not caplog.records, "no defect"


@pytest.mark.parametrize("name", ["interface", "openadr"])
def test_connections_that_wait_give_way_to_those_that_ask(grid: GridUnderTest, name: str) -> None:
    address, asked = at(grid, name), b"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with ExitStack() as held:
        first = held.enter_context(socket.create_connection(address, 30.0))
        for _ in range(connection.CONNECTIONS + 20):
            held.enter_context(socket.create_connection(address, 30.0))
        for _ in range(30):
            assert answered(address, asked).split()[1] in (b"404", b"403", b"401")
        assert first.recv(100) == b"", "the oldest has given way"
    assert grid.client.peers().counts[f"{name}: too many connections"] >= 20


def test_a_websocket_lives_as_long_as_its_client(grid: GridUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PATIENCE_S", 0.5)
    address = at(grid, "interface")
    with socket.create_connection(address, 30.0) as one, ExitStack() as held:
        one.sendall(upgrade("/messages/stream"))
        assert one.recv(4096).startswith(b"HTTP/1.1 101")
        time.sleep(1.0)
        for _ in range(connection.CONNECTIONS + 5):
            held.enter_context(socket.create_connection(address, 30.0))
        one.sendall(message(b"still here", opcode=9))
        assert one.recv(100) == b"\x8a\x0astill here", "its ping is answered, whoever else waits"


def test_bodies_that_are_refused_are_answered_however_long(grid: GridUnderTest) -> None:
    long = b"x" * 900_000
    for path, head, status in (
        (b"/set-points/busbar", b"Content-Type: application/json\r\n", b"413"),
        (b"/set-points/busbar", b"Content-Type: application/json\r\nContent-Encoding: gzip\r\n", b"413"),
        (b"/set-points/busbar", b"", b"415"),
        (b"/room/do", b"Content-Type: application/json\r\n", b"413"),
        (b"/nothing", b"", b"404"),
    ):
        for closes in (b"Connection: close\r\n", b""):
            size = f"Content-Length: {len(long)}\r\n\r\n".encode()
            asked = b"POST " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + closes + size + long
            again = b"" if closes else b"GET /clock HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
            said = answered(at(grid, "interface"), asked + again)
            assert said.split()[1] == status
            assert bool(again) == (b"is_paused" in said), "the next request of the connection is served"


def test_a_compressed_body_is_not_opened(grid: GridUnderTest) -> None:
    """What a bomb would be: 64 KB of it are no JSON, and nothing is inflated."""
    import gzip

    bomb = gzip.compress(b"0" * 50_000_000)[:LARGEST_BODY]
    said = answered(
        at(grid, "interface"),
        POST + f"Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: {len(bomb)}\r\n\r\n".encode() + bomb,
    )
    assert said.split()[1] == b"400" and b"no JSON" in said

"""Clients that hold connections and read nothing, or declare what they never send: each protocol bounds what they cost, and serves others meanwhile."""

from __future__ import annotations

import asyncio
import secrets
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from heptagrid.live import device_server, slices
from heptagrid.live.protocols.mqtt import adapter as mqtt_adapter
from heptagrid.scenario.schema import Scenario
from tests.live.served import Served, served
from tests.live.spoken import SPOKEN, call, message, upgrade
from tests.live.unharmed import footprint, unharmed

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="not run: devices have addresses of their own on Linux"),
    pytest.mark.long,
]
MOST_GROWN_MB = 24.0
"""What all attacks of one test may cost: some buffers of the greatest length, and what the allocator keeps."""
FLOOD_S = 60.0
CUT_OFF = ("iec104", "c37118", "dlms", "mqtt", "mms")
"""Protocols that cut a client off that does not read; others read nothing more of it, or both."""


@pytest.fixture(scope="module")
def grid(lane: Scenario) -> Iterator[Served]:
    with served(lane, dict.fromkeys(SPOKEN), is_ideal=True) as one:
        for name in SPOKEN:  # what is made at the first request is there
            asked(one, name)
        yield one


def protocol(grid: Served, name: str) -> Any:
    return next(one for one in grid.harness.run.protocols if one.name == name)


def connected(grid: Served, name: str, first: bool = True) -> socket.socket:
    link = socket.create_connection((SPOKEN[name].host, grid.ports[name]), 30.0)
    if first:
        link.sendall(SPOKEN[name].first)
    return link


def asked(grid: Served, name: str) -> None:
    """A well-behaved client is answered."""
    with connected(grid, name) as link:
        link.sendall(SPOKEN[name].again(0))
        assert link.recv(1000)


def test_bytes_one_by_one_are_understood(grid: Served) -> None:
    for name, one in SPOKEN.items():
        with connected(grid, name, first=False) as link:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in one.first + one.again(1):
                link.sendall(bytes((byte,)))
                time.sleep(0.0005)
            assert link.recv(1000), name


@pytest.mark.parametrize("name", [one for one in SPOKEN if one != "openadr"])
def test_what_comes_at_once_is_taken_a_slice_in_each_turn_of_the_loop(
    grid: Served, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenADR's server takes a request at a time."""
    monkeypatch.setattr(slices, "TURN_S", 0.0)
    taken, turn = Counter[int](), 0
    hand_on = slices.Slices._hand_on

    def counted(one: slices.Slices) -> None:
        before = one.waiting
        hand_on(one)
        taken[turn] += before - one.waiting

    async def count_turns(until: int) -> None:
        nonlocal turn
        while taken.total() < until:
            turn += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(slices.Slices, "_hand_on", counted)
    with connected(grid, name) as link:
        assert name in ("modbus", "dnp3", "c37118") or link.recv(1 << 16)
        many = b"".join(SPOKEN[name].again(k) for k in range(64 * 1024 // len(SPOKEN[name].again(0))))
        until = taken.total() + len(many)
        with ThreadPoolExecutor(2) as pool:
            reading, counting = pool.submit(_read_all, link), pool.submit(grid.call, lambda: count_turns(until))
            while not turn:
                time.sleep(0.001)
            link.sendall(many)
            counting.result(60.0)
            link.shutdown(socket.SHUT_RDWR)
            reading.result(30.0)
    del taken[0]  # before turns were counted
    assert max(taken.values()) <= 2 * slices.SLICE_BYTES, "the last of what waited, and the first of what came next"


def _read_all(link: socket.socket) -> None:
    with suppress(OSError):
        while link.recv(1 << 20):
            pass


@pytest.mark.parametrize("name", [one for one in SPOKEN if one not in ("openadr", "ocpp")])
def test_connections_beyond_the_bound_are_refused_and_the_others_served(
    grid: Served, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenADR's are in `test_http_connection`."""
    one = protocol(grid, name)
    if name == "mqtt":
        monkeypatch.setattr(mqtt_adapter, "MOST_CLIENTS", 100)
    else:
        monkeypatch.setattr((one._server if name == "modbus" else one).places, "most", 100)
    with unharmed(grid, MOST_GROWN_MB), ExitStack() as held:
        links = [held.enter_context(connected(grid, name, first=False)) for _ in range(160)]
        with suppress(ConnectionError):
            assert links[0].recv(100) == b"", "who has said nothing gives way"
        for link in links[60:]:
            link.sendall(SPOKEN[name].first.replace(b"greedy", secrets.token_hex(3).encode()) + SPOKEN[name].again(0))
        assert all(link.recv(1000) for link in links[60:])
        late = held.enter_context(connected(grid, name, first=False))
        with suppress(ConnectionError):
            assert late.recv(100) == b"", "who speaks keeps its place"
        word = "too many clients" if name == "mqtt" else "too many connections"
        assert grid.grid.counts[f"{name}: {word}"] == 61


def test_chargers_beyond_the_bound_are_refused(grid: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol(grid, "ocpp").csms.places, "most", 4)
    with unharmed(grid, MOST_GROWN_MB), ExitStack() as held:
        told = []
        for k in range(6):
            link = held.enter_context(connected(grid, "ocpp", first=False))
            link.sendall(upgrade(f"/vehicles-{k}", subprotocol="ocpp1.6"))
            told.append(link.recv(12)[9:12])
        assert told == [b"101"] * 4 + [b"503"] * 2
    assert grid.grid.counts["ocpp refused: too many connections"] == 2


def test_stations_of_one_identity_take_each_others_place(grid: Served) -> None:
    with unharmed(grid, MOST_GROWN_MB), ExitStack() as held:
        links = [held.enter_context(connected(grid, "ocpp")) for _ in range(1000)]
        csms = protocol(grid, "ocpp").csms
        until = time.monotonic() + 60.0
        while sum(one.protocol == "ocpp" for one in grid.grid.peers) > 1 and time.monotonic() < until:
            time.sleep(0.1)
        assert sum(one.protocol == "ocpp" for one in grid.grid.peers) == 1
        assert [one for one in csms.seats if one.startswith("vehicles-0")] == ["vehicles-0"]
        assert grid.grid.counts["ocpp connected anew"] >= 999
        assert sum(one.recv(12)[9:12] == b"101" for one in links) == 1000


@pytest.mark.parametrize("name", list(SPOKEN))
def test_a_client_that_reads_nothing_costs_little(grid: Served, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks as fast as it can until it is cut off, which is counted, or its own sending is held up, as the protocol has it."""
    monkeypatch.setattr(device_server, "MOST_UNREAD", 1 << 16)
    monkeypatch.setattr(mqtt_adapter, "_MOST_UNREAD", 1 << 16)
    before, word = footprint(grid).resident_mb, f"{name}: what was sent is not read"
    counted, is_cut, is_held, k = grid.grid.counts.get(word, 0), False, False, 0
    with socket.socket() as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect((SPOKEN[name].host, grid.ports[name]))
        link.settimeout(
            FLOOD_S if name in CUT_OFF else 4.0
        )  # while it answers what it has read, a server reads no more
        link.sendall(SPOKEN[name].first)
        until = time.monotonic() + FLOOD_S
        while not (is_cut or is_held) and time.monotonic() < until:
            try:
                link.sendall(b"".join(SPOKEN[name].again(k + j) for j in range(100)))
                k += 100
            except ConnectionError:
                is_cut = True
            except TimeoutError:
                is_held = True
        assert footprint(grid).resident_mb - before < MOST_GROWN_MB
        asked(grid, name)
    assert is_cut or is_held
    assert name not in CUT_OFF or (is_cut and grid.grid.counts[word] == counted + 1)
    assert footprint(grid).resident_mb - before < MOST_GROWN_MB


@pytest.mark.parametrize("name", list(SPOKEN))
def test_lengths_that_are_only_declared_cost_nothing(grid: Served, name: str) -> None:
    before, counted = footprint(grid), dict(grid.grid.counts)
    with ExitStack() as held:
        links = [held.enter_context(connected(grid, name)) for _ in range(50)]
        if name == "ocpp":
            links = [held.enter_context(connected(grid, name, first=False)) for _ in range(50)]
        for link in links:
            link.sendall(SPOKEN[name].huge)
        for _ in range(20):
            for link in links:
                with suppress(ConnectionError):
                    link.sendall(bytes(5000))
        asked(grid, name)
        assert footprint(grid).resident_mb - before.resident_mb < MOST_GROWN_MB
    until = time.monotonic() + 30.0
    while (after := footprint(grid)).peers > before.peers and time.monotonic() < until:
        time.sleep(0.1)
    assert after.peers <= before.peers
    assert grid.grid.counts != counted or name in ("ocpp", "c37118"), "counted, but for what is a matter of WebSocket"


def test_a_message_in_fragments_without_end_is_cut_off(grid: Served) -> None:
    before = footprint(grid).resident_mb
    with connected(grid, "ocpp") as link:
        with suppress(ConnectionError):
            link.sendall(message(b"[", is_final=False))
            for _ in range(2000):
                link.sendall(message(b" " * 10_000, opcode=0, is_final=False))
        received = b""
        with suppress(ConnectionError):
            while part := link.recv(65_536):
                received += part
    assert b"\x03\xf1" in received, "1009: too big"
    assert footprint(grid).resident_mb - before < MOST_GROWN_MB


def test_a_handshake_that_never_ends_is_given_up(grid: Served) -> None:
    with unharmed(grid, MOST_GROWN_MB, is_counted=False), ExitStack() as held:
        links = [held.enter_context(connected(grid, "ocpp", first=False)) for _ in range(300)]
        for link in links:
            link.sendall(b"GET /vehicles-0 HTTP/1.1\r\n")
        with connected(grid, "ocpp") as other:
            other.sendall(call(1))
            assert other.recv(1000)
        began = time.monotonic()
        for link in links:
            with suppress(ConnectionError):
                while link.recv(1000):
                    pass
        assert time.monotonic() - began < 20.0

"""Malformed Modbus: no crash, no leak, no effect on the grid, and each is counted or refused."""

from __future__ import annotations

import random
import socket
import struct
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from heptagrid.live.protocols.modbus.codec import framed
from heptagrid.live.protocols.modbus.layout import BASE
from heptagrid.scenario.schema import Scenario
from tests.live.modbus_client import Client, client
from tests.live.served import Served, served

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="not run: devices have addresses of their own on Linux")


@pytest.fixture(scope="module")
def grid(lane: Scenario) -> Iterator[Served]:
    with served(lane, {"modbus": None}, is_ideal=True) as one:
        yield one


def malformed(draw: random.Random) -> bytes:
    """A frame with something wrong in it."""
    transaction, unit = draw.randrange(65_536), draw.choice((0, 1, 2, 247, 255))
    kind = draw.randrange(7)
    if kind == 0:  # a function that is not served, or one cut short
        pdu = bytes((draw.choice((0, 1, 2, 5, 8, 15, 22, 24, 99, 127, 128, 255)),)) + draw.randbytes(draw.randrange(40))
    elif kind == 1:  # counts beyond what there is
        pdu = struct.pack(">BHH", draw.choice((3, 4)), draw.randrange(65_536), draw.choice((0, 126, 2000, 65_535)))
    elif kind == 2:  # addresses that nobody has
        pdu = struct.pack(">BHH", draw.choice((3, 4, 6)), draw.randrange(BASE), 1)
    elif kind == 3:  # writes with a byte count that does not fit
        pdu = struct.pack(">BHHB", 16, BASE + draw.randrange(600), draw.randrange(1, 124), draw.randrange(256))
        pdu += draw.randbytes(draw.randrange(11) * 2 + 1)
    elif kind == 4:  # writes into what cannot be written
        pdu = struct.pack(">BHH", 6, BASE + draw.randrange(70), draw.randrange(65_536))
    elif kind == 5:  # another protocol's header
        body = draw.randbytes(draw.randrange(1, 30))
        return struct.pack(">HHHB", transaction, draw.randrange(1, 65_536), len(body) + 1, unit) + body
    else:  # a length that no frame has
        length = draw.choice((0, 1, 255, 300, 65_535))
        return struct.pack(">HHHB", transaction, 0, length, unit) + draw.randbytes(draw.randrange(20))
    return framed(transaction, unit, pdu)


def send_malformed(grid: Served, frames: int, seed: int) -> int:
    """Send so many, each followed by a request that must be answered where the connection lives; how many connections ended."""
    draw, ended = random.Random(seed), 0
    good = framed(1, 1, struct.pack(">BHH", 3, BASE, 2))
    address = ("127.16.0.3", grid.ports["modbus"])
    link = socket.create_connection(address, 30.0)
    one = Client(link)
    for k in range(frames):
        bad = malformed(draw)
        try:
            one.send(bad + good)
            while True:
                _, _, pdu = one.take()
                if pdu == b"\x03\x04SunS":
                    break
                assert pdu[0] & 0x80, (k, bad.hex(), pdu.hex())
        except ConnectionError:
            ended += 1
            link.close()
            link = socket.create_connection(address, 30.0)
            one = Client(link)
    link.close()
    return ended


def check(grid: Served, frames: int) -> None:
    before = grid.grid.state
    orders = [
        one.orders.table.until_ns.copy() for one in grid.harness.run.engine.simulation.grid.customers.devices.values()
    ]
    ended = send_malformed(grid, frames, seed=16)
    counts = grid.grid.counts
    assert counts["modbus: malformed header"] == ended > frames / 20
    assert counts["modbus: frame of another protocol"] > frames / 20
    assert sum(counts.values()) > frames / 10
    after = [one.orders.table.until_ns for one in grid.harness.run.engine.simulation.grid.customers.devices.values()]
    assert all(np.array_equal(a, b) for a, b in zip(orders, after, strict=True)), "nobody was ordered anything"
    assert grid.grid.state is before
    with client(grid) as one:
        assert one.read(BASE, 2) == b"SunS"


def test_2_000_malformed_frames_do_no_harm(grid: Served) -> None:
    check(grid, 2_000)


@pytest.mark.slow
def test_100_000_malformed_frames_do_no_harm(lane: Scenario) -> None:
    with served(lane, {"modbus": None}, is_ideal=True) as grid:
        check(grid, 100_000)

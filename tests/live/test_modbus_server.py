"""The Modbus server over sockets: what it answers, what it refuses, and what public reports say that servers get wrong."""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from heptagrid.foundation.errors import UsageError
from heptagrid.live.certificates import Authority, Leaf
from heptagrid.live.protocol import Listening
from heptagrid.live.protocols.modbus.adapter import Modbus
from heptagrid.live.protocols.modbus.codec import framed
from heptagrid.live.protocols.modbus.layout import BASE
from heptagrid.live.protocols.modbus.meters import Loads
from heptagrid.live.tls import server_context
from heptagrid.scenario.schema import Scenario
from tests.live.modbus_client import METER, Client, Driver, client, power_kw, until
from tests.live.served import Served, served

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="not run: devices have addresses of their own on Linux")

UNIT, BATTERY, VEHICLE = "127.32.0.0", "127.48.0.0", "127.64.0.0"
SETTINGS = ("vehicles.share=1.0", "batteries.share=1.0", "gateways.enrolled_share=0.0")


@pytest.fixture(scope="module")
def grid(lane: Scenario) -> Iterator[Served]:
    with served(lane, {"modbus": None}, settings=SETTINGS, is_ideal=True) as one:
        yield one


def read_request(address: int, count: int, function: int = 3) -> bytes:
    return struct.pack(">BHH", function, address, count)


def test_every_device_says_who_it_is_at_its_own_address(grid: Served) -> None:
    for address, name in ((METER, "meters/3"), (UNIT, "local_units/0"), (BATTERY, "batteries/0")):
        with client(grid, address) as one:
            assert one.read(BASE, 4) == b"SunS" + struct.pack(">HH", 1, 66)
            assert one.read(BASE + 52, 16).rstrip(b"\0").decode() == name
            assert one.read(BASE, 4, function=4) == one.read(BASE, 4), "input registers are the same"


def test_at_127_0_0_1_devices_are_told_apart_by_unit(grid: Served) -> None:
    with client(grid, "127.0.0.1") as one:
        for unit, name in ((1, "meters/0"), (2, "local_units/0"), (3, "batteries/0"), (17, "meters/1")):
            response = one.ask(read_request(BASE + 52, 16), unit)
            assert response[2:].rstrip(b"\0").decode() == name
        assert one.ask(read_request(BASE, 2), 255) == b"\x83\x0b", "a gateway says that the target is silent"
        assert one.ask(read_request(BASE, 2), 0) == b"\x83\x0b"


@pytest.mark.parametrize("unit", [0, 1, 255])
def test_at_its_own_address_a_device_answers_to_the_usual_units(grid: Served, unit: int) -> None:
    with client(grid) as one:
        assert one.ask(read_request(BASE, 2), unit)[2:] == b"SunS"


def test_at_its_own_address_other_units_find_nobody(grid: Served) -> None:
    with client(grid) as one:
        assert one.ask(read_request(BASE, 2), 2) == b"\x83\x0b"


@pytest.mark.parametrize(
    ("pdu", "response"),
    [
        (read_request(BASE, 0), "8303"),
        (read_request(BASE, 126), "8303"),
        (read_request(BASE, 125), None),
        (read_request(0, 2), "8302"),
        (read_request(50_000, 2), "8302"),
        (read_request(65_535, 125), "8302"),
        (read_request(BASE - 1, 4, 4), "8402"),
        (b"\x01\x00\x00\x00\x01", "8101"),
        (b"\x05\x9c\x40\xff\x00", "8501"),
        (b"\x14\x00", "9401"),
        (b"\x64", "e401"),
        (b"\x03", "8303"),
        (b"\x2b\x0d\x01\x00", "ab01"),
        (b"\x2b\x0e\x07\x00", "ab03"),
        (b"\x06\x9c\x40\x00\x01", "8602"),
        (struct.pack(">BHHBH", 16, BASE + 70, 1, 2, 5), "9002"),
        (struct.pack(">BHHBH", 16, 9, 1, 2, 5), "9002"),
        (struct.pack(">BHHHHBH", 23, BASE, 0, BASE, 1, 2, 5), "9703"),
    ],
)
def test_requests_that_cannot_be_done_get_their_exception(grid: Served, pdu: bytes, response: str | None) -> None:
    with client(grid) as one:
        answer = one.ask(pdu)
        assert answer.hex() == response if response else answer[0] == pdu[0]


def test_the_end_model_ends_the_registers(grid: Served) -> None:
    with client(grid) as one:
        end = BASE + 2 + 68 + 107
        assert one.read(end, 2) == b"\xff\xff\x00\x00"
        assert one.ask(read_request(end, 3)) == b"\x83\x02"
        assert one.ask(read_request(end + 2, 1)) == b"\x83\x02"


def test_identification_names_the_device(grid: Served) -> None:
    with client(grid, BATTERY) as one:
        response = one.ask(bytes((43, 14, 4, 6)))
        assert response.endswith(b"\x06\x0bbatteries/0")
        assert one.ask(bytes((43, 14, 1, 0)))[6] == 3


def test_a_wallbox_draws_no_more_than_its_limit(grid: Served) -> None:
    row = int(np.flatnonzero(grid.grid.state.devices["vehicles"].power_kw > 5.0)[0])
    box = Driver(grid, f"127.64.0.{row}", Loads)
    assert box.write("704.WMaxLimPctEna", 1, 2500)[0] == 16
    most_kw = 0.25 * grid.grid.inventory.device(f"vehicles/{row}").rated_kw
    assert until(grid, lambda: power_kw(grid, "vehicles", row) <= most_kw + 1e-9, 60.0)
    assert box.raw("203.W") <= 1000.0 * most_kw + 1.0


# What follows was reported of servers, clients and gateways in public.


def test_requests_in_one_segment_are_each_answered_in_their_order(grid: Served) -> None:
    """pymodbus 1949: of several frames in one segment the first alone was seen."""
    with client(grid) as one:
        one.send(b"".join(framed(k, 1, read_request(BASE + k % 60, 1)) for k in range(500)))
        assert [one.take()[0] for _ in range(500)] == list(range(500))


def test_a_request_in_pieces_is_answered_once_it_is_whole(grid: Served) -> None:
    """pymodbus 28: frames in pieces were dropped."""
    with client(grid) as one:
        for byte in framed(9, 1, read_request(BASE, 2)):
            one.send(bytes((byte,)))
        assert one.take() == (9, 1, b"\x03\x04SunS")


@pytest.mark.parametrize("transaction", [0, 255, 256, 65_535])
def test_a_transaction_number_is_copied_into_answers_and_exceptions(grid: Served, transaction: int) -> None:
    """pymodbus 256 and 2709, nmodbus 39, node-modbus-tcp 21: numbers above 255, of 0, and of exceptions came back wrong."""
    with client(grid) as one:
        for count in (2, 0):
            one.send(framed(transaction, 1, read_request(BASE, count)))
            assert one.take()[0] == transaction


def test_a_part_of_a_point_and_any_run_of_registers_can_be_read(grid: Served) -> None:
    """pysunspec2 36 and 89: an inverter refused reads that began or ended within a point, which scans do."""
    with client(grid, UNIT) as one:
        whole = b"".join(one.read(BASE + at, 100) for at in range(0, 600, 100))
        for at, count in ((0, 3), (3, 1), (71, 125), (555, 3), (97, 2)):
            assert one.read(BASE + at, count) == whole[2 * at : 2 * (at + count)]


def test_lengths_in_the_registers_are_those_of_the_models(grid: Served) -> None:
    """ha-sunspec 203: a length that did not fit the modules that follow broke the scan."""
    for address in (METER, UNIT, BATTERY, VEHICLE):
        with client(grid, address) as one:
            at, models = BASE + 2, []
            while (head := struct.unpack(">HH", one.read(at, 2)))[0] != 0xFFFF:
                models.append(head[0])
                at += 2 + head[1]
            assert models[0] == 1 and len(models) == len(set(models)) >= 2


def test_scale_factors_stay_as_they_are_while_values_change(grid: Served) -> None:
    """solaredge-modbus-multi and others: factors that change between two reads give values that are ten times too high."""
    with client(grid, UNIT) as one:
        before = one.read(BASE + 70 + 6, 1) + one.read(BASE + 70 + 15, 1)
        grid.advance(1800.0)
        assert one.read(BASE + 70 + 6, 1) + one.read(BASE + 70 + 15, 1) == before


def test_a_point_that_is_not_there_holds_its_types_own_nothing(grid: Served) -> None:
    """fronius_modbus 94: a client took 65535 for a power; here nothing is 0xFFFF, 0x8000 or 0, as the type says."""
    with client(grid, UNIT) as one:
        model = BASE + 70
        assert one.read(model + 33, 1) == b"\x80\x00", "no temperature"
        assert one.read(model + 27, 1) == b"\xff\xff", "no current on the direct side"
        assert one.read(model + 28, 1) == b"\x80\x00", "and no scale factor of it"


def test_another_protocols_frame_gets_no_answer_and_the_next_request_does(grid: Served) -> None:
    before = grid.grid.counts.get("modbus: frame of another protocol", 0)
    with client(grid) as one:
        one.send(struct.pack(">HHHB", 1, 99, 6, 1) + read_request(BASE, 2) + framed(2, 1, read_request(BASE, 2)))
        assert one.take()[0] == 2
    assert grid.grid.counts["modbus: frame of another protocol"] == before + 1


@pytest.mark.parametrize("length", [0, 1, 255, 0xFFFF])
def test_a_header_with_an_impossible_length_ends_the_connection(grid: Served, length: int) -> None:
    with client(grid) as one:
        one.send(struct.pack(">HHHB", 1, 0, length, 1))
        assert one.link.recv(10) == b""
    with client(grid) as other:
        assert other.read(BASE, 2) == b"SunS"


def test_other_protocols_on_the_port_are_no_harm(grid: Served) -> None:
    with client(grid) as one:
        one.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert one.link.recv(10) == b""


def test_a_client_that_does_not_read_does_not_stop_the_others(grid: Served) -> None:
    with client(grid) as silent, client(grid) as one:
        silent.link.settimeout(0.2)
        with pytest.raises(TimeoutError):
            silent.send(framed(1, 1, read_request(BASE, 125)) * 1_000_000)
        assert one.read(BASE, 2) == b"SunS"


def test_peers_come_and_go(grid: Served) -> None:
    with client(grid) as one:
        one.read(BASE, 2)
        (peer,) = [peer for peer in grid.grid.peers if peer.address.endswith(f":{one.link.getsockname()[1]}")]
        assert (peer.protocol, peer.device, peer.role, peer.frames) == ("modbus", "meters/3", "operations", 2)
    deadline = time.monotonic() + 10.0
    while peer in grid.grid.peers and time.monotonic() < deadline:
        time.sleep(0.01)
    assert peer not in grid.grid.peers


def test_elsewhere_than_on_loopback_it_is_served_to_clients_with_a_certificate_alone(
    grid: Served, tmp_path: Path
) -> None:
    authority = Authority.of(tmp_path)
    server, mine = (authority.sign(Leaf(name, kind)) for name, kind in (("127.0.0.1", "server"), ("scada", "client")))
    anybody, mutual = (server_context(server.certificate, server.key, ca) for ca in (None, tmp_path / "ca.pem"))
    for tls in (None, anybody):
        with pytest.raises(UsageError, match="certificate"):
            grid.call(lambda tls=tls: Modbus(grid.grid, None).start(Listening("0.0.0.0", 0, tls)))
    modbus = Modbus(grid.grid, None)
    grid.call(lambda: modbus.start(Listening("127.0.0.1", 0, mutual)))
    try:
        context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        with pytest.raises((ConnectionError, ssl.SSLError)):
            mark_over(context, modbus.listens_on)
        context.load_cert_chain(mine.certificate, mine.key)
        assert mark_over(context, modbus.listens_on) == b"SunS"
    finally:
        grid.call(modbus.stop)


def mark_over(context: ssl.SSLContext, port: int) -> bytes:
    """The first registers of the first meter, over TLS."""
    with (
        socket.create_connection(("127.0.0.1", port), 10.0) as link,
        context.wrap_socket(link, server_hostname="127.0.0.1") as secure,
    ):
        return Client(secure).ask(read_request(BASE, 2), 1)[2:]

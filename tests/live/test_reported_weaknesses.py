"""What was reported of other programs of these protocols, tried on ours: each report's own bytes where it has them."""

from __future__ import annotations

import base64
import socket
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from heptagrid.live.protocols.dnp3.application import Function
from heptagrid.live.protocols.iec104 import apci
from heptagrid.live.protocols.modbus.codec import framed
from heptagrid.live.protocols.modbus.layout import BASE
from heptagrid.scenario.schema import Scenario
from heptagrid.testing import GridUnderTest, live_grid
from tests.live.dnp3_master import request
from tests.live.malformed import STATION
from tests.live.served import Served, served
from tests.live.spoken import SPOKEN, fragments, message, upgrade
from tests.live.test_mqtt_broker import connect, subscribe
from tests.live.test_ocpp_chargers import Bench
from tests.live.unharmed import footprint

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="not run: devices have addresses of their own on Linux"),
    pytest.mark.long,
]


@pytest.fixture(scope="module")
def grid(lane: Scenario) -> Iterator[Served]:
    with served(lane, dict.fromkeys(SPOKEN), is_ideal=True) as one:
        yield one


@pytest.fixture(scope="module")
def interface() -> Iterator[GridUnderTest]:
    with live_grid("lane") as grid:
        yield grid


def said(grid: Served, name: str, sent: bytes, wait_s: float = 10.0) -> bytes:
    """What is answered to bytes, until the server ends the connection or has nothing more to say."""
    with socket.create_connection((SPOKEN[name].host, grid.ports[name]), wait_s) as link:
        link.sendall(sent)
        link.shutdown(socket.SHUT_WR)
        found = b""
        try:
            while part := link.recv(65_536):
                found += part
        except ConnectionError:
            return found
        return found


@pytest.mark.parametrize(
    "sent",
    [
        bytes.fromhex("03DD00000005FF17020000"),  # libmodbus 614: function 23 that ends after its first address
        base64.b64decode("A90AAAAN/xcBYgABAGoAAQLXEQ=="),  # libmodbus 612: writing and reading beyond what is mapped
        framed(1, 1, b"\x07"),  # libmodbus 837: functions without an address
        framed(1, 1, b"\x11"),
        framed(1, 1, struct.pack(">BHHHHB", 23, BASE, 1, BASE, 2, 4)),  # freemodbus 72: four bytes that do not come
        framed(
            1, 1, struct.pack(">BHHB", 16, BASE, 123, 2) + b"\x00\x01"
        ),  # CVE-2019-14462: fewer bytes than registers
        framed(1, 1, struct.pack(">BHHB", 15, 0, 2000, 1) + b"\x01"),
    ],
)
def test_modbus_requests_that_end_too_early(grid: Served, sent: bytes) -> None:
    answer = said(grid, "modbus", sent + SPOKEN["modbus"].again(7))
    assert answer[7] == sent[7] | 0x80, "an exception"
    assert answer[9:11] == b"\x00\x07" and b"SunS" in answer, "and the next request is served"


@pytest.mark.parametrize(
    "body",
    [
        bytes.fromhex("018203000100"),  # lib60870 200: a sequence of two without its first address
        bytes.fromhex("018203000100010000"),
        bytes.fromhex("018003000100010000"),  # none at all
        bytes.fromhex("64ff06000100000000"),  # 127 in sequence, where one may be
        bytes.fromhex("7f0106000100"),  # a type for files
    ],
)
def test_asdus_that_are_shorter_than_they_say(grid: Served, body: bytes) -> None:
    body = body[:4] + STATION.to_bytes(2, "little") + body[6:]
    before = sum(grid.grid.counts.values())
    frame = bytes((0x68, 4 + len(body))) + bytes(4) + body
    answer = said(
        grid, "iec104", SPOKEN["iec104"].first + frame + apci.encode(apci.Unnumbered(apci.Function.TESTFR_ACT))
    )
    assert bytes.fromhex("680483000000") in answer, "the connection lives: its test is confirmed"
    assert sum(grid.grid.counts.values()) > before


@pytest.mark.parametrize(
    "objects",
    [
        bytes((30, 1, 0x02)) + struct.pack("<II", 0, 0xFFFFFFFF),  # Crain and Sistrunk (2013): all numbers of 32 bits
        bytes((1, 1, 0x09)) + struct.pack("<I", 0xFFFFFFFF),
        bytes((12, 1, 0x39)) + struct.pack("<I", 0xFFFFFFFF),
        bytes((30, 1, 0x01)) + struct.pack("<HH", 0xFFFF, 0),  # from the last to the first
        bytes((60, 2, 0x08)) + struct.pack("<H", 0xFFFF),
        bytes((110, 255, 0x5B, 1)) + b"\xff\xff",
    ],
)
def test_dnp3_ranges_that_have_no_end(grid: Served, objects: bytes) -> None:
    began = time.monotonic()
    for function in (Function.READ, Function.WRITE, Function.DIRECT_OPERATE, Function.IMMED_FREEZE):
        said(grid, "dnp3", fragments(STATION, request(1, function, objects)))
    assert said(grid, "dnp3", SPOKEN["dnp3"].again(2))
    assert time.monotonic() - began < 8.0, "four thousand million objects are not walked through"


def test_mqtt_packets_that_brought_brokers_down(grid: Served) -> None:
    def refused(sent: bytes) -> bool:
        before = grid.grid.counts.get("mqtt: malformed", 0)
        said(grid, "mqtt", sent)
        return bool(grid.grid.counts.get("mqtt: malformed", 0) == before + 1)

    assert refused(connect() + bytes.fromhex("30020000"))  # CVE-2021-34432: a topic of no letters
    assert refused(b"\x30\xff\xff\xff\x7f" + bytes(100))  # CVE-2023-0809: a long first packet that is no connect
    assert refused(
        connect() + b"\x34\x05\x00\x01a\x00\x01" * 100
    )  # CVE-2023-28366: quality 2, the same number again and again
    filter_name = b"/" * 65_400  # CVE-2019-11779: levels without end
    body = b"\x00\x07" + len(filter_name).to_bytes(2, "big") + filter_name + b"\x00"
    size = bytes((len(body) & 0x7F | 0x80, len(body) >> 7 & 0x7F | 0x80, len(body) >> 14))
    assert said(grid, "mqtt", connect() + b"\x82" + size + body).endswith(b"\x90\x03\x00\x07\x80")


def test_a_long_keep_alive_keeps_nobody_out(grid: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2020-13849 (SlowITe): clients say that they will be silent for 18 hours, until there is no place for others."""
    from heptagrid.live.protocols.mqtt import adapter

    monkeypatch.setattr(adapter, "MOST_CLIENTS", 50)
    held = []
    try:
        for k in range(60):
            link = socket.create_connection(("127.0.0.1", grid.ports["mqtt"]), 10.0)
            link.sendall(connect(f"slow{k}", keep_alive_s=65_535 if k % 2 else 0))
            assert link.recv(4) == b"\x20\x02\x00\x00"
            held.append(link)
        assert said(grid, "mqtt", connect("well") + subscribe("a")).endswith(b"\x90\x03\x00\x07\x00")
    finally:
        for link in held:
            link.close()


def test_no_charger_ends_the_transaction_of_another() -> None:
    """Reported of SteVe 1296: numbers of transactions can be guessed, and a charger ended those of others with them."""
    one, other = Bench("1.6"), Bench("1.6")
    number = one.start()
    one.read(3600, transactionId=number)
    for guessed in range(number - 2, number + 3):
        stop = {"transactionId": guessed, "meterStop": 60, "timestamp": "2026-08-04T12:05:00Z", "idTag": "CARD"}
        other.say("StopTransaction", stop)
    assert one.charger.drawn_kw == 3.6 and one.charger.has_transaction
    assert other.counted.count("end of an unknown transaction") == 5


def test_lengths_of_nothing_end_no_loop(grid: Served) -> None:
    """Reported of opcua-asyncio 1013: a packet of size 0 was read again and again."""
    began = time.monotonic()
    for name, sent in {
        "modbus": bytes(7) * 10,
        "iec104": b"\x68\x00" * 50,
        "dnp3": b"\x05\x64\x00\x00\x00\x00\x00\x00\x00\x00" * 20,
        "c37118": b"\xaa\x41\x00\x00" * 20,
        "dlms": b"\x00\x01\x00\x01\x00\x13\x00\x00" * 20,
        "mqtt": b"\x00\x00" * 20,
    }.items():
        before = sum(grid.grid.counts.values())
        said(grid, name, sent)
        assert sum(grid.grid.counts.values()) > before, name
    assert time.monotonic() - began < 8.0


def http(interface: GridUnderTest, sent: bytes) -> bytes:
    at = urlsplit(interface.url)
    with socket.create_connection((at.hostname or "", at.port or 0), 10.0) as link:
        link.sendall(sent)
        found = b""
        while part := link.recv(65_536):
            found += part
        return found


def test_nothing_of_a_path_gets_into_headers_or_the_log(
    interface: GridUnderTest, capfd: pytest.CaptureFixture[str]
) -> None:
    """CVE-2020-7694 and CVE-2020-7695, of uvicorn."""
    for target in (
        b"/foo%0d%0ahuntr:%20dev",
        b"/?token=x%0d%0ahuntr:%20dev",
        b"/%1b[2J%1b[31mred",
        b"/devices?zz=%0d%0ahuntr:1",
    ):
        answer = http(interface, b"GET " + target + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        head = answer.partition(b"\r\n\r\n")[0].lower()
        assert answer.startswith(b"HTTP/1.1 ") and b"\r\nhuntr" not in head and b"\x1b" not in answer
    told = capfd.readouterr()
    assert "\x1b" not in told.out + told.err and "huntr" not in told.out + told.err


@pytest.mark.parametrize(
    "body",
    [
        b"2\r\n{}XX0\r\n\r\n",
        b"2\r\n{}\n\n0\r\n\r\n",
        b"2;x\n{}\r\n0\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
    ],
)
def test_chunks_that_another_server_would_end_elsewhere_are_refused(interface: GridUnderTest, body: bytes) -> None:
    """CVE-2025-43859, of h11: whatever stood where a chunk's line ends was taken for it."""
    head = b"POST /clock HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    before = interface.client.clock()
    answer = http(interface, head + body + b"GET /state HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ") and b"HTTP/1.1 200" not in answer
    assert interface.client.clock() == before


def test_a_small_message_that_unpacks_to_a_large_one_is_cut_off(interface: GridUnderTest, grid: Served) -> None:
    """CVE-2018-1000518, of websockets: compression made 4 MB of 4 kB, before the size was looked at."""
    packer = zlib.compressobj(9, wbits=-12)
    bomb = packer.compress(bytes(50_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH)
    at, before = urlsplit(interface.url), footprint(grid).resident_mb
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=12\r\n"
    with socket.create_connection((at.hostname or "", at.port or 0), 10.0) as link:
        link.sendall(upgrade("/messages/stream", headers=offer))
        assert b"permessage-deflate" in link.recv(4096)
        link.sendall(message(bomb.removesuffix(b"\0\0\xff\xff"), reserved=4))
        found = b""
        while part := link.recv(65_536):
            found += part
    assert b"\x03\xf1" in found, "1009: too big"
    assert footprint(grid).resident_mb - before < 20.0
    assert interface.client.clock().is_paused

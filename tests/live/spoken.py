"""What a client of each protocol says first, and what it may ask again and again; as bytes, for plain sockets."""

from __future__ import annotations

import base64
import json
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass

from heptagrid.live.inventory import PRIMARIES
from heptagrid.live.protocols.c37118 import frames as c37118
from heptagrid.live.protocols.dlms.wrapper import wrap
from heptagrid.live.protocols.dnp3.application import Function
from heptagrid.live.protocols.dnp3.link import LinkFrame, Primary
from heptagrid.live.protocols.dnp3.link import encode as linked
from heptagrid.live.protocols.dnp3.transport import Segments
from heptagrid.live.protocols.iec104 import apci
from heptagrid.live.protocols.mms.ber import encoded
from heptagrid.live.protocols.mms.pdu import Service
from heptagrid.live.protocols.modbus.codec import framed
from heptagrid.live.protocols.modbus.layout import BASE
from heptagrid.live.stations.points import FIRST
from tests.live.dlms_client import REGISTER, aarq
from tests.live.dnp3_master import INTEGRITY, request
from tests.live.mms_client import variables
from tests.live.test_mms_fuzz import BEGIN
from tests.live.test_mms_fuzz import asked as mms_request
from tests.live.test_mqtt_broker import connect, subscribe

METER = 19
"""The logical device of meters/3 at the address of all meters."""


@dataclass(frozen=True)
class Spoken:
    """host: where it listens. first: what a client says first. again: a request that is answered each time, by its number. huge: a beginning that declares the greatest length that there is."""

    host: str
    first: bytes
    again: Callable[[int], bytes]
    huge: bytes


def fragments(station: int, fragment: bytes) -> bytes:
    """A fragment of DNP3 from master 100 to a station, in frames."""
    return b"".join(
        linked(LinkFrame(Primary.DATA, station, 100, segment, True, True)) for segment in Segments().of(fragment)
    )


def upgrade(path: str, *, subprotocol: str = "", headers: str = "") -> bytes:
    """A WebSocket's handshake."""
    key = base64.b64encode(os.urandom(16)).decode()
    chosen = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{chosen}{headers}\r\n"
    ).encode()


def message(payload: bytes, *, opcode: int = 1, is_final: bool = True, reserved: int = 0) -> bytes:
    """A client's frame of a WebSocket, with a mask that changes nothing."""
    size = len(payload)
    if size < 126:
        length = bytes((0x80 | size,))
    else:
        length = b"\xfe" + struct.pack(">H", size) if size <= 0xFFFF else b"\xff" + struct.pack(">Q", size)
    return bytes((0x80 * is_final | reserved << 4 | opcode,)) + length + bytes(4) + payload


def call(number: int) -> bytes:
    """A heartbeat of OCPP."""
    return message(json.dumps([2, str(number), "Heartbeat", {}]).encode())


def _http(number: int) -> bytes:
    return f"GET /openadr3/3.1.0/programs?skip={number % 7} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


SPOKEN = {
    "modbus": Spoken(
        "127.16.0.3",
        b"",
        lambda k: framed(k & 0xFFFF, 1, struct.pack(">BHH", 3, BASE, 60)),
        b"\x00\x01\x00\x00\xff\xff\x01",
    ),
    "iec104": Spoken(
        "127.0.0.1",
        apci.encode(apci.Unnumbered(apci.Function.STARTDT_ACT)),
        lambda k: apci.encode(apci.Unnumbered(apci.Function.TESTFR_ACT)),
        b"\x68\xff",
    ),
    "dnp3": Spoken(
        "127.0.0.1",
        b"",
        lambda k: fragments(FIRST[PRIMARIES], request(k % 16, Function.READ, INTEGRITY)),
        b"\x05\x64\xff\xc4",
    ),
    "c37118": Spoken(
        "127.0.0.1", b"", lambda k: c37118.command(1, c37118.Command.SEND_CONFIGURATION_2, 0), b"\xaa\x41\xff\xff"
    ),
    "mms": Spoken(
        "127.0.0.1",
        b"".join(BEGIN),
        lambda k: mms_request(Service.READ, encoded(0xA1, variables("PRI0LD0/MMXU1$MX")), invoked=k),
        b"\x03\x00\xff\xff\x02",
    ),
    "dlms": Spoken(
        "127.0.0.1",
        wrap(1, METER, aarq()),
        lambda k: wrap(1, METER, REGISTER),
        b"\x00\x01\x00\x01\x00\x13\xff\xff",
    ),
    "mqtt": Spoken(
        "127.0.0.1", connect("greedy") + subscribe("#"), lambda k: b"\xc0\x00" * 20, b"\x32\xff\xff\xff\x7f"
    ),
    "ocpp": Spoken(
        "127.0.0.1",
        upgrade("/vehicles-0", subprotocol="ocpp1.6"),
        call,
        upgrade("/vehicles-1", subprotocol="ocpp1.6") + b"\x81\xff" + b"\x7f" + b"\xff" * 7 + bytes(4),
    ),
    "openadr": Spoken(
        "127.0.0.1",
        b"",
        _http,
        b"POST /openadr3/3.1.0/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999999999999999\r\n\r\n",
    ),
}
"""What is spoken without TLS."""

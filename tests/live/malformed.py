"""Malformed frames of each protocol from a seeded generator, as what a client sends over one connection.

None of them is a command that could be carried out: where frames command, they name points that there are not, so that not even turned bits make one that is right.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from heptagrid.live.inventory import PRIMARIES
from heptagrid.live.protocols.dlms.wrapper import wrap
from heptagrid.live.protocols.dnp3.application import Function
from heptagrid.live.protocols.iec104.elements import Type
from heptagrid.live.protocols.mms import pdu as mms
from heptagrid.live.protocols.mms.ber import encoded, integer
from heptagrid.live.protocols.mms.pdu import Service
from heptagrid.live.protocols.mqtt import packets
from heptagrid.live.protocols.mqtt.packets import Message
from heptagrid.live.stations.points import FIRST
from tests.live.damage import damaged
from tests.live.dlms_client import REGISTER, aarq, get, target
from tests.live.dnp3_master import CLOSE, INTEGRITY, relay, request, set_point
from tests.live.spoken import METER, SPOKEN, call, message
from tests.live.test_c37118 import damaged_frame
from tests.live.test_dnp3_fuzz import malformed_frames
from tests.live.test_iec104_fuzz import activation, malformed_bytes
from tests.live.test_mms_controls import command
from tests.live.test_mms_fuzz import asked as mms_request
from tests.live.test_modbus_fuzz import malformed as modbus_frame
from tests.live.test_mqtt_broker import connect, subscribe, text
from tests.live.test_ocpp_frames import malformed_text

Random = random.Random
Made = Callable[[Random], bytes]


@dataclass(frozen=True)
class Malformed:
    """first: what a client says before. made: a frame after which a connection lives; last: one that may end it; many: how many of the former go before one of the latter.

    probe: a request that is answered after each of the former, and what its answer has in it; None where they are taken without an answer.
    """

    made: Made
    last: Made
    many: int = 0
    first: bytes = b""
    probe: tuple[bytes, bytes] | None = None


def _one_of(sound: Sequence[bytes]) -> Made:
    return lambda draw: damaged(draw, draw.choice(sound))


STATION = FIRST[PRIMARIES]
PROBE = 7_777_777
_NOBODYS = 255  # a point that no station has, many bits away from those that there are
_DNP3 = [
    request(0, Function.READ, INTEGRITY),
    request(0, Function.CONFIRM),
    request(0, Function.SELECT, relay(_NOBODYS, CLOSE)),
    request(1, Function.OPERATE, relay(_NOBODYS, CLOSE)),
    request(2, Function.DIRECT_OPERATE, set_point(_NOBODYS, 20.0)),
    request(4, Function.WRITE, bytes((50, 1, 7, 1)) + bytes(6)),
]
_IEC104 = [
    activation(type, _NOBODYS << 16 | 0xFFFF if address else 0, value, STATION)
    for type, address, value in ((Type.C_IC_NA_1, 0, 0), (Type.C_SE_NC_1, 1, 20.0), (Type.C_DC_NA_1, 1, 2))
]
_DLMS = [
    aarq(),
    aarq(mechanism=5, value=bytes(16), title=b"TST\0\0\0\0\1"),
    REGISTER,
    get(7, "1.0.99.1.0.255", 2),
    b"\xc3\x01\xc1" + target(70, "0.0.96.3.10.255", 1) + b"\x01\x0f\x00",
    b"\xdb\x08TST\0\0\0\0\1\x16\x30" + bytes(21),
]
_NOWHERE = mms.domain_name("NOWHERE_AT_ALL", "CSWI1$CO$Pos$Oper")
_MMS = [
    mms_request(Service.NAMES, encoded(0xA0, integer(0x80, 0)), encoded(0xA1, b"\x81\x07PRI0LD0")),
    mms_request(Service.ATTRIBUTES, encoded(0xA0, mms.domain_name("PRI0LD0", "MMXU1"))),
    mms_request(Service.READ, encoded(0xA1, mms.listed(_NOWHERE, mms.domain_name("SUB0LD0", "LLN0")))),
    mms_request(Service.WRITE, mms.listed(_NOWHERE), encoded(0xA0, command(False))),
    mms_request(Service.LIST_ATTRIBUTES, mms.domain_name("SUB0LD0", "LLN0$Status")),
]
_MQTT = [
    connect(),
    connect("w", flags=0x2E, rest=text("heptagrid/vehicles/0/power_kw") + text("9")),
    connect() + subscribe("a/+/#"),
    connect() + packets.publish(Message("heptagrid/vehicles/0/set", b'{"power_kw": "x"}', 1), 3),
    connect() + packets.publish(Message("spBv1.0/heptagrid/DDATA/substation-0/vehicles-0", b"\x08\x01", 1), 3),
    connect() + b"\xc0\x00\xe0\x00",
]
_HTTP = [
    f"{method} /openadr3/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\n"
    f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    for method, path, body in (
        ("GET", "3.1.0/events?skip=0&limit=10", ""),
        ("POST", "3.1.0/events", '{"programID": "x", "intervals": [{"id": 0, "payloads": []}]}'),
        ("PUT", "3.0.1/vens/1", '{"venName": "x"}'),
        ("DELETE", "3.0.1/programs/1", ""),
        ("POST", "../auth/token", "grant_type=client_credentials&client_id=bl&client_secret=x"),
    )
]


def _iec104(draw: Random) -> bytes:
    return malformed_bytes(draw, _IEC104)


def _dnp3(draw: Random) -> bytes:
    return malformed_frames(draw, _DNP3, STATION)


def _wrapped(draw: Random) -> bytes:
    return wrap(draw.choice((1, 16, draw.randrange(65_536))), METER, damaged(draw, draw.choice(_DLMS)) or b"\x00")


def _ocpp(draw: Random) -> bytes:
    said = malformed_text(draw.randrange(1 << 30))
    if isinstance(said, bytes):
        return message(said, opcode=2)
    for name, other in _BELIEVED.items():
        said = said.replace(name, other)
    return message(said.encode())


_BELIEVED = {"MeterValues": "Authorize", "StartTransaction": "DataTransfer", "StatusNotification": "BootNotification"}
"""Calls by which a charger takes a vehicle's place, and what their payloads are sent as instead."""


def _ocpp_last(draw: Random) -> bytes:
    """What is no WebSocket frame, or none that may be sent."""
    sound = message(
        json.dumps([2, "1", "Heartbeat", {}]).encode(), opcode=draw.randrange(16), reserved=draw.randrange(8)
    )
    return damaged(draw, sound)


def _modbus(draw: Random) -> bytes:
    while (frame := modbus_frame(draw))[2:4] != b"\x00\x00" or frame[4:6] in _ENDS:
        pass
    return frame


_ENDS = [length.to_bytes(2, "big") for length in (0, 1, 255, 300, 65_535)]
MALFORMED = {
    "modbus": Malformed(_modbus, modbus_frame, 9),
    "iec104": Malformed(_iec104, _iec104, first=SPOKEN["iec104"].first),
    "dnp3": Malformed(_dnp3, _dnp3, 9),
    "c37118": Malformed(damaged_frame, damaged_frame),
    "dlms": Malformed(_wrapped, lambda draw: damaged(draw, _wrapped(draw)), 9, SPOKEN["dlms"].first),
    "mms": Malformed(_one_of(_MMS), _one_of(_MMS), first=SPOKEN["mms"].first),
    "mqtt": Malformed(_one_of(_MQTT), _one_of(_MQTT)),
    "ocpp": Malformed(_ocpp, _ocpp_last, 9, SPOKEN["ocpp"].first, (call(PROBE), f'"{PROBE}"'.encode())),
    "openadr": Malformed(_one_of(_HTTP), _one_of(_HTTP)),
}

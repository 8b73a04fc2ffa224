"""A client on dlms-cosem 21.3.2, run as a program of its own: HOST PORT SERVER LEVEL FIRST_COUNTER; it tells as JSON what it read."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta, timezone

from dlms_cosem import cosem, enumerations, utils
from dlms_cosem.clients.dlms_client import DlmsClient
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import RangeDescriptor
from dlms_cosem.parsers import AssociationObjectListParser, ProfileGenericBufferParser
from dlms_cosem.time import datetime_from_bytes, datetime_to_bytes

KEYS = {
    "encryption_key": bytes.fromhex("000102030405060708090A0B0C0D0E0F"),
    "authentication_key": bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"),
}
LEVELS = {
    "none": {},
    "password": {"authentication_method": enumerations.AuthenticationMechanism.LLS, "password": b"12345678"},
    "ciphered": KEYS,
    "gmac": {"authentication_method": enumerations.AuthenticationMechanism.HLS_GMAC, **KEYS},
}
CLOCK, REGISTER, PROFILE, DATA = 8, 3, 7, 1


def attribute(interface: int, name: str, number: int) -> cosem.CosemAttribute:
    return cosem.CosemAttribute(enumerations.CosemInterface(interface), cosem.Obis.from_string(name), number)


def client_of(host: str, port: int, server: int, level: str, first: int) -> DlmsClient:
    return DlmsClient.with_tcp_transport(
        host=host,
        port=port,
        client_logical_address=1,
        server_logical_address=server,
        client_initial_invocation_counter=first,
        client_system_title=b"TST\x00\x00\x00\x00\x01",
        timeout=60,
        **LEVELS[level],
    )


def read(client: DlmsClient) -> dict[str, object]:
    """What a head end reads each day."""
    found: dict[str, object] = {}
    value = lambda *which: utils.parse_as_dlms_data(client.get(attribute(*which)))  # noqa: E731
    for name in ("1.0.1.8.0", "1.0.2.8.0", "1.0.1.7.0", "1.0.2.7.0", "1.0.16.7.0", "1.0.32.7.0", "1.0.14.7.0"):
        found[name] = value(REGISTER, name, 2)
    found["scaler_unit"] = value(REGISTER, "1.0.32.7.0", 3)
    found["name"] = bytes(value(DATA, "0.0.42.0.0", 2)).decode()
    clock, status = datetime_from_bytes(bytes(value(CLOCK, "0.0.1.0.0", 2)))
    found["clock"], found["is_summer"] = clock.isoformat(), status.daylight_saving_active
    found["time_zone"] = value(CLOCK, "0.0.1.0.0", 3)
    found["objects"] = len(AssociationObjectListParser.parse_entries(value(15, "0.0.40.0.0", 2)))
    captured = [
        cosem.CosemAttribute(enumerations.CosemInterface(one[0]), cosem.Obis.from_bytes(one[1]), one[2])
        for one in value(PROFILE, "1.0.99.1.0", 3)
    ]
    parser = ProfileGenericBufferParser(captured, 15)
    rows = parser.parse_entries(value(PROFILE, "1.0.99.1.0", 2))
    found["profile"] = [[str(column.value) for column in row] for row in rows]
    by = RangeDescriptor(CaptureObject(attribute(CLOCK, "0.0.1.0.0", 2)), clock - timedelta(hours=2), clock)
    recent = parser.parse_entries(utils.parse_as_dlms_data(client.get(attribute(PROFILE, "1.0.99.1.0", 2), by)))
    found["recent"] = len(recent)
    return found


def set_clock(client: DlmsClient, by_s: float) -> str:
    """Set the clock ahead, and say what the meter answers."""
    which = attribute(CLOCK, "0.0.1.0.0", 2)
    now, _ = datetime_from_bytes(bytes(utils.parse_as_dlms_data(client.get(which))))
    raw = datetime_to_bytes(datetime.fromtimestamp(now.timestamp() + by_s, timezone(timedelta(hours=1))))
    return str(client.set(which, b"\x09\x0c" + raw).result.name)


def main() -> None:
    host, port, server, level, first = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
    client = client_of(host, port, server, level, first)
    with client.session():
        found = read(client)
        found["set"] = set_clock(client, float(sys.argv[6])) if len(sys.argv) > 6 else ""
    found["counter"] = client.client_invocation_counter
    print(json.dumps(found))


main()

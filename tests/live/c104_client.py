"""A program of its own over c104, which builds on lib60870 and is under the GPL: `python c104_client.py HOST PORT STATIONS TARGET_KV`; prints JSON.

STATIONS: common addresses with the addresses of their points by type, as JSON. TARGET_KV: a target for the busbar of station 1, 0 for none.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import c104


def until(what: str | Callable[[], str], holds: Callable[[], Any], within_s: float = 30.0) -> None:
    ends = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > ends:
            raise SystemExit(f"{what if isinstance(what, str) else what()} does not come")
        time.sleep(0.02)


def commands(connection: Any, station: Any, target_kv: float) -> dict[str, bool]:
    """What comes of commands: each whether it was confirmed, and not negatively."""
    by_select = c104.CommandMode.SELECT_AND_EXECUTE
    target = station.add_point(io_address=1001, type=c104.Type.C_SE_NC_1, command_mode=by_select)
    found = {}
    for name, value in (("target", target_kv), ("too_high", 3.0 * target_kv)):
        target.value = value
        found[name] = target.transmit(cause=c104.Cot.ACTIVATION)
    missing = station.add_point(io_address=1999, type=c104.Type.C_SC_NA_1)
    missing.value = True
    found["missing"] = missing.transmit(cause=c104.Cot.ACTIVATION)
    found["clock"] = connection.clock_sync(common_address=1, wait_for_response=True)
    found["counters"] = connection.counter_interrogation(common_address=1, wait_for_response=True)
    found["test"] = connection.test(common_address=1, wait_for_response=True)
    found["read"] = station.get_point(io_address=2).read()
    return found


def main(host: str, port: int, stations: dict[str, dict[str, list[int]]], target_kv: float) -> dict[str, Any]:
    client = c104.Client(tick_rate_ms=50, command_timeout_ms=20_000)
    connection = client.add_connection(ip=host, port=port, init=c104.Init.NONE)
    for address, points in stations.items():
        station = connection.add_station(common_address=int(address))
        for type, addresses in points.items():
            for one in addresses:
                station.add_point(io_address=one, type=getattr(c104.Type, type))
    client.start()
    until("a connection", lambda: connection.is_connected)
    connection.unmute()
    until("a start", lambda: connection.state == c104.ConnectionState.OPEN)
    told = [one for station in connection.stations for one in station.points if one.type != c104.Type.M_IT_NA_1]
    before = [one.processed_at for one in told]
    found: dict[str, Any] = {"interrogated": connection.interrogation(common_address=65535, wait_for_response=True)}

    def missing() -> list[str]:
        waited = zip(told, before, strict=True)
        return [f"{one.station.common_address}/{one.io_address}" for one, at in waited if one.processed_at == at]

    until(lambda: f"an answer ({found}) of {missing()}", lambda: not missing(), 60.0)
    if target_kv:
        found["commands"] = commands(connection, connection.get_station(common_address=1), target_kv)
    found["values"] = {
        str(station.common_address): {
            str(one.io_address): float(one.value) for one in station.points if one.value is not None
        }
        for station in connection.stations
    }
    client.stop()
    return found


print(json.dumps(main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]), float(sys.argv[4]))))

"""A VEN of `openleadr` at a VTN of OpenADR 2.0b, as a program of its own: python openleadr_peer.py URL NAME EVENT [FOLDER].

It registers as NAME, opts in to EVENT, which whoever runs this changes and then cancels, reports 7 kW, declares an opt and takes it back, and leaves. FOLDER holds NAME.pem, NAME.key and ca.pem, for TLS. openleadr itself holds
what it receives to the published schema; what it finds wrong, and every answer that is no OK, is a failure here.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from openleadr import OpenADRClient, enums, objects

_AT_MOST_S = 180.0


class _Complaints(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


async def _until(what: Any) -> None:
    until = asyncio.get_running_loop().time() + _AT_MOST_S
    while not what():
        assert asyncio.get_running_loop().time() < until, "it has not come"
        await asyncio.sleep(0.05)


async def _judge(url: str, name: str, wanted: str, folder: str) -> None:
    complaints = _Complaints()
    logging.getLogger("openleadr").addHandler(complaints)
    files = {"cert": f"{folder}/{name}.pem", "key": f"{folder}/{name}.key", "ca_file": f"{folder}/ca.pem"}
    client = OpenADRClient(name, url, **(files if folder else {}))
    seen: dict[str, dict[str, Any]] = {}
    history: list[tuple[int, str, float]] = []
    received: list[str] = []

    def on_event(event: dict[str, Any]) -> str:
        descriptor = event["event_descriptor"]
        seen.setdefault(descriptor["event_id"], event)
        if descriptor["event_id"] == wanted:
            value = event["event_signals"][0]["intervals"][0]["signal_payload"]
            history.append((descriptor["modification_number"], descriptor["event_status"], value))
        return "optIn"

    client.add_handler("on_event", on_event)
    client.add_handler("on_update_event", on_event)
    client.hooks["after_parse_xml"].append(lambda kind, payload: received.append(kind))
    every = timedelta(seconds=2)
    client.add_report(lambda: 7000.0, name, "REAL_POWER", sampling_rate=every, report_duration=timedelta(hours=1))
    await client.run()
    await _until(lambda: wanted in seen and "oadrUpdatedReport" in received)
    event = seen[wanted]
    assert event["event_descriptor"]["event_status"] == "active" and event["response_required"] == "always"
    assert event["event_signals"][0]["signal_name"] == "LOAD_DISPATCH"
    assert event["event_signals"][0]["intervals"][0]["signal_payload"] == 2.0
    assert event["active_period"]["duration"] == timedelta(hours=4)
    prices = [one for one in seen.values() if one["event_signals"][0]["signal_name"] == "ELECTRICITY_PRICE"]
    assert prices and all(one["response_required"] == "never" for one in prices)
    targets = [objects.Target(ven_id=client.ven_id)]
    begin = datetime.now(UTC) + timedelta(days=1)
    away = objects.Vavailability([objects.VavailabilityComponent(begin, timedelta(hours=2))])
    opt = await client.create_opt("optOut", enums.OPT_REASON.ECONOMIC, targets, away)
    assert opt and await client.cancel_opt(opt)
    await _until(lambda: (2, "cancelled", 3.0) in history and "oadrCancelReport" in received)
    assert list(dict.fromkeys(history)) == [(0, "active", 2.0), (1, "active", 3.0), (2, "cancelled", 3.0)]
    updated = received.count("oadrUpdatedReport")
    await _until(lambda: received.count("oadrUpdatedReport") >= updated + 3)
    assert {"oadrCreateReport"} | {
        "oadrCreatedPartyRegistration",
        "oadrRegisteredReport",
        "oadrDistributeEvent",
        "oadrCanceledOpt",
    } <= set(received)
    assert not complaints.said, complaints.said
    client.scheduler.remove_all_jobs()
    await asyncio.sleep(1.0)
    await client.cancel_party_registration()
    assert received[-1] == "oadrCanceledPartyRegistration"
    await client.stop()


if __name__ == "__main__":
    asyncio.run(_judge(*sys.argv[1:4], sys.argv[4] if len(sys.argv) > 4 else ""))
    print("judged")

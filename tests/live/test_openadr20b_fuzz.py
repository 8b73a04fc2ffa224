"""Malformed requests to the VTN of OpenADR 2.0b: each is answered as the schema wants, none breaks it, and none changes what the desk has said or whom another VEN is."""

from __future__ import annotations

import random
import re

import pytest

from heptagrid.live.protocols.openadr.objects import V310, faults, kept
from heptagrid.live.protocols.openadr20b.vens import Caller
from heptagrid.live.protocols.openadr20b.vtn import SERVICES
from tests.live.openadr20b_rig import READY, Bench, code, payload, request
from tests.live.test_openadr20b_reports import asked_of, offer, opt, report

LEAVES = (
    *("", " ", "0", "-1", "1e999", "NaN", "9" * 400, "PT1S", "P9999Y", "-PT5M", "PT1.5S", "2016-07-04T12:00:00Z"),
    *("9999-12-31T23:59:59Z", "0001-01-01", "true", "optIn", "&#9;", "&lt;a&gt;", "\u2028", "x" * 5_000, "\U0001f600"),
)
STRANGER = Caller("00:11", "vehicles-2")


def bodies(bench: Bench, ven: str, registration: str, event: str) -> list[str]:
    """Good messages, from which bad ones are made."""
    (asked,) = asked_of(bench.ask("EiReport", "oadrRegisterReport", offer(ven, "meter")))
    named = f"<ei:venID>{ven}</ei:venID>"
    qualified = f"<ei:qualifiedEventID><ei:eventID>{event}</ei:eventID><ei:modificationNumber>0</ei:modificationNumber></ei:qualifiedEventID>"
    one = f"<ei:eventResponse><ei:responseCode>200</ei:responseCode>{request('d')}{qualified}<ei:optType>optIn</ei:optType></ei:eventResponse>"
    head = f"<ei:eiResponse><ei:responseCode>200</ei:responseCode>{request('c')}</ei:eiResponse>"
    return [
        payload("oadrPoll", named),
        payload("oadrQueryRegistration", request("q")),
        payload(
            "oadrCreatePartyRegistration", f"{request('r')}{named}{READY}<oadr:oadrVenName>pump</oadr:oadrVenName>"
        ),
        payload("oadrCreatePartyRegistration", f"{request('r')}{READY}<oadr:oadrVenName>fan</oadr:oadrVenName>"),
        payload(
            "oadrCancelPartyRegistration",
            f"{request('r')}<ei:registrationID>{registration[:-1]}</ei:registrationID>{named}",
        ),
        payload(
            "oadrRequestEvent",
            f"<pyld:eiRequestEvent>{request('q')}{named}<pyld:replyLimit>3</pyld:replyLimit></pyld:eiRequestEvent>",
        ),
        payload(
            "oadrCreatedEvent",
            f"<pyld:eiCreatedEvent>{head}<ei:eventResponses>{one}</ei:eventResponses>{named}</pyld:eiCreatedEvent>",
        ),
        payload("oadrUpdateReport", report(ven, asked, "1")),
        payload("oadrRegisterReport", offer(ven, "vehicles-3")),
        payload("oadrCreateOpt", opt(ven, "optOut", event=event)),
        payload("oadrCreateOpt", opt(ven, "optIn", "o2", at="2016-07-04T12:00:00Z")),
        payload("oadrCancelOpt", f"{request('q')}<ei:optID>o1</ei:optID>{named}"),
    ]


def spoilt(luck: random.Random, body: str) -> bytes:
    """A body with some of its elements gone, twice, or with another text; sometimes torn, too."""
    for _ in range(luck.randrange(1, 4)):
        found = list(re.finditer(r"<((?:\w|:)+)>([^<]*)</\1>", body))
        if not found:
            break
        one = luck.choice(found)
        made = luck.choice(
            ["", one.group() * 2, f"<{one.group(1)}>{luck.choice(LEAVES)}</{one.group(1)}>", f"<a>{one.group()}</a>"]
        )
        body = body[: one.start()] + made + body[one.end() :]
    content = bytearray(body.encode())
    if luck.random() < 0.3:
        for _ in range(luck.randrange(1, 6)):
            content[luck.randrange(len(content))] = luck.randrange(256)
        if luck.random() < 0.3:
            del content[luck.randrange(len(content)) :]
    return bytes(content)


def fuzzed(count: int, seed: int) -> None:
    luck, bench = random.Random(seed), Bench()
    owner = Caller("AA:BB", "vehicles-1")
    other, held = bench.register("vehicles-1", owner)
    ven, registration = bench.register()
    event = bench.event("SIMPLE", 1, 2, 3)
    bench.events(ven)
    good = bodies(bench, ven, registration, event)
    before = [dict(one) for kind in ("EVENT", "PROGRAM") for one in bench.store.all(kind)]
    services, refused, codes = [*SERVICES, "EiEvent", "EiReport", "EiOpt", "x"], 0, set()
    bench.counts.clear()
    for _ in range(count):
        body = spoilt(luck, luck.choice(good))
        if luck.random() < 0.2:
            body = body.replace(ven.encode(), other.encode())
        reply = bench.send(luck.choice(services), body, luck.choice([Caller(), Caller(), STRANGER]))
        assert reply.status in (200, 400, 404), body
        codes.add(reply.code if reply.status == 200 else reply.status)
        refused += reply.status != 200 or reply.code != 200
    assert {200, 400, 404, 452, 453, 454, 463} <= codes, "all kinds of them came about"
    words = [word for word in bench.counts if not word.endswith("another's device")]
    assert refused == sum(bench.counts[word] for word in words), "each that is refused is counted"
    assert [dict(one) for kind in ("EVENT", "PROGRAM") for one in bench.store.all(kind)] == before
    one = bench.vtn.vens.known(other, owner)
    assert one.registration == held and one.caller == owner
    assert code(bench.ask("OadrPoll", "oadrPoll", f"<ei:venID>{other}</ei:venID>", owner)) in ("200", "")


def test_malformed_messages_are_answered_and_change_nothing() -> None:
    fuzzed(2_000, 1)


@pytest.mark.slow
def test_a_hundred_thousand_malformed_messages() -> None:
    fuzzed(100_000, 2)


def test_whatever_the_desk_may_say_is_told_as_the_schema_wants() -> None:
    """Events that OpenADR 3 takes, of values that its authors did not think of; the rig holds each distribution to the schema."""
    luck, told = random.Random(3), 0
    starts = ["2016-07-04T12:00:00Z", "0001-01-01", "9999-12-31T23:59:59Z", "1971-01-01", "2016-07-04T14:00:00+02:00"]
    durations = ["PT0S", "PT1S", "P9999Y", "-PT5M", "PT0.4S", "P99Y", "PT15M", "P3W"]
    kinds = [
        "SIMPLE",
        "PRICE",
        "DISPATCH_SETPOINT",
        "CHARGE_STATE_SETPOINT",
        "IMPORT_CAPACITY_LIMIT",
        " a\n b",
        "\x01",
        "x",
    ]
    values: list[object] = [0, 1, 3, 4, -1e11, 1e-300, 1e308, "text", True, 0.1, {"x": 1.0, "y": 2.0}]
    for _ in range(400):
        bench = Bench()
        ven, _registration = bench.register()

        def period() -> dict[str, str]:
            return {
                "start": luck.choice(starts),
                "duration": luck.choice(durations),
                "randomizeStart": luck.choice(durations),
            }

        def interval(k: int) -> dict[str, object]:
            payloads = [
                {"type": luck.choice(kinds), "values": luck.choices(values, k=luck.randrange(3))} for _ in range(2)
            ]
            return {"id": k, "payloads": payloads, **({"intervalPeriod": period()} if luck.random() < 0.4 else {})}

        units = luck.choice(["KW", "PERCENT", "KWH", "furlongs", "\ud800"])
        descriptors = [
            {"payloadType": kind, "units": units, "currency": luck.choice(["EUR", "ZZZ", "eur", "\x02"])}
            for kind in kinds
        ]
        content = {
            "programID": "p",
            "eventName": luck.choice(["", "\x00", "]]>", "name"]),
            "priority": luck.choice([0, 1, 2**31 - 1]),
            "targets": luck.choice([[], [ven], ["pump", "\x07"]]),
            "intervalPeriod": period(),
            "intervals": [interval(k) for k in range(luck.randrange(4))],
            "payloadDescriptors": descriptors,
            **({"duration": luck.choice(durations)} if luck.random() < 0.3 else {}),
        }
        given = {
            name: value for name, value in content.items() if not faults("EVENT", {"programID": "p", name: value}, V310)
        }
        assert not faults("EVENT", given, V310)
        bench.store.add("EVENT", kept("EVENT", given, V310))
        told += len(bench.events(ven))
    assert told > 100

"""EiEvent of OpenADR 2.0b: what VENs are told of the desk's events, when, and what they answer."""

from __future__ import annotations

import pytest

from heptagrid.live.protocols.openadr.schedule import RESPONSE_REQUIRED, TEST_EVENT
from heptagrid.live.protocols.openadr20b.announcements import MARKET
from heptagrid.live.protocols.openadr20b.vens import Caller
from heptagrid.live.xml import Element
from tests.live.openadr20b_rig import HOUR_NS, MINUTE_NS, NOON_NS, Bench, code, descriptor, intervals

SIGNALS = ("ei:eiEventSignals", "ei:eiEventSignal")
DURATION = ("xcal:duration", "xcal:duration")


def signal(event: Element) -> Element:
    found = event.find(*SIGNALS)
    assert found is not None
    return found


def period(event: Element, *path: str) -> str | None:
    return event.value("ei:eiActivePeriod", "xcal:properties", *path)


def stream(one: Element) -> list[tuple[str, float]]:
    """The duration and value of each interval of a signal."""
    found = one.find("strm:intervals")
    assert found is not None
    return [
        (each.value(*DURATION) or "", float(each.value("ei:signalPayload", "ei:payloadFloat", "ei:value") or "nan"))
        for each in found.all("ei:interval")
    ]


def test_an_event_says_who_made_it_when_and_what_it_asks() -> None:
    bench = Bench()
    ven, _ = bench.register()
    id = bench.event("SIMPLE", 1, 3, eventName="peak", priority=0)
    (event,) = bench.events(ven)
    words = {tag: descriptor(event, tag) for tag in ("eventID", "modificationNumber", "priority", "createdDateTime")}
    assert words == {
        "eventID": id,
        "modificationNumber": "0",
        "priority": "1",
        "createdDateTime": "2016-07-04T12:00:00Z",
    }, "the highest priority is 1, for 0 says that there is none"
    assert event.value("ei:eventDescriptor", "ei:eiMarketContext", "emix:marketContext") == f"{MARKET}p"
    assert descriptor(event, "vtnComment") == "peak" and descriptor(event, "testEvent") == "false"
    assert period(event, "xcal:dtstart", "xcal:date-time") == "2016-07-04T13:00:00Z"
    assert period(event, *DURATION) == "PT1800S"
    assert stream(signal(event)) == [("PT900S", 1.0), ("PT900S", 3.0)]
    assert event.value("ei:eiTarget", "ei:venID") == ven


def test_a_duration_of_0_has_no_end() -> None:
    """openleadr-python 143: rule 47; such an event was taken to be over when it began."""
    bench = Bench()
    ven, _ = bench.register()
    bench.event("SIMPLE", 2, intervalPeriod={"start": "2016-07-04T13:00:00Z", "duration": "P9999Y"})
    bench.now_ns = NOON_NS + 90 * 24 * HOUR_NS
    (event,) = bench.events(ven)
    assert descriptor(event, "eventStatus") == "active", "it is active until it is cancelled"
    assert period(event, *DURATION) == "PT0S" and stream(signal(event)) == [("PT0S", 2.0)]


def test_every_distribution_holds_all_events() -> None:
    """openleadr-python 42: the second event alone was sent, so that VENs took the first one to be cancelled."""
    bench = Bench()
    ven, _ = bench.register()
    first = bench.event()
    assert [descriptor(one, "eventID") for one in _polled(bench, ven)] == [first]
    second = bench.event(intervalPeriod={"start": "2016-07-04T12:30:00Z", "duration": "PT1H"})
    assert [descriptor(one, "eventID") for one in _polled(bench, ven)] == [second, first], (
        "those that begin first, first"
    )
    assert bench.poll(ven).tag == "oadr:oadrResponse", "nothing has changed"
    assert [descriptor(one, "eventID") for one in bench.events(ven)] == [second, first]
    limited = bench.events(ven, "<pyld:replyLimit>1</pyld:replyLimit>")
    assert [descriptor(one, "eventID") for one in limited] == [second]


def test_a_change_has_the_next_modification_number() -> None:
    bench = Bench()
    ven, _ = bench.register()
    id = bench.event("SIMPLE", 1)
    _polled(bench, ven)
    bench.now_ns += MINUTE_NS
    bench.store.replace("EVENT", id, {**_content(bench, id), "intervals": intervals("SIMPLE", 2)})
    (event,) = _polled(bench, ven)
    assert descriptor(event, "modificationNumber") == "1"
    assert descriptor(event, "createdDateTime") == "2016-07-04T12:00:00Z"
    assert descriptor(event, "modificationDateTime") == "2016-07-04T12:01:00Z"
    assert stream(signal(event)) == [("PT900S", 2.0)]


def test_the_status_follows_the_time() -> None:
    bench = Bench(ramp_up_s=600)
    ven, _ = bench.register()
    bench.event()
    found = []
    for minutes in (0, 49, 50, 60, 74, 75):
        bench.now_ns = NOON_NS + minutes * MINUTE_NS
        found.append([descriptor(one, "eventStatus") for one in bench.events(ven)])
    assert found == [["far"], ["far"], ["near"], ["active"], ["active"], ["completed"]]
    assert bench.events(ven) == [], "that it is completed is told once"
    late, _ = bench.register("late")
    assert bench.events(late) == [], "and not to whom never knew it"


def test_a_deleted_event_is_cancelled_for_those_who_know_it() -> None:
    bench = Bench()
    ven, _ = bench.register()
    id = bench.event()
    _polled(bench, ven)
    assert code(bench.answer(ven, id)) == "200"
    bench.store.delete("EVENT", id)
    (event,) = _polled(bench, ven)
    assert descriptor(event, "eventStatus") == "cancelled" and descriptor(event, "modificationNumber") == "1"
    assert len(bench.events(ven)) == 1, "until it has answered"
    assert code(bench.answer(ven, id, number=1)) == "200"
    bench.events(ven)
    assert bench.events(ven) == [] and bench.poll(ven).tag == "oadr:oadrResponse"
    other, _ = bench.register("other")
    assert bench.events(other) == []


def test_an_answer_that_got_lost_is_asked_for_again() -> None:
    bench = Bench()
    ven, _ = bench.register()
    id = bench.event()
    assert len(_polled(bench, ven)) == 1 and bench.poll(ven).tag == "oadr:oadrResponse"
    bench.now_ns += MINUTE_NS
    assert len(_polled(bench, ven)) == 1
    bench.answer(ven, id)
    bench.now_ns += MINUTE_NS
    assert bench.poll(ven).tag == "oadr:oadrResponse"


def test_a_distribution_that_got_lost_is_sent_again() -> None:
    bench = Bench()
    ven, _ = bench.register()
    bench.event()
    element, _arrived = bench.vtn.events.distribution(bench.vtn.vens.known(ven, Caller()), None)
    assert len(list(element.all("oadr:oadrEvent"))) == 1, "which nobody gets"
    assert len(_polled(bench, ven)) == 1


def test_a_ven_opts_in_and_out_and_the_desk_reads_it() -> None:
    bench = Bench()
    pump, _ = bench.register()
    fan, _ = bench.register("fan")
    id = bench.event()
    bench.events(pump), bench.events(fan)
    assert bench.opts(id) == {}
    bench.answer(pump, id), bench.answer(fan, id, "optOut")
    assert bench.opts(id) == {"pump": "optIn", "fan": "optOut"}
    bench.answer(fan, id, "optIn")
    assert bench.opts(id) == {"pump": "optIn", "fan": "optIn"}
    bench.answer(fan, id, "optIn", said="460")
    assert bench.opts(id)["fan"] == "optOut", "a VEN that cannot do what is asked takes no part"


def test_answers_to_what_is_not_there_are_refused() -> None:
    bench = Bench()
    ven, _ = bench.register()
    id = bench.event()
    assert code(bench.answer(ven, id)) == "452", "it has not been told"
    bench.events(ven)
    assert code(bench.answer(ven, "nothing")) == "452"
    assert code(bench.answer(ven, id, number=7)) == "454"
    assert code(bench.answer(ven, id, "perhaps")) == "454"
    assert bench.opts(id) == {}
    bench.store.replace("EVENT", id, _content(bench, id))
    assert code(bench.answer(ven, id, "optOut", number=0)) == "200" and bench.opts(id) == {}, "it was overtaken"


def test_who_is_to_answer_is_said_and_what_is_built_in_asksCaller() -> None:
    bench = Bench()
    ven, _ = bench.register()
    bench.event()
    asks = {"id": 0, "payloads": [{"type": "SIMPLE", "values": [1]}, {"type": RESPONSE_REQUIRED, "values": ["never"]}]}
    bench.event(intervals=[asks])
    bench.event(isBuiltIn=True)
    made = bench.ask(
        "EiEvent",
        "oadrRequestEvent",
        f"<pyld:eiRequestEvent><pyld:requestID>q</pyld:requestID><ei:venID>{ven}</ei:venID></pyld:eiRequestEvent>",
    )
    assert sorted(one.value("oadr:oadrResponseRequired") or "" for one in made.all("oadr:oadrEvent")) == [
        "always",
        "never",
        "never",
    ]


def test_a_test_event_says_so() -> None:
    bench = Bench()
    ven, _ = bench.register()
    bench.event(
        intervals=[{"id": 0, "payloads": [{"type": "SIMPLE", "values": [1]}, {"type": TEST_EVENT, "values": [True]}]}]
    )
    (event,) = bench.events(ven)
    assert descriptor(event, "testEvent") == "true"
    assert [one.value("ei:signalName") for one in event.children[2].children] == ["SIMPLE"]


def test_a_randomised_start_is_passed_on() -> None:
    bench = Bench()
    ven, _ = bench.register()
    bench.event(intervalPeriod={"start": "2016-07-04T13:00:00Z", "duration": "PT1H", "randomizeStart": "PT5M"})
    (event,) = bench.events(ven)
    assert period(event, "xcal:tolerance", "xcal:tolerate", "xcal:startafter") == "PT300S"


@pytest.mark.parametrize(
    ("kind", "units", "value", "name", "type", "base", "told"),
    [
        ("SIMPLE", "", 3, "SIMPLE", "level", None, 3.0),
        ("PRICE", "KWH", 0.25, "ELECTRICITY_PRICE", "price", "oadr:currencyPerKWh", 0.25),
        ("PRICE", "MWH", 80, "ELECTRICITY_PRICE", "price", "oadr:currencyPerKWh", 0.08),
        ("DISPATCH_SETPOINT", "KW", 5, "LOAD_DISPATCH", "setpoint", "power:powerReal", 5.0),
        ("DISPATCH_SETPOINT", "PERCENT", 40, "LOAD_CONTROL", "x-loadControlCapacity", None, 0.4),
        ("DISPATCH_SETPOINT_RELATIVE", "KW", -2, "LOAD_DISPATCH", "delta", "power:powerReal", -2.0),
        ("DISPATCH_SETPOINT_RELATIVE", "PERCENT", -20, "LOAD_CONTROL", "x-loadControlPercentOffset", None, -20.0),
        ("CHARGE_STATE_SETPOINT", "", 80, "CHARGE_STATE", "setpoint", "oadr:customUnit", 80.0),
        ("CHARGE_STATE_SETPOINT", "KWH", 30, "CHARGE_STATE", "setpoint", "power:energyReal", 30.0),
        ("IMPORT_CAPACITY_LIMIT", "KW", 4.2, "x-IMPORT_CAPACITY_LIMIT", "setpoint", "power:powerReal", 4.2),
        ("X_COMFORT", "", 1, "x-X_COMFORT", "setpoint", None, 1.0),
    ],
)  # fmt: skip
def test_payload_types_become_signals(
    kind: str, units: str, value: float, name: str, type: str, base: str | None, told: float
) -> None:
    bench = Bench()
    ven, _ = bench.register()
    bench.event(kind, value, payloadDescriptors=[{"payloadType": kind, "units": units, "currency": "EUR"}])
    (event,) = bench.events(ven)
    one = signal(event)
    assert (one.value("ei:signalName"), one.value("ei:signalType")) == (name, type)
    assert [each[1] for each in stream(one)] == [pytest.approx(told)]
    bases = [each.tag for each in one.children if each.tag.partition(":")[0] in ("power", "oadr")]
    assert bases == ([base] if base else [])


def test_simple_has_no_levels_but_0_to_3() -> None:
    bench = Bench()
    ven, _ = bench.register()
    bench.event("SIMPLE", 1, 4, 2.5, 2)
    events = bench.events(ven)
    assert [stream(signal(one)) for one in events] == [[("PT900S", 1.0)], [("PT900S", 2.0)]]
    assert [period(one, "xcal:dtstart", "xcal:date-time") for one in events] == [
        "2016-07-04T13:00:00Z",
        "2016-07-04T13:45:00Z",
    ]


def test_intervals_with_a_gap_are_events_of_their_own() -> None:
    """2.0b has no gaps: an interval begins where the one before ends."""
    bench = Bench()
    ven, _ = bench.register()
    later = {"id": 1, "intervalPeriod": {"start": "2016-07-04T15:00:00Z", "duration": "PT1H"}, **_payload("SIMPLE", 2)}
    id = bench.event(intervals=[{"id": 0, **_payload("SIMPLE", 1)}, later])
    assert [descriptor(one, "eventID") for one in _polled(bench, ven)] == [id, f"{id}.2"]
    bench.store.replace("EVENT", id, {**_content(bench, id), "intervals": [{"id": 0, **_payload("SIMPLE", 1)}]})
    assert [descriptor(one, "eventStatus") for one in _polled(bench, ven)] == ["far", "cancelled"]


def test_the_value_of_now_is_told_while_an_event_is_active() -> None:
    bench = Bench()
    ven, _ = bench.register()
    bench.event("SIMPLE", 1, 3)
    found = []
    for minutes in (0, 61, 76):
        bench.now_ns = NOON_NS + minutes * MINUTE_NS
        found.append(signal(bench.events(ven)[0]).value("ei:currentValue", "ei:payloadFloat", "ei:value"))
    assert found == ["0.0", "1.0", "3.0"]


def test_an_event_reaches_those_whom_the_desk_means() -> None:
    bench = Bench()
    car, _ = bench.register("vehicles-1")
    pump, _ = bench.register("pump")
    everybody = bench.event()
    classes = bench.event(targets=[("", "VEHICLES")])
    area = bench.event(targets=[("SERVICE_AREA", "substation-0")])
    named = bench.event(targets=[("VEN_NAME", "pump")])
    other = bench.event(targets=[("", "vehicles-2")])
    assert {descriptor(one, "eventID") for one in bench.events(car)} == {everybody, classes, area}
    assert {descriptor(one, "eventID") for one in bench.events(pump)} == {everybody, named}
    bench.store.add(
        "RESOURCE", {"resourceName": "vehicles-2", "venID": pump, "clientID": pump, "targets": [("", "vehicles-2")]}
    )
    found = {descriptor(one, "eventID"): one for one in bench.events(pump)}
    assert set(found) == {everybody, named, other}, "the desk has granted it that car"
    assert found[other].value("ei:eiTarget", "ei:resourceID") == "vehicles-2"


def test_text_that_xml_has_not_breaks_no_distribution() -> None:
    bench = Bench()
    ven, _ = bench.register()
    bench.event(eventName="a\x01b\ud800<c>&")
    (event,) = bench.events(ven)
    assert descriptor(event, "vtnComment") == "a\ufffdb\ufffd<c>&"


def test_an_event_of_thousands_of_years_is_told_as_far_as_dates_go() -> None:
    bench = Bench()
    ven, _ = bench.register()
    period = {"start": "2016-07-04T13:00:00Z", "duration": "P99Y"}
    bench.event("SIMPLE", *([1, 9] * 60), intervalPeriod=period)
    assert [descriptor(one, "eventStatus") for one in bench.events(ven)] == ["far"]


def test_an_event_that_is_for_others_now_is_left_out() -> None:
    bench = Bench()
    ven, _ = bench.register()
    id = bench.event()
    kept = bench.event()
    assert len(_polled(bench, ven)) == 2
    bench.store.replace("EVENT", id, {**_content(bench, id), "targets": [("", "others")]})
    assert [descriptor(one, "eventID") for one in _polled(bench, ven)] == [kept], "which cancels it"
    assert bench.poll(ven).tag == "oadr:oadrResponse"


def test_a_ven_that_takes_few_events_is_told_the_others_when_it_polls() -> None:
    bench = Bench()
    ven, _ = bench.register()
    bench.event(), bench.event()
    assert len(bench.events(ven, "<pyld:replyLimit>1</pyld:replyLimit>")) == 1
    assert len(_polled(bench, ven)) == 2


def test_vens_may_keep_their_own_clock() -> None:
    bench = Bench(clock_offset_s=86_400)
    ven, _ = bench.register()
    bench.event()
    (event,) = bench.events(ven)
    assert period(event, "xcal:dtstart", "xcal:date-time") == "2016-07-05T13:00:00Z"
    assert descriptor(event, "eventStatus") == "far"


def _polled(bench: Bench, ven: str) -> list[Element]:
    made = bench.poll(ven)
    assert made.tag == "oadr:oadrDistributeEvent", made
    return [one.find("ei:eiEvent") or one for one in made.all("oadr:oadrEvent")]


def _content(bench: Bench, id: str) -> dict[str, object]:
    old = bench.store.get("EVENT", id)
    assert old is not None
    return {name: old[name] for name in ("programID", "intervalPeriod", "intervals")}


def _payload(kind: str, value: float) -> dict[str, object]:
    return {"payloads": [{"type": kind, "values": [value]}]}

"""Reports and opts of VENs of OpenADR 2.0b: what they offer, what they are asked for, what they send, and in which events they take part."""

from __future__ import annotations

from typing import Any

from heptagrid.live.protocols.openadr20b.telemetry import STATUS, TELEMETRY
from heptagrid.live.protocols.openadr20b.vens import Caller
from heptagrid.live.xml import Element
from tests.live.openadr20b_rig import HOUR_NS, MINUTE_NS, Bench, code, request

OURS = Caller("AA:BB", "vehicles-1")
POWER = """<power:powerReal><power:itemDescription>RealPower</power:itemDescription><power:itemUnits>W</power:itemUnits><scale:siScaleCode>none</scale:siScaleCode>
<power:powerAttributes><power:hertz>50</power:hertz><power:voltage>230</power:voltage><power:ac>true</power:ac></power:powerAttributes></power:powerReal>"""


def offer(ven: str, resource: str = "meter", name: str = "TELEMETRY_USAGE", base: str = POWER) -> str:
    """A VEN offers a report with one point."""
    source = f"<ei:reportDataSource><ei:resourceID>{resource}</ei:resourceID></ei:reportDataSource>"
    rate = "<oadr:oadrSamplingRate><oadr:oadrMinPeriod>PT10S</oadr:oadrMinPeriod><oadr:oadrMaxPeriod>PT30S</oadr:oadrMaxPeriod><oadr:oadrOnChange>false</oadr:oadrOnChange></oadr:oadrSamplingRate>"
    point = f"<oadr:oadrReportDescription><ei:rID>p1</ei:rID>{source}<ei:reportType>reading</ei:reportType>{base}<ei:readingType>Direct Read</ei:readingType>{rate}</oadr:oadrReportDescription>"
    made = "<ei:createdDateTime>2016-07-04T12:00:00Z</ei:createdDateTime>"
    ids = f"<ei:reportRequestID>0</ei:reportRequestID><ei:reportSpecifierID>s1</ei:reportSpecifierID><ei:reportName>METADATA_{name}</ei:reportName>"
    return f"{request('o')}<oadr:oadrReport>{point}{ids}{made}</oadr:oadrReport><ei:venID>{ven}</ei:venID>"


def report(
    ven: str, asked: str, value: str, start: str = "2016-07-04T11:59:00Z", point: str = "p1", content: str = ""
) -> str:
    """A VEN reports one value."""
    inner = content or f"<ei:payloadFloat><ei:value>{value}</ei:value></ei:payloadFloat>"
    load = f"<oadr:oadrReportPayload><ei:rID>{point}</ei:rID>{inner}</oadr:oadrReportPayload>"
    begin = f"<xcal:dtstart><xcal:date-time>{start}</xcal:date-time></xcal:dtstart><xcal:duration><xcal:duration>PT60S</xcal:duration></xcal:duration>"
    ids = f"<ei:reportRequestID>{asked}</ei:reportRequestID><ei:reportSpecifierID>s1</ei:reportSpecifierID><ei:createdDateTime>2016-07-04T12:00:00Z</ei:createdDateTime>"
    return f"{request('u')}<oadr:oadrReport><strm:intervals><ei:interval>{begin}{load}</ei:interval></strm:intervals>{ids}</oadr:oadrReport><ei:venID>{ven}</ei:venID>"


def asked_of(made: Element) -> list[str]:
    return [one.value("ei:reportRequestID") or "" for one in made.all("oadr:oadrReportRequest")]


def reports(bench: Bench, event: str = TELEMETRY) -> list[dict[str, Any]]:
    return [one for one in bench.store.all("REPORT") if one["eventID"] == event]


def test_a_ven_is_asked_for_what_it_offers_and_the_desk_reads_it() -> None:
    bench = Bench(report_s=60)
    ven, _ = bench.register("vehicles-1")
    made = bench.ask("EiReport", "oadrRegisterReport", offer(ven, "vehicles-1"))
    (one,) = made.all("oadr:oadrReportRequest")
    assert one.value("ei:reportSpecifier", "xcal:granularity", "xcal:duration") == "PT30S", "as seldom as it can"
    (asked,) = asked_of(made)
    assert code(bench.ask("EiReport", "oadrUpdateReport", report(ven, asked, "7000"))) == "200"
    assert code(bench.ask("EiReport", "oadrUpdateReport", report(ven, asked, "6500"))) == "200"
    (kept,) = reports(bench)
    assert kept["clientName"] == "vehicles-1" and kept["payloadDescriptors"][0]["units"] == "KW"
    (resource,) = kept["resources"]
    assert resource["resourceName"] == "vehicles-1"
    assert resource["intervals"][0]["payloads"] == [{"type": "DEMAND", "values": [6.5]}]
    assert resource["intervals"][0]["intervalPeriod"] == {"start": "2016-07-04T11:59:00Z", "duration": "PT60S"}


def test_reports_that_nobody_asked_for_are_refused() -> None:
    bench = Bench()
    ven, _ = bench.register()
    assert code(bench.ask("EiReport", "oadrUpdateReport", report(ven, "x", "1"))) == "452"
    (asked,) = asked_of(bench.ask("EiReport", "oadrRegisterReport", offer(ven)))
    assert code(bench.ask("EiReport", "oadrUpdateReport", report(ven, asked, "1", point="p2"))) == "452"
    for value in ("much", "NaN", "INF", ""):
        assert code(bench.ask("EiReport", "oadrUpdateReport", report(ven, asked, value))) == "454", value
    assert code(bench.ask("EiReport", "oadrUpdateReport", report(ven, asked, "1", start="yesterday"))) == "454"
    assert reports(bench) == []
    (fresh,) = asked_of(bench.ask("EiReport", "oadrRegisterReport", offer(ven)))
    assert fresh != asked and code(bench.ask("EiReport", "oadrUpdateReport", report(ven, asked, "1"))) == "452"


def test_a_status_is_kept_and_histories_are_not_asked_for() -> None:
    bench = Bench()
    ven, _ = bench.register()
    assert asked_of(bench.ask("EiReport", "oadrRegisterReport", offer(ven, name="HISTORY_USAGE"))) == []
    (asked,) = asked_of(bench.ask("EiReport", "oadrRegisterReport", offer(ven, name="TELEMETRY_STATUS", base="")))
    told = "<oadr:oadrPayloadResourceStatus><oadr:oadrOnline>true</oadr:oadrOnline><oadr:oadrManualOverride>false</oadr:oadrManualOverride></oadr:oadrPayloadResourceStatus>"
    assert code(bench.ask("EiReport", "oadrUpdateReport", report(ven, asked, "", content=told))) == "200"
    (kept,) = reports(bench)
    assert kept["resources"][0]["intervals"][0]["payloads"] == [{"type": STATUS, "values": [True, False]}]


def test_an_event_that_asks_for_reports_gets_them_while_it_lasts() -> None:
    """openleadr-python 161: a poll may be answered with more than events."""
    bench = Bench()
    ven, _ = bench.register()
    bench.ask("EiReport", "oadrRegisterReport", offer(ven))
    event = bench.event(reportDescriptors=[{"payloadType": "DEMAND"}])
    assert bench.poll(ven).tag == "oadr:oadrDistributeEvent"
    made = bench.poll(ven)
    assert made.tag == "oadr:oadrCreateReport"
    (one,) = made.all("oadr:oadrReportRequest")
    assert (
        one.value("ei:reportSpecifier", "ei:reportInterval", "xcal:properties", "xcal:dtstart", "xcal:date-time")
        == "2016-07-04T13:00:00Z"
    )
    (asked,) = asked_of(made)
    assert code(bench.ask("EiReport", "oadrUpdateReport", report(ven, asked, "100"))) == "200"
    assert len(reports(bench, event)) == 1 and bench.poll(ven).tag == "oadr:oadrResponse"
    bench.now_ns += 2 * HOUR_NS
    over = bench.poll(ven)
    assert over.tag == "oadr:oadrCancelReport" and over.value("ei:reportRequestID") == asked
    assert bench.poll(ven).tag != "oadr:oadrCancelReport", "that is said once"
    assert code(bench.ask("EiReport", "oadrUpdateReport", report(ven, asked, "90"))) == "200", "a last one may come"
    ended = (
        f"<ei:eiResponse><ei:responseCode>200</ei:responseCode>{request('e')}</ei:eiResponse><oadr:oadrPendingReports/>"
    )
    assert code(bench.ask("EiReport", "oadrCanceledReport", f"{ended}<ei:venID>{ven}</ei:venID>")) == "200"
    assert code(bench.ask("EiReport", "oadrUpdateReport", report(ven, asked, "100"))) == "452"


def test_new_events_and_requests_of_reports_take_turns_and_unanswered_events_come_last() -> None:
    bench = Bench()
    ven, _ = bench.register()
    bench.ask("EiReport", "oadrRegisterReport", offer(ven))
    wanted = [{"payloadType": "DEMAND"}]
    for _ in range(3):
        bench.event(reportDescriptors=wanted)
    tags = []
    for poll in range(8):
        if poll in (1, 2):
            bench.event(reportDescriptors=wanted)
        tags.append(bench.poll(ven).tag.removeprefix("oadr:oadr"))
        bench.now_ns += 5 * MINUTE_NS
    assert tags == ["DistributeEvent", "CreateReport"] * 2 + ["CreateReport"] * 3 + ["DistributeEvent"]


def test_with_certificates_a_ven_reports_on_no_device_but_its_own() -> None:
    bench = Bench()
    ven, _ = bench.register("vehicles-1", OURS)
    foreign = bench.ask("EiReport", "oadrRegisterReport", offer(ven, "vehicles-3"), OURS)
    assert code(foreign) == "200" and asked_of(foreign) == []
    assert bench.counts == {"openadr20b: report on another's device": 1}
    assert len(asked_of(bench.ask("EiReport", "oadrRegisterReport", offer(ven, "vehicles-1"), OURS))) == 1


def test_a_device_that_a_ven_plays_is_not_anothers_to_report_on() -> None:
    bench = Bench()
    bench.register("vehicles-1")
    ven, _ = bench.register()
    assert asked_of(bench.ask("EiReport", "oadrRegisterReport", offer(ven, "vehicles-1"))) == []
    assert len(asked_of(bench.ask("EiReport", "oadrRegisterReport", offer(ven, "vehicles-3")))) == 1


def test_reports_of_a_ven_that_starts_again_do_not_pile_up() -> None:
    bench = Bench()
    for k in range(5):
        ven, _ = bench.register()
        (asked,) = asked_of(bench.ask("EiReport", "oadrRegisterReport", offer(ven).replace("s1", f"s{k}")))
        told = report(ven, asked, "1").replace(">s1<", f">s{k}<")
        assert code(bench.ask("EiReport", "oadrUpdateReport", told)) == "200"
    assert len(reports(bench)) == 1


def test_this_vtn_offers_no_reports() -> None:
    bench = Bench()
    ven, _ = bench.register()
    asking = f"<oadr:oadrReportRequest><ei:reportRequestID>x</ei:reportRequestID></oadr:oadrReportRequest><ei:venID>{ven}</ei:venID>"
    assert code(bench.ask("EiReport", "oadrCreateReport", request("q") + asking)) == "461"
    cancelling = f"{request('q')}<ei:reportRequestID>x</ei:reportRequestID><pyld:reportToFollow>false</pyld:reportToFollow><ei:venID>{ven}</ei:venID>"
    assert code(bench.ask("EiReport", "oadrCancelReport", cancelling)) == "452"


def opt(ven: str, type: str, id: str = "o1", event: str = "", at: str = "", program: str = "") -> str:
    """A VEN declares that it takes part, or does not."""
    head = f"<ei:optID>{id}</ei:optID><ei:optType>{type}</ei:optType><ei:optReason>economic</ei:optReason>"
    market = f"<emix:marketContext>{program}</emix:marketContext>" if program else ""
    begin = f"<xcal:dtstart><xcal:date-time>{at}</xcal:date-time></xcal:dtstart><xcal:duration><xcal:duration>PT1H</xcal:duration></xcal:duration>"
    available = f"<xcal:available><xcal:properties>{begin}</xcal:properties></xcal:available>"
    times = f"<xcal:vavailability><xcal:components>{available}</xcal:components></xcal:vavailability>" if at else ""
    qualified = (
        f"<ei:qualifiedEventID><ei:eventID>{event}</ei:eventID><ei:modificationNumber>0</ei:modificationNumber></ei:qualifiedEventID>"
        if event
        else ""
    )
    made = f"<ei:createdDateTime>2016-07-04T12:00:00Z</ei:createdDateTime>{request('o')}{qualified}<ei:eiTarget/>"
    return f"{head}{market}<ei:venID>{ven}</ei:venID>{times}{made}"


def test_an_opt_on_an_event_goes_before_its_answer_until_it_is_cancelled() -> None:
    bench = Bench()
    ven, _ = bench.register()
    event = bench.event()
    assert code(bench.ask("EiOpt", "oadrCreateOpt", opt(ven, "optOut", event=event))) == "452", "it has not been told"
    bench.events(ven)
    bench.answer(ven, event)
    made = bench.ask("EiOpt", "oadrCreateOpt", opt(ven, "optOut", event=event))
    assert (code(made), made.value("ei:optID")) == ("200", "o1") and bench.opts(event) == {"pump": "optOut"}
    cancelling = f"{request('c')}<ei:optID>o1</ei:optID><ei:venID>{ven}</ei:venID>"
    assert code(bench.ask("EiOpt", "oadrCancelOpt", cancelling)) == "200" and bench.opts(event) == {"pump": "optIn"}
    assert code(bench.ask("EiOpt", "oadrCancelOpt", cancelling)) == "452"


def test_a_ven_that_is_away_takes_no_part_unless_it_says_so() -> None:
    bench = Bench()
    ven, _ = bench.register()
    event = bench.event()
    other = bench.event(intervalPeriod={"start": "2016-07-04T18:00:00Z", "duration": "PT1H"})
    bench.ask("EiOpt", "oadrCreateOpt", opt(ven, "optOut", at="2016-07-04T12:30:00Z"))
    bench.events(ven)
    assert bench.opts(event) == {"pump": "optOut"} and bench.opts(other) == {}
    bench.ask("EiOpt", "oadrCreateOpt", opt(ven, "optOut", "o2", at="2016-07-04T18:00:00Z", program="elsewhere"))
    assert bench.opts(other) == {}, "it is away from another programme alone"
    bench.answer(ven, event)
    assert bench.opts(event) == {"pump": "optIn"}
    assert code(bench.ask("EiOpt", "oadrCreateOpt", opt(ven, "perhaps", "o3"))) == "454"

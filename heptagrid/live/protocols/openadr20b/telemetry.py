"""Reports of VENs (EiReport): what they offer, what they are asked for, and what they send.

What is sent is a report in the desk's store, one of each request with its last values, so that OpenADR 3 shows it, and a device does what the VEN that stands for it reports.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.protocols.openadr.built_in import DISPATCH
from heptagrid.live.protocols.openadr.objects import V310
from heptagrid.live.protocols.openadr.store import Object, Store, TakenError
from heptagrid.live.protocols.openadr.timing import date_time
from heptagrid.live.protocols.openadr20b.announcements import CANCELLED, COMPLETED, Announced, Announcements
from heptagrid.live.protocols.openadr20b.messages import (
    INVALID_DATA,
    INVALID_ID,
    Clock,
    Refused,
    dtstart,
    duration,
    lasting,
    length_ns,
    message,
    new_id,
    text_of,
)
from heptagrid.live.protocols.openadr20b.vens import Ven, Vens
from heptagrid.live.xml import Element, leaf, of

TELEMETRY = "telemetry-20b"
"""The built-in event to which reports belong that no event has asked for: OpenADR 3 knows none without one."""
STATUS = "X_HEPTAGRID_RESOURCE_STATUS"
"""A payload type of ours: whether a resource is online, and whether somebody overrides it."""
MOST_POINTS = 1_000
"""That a VEN may offer."""
_METADATA = "METADATA_"
_READINGS = (
    *("Direct Read", "Net", "Allocated", "Estimated", "Summed", "Derived", "Mean", "Peak", "Hybrid", "Contract"),
    *("Projected", "x-RMS", "x-notApplicable"),
)
_ASKED_FOR = ("TELEMETRY_USAGE", "TELEMETRY_STATUS")
_EXTENSION = re.compile(r"x-\S+")
_SCALES = {
    "p": 1e-12,
    "n": 1e-9,
    "micro": 1e-6,
    "m": 1e-3,
    "c": 1e-2,
    "d": 1e-1,
    "none": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
}


@dataclass(frozen=True)
class Point:
    """What a VEN can tell, by its rID. kind: the payload type; units: of what is kept; factor: from what is sent to that. least_ns, most_ns: how often it can be sampled."""

    id: str
    resource: str
    kind: str
    units: str
    factor: float
    reading: str
    least_ns: int
    most_ns: int


@dataclass
class Offer:
    """A report that a VEN offers. requests: the IDs under which it is asked for, and for each the event that asks, `TELEMETRY` if none does; ending: those that it is told to end."""

    specifier: str
    name: str
    points: dict[str, Point] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    ending: set[str] = field(default_factory=set)

    @property
    def kind(self) -> str:
        """Its name without what says that it is an offer."""
        return self.name.removeprefix(_METADATA)


class Telemetry:
    """Keeps what VENs report. report_ns: how often they are asked to."""

    def __init__(self, store: Store, vens: Vens, clock: Clock, report_ns: int, count: Callable[[str], None]) -> None:
        self._store, self._vens, self._clock, self._report_ns, self._count = store, vens, clock, report_ns, count
        self._offers: dict[str, dict[str, Offer]] = {}
        self._kept: dict[str, dict[tuple[str, str], str]] = {}
        if store.get("EVENT", TELEMETRY) is None:
            content = {"programID": DISPATCH, "eventName": "telemetry of OpenADR 2.0b", "isBuiltIn": True}
            store.add("EVENT", {**content, "intervals": []}, TELEMETRY, quietly=True)

    def offered(self, ven: Ven, inner: Element) -> list[Element]:
        """A VEN says what it can report; the requests for what it is to report.

        Raises
        ------
        Refused
        """
        found = [_offer(one) for one in inner.all("oadr:oadrReport")]
        if sum(len(one.points) for one in found) > MOST_POINTS:
            raise Refused(INVALID_DATA, f"a VEN may offer at most {MOST_POINTS} points")
        named = {point.resource or ven.name for one in found for point in one.points.values()}
        own = {name for name in named if self._vens.add_resource(ven, name)}
        for one in found:
            one.points = {id: point for id, point in one.points.items() if (point.resource or ven.name) in own}
        self._offers[ven.id] = {one.specifier: one for one in found}
        self._drop_old(ven)
        asked = [one for one in self._offers[ven.id].values() if one.points and one.kind in _ASKED_FOR]
        return [self._request(one, TELEMETRY, one.points.values()) for one in asked]

    def asked_by(self, ven: Ven, one: Announced) -> None:
        """A VEN knows an event; where that wants reports which it offers, it is asked for them when it polls next."""
        event = one.event
        wanted = {str(each["payloadType"]) for each in event.get("reportDescriptors") or ()}
        wanted |= {"DEMAND"} if "POWER" in wanted else set()
        offers = list(self._offers.get(ven.id, {}).values())
        if not wanted or one.is_cancelled or any(event["id"] in offer.requests.values() for offer in offers):
            return
        requests = []
        for offer in offers:
            points = [point for point in offer.points.values() if point.kind in wanted]
            if points and offer.kind in _ASKED_FOR:
                requests.append(self._request(offer, str(event["id"]), points, one))
        if requests:
            parts = (leaf("pyld:requestID", new_id()), *requests, leaf("ei:venID", ven.id))
            ven.waiting.append(message("oadr:oadrCreateReport", *parts))

    def end_over(self, ven: Ven, announcements: Announcements) -> None:
        """Cancel what was asked for by events that are over, when a VEN polls."""
        going = {one.event["id"] for one in announcements if announcements.status(one) not in (COMPLETED, CANCELLED)}
        gone = []
        for offer in self._offers.get(ven.id, {}).values():
            over = [id for id, event in offer.requests.items() if event != TELEMETRY and event not in going]
            gone += [id for id in over if id not in offer.ending]
            offer.ending.update(over)
        if gone:
            parts = (leaf("pyld:requestID", new_id()), *(leaf("ei:reportRequestID", id) for id in gone))
            own = leaf("ei:venID", ven.id)
            ven.waiting.append(message("oadr:oadrCancelReport", *parts, leaf("pyld:reportToFollow", False), own))

    def ended(self, ven: Ven) -> None:
        """A VEN has ended what it was told to end; until then it may still report."""
        for offer in self._offers.get(ven.id, {}).values():
            for id in offer.ending:
                del offer.requests[id]
            offer.ending.clear()

    def forget(self, ven: Ven) -> None:
        """A VEN has left."""
        self._offers.pop(ven.id, None)

    def told(self, ven: Ven, inner: Element) -> None:
        """A VEN reports.

        Raises
        ------
        Refused
            For what it was not asked for, and values that are none.
        """
        sent = list(inner.all("oadr:oadrReport"))
        offers = [self._asked(ven, one) for one in sent]
        contents = [self._content(ven, offer, one) for offer, one in zip(offers, sent, strict=True)]
        for offer, content in zip(offers, contents, strict=True):
            if content["resources"]:
                self._keep(ven, offer.specifier, content)

    def _asked(self, ven: Ven, sent: Element) -> Offer:
        specifier, request = text_of(sent, "ei:reportSpecifierID"), text_of(sent, "ei:reportRequestID")
        offer = self._offers.get(ven.id, {}).get(specifier)
        if offer is None or request not in offer.requests:
            raise Refused(INVALID_ID, f"nobody has asked for report {specifier[:40]!r} by request {request[:40]!r}")
        return offer

    def _content(self, ven: Ven, offer: Offer, sent: Element) -> Object:
        asked_by = offer.requests[text_of(sent, "ei:reportRequestID")]
        event = self._store.get("EVENT", asked_by)
        resources: dict[str, list[Object]] = {}
        descriptors: dict[str, Object] = {}
        for k, (point, begin_ns, long_ns, values) in enumerate(self._values(offer, sent)):
            period: Object = {"start": date_time(begin_ns)}
            if long_ns:
                period["duration"] = lasting(long_ns)
            interval = {"id": k, "intervalPeriod": period, "payloads": [{"type": point.kind, "values": values}]}
            resources.setdefault(point.resource or ven.name, []).append(interval)
            descriptors[point.kind] = {
                "objectType": "REPORT_PAYLOAD_DESCRIPTOR",
                "payloadType": point.kind,
                **({"units": point.units} if point.units else {}),
                "readingType": point.reading.upper().replace(" ", "_"),
            }
        return {
            "programID": (event or {}).get("programID", DISPATCH),
            "eventID": asked_by,
            "clientName": ven.name,
            "clientID": ven.client,
            "version": V310,
            "reportName": f"{offer.kind} {offer.specifier}",
            "payloadDescriptors": list(descriptors.values()),
            "resources": [{"resourceName": name, "intervals": found} for name, found in resources.items()],
        }

    def _values(self, offer: Offer, sent: Element) -> Iterator[tuple[Point, int, int, list[Any]]]:
        """The point, begin, length (0: unsaid) and values of each payload."""
        at = sent.value("xcal:dtstart", "xcal:date-time")
        at_ns = self._clock.ns(at) if at else None
        intervals = sent.find("strm:intervals")
        for one in intervals.all("ei:interval") if intervals is not None else ():
            own = one.value("xcal:dtstart", "xcal:date-time")
            begin_ns = self._clock.ns(own) if own else at_ns
            if begin_ns is None:
                raise Refused(INVALID_DATA, "dtstart is missing, in the report as in its interval")
            begin_ns = min(begin_ns, self._store.now_ns())  # a reading is of the past, whatever the VEN's clock says
            long_ns = length_ns(one.value("xcal:duration", "xcal:duration"))
            at_ns = begin_ns + long_ns
            for payload in one.all("oadr:oadrReportPayload"):
                point = offer.points.get(text_of(payload, "ei:rID"))
                if point is None:
                    raise Refused(
                        INVALID_ID, f"rID {text_of(payload, 'ei:rID')[:40]!r} is not in the report that was offered"
                    )
                yield point, begin_ns, long_ns, _payload(point, payload)

    def _drop_old(self, ven: Ven) -> None:
        """Take the last values of what a VEN offers no longer out of the store; reports on events stay."""
        kept = self._kept.get(ven.id, {})
        for specifier, event in list(kept):
            if event == TELEMETRY and specifier not in self._offers[ven.id]:
                gone = kept.pop((specifier, event))
                if self._store.get("REPORT", gone) is not None:
                    self._store.delete("REPORT", gone)

    def _keep(self, ven: Ven, specifier: str, content: Object) -> None:
        """Put a report into the store, over the one that was there before."""
        kept, key = self._kept.setdefault(ven.id, {}), (specifier, str(content["eventID"]))
        old = kept.get(key, "")
        if self._store.get("REPORT", old) is not None:
            self._store.replace("REPORT", old, content)
            return
        try:
            kept[key] = str(self._store.add("REPORT", content)["id"])
        except TakenError:
            self._count("openadr20b: no room for a report")

    def _request(self, one: Offer, event: str, points: Iterable[Point], about: Announced | None = None) -> Element:
        """What asks a VEN to report, as often as it is wanted within what all points can do. about: while which event; None: from now on."""
        wanted = list(points)
        least_ns = max(point.least_ns for point in wanted)
        most_ns = min((point.most_ns for point in wanted if point.most_ns), default=self._report_ns)
        every_ns = max(min(self._report_ns, most_ns), least_ns, NS_PER_S)
        id = new_id()
        one.requests[id] = event
        begin = None
        if about is not None:
            period = (dtstart(self._clock.text(about.begin_ns)), duration(about.end_ns - about.begin_ns))
            begin = of("ei:reportInterval", of("xcal:properties", *period))
        return of(
            "oadr:oadrReportRequest",
            leaf("ei:reportRequestID", id),
            of(
                "ei:reportSpecifier",
                leaf("ei:reportSpecifierID", one.specifier),
                of("xcal:granularity", leaf("xcal:duration", lasting(every_ns))),
                of("ei:reportBackDuration", leaf("xcal:duration", lasting(every_ns))),
                begin,
                *(
                    of("ei:specifierPayload", leaf("ei:rID", point.id), leaf("ei:readingType", point.reading))
                    for point in wanted
                ),
            ),
        )


def _offer(sent: Element) -> Offer:
    one = Offer(text_of(sent, "ei:reportSpecifierID", needed=True), text_of(sent, "ei:reportName", needed=True))
    for each in sent.all("oadr:oadrReportDescription"):
        point = _point(each, is_status=one.name.endswith("TELEMETRY_STATUS"))
        one.points[point.id] = point
    return one


def _point(sent: Element, *, is_status: bool) -> Point:
    source = sent.find("ei:reportDataSource")
    sampling = sent.find("oadr:oadrSamplingRate")
    reading = text_of(sent, "ei:readingType") or "Direct Read"
    if reading not in _READINGS and not _EXTENSION.fullmatch(reading):
        raise Refused(INVALID_DATA, f"readingType: {reading[:40]!r} is none")
    kind, units, factor = (STATUS, "", 1.0) if is_status else _quantity(sent)
    return Point(
        text_of(sent, "ei:rID", needed=True),
        text_of(source, "ei:resourceID") if source is not None else "",
        kind,
        units,
        factor,
        reading,
        length_ns(sampling.value("oadr:oadrMinPeriod")) if sampling is not None else 0,
        length_ns(sampling.value("oadr:oadrMaxPeriod")) if sampling is not None else 0,
    )


def _quantity(sent: Element) -> tuple[str, str, float]:
    """The payload type of OpenADR 3, its units, and the factor to them, of what a point measures."""
    what = text_of(sent, "ei:reportType")
    for tag, kinds, units in (
        ("power:powerReal", {"setPoint": "SETPOINT"}, "KW"),
        ("power:energyReal", {"storedEnergy": "STORAGE_USABLE_CAPACITY"}, "KWH"),
    ):
        base = sent.find(tag)
        if base is not None:
            own = kinds.get(what, "DEMAND" if units == "KW" else "USAGE")
            return own, units, _SCALES.get(text_of(base, "scale:siScaleCode") or "none", 1.0) / 1000.0
    base = next((one for one in sent.children if one.find("scale:siScaleCode") is not None), None)
    given = (
        "" if base is None else next((one.text.strip() for one in base.children if one.tag.endswith(":itemUnits")), "")
    )
    scale = "none" if base is None else text_of(base, "scale:siScaleCode")
    return f"X_{what or 'reading'}", given[:40], _SCALES.get(scale, 1.0)


def _payload(point: Point, sent: Element) -> list[Any]:
    status = sent.find("oadr:oadrPayloadResourceStatus")
    if status is not None:
        return [bool(status.boolean("oadr:oadrOnline")), bool(status.boolean("oadr:oadrManualOverride"))]
    text = sent.value("ei:payloadFloat", "ei:value")
    try:
        value = float(text or "") * point.factor
    except ValueError:
        raise Refused(INVALID_DATA, f"rID {point.id}: {(text or '')[:40]!r} is no number") from None
    if not math.isfinite(value):
        raise Refused(INVALID_DATA, f"rID {point.id}: a finite number is expected")
    return [value]

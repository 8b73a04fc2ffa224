"""What clients tell of themselves over time: mirrored meters, and responses to controls."""

from __future__ import annotations

from dataclasses import dataclass, field

from heptagrid.live.protocols.sep2 import resources
from heptagrid.live.protocols.sep2.answers import LONGEST_PAGE, NOT_FOUND, Answer, Hooks, Refused, Request, only, page
from heptagrid.live.protocols.sep2.model import MOST_MIRRORS, MOST_RESPONSES, EndDevice, Mirror
from heptagrid.live.protocols.sep2.xml import Element, MalformedError, leaf, read

_ACTIVE_POWER_W = 38
_REVERSE = 19


@dataclass
class Metering:
    """Mirrors and responses of all clients. poll_s, post_s: how often clients may ask and post."""

    hooks: Hooks
    poll_s: int
    post_s: int
    mirrors: dict[int, Mirror] = field(default_factory=dict)
    responses: list[Element] = field(default_factory=list)
    _made: int = 0

    def own(self, one: EndDevice) -> list[Mirror]:
        """The mirrors that a client may see."""
        return [each for each in self.mirrors.values() if one.is_operator or each.lfdi == one.lfdi]

    def serve_mirrors(self, method: str, parts: list[str], request: Request, one: EndDevice) -> Answer:
        if not parts:
            if method == "POST":
                return self._new_mirror(request, one)
            only(method, "GET", "POST")
            members = [resources.mirror(each, self.post_s) for each in self.own(one)]
            return page("MirrorUsagePointList", "/mup", members, request, self.poll_s)
        about = next((each for each in self.own(one) if str(each.number) == parts[0]), None)
        if about is None or len(parts) > 1:
            raise Refused(404, NOT_FOUND)
        if method == "DELETE":
            del self.mirrors[about.number]
            return Answer(204)
        if method in ("POST", "PUT"):
            self._take_readings(read(request.body), about, one)
            return Answer(204 if method == "PUT" else 201, location=f"/mup/{about.number}" if method == "POST" else "")
        return Answer(200, resources.mirror(about, self.post_s))

    def _new_mirror(self, request: Request, one: EndDevice) -> Answer:
        given = read(request.body)
        if given.tag != "MirrorUsagePoint" or given.find("mRID") is None:
            raise MalformedError("a MirrorUsagePoint with an mRID is expected")
        if (given.value("deviceLFDI") or "").upper() not in (request.lfdi, ""):
            raise Refused(403, "a client mirrors its own meter alone")
        for each in self.own(one):
            if each.usage.value("mRID") == given.value("mRID"):
                each.usage = given
                self._take_readings(given, each, one)
                return Answer(204, location=f"/mup/{each.number}")
        if len(self.mirrors) >= MOST_MIRRORS:
            raise Refused(503, "there is no room for more mirrors")
        self._made += 1
        made = Mirror(self._made, request.lfdi, given)
        self.mirrors[made.number] = made
        self._take_readings(given, made, one)
        return Answer(201, location=f"/mup/{made.number}")

    def _take_readings(self, given: Element, mirror: Mirror, one: EndDevice) -> None:
        """The newest active power of each meter reading is what the device does."""
        readings = list(given.all("MirrorMeterReading")) if given.tag != "MirrorMeterReading" else [given]
        for reading in readings[:LONGEST_PAGE]:
            id, kind = reading.value("mRID") or "", reading.find("ReadingType")
            if kind is not None and len(mirror.types) < LONGEST_PAGE:
                mirror.types[id] = kind
            values = [each for group in reading.all("MirrorReadingSet") for each in group.all("Reading")]
            values = values or list(reading.all("Reading"))
            if values and (watts := _watts(values[-1], mirror.types.get(id))) is not None:
                self.hooks.read(one, watts)

    def serve_responses(self, method: str, parts: list[str], request: Request, one: EndDevice) -> Answer:
        match parts:
            case []:
                only(method, "GET")
                members = [resources.response_set(len(self.responses))]
                return page("ResponseSetList", "/rsps", members, request, self.poll_s)
            case ["1"]:
                only(method, "GET")
                return Answer(200, resources.response_set(len(self.responses)))
            case ["1", "rsp"] if method == "POST":
                return self._new_response(request, one)
            case ["1", "rsp"]:
                only(method, "GET", "POST")
                own = [each for each in self.responses if one.is_operator or each.value("endDeviceLFDI") == one.lfdi]
                return page("ResponseList", "/rsps/1/rsp", own, request)
        raise Refused(404, NOT_FOUND)

    def _new_response(self, request: Request, one: EndDevice) -> Answer:
        given = read(request.body)
        if not given.tag.endswith("Response") or given.find("subject") is None:
            raise MalformedError("a response with a subject is expected")
        if (given.value("endDeviceLFDI") or "").upper() != one.lfdi:
            raise Refused(403, "a client responds for itself alone")
        number = len(self.responses) + 1
        if number > MOST_RESPONSES:
            raise Refused(503, "there is no room for more responses")
        fields = ("createdDateTime", "endDeviceLFDI", "status", "subject")
        texts = {name: given.value(name) for name in fields}
        children = [
            leaf(name, text.upper() if name == "endDeviceLFDI" else text) for name, text in texts.items() if text
        ]
        self.responses.append(Element("Response", {"href": f"/rsps/1/rsp/{number}"}, children))
        return Answer(201, location=f"/rsps/1/rsp/{number}")


def _watts(reading: Element, kind: Element | None) -> float | None:
    """The power of a reading, positive drawn; None: it is none of power. Without a direction it is as of a load."""
    value = reading.whole("value")
    if value is None or kind is None or kind.whole("uom") != _ACTIVE_POWER_W or kind.whole("phase") not in (None, 0):
        return None
    scale = _scale(kind.whole("powerOfTenMultiplier") or 0)
    return (-1.0 if kind.whole("flowDirection") == _REVERSE else 1.0) * value * scale


def _scale(multiplier: int) -> float:
    """Ten to a multiplier.

    Raises
    ------
    MalformedError
    """
    if not -9 <= multiplier <= 9:
        raise MalformedError("powerOfTenMultiplier: from -9 to 9 is expected")
    return float(10.0**multiplier)

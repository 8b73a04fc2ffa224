"""The VTN of OpenADR 2.0b without sockets: a message of a VEN to a service in, a message out.

Source: OpenADR 2.0 Profile Specification, B Profile: services EiRegisterParty, EiEvent, EiReport, EiOpt and OadrPoll, and its application responses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.openadr.store import Store
from heptagrid.live.protocols.openadr.targets import Targets
from heptagrid.live.protocols.openadr20b.announcements import Announcements
from heptagrid.live.protocols.openadr20b.events import Events, News
from heptagrid.live.protocols.openadr20b.messages import (
    INVALID_DATA,
    INVALID_ID,
    NOT_RECOGNISED,
    OK,
    REPORT_NOT_SUPPORTED,
    Clock,
    Refused,
    duration,
    enveloped,
    message,
    opened,
    response,
    text_of,
)
from heptagrid.live.protocols.openadr20b.opts import Opts
from heptagrid.live.protocols.openadr20b.section import Parameters
from heptagrid.live.protocols.openadr20b.telemetry import Telemetry
from heptagrid.live.protocols.openadr20b.vens import Caller, Ven, Vens
from heptagrid.live.xml import Element, MalformedError, leaf, of

SERVICES: dict[str, dict[str, str]] = {
    "OadrPoll": {"oadrPoll": "oadrResponse"},
    "EiRegisterParty": {
        "oadrQueryRegistration": "oadrCreatedPartyRegistration",
        "oadrCreatePartyRegistration": "oadrCreatedPartyRegistration",
        "oadrCancelPartyRegistration": "oadrCanceledPartyRegistration",
        "oadrCanceledPartyRegistration": "oadrResponse",
        "oadrResponse": "oadrResponse",
    },
    "EiEvent": {
        "oadrRequestEvent": "oadrDistributeEvent",
        "oadrCreatedEvent": "oadrResponse",
        "oadrResponse": "oadrResponse",
    },
    "EiReport": {
        "oadrRegisterReport": "oadrRegisteredReport",
        "oadrRegisteredReport": "oadrResponse",
        "oadrCreateReport": "oadrCreatedReport",
        "oadrCreatedReport": "oadrResponse",
        "oadrUpdateReport": "oadrUpdatedReport",
        "oadrUpdatedReport": "oadrResponse",
        "oadrCancelReport": "oadrCanceledReport",
        "oadrCanceledReport": "oadrResponse",
        "oadrResponse": "oadrResponse",
    },
    "EiOpt": {
        "oadrCreateOpt": "oadrCreatedOpt",
        "oadrCancelOpt": "oadrCanceledOpt",
        "oadrResponse": "oadrResponse",
    },
}
"""The messages that a VEN may send to a service, and with what each is answered."""
_PREFIX = "oadr:"


def _nothing() -> None:
    return


@dataclass(frozen=True)
class Request:
    """What a VEN sends. service: the last part of the path."""

    service: str
    body: bytes
    caller: Caller = field(default_factory=Caller)


@dataclass(frozen=True)
class Asked:
    """A request that has been read. inner: its message; ven: the venID in it; device: for which that VEN stands; refused: the answer where there is no message."""

    request: Request
    inner: Element | None = None
    ven: str = ""
    device: Device | None = None
    refused: Reply | None = None

    @property
    def what(self) -> str:
        """The message's name, for logs."""
        return self.inner.tag.rpartition(":")[2][:60] if self.inner is not None else ""


@dataclass(frozen=True)
class Reply:
    """What it gets. status: of HTTP; body: XML, or words where it is none; code: the application's; arrived: to be called once the VEN has it."""

    status: int
    body: bytes
    code: int = OK
    arrived: Callable[[], None] = _nothing

    @property
    def is_xml(self) -> bool:
        return self.status == OK


class Vtn20b:
    """Serves VENs from a desk's store. now_ns: the simulated instant; count: of what was refused."""

    def __init__(
        self,
        store: Store,
        targets: Targets,
        now_ns: Callable[[], int],
        parameters: Parameters,
        count: Callable[[str], None] = lambda what: None,
    ) -> None:
        self.parameters, self.count = parameters, count
        self.clock = Clock(parameters.clock_offset_s * NS_PER_S)
        self.vens = Vens(store, targets, count)
        ramp_up_ns = parameters.ramp_up_s * NS_PER_S
        self.announcements = Announcements(store, now_ns, self.clock, ramp_up_ns)
        self.opts = Opts(store, self.announcements, self.clock, count)
        self.events = Events(self.announcements, self.vens, self.opts, parameters.vtn_id, now_ns)
        report_ns = parameters.report_s * NS_PER_S
        self.telemetry = Telemetry(store, self.vens, self.clock, report_ns, count)
        self.vens.left += [self.opts.forget, self.telemetry.forget]
        self.events.told.append(self.telemetry.asked_by)

    def handle(self, request: Request) -> Reply:
        """Serve a request."""
        return self.answer(self.read(request))

    def read(self, request: Request) -> Asked:
        """What a request asks, before it is served."""
        if request.service not in SERVICES:
            self.count("openadr20b: 404")
            return Asked(request, refused=Reply(404, f"there is no service {request.service[:40]}".encode()))
        try:
            inner = opened(request.body)
            id, name = _ven_id(inner), text_of(inner, "oadr:oadrVenName")
        except MalformedError as wrong:
            self.count("openadr20b: malformed")
            return Asked(request, refused=Reply(400, str(wrong).encode("utf-8", "replace")))
        except Refused:
            return Asked(request, inner)
        return Asked(request, inner, id, self.vens.device_of(id, name, request.caller))

    def forget_over(self) -> None:
        """Let go of events that have been over for long."""
        self.announcements.forget_over()
        self.opts.forget_over()

    def answer(self, asked: Asked) -> Reply:
        """Serve what was asked."""
        if asked.inner is None or asked.refused is not None:
            assert asked.refused is not None, "what has no message is refused"
            return asked.refused
        return self._answered(asked.request, asked.inner)

    def _answered(self, request: Request, inner: Element) -> Reply:
        what = inner.tag.removeprefix(_PREFIX)
        answer = SERVICES[request.service].get(what) if inner.tag.startswith(_PREFIX) else None
        id = request_id = ""
        try:
            id, request_id = _ven_id(inner), _request_id(inner)
            if answer is None:
                raise Refused(NOT_RECOGNISED, f"{what[:60]} is not for {request.service}")
            made, arrived = self._served(what, inner, request.caller, id, request_id)
        except (Refused, MalformedError) as wrong:
            code = wrong.code if isinstance(wrong, Refused) else INVALID_DATA
            self.count(f"openadr20b: {code} {what if answer else request.service}")
            refusal = self._refusal(answer or "oadrResponse", response(code, str(wrong)[:500], request_id), inner, id)
            return Reply(OK, enveloped(refusal), code)
        return Reply(OK, enveloped(made), OK, arrived)

    def _served(
        self, what: str, inner: Element, caller: Caller, id: str, request_id: str
    ) -> tuple[Element, Callable[[], None]]:
        """The answer to a message that its service takes, and what is to be done once it has arrived.

        Raises
        ------
        Refused, MalformedError
        """
        fine = response(OK, "", request_id)
        if what == "oadrQueryRegistration":
            return self._registration(fine, None), _nothing
        if what == "oadrCreatePartyRegistration":
            return self._registration(fine, self._registered(inner, caller, id)), _nothing
        ven = self.vens.known(id, caller)
        match what:
            case "oadrPoll":
                return self._polled(ven, fine)
            case "oadrCancelPartyRegistration":
                gone = text_of(inner, "ei:registrationID", needed=True)
                self.vens.cancel(ven, gone)
                parts = (leaf("ei:registrationID", gone), leaf("ei:venID", id))
                return message("oadr:oadrCanceledPartyRegistration", fine, *parts), _nothing
            case "oadrRequestEvent":
                limit = inner.whole("pyld:eiRequestEvent", "pyld:replyLimit")
                return self.events.distribution(ven, request_id, None if limit is None else max(limit, 0))
            case "oadrCreatedEvent":
                self.events.answered(ven, inner)
            case "oadrRegisterReport":
                asked = self.telemetry.offered(ven, inner)
                return message("oadr:oadrRegisteredReport", fine, *asked, leaf("ei:venID", id)), _nothing
            case "oadrUpdateReport":
                self.telemetry.told(ven, inner)
                return message("oadr:oadrUpdatedReport", fine, leaf("ei:venID", id)), _nothing
            case "oadrCanceledReport":
                self.telemetry.ended(ven)
            case "oadrCreateReport":
                raise Refused(REPORT_NOT_SUPPORTED, "this VTN offers no reports")
            case "oadrCancelReport":
                raise Refused(INVALID_ID, "this VTN offers no reports, so that none can be cancelled")
            case "oadrCreateOpt":
                return message("oadr:oadrCreatedOpt", fine, leaf("ei:optID", self.opts.create(ven, inner))), _nothing
            case "oadrCancelOpt":
                gone = text_of(inner, "ei:optID", needed=True)
                self.opts.cancel(ven, gone)
                return message("oadr:oadrCanceledOpt", fine, leaf("ei:optID", gone)), _nothing
        return message("oadr:oadrResponse", fine, leaf("ei:venID", id)), _nothing

    def _polled(self, ven: Ven, fine: Element) -> tuple[Element, Callable[[], None]]:
        self.telemetry.end_over(ven, self.announcements)
        news = self.events.news(ven)
        # A VEN that polls seldom hears of a new event at the second poll at the latest, however much waits, and in turns of that.
        if ven.waiting and (ven.had_events or news is not News.FRESH):
            first, ven.had_events = ven.waiting[0], False
            return first, lambda: ven.has_got(first)
        ven.had_events = news is not News.NONE
        if ven.had_events:
            return self.events.distribution(ven, None)
        return message("oadr:oadrResponse", fine, leaf("ei:venID", ven.id)), _nothing

    def _registered(self, inner: Element, caller: Caller, id: str) -> Ven:
        """A VEN registers.

        Raises
        ------
        Refused
            For another profile than B over simple HTTP, pulled, too.
        """
        for tag, wanted in (("oadr:oadrProfileName", "2.0b"), ("oadr:oadrTransportName", "simpleHttp")):
            if text_of(inner, tag) not in ("", wanted):
                raise Refused(INVALID_DATA, f"{tag.removeprefix(_PREFIX)}: {wanted} alone is served")
        if inner.boolean("oadr:oadrHttpPullModel") is False:
            raise Refused(INVALID_DATA, "oadrHttpPullModel: this VTN calls nobody; VENs have to poll")
        name = text_of(inner, "oadr:oadrVenName")
        return self.vens.register(id, text_of(inner, "ei:registrationID"), name, caller)

    def _registration(self, said: Element, ven: Ven | None) -> Element:
        """What tells a VEN how this VTN is spoken to, and its IDs where it is registered."""
        transport = of("oadr:oadrTransport", leaf("oadr:oadrTransportName", "simpleHttp"))
        profile = of("oadr:oadrProfile", leaf("oadr:oadrProfileName", "2.0b"), of("oadr:oadrTransports", transport))
        return message(
            "oadr:oadrCreatedPartyRegistration",
            said,
            leaf("ei:registrationID", ven.registration) if ven else None,
            leaf("ei:venID", ven.id) if ven else None,
            leaf("ei:vtnID", self.parameters.vtn_id),
            of("oadr:oadrProfiles", profile),
            of("oadr:oadrRequestedOadrPollFreq", *duration(self.parameters.poll_s * NS_PER_S).children),
        )

    def _refusal(self, answer: str, said: Element, inner: Element, id: str) -> Element:
        """An answer of its own kind that says no, with what the schema wants in it."""
        tag, own = f"{_PREFIX}{answer}", leaf("ei:venID", id) if id else None
        match answer:
            case "oadrCreatedPartyRegistration":
                return self._registration(said, None)
            case "oadrDistributeEvent":
                request = leaf("pyld:requestID", said.value("pyld:requestID") or "")
                return message(tag, said, request, leaf("ei:vtnID", self.parameters.vtn_id))
            case "oadrCreatedOpt" | "oadrCanceledOpt":
                return message(tag, said, leaf("ei:optID", (inner.value("ei:optID") or "")[:128]))
            case "oadrCreatedReport" | "oadrCanceledReport":
                return message(tag, said, of("oadr:oadrPendingReports"), own)
        return message(tag, said, own)


def _ven_id(inner: Element) -> str:
    """The venID that a message names, empty if none.

    Raises
    ------
    Refused
    """
    for path in (("ei:venID",), ("pyld:eiRequestEvent", "ei:venID"), ("pyld:eiCreatedEvent", "ei:venID")):
        if found := text_of(inner, *path):
            return found
    return ""


def _request_id(inner: Element) -> str:
    """The requestID that a message has, and which its answer repeats; empty if none.

    Raises
    ------
    Refused
    """
    for path in (
        ("pyld:requestID",),
        ("pyld:eiRequestEvent", "pyld:requestID"),
        ("pyld:eiCreatedEvent", "ei:eiResponse", "pyld:requestID"),
        ("ei:eiResponse", "pyld:requestID"),
    ):
        if found := text_of(inner, *path):
            return found
    return ""

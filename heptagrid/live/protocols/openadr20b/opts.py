"""Who takes part in which event: answers to events (`oadrCreatedEvent`) and opts (EiOpt), as reports on the events in the desk's store.

An opt of a VEN goes before its answer to the event, and both before a schedule that says when it is away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from heptagrid.live.protocols.openadr.objects import V310
from heptagrid.live.protocols.openadr.store import Object, Store, TakenError
from heptagrid.live.protocols.openadr20b.announcements import MARKET, Announced, Announcements
from heptagrid.live.protocols.openadr20b.messages import INVALID_DATA, INVALID_ID, Clock, Refused, length_ns, text_of
from heptagrid.live.protocols.openadr20b.vens import Ven
from heptagrid.live.xml import Element

OPT = "X_HEPTAGRID_OPT"
"""The payload type of ours of such a report: optIn or optOut."""
OPT_IN, OPT_OUT = "optIn", "optOut"
MOST_OPTS = 1_000
"""That a VEN may have at a time."""


@dataclass(frozen=True)
class Opt:
    """What a VEN has declared. event: on which, empty for a schedule; program: for whose events alone, empty for all; times: begin and end, simulated; without them it holds always."""

    type: str
    event: str
    program: str
    times: tuple[tuple[int, int], ...]

    def concerns(self, one: Announced) -> bool:
        """Whether an event falls into it."""
        if self.event:
            return self.event == one.id
        if self.program and self.program != one.program:
            return False
        return not self.times or any(begin < one.end_ns and one.begin_ns < end for begin, end in self.times)


class Opts:
    """Keeps them by VEN."""

    def __init__(self, store: Store, announcements: Announcements, clock: Clock, count: Callable[[str], None]) -> None:
        self._store, self._announcements, self._clock, self._count = store, announcements, clock, count
        self._opts: dict[str, dict[str, Opt]] = {}
        self._answers: dict[str, dict[str, str]] = {}
        self._kept: dict[tuple[str, str], str] = {}

    def of(self, ven: Ven, one: Announced) -> str:
        """Whether a VEN takes part in an event: optIn, optOut, or empty if it has not said."""
        opts = [opt for opt in self._opts.get(ven.id, {}).values() if opt.concerns(one)]
        for opt in reversed(opts):
            if opt.event:
                return opt.type
        answer = self._answers.get(ven.id, {}).get(one.id, "")
        return answer or (opts[-1].type if opts else "")

    def answer(self, ven: Ven, one: Announced, type: str) -> None:
        """A VEN has answered an event."""
        self._answers.setdefault(ven.id, {})[one.id] = type
        self.publish(ven, one)

    def create(self, ven: Ven, inner: Element) -> str:
        """A VEN declares; the opt's ID.

        Raises
        ------
        Refused
        """
        id, type = text_of(inner, "ei:optID", needed=True), _type(text_of(inner, "ei:optType", needed=True))
        event = text_of(inner, "ei:qualifiedEventID", "ei:eventID")
        if event:
            one = self._announcements.get(event)
            if one is None or event not in ven.told:
                raise Refused(INVALID_ID, f"VEN {ven.id} knows no event {event[:40]!r}")
        program = text_of(inner, "emix:marketContext").removeprefix(MARKET)
        own = self._opts.setdefault(ven.id, {})
        if id not in own and len(own) >= MOST_OPTS:
            raise Refused(INVALID_DATA, f"a VEN may have at most {MOST_OPTS} opts")
        own.pop(id, None)  # one that is changed is the latest
        own[id] = Opt(type, event, program, self._times(inner))
        self._publish_all(ven, own[id])
        return id

    def cancel(self, ven: Ven, id: str) -> None:
        """A VEN takes an opt back.

        Raises
        ------
        Refused
        """
        gone = self._opts.get(ven.id, {}).pop(id, None)
        if gone is None:
            raise Refused(INVALID_ID, f"VEN {ven.id} has no opt {id[:40]!r}")
        self._publish_all(ven, gone)

    def forget(self, ven: Ven) -> None:
        """A VEN has left."""
        self._opts.pop(ven.id, None)
        self._answers.pop(ven.id, None)

    def forget_over(self) -> None:
        """Let go of answers to events that are announced no longer; the reports on them stay."""
        for answers in self._answers.values():
            for id in [id for id in answers if self._announcements.get(id) is None]:
                del answers[id]
        for key in [key for key in self._kept if self._announcements.get(key[1]) is None]:
            del self._kept[key]

    def publish(self, ven: Ven, one: Announced) -> None:
        """Write into the store whether a VEN takes part in an event, if that has changed."""
        key, opt = (ven.id, one.id), self.of(ven, one)
        old = self._store.get("REPORT", self._kept.get(key, ""))
        if not opt:
            if old is not None:
                self._store.delete("REPORT", str(old["id"]))
        elif old is None:
            try:
                self._kept[key] = str(self._store.add("REPORT", _report(ven, one, opt))["id"])
            except TakenError:
                self._count("openadr20b: no room for a report")
        elif _said(old) != opt:
            self._store.replace("REPORT", str(old["id"]), _report(ven, one, opt))

    def _publish_all(self, ven: Ven, opt: Opt) -> None:
        for one in self._announcements:
            if one.id in ven.told and opt.concerns(one):
                self.publish(ven, one)

    def _times(self, inner: Element) -> tuple[tuple[int, int], ...]:
        components = inner.find("xcal:vavailability", "xcal:components")
        found = []
        for one in components.all("xcal:available") if components is not None else ():
            begin_ns = self._clock.ns(text_of(one, "xcal:properties", "xcal:dtstart", "xcal:date-time", needed=True))
            long_ns = length_ns(one.value("xcal:properties", "xcal:duration", "xcal:duration"))
            found.append((begin_ns, begin_ns + long_ns))
        return tuple(found)


def _type(text: str) -> str:
    if text not in (OPT_IN, OPT_OUT):
        raise Refused(INVALID_DATA, f"optType: {OPT_IN} or {OPT_OUT} is expected, and not {text[:40]!r}")
    return text


def _report(ven: Ven, one: Announced, opt: str) -> Object:
    payload = {"type": OPT, "values": [opt]}
    return {
        "programID": one.program,
        "eventID": one.event["id"],
        "clientName": ven.name,
        "clientID": ven.client,
        "version": V310,
        "reportName": f"opt of {ven.name} on {one.id}",
        "payloadDescriptors": [{"objectType": "REPORT_PAYLOAD_DESCRIPTOR", "payloadType": OPT}],
        "resources": [{"resourceName": ven.name, "intervals": [{"id": 0, "payloads": [payload]}]}],
    }


def _said(report: Object) -> str:
    return str(report["resources"][0]["intervals"][0]["payloads"][0]["values"][0])

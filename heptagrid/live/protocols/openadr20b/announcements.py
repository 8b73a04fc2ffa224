"""The desk's events as VENs of OpenADR 2.0b know them: their IDs, modification numbers and status, kept while the desk changes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from heptagrid.live.protocols.openadr.dispatch import targets_of
from heptagrid.live.protocols.openadr.schedule import RESPONSE_REQUIRED, is_test, said, units_of
from heptagrid.live.protocols.openadr.store import Object, Store
from heptagrid.live.protocols.openadr.timing import FOREVER_NS, duration_ns, intervals_of, start_ns
from heptagrid.live.protocols.openadr20b.messages import Clock, dtstart, duration, lasting
from heptagrid.live.protocols.openadr20b.signals import Run, Units, runs_of
from heptagrid.live.xml import Element, leaf, of

FAR, NEAR, ACTIVE, COMPLETED, CANCELLED = "far", "near", "active", "completed", "cancelled"
MARKET = "http://heptagrid.local/programs/"
"""Before a programme's ID: its market context, which is a URI."""


@dataclass(frozen=True)
class Announced:
    """An event as it is announced. modification: its number; created_ns, modified_ns: simulated. targets: values, none for everybody; program: its ID."""

    id: str
    event: Object
    program: str
    run: Run
    targets: frozenset[str]
    modification: int
    created_ns: int
    modified_ns: int
    is_cancelled: bool = False

    @property
    def begin_ns(self) -> int:
        return self.run.begin_ns

    @property
    def end_ns(self) -> int:
        """Exclusive; of an event without an end it is as good as never."""
        return self.run.end_ns

    @property
    def needs_answer(self) -> bool:
        """Whether a VEN has to opt in or out; what is built in tells, and asks nothing."""
        return not self.event.get("isBuiltIn") and said(self.event, RESPONSE_REQUIRED) != "never"

    def status(self, now_ns: int, ramp_up_ns: int) -> str:
        """Where it stands at a simulated instant."""
        if self.is_cancelled:
            return CANCELLED
        if now_ns >= self.end_ns:
            return COMPLETED
        if now_ns >= self.begin_ns:
            return ACTIVE
        return NEAR if now_ns >= self.begin_ns - ramp_up_ns else FAR


class Announcements:
    """Follows the store. ramp_up_ns: how long before its start an event is near."""

    def __init__(self, store: Store, now_ns: Callable[[], int], clock: Clock, ramp_up_ns: int = 0) -> None:
        self._store, self._now_ns, self._clock, self._ramp_up_ns = store, now_ns, clock, ramp_up_ns
        self._announced: dict[str, Announced] = {}
        self._parts: dict[str, int] = {}
        for one in store.all("EVENT"):
            self._announce(one)
        store.changed.append(self._note)

    def __iter__(self) -> Iterator[Announced]:
        return iter(self._announced.values())

    def get(self, id: str) -> Announced | None:
        """The one with an ID."""
        return self._announced.get(id)

    def status(self, one: Announced) -> str:
        """Where an event stands now."""
        return one.status(self._now_ns(), self._ramp_up_ns)

    def forget_over(self) -> None:
        """Let go of what is cancelled or completed, and has been for a day."""
        now_ns = self._now_ns()
        for one in list(self._announced.values()):
            since_ns = one.modified_ns if one.is_cancelled else one.end_ns
            if now_ns - since_ns > _KEPT_NS:
                del self._announced[one.id]

    def element(self, one: Announced, target: Element) -> Element:
        """An event in a distribution. target: whom it is for."""
        status = self.status(one)
        descriptor = of(
            "ei:eventDescriptor",
            leaf("ei:eventID", one.id),
            leaf("ei:modificationNumber", one.modification),
            leaf("ei:modificationDateTime", self._clock.text(one.modified_ns)),
            leaf("ei:priority", _priority(one.event)),
            of("ei:eiMarketContext", leaf("emix:marketContext", f"{MARKET}{one.program}")),
            leaf("ei:createdDateTime", self._clock.text(one.created_ns)),
            leaf("ei:eventStatus", status),
            leaf("ei:testEvent", is_test(one.event)),
            leaf("ei:vtnComment", one.event["eventName"]) if one.event.get("eventName") else None,
        )
        event = of(
            "ei:eiEvent",
            descriptor,
            self._active_period(one),
            of("ei:eiEventSignals", *(signal.element(self._now_ns()) for signal in one.run.signals)),
            target,
        )
        return of("oadr:oadrEvent", event, leaf("oadr:oadrResponseRequired", "always" if one.needs_answer else "never"))

    def _active_period(self, one: Announced) -> Element:
        random_ns = _randomised_ns(one.event)
        tolerance = None
        if random_ns:
            tolerance = of("xcal:tolerance", of("xcal:tolerate", leaf("xcal:startafter", lasting(random_ns))))
        return of(
            "ei:eiActivePeriod",
            of(
                "xcal:properties",
                dtstart(self._clock.text(one.begin_ns)),
                duration(one.end_ns - one.begin_ns),
                tolerance,
                of("ei:x-eiNotification", leaf("xcal:duration", "PT0S")),
                of("ei:x-eiRampUp", leaf("xcal:duration", lasting(self._ramp_up_ns))),
                of("ei:x-eiRecovery", leaf("xcal:duration", "PT0S")),
            ),
            of("xcal:components"),
        )

    def _note(self, operation: str, kind: str, one: Object) -> None:
        if kind == "EVENT":
            if operation == "DELETE":
                self._withdraw(one["id"], 0)
            else:
                self._announce(one)
        elif kind == "PROGRAM" and operation == "UPDATE":
            for event in list(self._store.all("EVENT")):
                if event["programID"] == one["id"]:
                    self._announce(event)

    def _announce(self, event: Object) -> None:
        now_ns = self._now_ns()
        program = self._store.get("PROGRAM", event["programID"])
        intervals = intervals_of(event, start_ns(event["createdDateTime"]) or now_ns)
        targets = frozenset(value for _, value in targets_of(event, program))
        runs = runs_of(intervals, _units(event, program))
        for k, run in enumerate(runs):
            id = _part(event["id"], k)
            old = self._announced.get(id)
            self._announced[id] = Announced(
                id,
                event,
                event["programID"],
                run,
                targets,
                0 if old is None else old.modification + 1,
                now_ns if old is None else old.created_ns,
                now_ns,
            )
        self._withdraw(event["id"], len(runs))
        self._parts[event["id"]] = len(runs)

    def _withdraw(self, event: str, first: int) -> None:
        """Cancel an event's parts from a number on; one that is over is let go."""
        now_ns = self._now_ns()
        for k in range(first, self._parts.pop(event, 0)):
            id = _part(event, k)
            one = self._announced.get(id)
            if one is None or one.is_cancelled:
                continue
            if one.end_ns <= now_ns:
                del self._announced[id]
                continue
            self._announced[id] = replace(one, is_cancelled=True, modification=one.modification + 1, modified_ns=now_ns)


_KEPT_NS = 86_400 * 10**9


def _part(event: str, number: int) -> str:
    """The ID of a part of an event; the first has the event's own."""
    return event if number == 0 else f"{event}.{number + 1}"


def _priority(event: Object) -> int:
    """From 1, the highest, on; 0 says nothing. In OpenADR 3 it is 0 that is the highest."""
    given = event.get("priority")
    return 0 if given is None else min(int(given), 2**31) + 1


def _randomised_ns(event: Object) -> int:
    given = (event.get("intervalPeriod") or {}).get("randomizeStart")
    return min(max(duration_ns(given), 0), FOREVER_NS - 1) if given else 0


def _units(event: Object, program: Object | None) -> Mapping[str, Units]:
    units = units_of(event, program)
    currencies = {
        one["payloadType"]: one["currency"]
        for owner in (program, event)
        for one in (owner or {}).get("payloadDescriptors") or ()
        if one.get("currency")
    }
    return {
        kind: Units(units.get(kind, "").upper(), currencies.get(kind, "").upper()) for kind in {*units, *currencies}
    }

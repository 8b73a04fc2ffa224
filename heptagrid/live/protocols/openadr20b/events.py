"""EiEvent: every distribution to a VEN holds all events that are its, for one that is missing it takes to be cancelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.protocols.openadr20b.announcements import ACTIVE, CANCELLED, COMPLETED, Announced, Announcements
from heptagrid.live.protocols.openadr20b.messages import (
    INVALID_DATA,
    INVALID_ID,
    OK,
    Refused,
    message,
    new_id,
    response,
    text_of,
)
from heptagrid.live.protocols.openadr20b.opts import OPT_IN, OPT_OUT, Opts
from heptagrid.live.protocols.openadr20b.vens import Told, Ven, Vens
from heptagrid.live.xml import Element, leaf, of

ASKED_AGAIN_NS = 60 * NS_PER_S
"""After which an event that a VEN has not answered is sent to it again: assumption, as an order that was lost."""
Distribution = tuple[Element, Callable[[], None]]
"""The message, and what is to be done once it has arrived."""


class News(Enum):
    """What there is to tell a VEN of events."""

    NONE = 0
    UNANSWERED = 1
    """What it knows, and has not answered for a while."""
    FRESH = 2
    """What it does not know as it is."""


class Events:
    """Distributes events, and takes answers."""

    def __init__(
        self, announcements: Announcements, vens: Vens, opts: Opts, vtn_id: str, now_ns: Callable[[], int]
    ) -> None:
        """Set up; told: called with each event that a VEN has been told."""
        self.told: list[Callable[[Ven, Announced], None]] = []
        self._announcements, self._vens, self._opts = announcements, vens, opts
        self._vtn_id, self._now_ns = vtn_id, now_ns

    def news(self, ven: Ven) -> News:
        """Whether a VEN does not know all as it is, or has not answered for a while."""
        visible = self._visible(ven)
        if ven.told.keys() - {one.id for one in visible} - {id for id, told in ven.told.items() if told.is_over}:
            return News.FRESH  # an event is no longer for this VEN
        found = News.NONE
        for one in visible:
            told = ven.told.get(one.id)
            if self._announcements.status(one) == COMPLETED:
                continue
            if told is None or told.modification != one.modification:
                return News.FRESH
            is_late = self._now_ns() - told.told_ns >= ASKED_AGAIN_NS
            if one.needs_answer and told.answered != one.modification and is_late:
                found = News.UNANSWERED
        return found

    def distribution(self, ven: Ven, request_id: str | None, limit: int | None = None) -> Distribution:
        """All events of a VEN. request_id: of the request that this answers, None: it has polled; limit: how many it can take."""
        events = self._visible(ven)[:limit]
        answered = None if request_id is None else response(OK, "", request_id)
        made = message(
            "oadr:oadrDistributeEvent",
            answered,
            leaf("pyld:requestID", new_id()),
            leaf("ei:vtnID", self._vtn_id),
            *(self._announcements.element(one, self._target(ven, one)) for one in events),
        )
        return made, lambda: self._arrived(ven, events, is_all=limit is None)

    def answered(self, ven: Ven, inner: Element) -> None:
        """A VEN opts in or out.

        Raises
        ------
        Refused
            452 for an event that it does not know, 454 for a modification that has not been made; nothing is taken then.
        """
        responses = inner.find("pyld:eiCreatedEvent", "ei:eventResponses")
        taken: list[tuple[Announced, Told, str]] = []
        for each in responses.all("ei:eventResponse") if responses is not None else ():
            id = text_of(each, "ei:qualifiedEventID", "ei:eventID", needed=True)
            one, told = self._announcements.get(id), ven.told.get(id)
            if one is None or told is None:
                raise Refused(INVALID_ID, f"VEN {ven.id} knows no event {id[:40]!r}")
            number = each.whole("ei:qualifiedEventID", "ei:modificationNumber") or 0
            type = text_of(each, "ei:optType", needed=True)
            if number > one.modification or type not in (OPT_IN, OPT_OUT):
                raise Refused(INVALID_DATA, f"event {id[:40]}: no such modification, or no such optType")
            if number == one.modification:  # an answer to an older one has been overtaken
                is_fine = text_of(each, "ei:responseCode") in ("", "200")
                taken.append((one, told, type if is_fine else OPT_OUT))
        for one, told, type in taken:
            told.answered = one.modification
            self._opts.answer(ven, one, type)

    def _visible(self, ven: Ven) -> Sequence[Announced]:
        """The events of a VEN: those that are active first, then by when they begin; what is over only for whom has not heard that."""
        own = self._vens.targets_of(ven)
        found: list[tuple[bool, int, str, Announced]] = []
        for one in self._announcements:
            if one.targets and not own.intersection(one.targets):
                continue
            status, told = self._announcements.status(one), ven.told.get(one.id)
            if status in (CANCELLED, COMPLETED) and (told is None or told.is_over):
                continue
            found.append((status != ACTIVE, one.begin_ns, one.id, one))
        return [each[-1] for each in sorted(found, key=lambda each: each[:3])]

    def _arrived(self, ven: Ven, events: Sequence[Announced], *, is_all: bool) -> None:
        now_ns, known = self._now_ns(), {} if is_all else dict(ven.told)
        for one in events:
            old = ven.told.get(one.id)
            answered = old.answered if old is not None else -1
            is_over = self._announcements.status(one) in (CANCELLED, COMPLETED)
            is_settled = is_over and (not one.needs_answer or answered == one.modification or one.end_ns <= now_ns)
            known[one.id] = Told(one.modification, now_ns, answered, is_settled)
            self._opts.publish(ven, one)
            for told in self.told:
                told(ven, one)
        ven.told = known

    def _target(self, ven: Ven, one: Announced) -> Element:
        """Whom an event is for, as far as that is this VEN."""
        own = self._vens.own_names(ven) & one.targets
        groups = sorted((self._vens.targets_of(ven) & one.targets) - own - {ven.id, ven.name})
        return of(
            "ei:eiTarget",
            *(leaf("ei:groupID", name) for name in groups),
            *(leaf("ei:resourceID", name) for name in sorted(own)),
            leaf("ei:venID", ven.id),
        )

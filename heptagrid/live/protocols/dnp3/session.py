"""One master's conversation with an outstation (IEEE 1815-2012, clauses 4.1 to 4.6): polls, confirmations, unsolicited responses, commands.

It owns no socket and no clock: it is given fragments and the time of a monotonic clock, and holds the fragments that are to be sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from heptagrid.live.protocols.dnp3.application import (
    Function,
    Indications,
    Request,
    UnknownObjectError,
    headers_of,
    request_of,
    response,
)
from heptagrid.live.protocols.dnp3.controls import Answer, Controls
from heptagrid.live.protocols.dnp3.events import Event, Events, release
from heptagrid.live.protocols.dnp3.link import MalformedError
from heptagrid.live.protocols.dnp3.objects import (
    CLASSES,
    TIME,
    Item,
    fragments,
    time_bytes,
)
from heptagrid.live.protocols.dnp3.outstation import ALWAYS, NEVER, Outstation, event_item
from heptagrid.live.protocols.dnp3.reading import Reading, read
from heptagrid.live.protocols.dnp3.services import Reply, served
from heptagrid.live.protocols.dnp3.transport import MOST_FRAGMENT

_NUMBERS = 16
_ROOM = MOST_FRAGMENT - 4
_CLASS_BITS = {1: Indications.CLASS_1, 2: Indications.CLASS_2, 3: Indications.CLASS_3}
_UNANSWERED = frozenset((Function.DIRECT_OPERATE_NR, Function.IMMED_FREEZE_NR, 10, 12))
_MUST_CONFIRM_BROADCAST = 0xFFFE


@dataclass(slots=True)
class _Awaited:
    """A response that waits for its confirmation. until: when it is given up, or sent again. is_null: whether it only tells that the outstation is there."""

    sequence: int
    fragment: bytes
    events: list[Event]
    until: float
    retries: int = 0
    is_null: bool = False


class Session:
    """A conversation. After a series of unsolicited responses that nobody confirmed, the next begins with something new, another connection, or when it is asked for. is_reachable: whether the master is connected, so that something can be sent unasked. refused: requests that were answered negatively; repeated: that came once more, and were answered as before without being done again."""

    def __init__(self, outstation: Outstation) -> None:
        self._outstation, self._rules = outstation, outstation.rules
        self.events = Events(self._rules.buffer)
        self.enabled: set[int] = set()
        self.is_reachable = False
        self.refused = self.repeated = 0
        self._out: list[bytes] = []
        self._controls = Controls(
            outstation.outputs,
            outstation.selections,
            self._rules.select_s,
            self._rules.most_controls,
            outstation.is_ready,
        )
        self._last: tuple[bytes, bytes | None] | None = None
        self._rest: deque[tuple[bytes, list[Item]]] = deque()
        self._solicited: _Awaited | None = None
        self._unsolicited: _Awaited | None = None
        self._next_unsolicited = 0
        self._deferred: Request | None = None
        self._broadcast: int | None = None
        self.restarted()

    def restarted(self) -> None:
        """The outstation begins anew: it says so until the master has cleared that."""
        self.events.clear()
        self.enabled = set()
        self._has_restarted, self._was_heard = True, False
        self._may_tell = self._rules.unsolicited == ALWAYS
        self._is_tired = False
        self._abandon()
        self._unsolicited = self._deferred = None
        self._controls.forget()

    def connected(self) -> None:
        """The master has connected again: what it was told before may not have come."""
        self.is_reachable, self._is_tired = True, False
        self._last = self._deferred = None
        self._abandon()
        self._give_up_unsolicited()

    def left(self) -> None:
        """The master's connection has ended."""
        self.is_reachable = False
        self._controls.forget()

    def take(self) -> list[bytes]:
        """The fragments that are to be sent, in order; they are forgotten."""
        out, self._out = self._out, []
        return out

    def tell(self, events: Iterable[Event], now: float) -> None:
        """Something has happened at the outstation."""
        for one in events:
            self.events.add(one)
            self._is_tired &= not (self._was_heard and one.of_class in self.enabled)
        self._pump(now)

    def receive(self, fragment: bytes, now: float, broadcast: int | None = None) -> None:
        """Take a fragment of the master. broadcast: the address to which it was sent, if it was for all.

        Raises
        ------
        MalformedError
            If it is none; there is no answer.
        """
        request = request_of(fragment)
        if broadcast is not None:
            self._take_broadcast(request, broadcast, now)
            return
        if request.function == Function.CONFIRM:
            self._confirmed(request, now)
            self._pump(now)
            return
        self._abandon()
        self._deferred = None
        if request.function == Function.READ:
            if self._unsolicited is not None:
                self._deferred = request
                return
            self._last = None
            self._read(request, now)
        elif self._last is not None and self._last[0] == fragment:
            self.repeated += 1
            if self._last[1] is not None:
                self._out.append(self._last[1])
        else:
            self._last = (fragment, self._do(request, now))
        self._pump(now)

    def due(self) -> float:
        """When `tick` must be called at the latest; infinite if never."""
        return min((one.until for one in (self._solicited, self._unsolicited) if one), default=float("inf"))

    def tick(self, now: float) -> None:
        """Do what is due: give up confirmations that have not come, and send unsolicited responses again."""
        if self._solicited is not None and now >= self._solicited.until:
            self._abandon()
        waits = self._unsolicited
        if waits is not None and now >= waits.until:
            is_wanted = waits.is_null or any(one.of_class in self.enabled for one in waits.events)
            if self._deferred is None and is_wanted and self.is_reachable and waits.retries < self._rules.retries:
                waits.retries += 1
                waits.until = now + self._rules.confirm_s
                self._out.append(waits.fragment)
            else:
                self._is_tired = True
                self._give_up_unsolicited()
        self._answer_deferred(now)
        self._pump(now)

    def _abandon(self) -> None:
        """No confirmation is expected of a response to a request any more."""
        if self._solicited is not None:
            release(self._solicited.events)
        for _, held in self._rest:
            release(_events_of(held))
        self._solicited = None
        self._rest.clear()

    def _give_up_unsolicited(self) -> None:
        if self._unsolicited is not None:
            release(self._unsolicited.events)
            self._unsolicited = None

    def _answer_deferred(self, now: float) -> None:
        """Answer a read that waited for the confirmation of an unsolicited response (4.1.5.3)."""
        if self._deferred is not None and self._unsolicited is None:
            request, self._deferred = self._deferred, None
            self._read(request, now)

    def _confirmed(self, request: Request, now: float) -> None:
        waits = self._unsolicited if request.is_unsolicited else self._solicited
        if waits is None or waits.sequence != request.sequence:
            return
        self._is_tired &= not request.is_unsolicited
        self.events.confirmed(waits.events)
        self._broadcast = None
        if request.is_unsolicited:
            self._unsolicited = None
            self._was_heard |= waits.is_null
            self._answer_deferred(now)
        else:
            self._solicited = None
            self._send_next((waits.sequence + 1) % _NUMBERS, now, is_first=False)

    def _pump(self, now: float) -> None:
        """Send what is to be told unasked, if nothing is waited for."""
        if not (self._may_tell and self.is_reachable) or self._is_tired:
            return
        if self._unsolicited is not None or self._solicited is not None:
            return
        objects, held = b"", list[Item]()
        is_null = not self._was_heard
        if not is_null:
            told = [event_item(one) for one in self.events.find(lambda one: one.of_class in self.enabled)]
            if not told:
                return
            objects, held = next(fragments(told, _ROOM))
        events = _events_of(held)
        _mark(events)
        number = self._next_unsolicited
        self._next_unsolicited = (number + 1) % _NUMBERS
        fragment = response(number, self._indications(), objects, must_confirm=True, is_unsolicited=True)
        self._unsolicited = _Awaited(number, fragment, events, now + self._rules.confirm_s, is_null=is_null)
        self._out.append(fragment)

    def _indications(self) -> Indications:
        found = Indications.NONE
        for one in self.events.classes():
            found |= _CLASS_BITS[one]
        for holds, bit in (
            (self._broadcast is not None, Indications.BROADCAST),
            (self._outstation.needs_time, Indications.NEED_TIME),
            (not self._outstation.is_well(), Indications.DEVICE_TROUBLE),
            (self._has_restarted, Indications.DEVICE_RESTART),
            (self.events.has_overflowed, Indications.BUFFER_OVERFLOW),
        ):
            found |= bit if holds else Indications.NONE
        return found

    def _read(self, request: Request, now: float) -> None:
        """Answer a read: with present values, and events that are to be confirmed."""
        found = Reading()
        try:
            found = read(headers_of(request.objects, None), self._outstation, self.events)
        except MalformedError:
            found.said |= Indications.PARAMETER_ERROR
        if found.wants_time:
            found.objects += bytes((TIME, 1, 0x07, 1)) + time_bytes(self._outstation.now_ms)
        self.refused += found.said != Indications.NONE
        _mark(_events_of(found.items))
        self._rest.extend(fragments(found.items, _ROOM - len(found.objects)))
        data, held = self._rest.popleft()
        self._rest.appendleft((bytes(found.objects) + data, held))
        self._send_next(request.sequence, now, found.said)

    def _send_next(
        self, sequence: int, now: float, said: Indications = Indications.NONE, is_first: bool = True
    ) -> None:
        """Send the next fragment of a response, if there is one."""
        if not self._rest:
            return
        objects, held = self._rest.popleft()
        events = _events_of(held)
        must_confirm = bool(events or self._rest) or self._broadcast == _MUST_CONFIRM_BROADCAST
        fragment = response(
            sequence,
            self._indications() | said,
            objects,
            is_first=is_first,
            is_final=not self._rest,
            must_confirm=must_confirm,
        )
        if must_confirm:
            self._solicited = _Awaited(sequence, fragment, events, now + self._rules.confirm_s)
        else:
            self._broadcast = None
        self._out.append(fragment)

    def _do(self, request: Request, now: float) -> bytes | None:
        """Do what a request other than a read says, and answer; the answer, None if there is none."""
        reply = self._done(request, now)
        self._has_restarted &= not reply.clears_restart
        self.refused += reply.said != Indications.NONE
        fragment = None
        if request.function not in _UNANSWERED:
            must_confirm = self._broadcast == _MUST_CONFIRM_BROADCAST
            fragment = response(
                request.sequence, self._indications() | reply.said, reply.objects, must_confirm=must_confirm
            )
            if must_confirm:
                self._solicited = _Awaited(request.sequence, fragment, [], now + self._rules.confirm_s)
            else:
                self._broadcast = None
            self._out.append(fragment)
        self._follow(reply)
        return fragment

    def _follow(self, reply: Reply) -> None:
        """Do what a request asks for once it is answered."""
        if reply.restarts:
            self._outstation.restart()

    def _done(self, request: Request, now: float) -> Reply:
        try:
            if Function.SELECT <= request.function <= Function.DIRECT_OPERATE_NR:
                return self._command(request, now)
            if request.function in (Function.ENABLE_UNSOLICITED, Function.DISABLE_UNSOLICITED):
                return self._enable(request)
            return served(request, self._outstation)
        except UnknownObjectError:
            return Reply(said=Indications.OBJECT_UNKNOWN)
        except MalformedError:
            return Reply(said=Indications.PARAMETER_ERROR)

    def _command(self, request: Request, now: float) -> Reply:
        answer: Answer
        if request.function == Function.SELECT:
            answer = self._controls.select(request.sequence, request.objects, now)
        elif request.function == Function.OPERATE:
            answer = self._controls.operate(request.sequence, request.objects, now)
        else:
            answer = self._controls.operate_directly(request.objects, now)
        self.refused += answer.was_refused
        for one in answer.orders:
            self._outstation.order(one)
        return Reply(answer.objects)

    def _enable(self, request: Request) -> Reply:
        """Allow or forbid unsolicited responses by classes."""
        classes = set()
        for one in headers_of(request.objects, None):
            if one.group != CLASSES or one.variation not in (2, 3, 4):
                return Reply(said=Indications.OBJECT_UNKNOWN)
            if one.indices is not None or one.most is not None:
                return Reply(said=Indications.PARAMETER_ERROR)
            classes.add(one.variation - 1)
        if self._rules.unsolicited == NEVER:
            return Reply(said=Indications.NO_FUNCTION)
        if request.function == Function.ENABLE_UNSOLICITED:
            self.enabled |= classes
            self._may_tell, self._is_tired = True, False
        else:
            self.enabled -= classes
        return Reply()

    def _take_broadcast(self, request: Request, address: int, now: float) -> None:
        """Do what all outstations are told, without an answer; the next one says that it was heard (4.1.4)."""
        if request.function in (Function.CONFIRM, Function.READ, Function.SELECT, Function.OPERATE):
            return
        self._broadcast = address
        self._follow(self._done(request, now))


def _events_of(items: Sequence[Item]) -> list[Event]:
    return [one.event for one in items if isinstance(one.event, Event)]


def _mark(events: Sequence[Event]) -> None:
    for one in events:
        one.is_sent = True

"""A controlled station (IEC 60870-5-5, and the interoperability of IEC 60870-5-104, clause 9): what it answers to each ASDU.

It owns no socket and no clock. What it tells comes from its process image; a command that it accepts is handed to whoever carries it out, who says
when it is done. Confirmations repeat the bytes of what they confirm.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from heptagrid.live.protocols.iec104.asdu import (
    BROADCAST,
    HEADER,
    Asdu,
    Cause,
    Object,
    UnknownTypeError,
    decode,
    encode,
    mirrored,
    packed,
)
from heptagrid.live.protocols.iec104.counters import Counters
from heptagrid.live.protocols.iec104.elements import TAGGED, UNTAGGED, Type, Value
from heptagrid.live.protocols.iec104.points import Control, Point
from heptagrid.live.protocols.iec104.time_tag import TimeTag
from heptagrid.live.stations.selection import Selections

GENERAL = 20
"""Qualifier of a general interrogation; groups have the 16 that follow."""
_REMOTE_INITIALISED = 2  # cause of initialisation: remote reset

Read = Callable[[Point], tuple[Value, int]]


@dataclass(frozen=True)
class Rules:
    """How stations behave. must_select: whether a command that was not selected is refused. is_tagged: whether what they tell unasked carries a time tag."""

    must_select: bool = False
    select_s: float = 30.0
    is_tagged: bool = True


@dataclass(frozen=True, eq=False)
class Command:
    """A command that a station has accepted, to be carried out. who: the connection from which it came."""

    control: Control
    value: Value
    raw: bytes
    who: Hashable


@dataclass
class Outcome:
    """What comes of an ASDU. replies: ASDUs for whoever sent it. command: to be carried out. was_refused, was_reset: whether a confirmation is negative, whether the station was."""

    replies: list[bytes] = field(default_factory=list)
    command: Command | None = None
    was_refused: bool = False
    was_reset: bool = False


class Station:
    """One controlled station.

    points, controls: what it has, by address. read: the value and quality of a point. tag: its clock's time. set_clock: called with what a controlling
    station says that the time is; returns whether the tag can be a time.
    """

    def __init__(
        self,
        common_address: int,
        points: Sequence[Point],
        controls: Sequence[Control],
        read: Read,
        tag: Callable[[], TimeTag],
        set_clock: Callable[[TimeTag], bool],
        rules: Rules,
    ) -> None:
        self.common_address = common_address
        self._points, self._controls = points, controls
        self._read, self._tag, self._set_clock, self._rules = read, tag, set_clock, rules
        self._selections = Selections(rules.select_s)
        self._counters = Counters(common_address, read)
        self._ordered: set[int] = set()  # points that a command is about to move
        self._handlers: dict[int, Callable[[bytes, Asdu], Outcome]] = {
            Type.C_IC_NA_1: self._interrogate,
            Type.C_CI_NA_1: self._interrogate_counters,
            Type.C_RD_NA_1: self._read_one,
            Type.C_CS_NA_1: self._synchronise,
            Type.C_TS_NA_1: self._confirm,
            Type.C_TS_TA_1: self._confirm,
            Type.C_RP_NA_1: self._reset,
        }

    def receive(self, raw: bytes, who: Hashable, now: float) -> Outcome:
        """Take an ASDU from a controlling station at a time of a monotonic clock.

        Raises
        ------
        MalformedError
            If it is none; no answer is given.
        """
        try:
            asdu = decode(raw)
        except UnknownTypeError:
            if len(raw) < HEADER:
                raise
            return _refused(raw, Cause.UNKNOWN_TYPE)
        kind = UNTAGGED.get(asdu.type, asdu.type)
        handler = self._handlers.get(asdu.type)
        is_command = Type.C_SC_NA_1 <= kind <= Type.C_BO_NA_1
        if handler is None and not is_command:
            return _refused(raw, Cause.UNKNOWN_TYPE)
        expected = (Cause.REQUEST,) if asdu.type == Type.C_RD_NA_1 else (Cause.ACTIVATION, Cause.DEACTIVATION)
        if asdu.cause not in expected or asdu.is_negative:
            return _refused(raw, Cause.UNKNOWN_CAUSE)
        if asdu.common_address not in (self.common_address, BROADCAST) or (
            asdu.common_address == BROADCAST and (is_command or asdu.type == Type.C_RD_NA_1)
        ):
            return _refused(raw, Cause.UNKNOWN_COMMON_ADDRESS)
        if len(asdu.objects) != 1:
            return _refused(raw, Cause.ACTIVATION_CON)
        if handler is None:
            return self._command(raw, asdu, kind, who, now)
        if asdu.type != Type.C_RD_NA_1 and asdu.objects[0].address != 0:
            return _refused(raw, Cause.UNKNOWN_OBJECT_ADDRESS)
        if asdu.cause == Cause.DEACTIVATION:  # what can be deactivated is over at once
            return self._answered([mirrored(raw, Cause.DEACTIVATION_CON, True, self.common_address)], True)
        return handler(raw, asdu)

    def initialised(self, cause: int = 0) -> bytes:
        """The end of initialisation, which a station tells once before anything else."""
        return encode(Asdu(Type.M_EI_NA_1, Cause.INITIALISED, self.common_address, (Object(0, 0, cause),)))

    def told(self, points: Sequence[Point], ns: TimeTag | None = None) -> Iterator[bytes]:
        """What it tells unasked of points that have changed: spontaneous, or returned if a command had moved them."""
        tag = (ns or self._tag()) if self._rules.is_tagged else None
        groups: dict[tuple[Type, Cause], list[Object]] = {}
        for point in points:
            was_ordered = point.address in self._ordered
            self._ordered.discard(point.address)
            type = TAGGED[point.type] if self._rules.is_tagged else point.type
            cause = Cause.RETURN_REMOTE if was_ordered else Cause.SPONTANEOUS
            groups.setdefault((type, cause), []).append(Object(point.address, *self._read(point), tag))
        for (type, cause), objects in groups.items():
            yield from packed(type, cause, self.common_address, objects)

    def finished(self, command: Command, is_done: bool) -> bytes:
        """The termination of a command that was carried out, or could not be."""
        self._selections.end(command.control.address)
        if is_done and command.control.shown_by is not None:
            self._ordered.add(command.control.shown_by)
        return mirrored(command.raw, Cause.ACTIVATION_TERMINATION, not is_done)

    def left(self, who: Hashable) -> None:
        """A connection has ended: what it had selected is free."""
        self._selections.forget(who)

    def _answered(self, replies: list[bytes], was_refused: bool = False) -> Outcome:
        return Outcome(replies, was_refused=was_refused)

    def _confirmed(self, raw: bytes, told: Iterator[bytes] | None = None) -> Outcome:
        """A confirmation, what was asked for, and the termination."""
        con = mirrored(raw, Cause.ACTIVATION_CON, common_address=self.common_address)
        if told is None:
            return self._answered([con])
        end = mirrored(raw, Cause.ACTIVATION_TERMINATION, common_address=self.common_address)
        return self._answered([con, *told, end])

    def _interrogate(self, raw: bytes, asdu: Asdu) -> Outcome:
        qualifier = asdu.objects[0].quality
        groups = {one.group for one in self._points if one.type != Type.M_IT_NA_1}
        if qualifier != GENERAL and qualifier - GENERAL not in groups:
            return self._answered([mirrored(raw, Cause.ACTIVATION_CON, True, self.common_address)], True)
        asked = [
            one
            for one in self._points
            if one.type != Type.M_IT_NA_1 and (qualifier == GENERAL or one.group == qualifier - GENERAL)
        ]
        return self._confirmed(raw, self._states(asked, Cause.INTERROGATED + qualifier - GENERAL, asdu.originator))

    def _states(self, points: Sequence[Point], cause: int, originator: int) -> Iterator[bytes]:
        """Points without time tags, as answers to an interrogation are, by type."""
        for type in dict.fromkeys(one.type for one in points):
            objects = [Object(one.address, *self._read(one)) for one in points if one.type == type]
            yield from packed(type, cause, self.common_address, objects, originator)

    def _interrogate_counters(self, raw: bytes, asdu: Asdu) -> Outcome:
        counters = [one for one in self._points if one.type == Type.M_IT_NA_1]
        told = self._counters.asked(counters, asdu.objects[0].quality, asdu.originator)
        if told is None:
            return self._answered([mirrored(raw, Cause.ACTIVATION_CON, True, self.common_address)], True)
        return self._confirmed(raw, iter(told))

    def _read_one(self, raw: bytes, asdu: Asdu) -> Outcome:
        for one in self._points:
            if one.address == asdu.objects[0].address:
                return self._answered(list(self._states([one], Cause.REQUEST, asdu.originator)))
        return _refused(raw, Cause.UNKNOWN_OBJECT_ADDRESS)

    def _synchronise(self, raw: bytes, asdu: Asdu) -> Outcome:
        """Confirm with the time that the clock showed when the command came (IEC 60870-5-5, 6.7)."""
        tag, shown = asdu.objects[0].tag, self._tag()
        if tag is None or not self._set_clock(tag):
            return self._answered([mirrored(raw, Cause.ACTIVATION_CON, True, self.common_address)], True)
        con = mirrored(raw, Cause.ACTIVATION_CON, common_address=self.common_address)
        return self._answered([con[: -len(shown.raw)] + shown.raw])

    def _confirm(self, raw: bytes, asdu: Asdu) -> Outcome:
        return self._confirmed(raw)

    def _reset(self, raw: bytes, asdu: Asdu) -> Outcome:
        self._selections.clear()
        con = mirrored(raw, Cause.ACTIVATION_CON, common_address=self.common_address)
        return Outcome([con, self.initialised(_REMOTE_INITIALISED)], was_reset=True)

    def _command(self, raw: bytes, asdu: Asdu, kind: int, who: Hashable, now: float) -> Outcome:
        """A command: select, execute, or cancel (IEC 60870-5-5, 6.8)."""
        order = asdu.objects[0]
        control = next((one for one in self._controls if one.address == order.address and one.accepts(kind)), None)
        if control is None:
            return _refused(raw, Cause.UNKNOWN_OBJECT_ADDRESS)
        selections = self._selections
        if asdu.cause == Cause.DEACTIVATION:
            was_selected = selections.cancel(control.address, who, now)
            return self._answered([mirrored(raw, Cause.DEACTIVATION_CON, not was_selected)], not was_selected)
        wanted = (kind, order.value, order.quality & 0x7F)
        if not control.allows(kind, order.value, order.quality):
            selections.cancel(control.address, who, now)
            return self._answered([mirrored(raw, Cause.ACTIVATION_CON, True)], True)
        if order.quality & 0x80:
            is_mine = selections.select(control.address, who, wanted, now)
            return self._answered([mirrored(raw, Cause.ACTIVATION_CON, not is_mine)], not is_mine)
        if asdu.is_test:
            return self._answered([mirrored(raw, Cause.ACTIVATION_CON)])
        if not selections.execute(control.address, who, wanted, now, self._rules.must_select):
            return self._answered([mirrored(raw, Cause.ACTIVATION_CON, True)], True)
        return Outcome(
            [mirrored(raw, Cause.ACTIVATION_CON)], Command(control, control.value(kind, order.value), raw, who)
        )


def _refused(raw: bytes, cause: Cause) -> Outcome:
    return Outcome([mirrored(raw, cause, is_negative=True)], was_refused=True)

"""Controls of an outstation: what each object of a command asks, and how it is answered (IEEE 1815-2012, 4.4.4 and annex A.8)."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from heptagrid.live.protocols.dnp3.application import Header, headers_of
from heptagrid.live.protocols.dnp3.link import MalformedError
from heptagrid.live.protocols.dnp3.objects import RELAY, REQUESTED, SET_POINT, SET_POINT_FORMATS
from heptagrid.live.protocols.dnp3.points import Output
from heptagrid.live.stations.points import TAP
from heptagrid.live.stations.selection import Selections

_PULSE_ON, _LATCH_ON, _LATCH_OFF = 1, 3, 4
_CLOSE, _TRIP = 1, 2
_NUMBERS = 16


class Status(IntEnum):
    """What is answered to a command (table A-12)."""

    SUCCESS = 0
    TIMEOUT = 1
    NO_SELECT = 2
    FORMAT_ERROR = 3
    NOT_SUPPORTED = 4
    ALREADY_ACTIVE = 5
    TOO_MANY_OPERATIONS = 8
    AUTOMATION_INHIBIT = 10
    OUT_OF_RANGE = 12


@dataclass(frozen=True, eq=False)
class Order:
    """A command that was accepted. value: of a set-point, or 1 for close, on or raise and 0 for trip, off or lower. size_bytes: of the request."""

    output: Output
    value: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Selected:
    sequence: int
    objects: bytes
    until: float


@dataclass(frozen=True, slots=True)
class Answer:
    """objects: that repeat the command's with a status each. orders: to be carried out. was_refused: whether any status is not success."""

    objects: bytes
    orders: Sequence[Order]
    was_refused: bool


class Controls:
    """Commands of one master. selections: of the outstation, shared by all its masters. is_ready: whether an output can be operated now."""

    def __init__(
        self,
        outputs: Sequence[Output],
        selections: Selections,
        select_s: float,
        most: int,
        is_ready: Callable[[Output], bool],
    ) -> None:
        self._outputs = {(one.ordered_by, one.index): one for one in outputs}
        self._selections, self._select_s, self._most, self._is_ready = selections, select_s, most, is_ready
        self._selected: _Selected | None = None

    def forget(self) -> None:
        """Give up what was selected."""
        self._selected = None
        self._selections.forget(self)

    def select(self, sequence: int, objects: bytes, now: float) -> Answer:
        """Reserve all outputs that a request names, or none.

        Raises
        ------
        MalformedError
            If it is no command.
        """
        self.forget()

        def reserve(output: Output, value: float) -> Status:
            is_mine = self._selections.select(output.control.action, self, value, now)
            return Status.SUCCESS if is_mine else Status.ALREADY_ACTIVE

        answer = self._answer(objects, reserve)
        if answer.was_refused:
            self.forget()
        else:
            self._selected = _Selected(sequence, objects, now + self._select_s)
        return Answer(answer.objects, (), answer.was_refused)

    def operate(self, sequence: int, objects: bytes, now: float) -> Answer:
        """Carry out what the request before it has selected.

        Raises
        ------
        MalformedError
            If it is no command.
        """
        selected, self._selected = self._selected, None
        status = None
        if selected is None or objects != selected.objects or sequence != (selected.sequence + 1) % _NUMBERS:
            status = Status.NO_SELECT
        elif now >= selected.until:
            status = Status.TIMEOUT
        if status is not None:
            self.forget()
            refusal = status
            return self._answer(objects, lambda output, value: refusal, is_checked=False)
        return self._answer(objects, lambda output, value: self._begin(output, value, now, must_select=True))

    def operate_directly(self, objects: bytes, now: float) -> Answer:
        """Carry out what was not selected.

        Raises
        ------
        MalformedError
            If it is no command.
        """
        self.forget()
        return self._answer(objects, lambda output, value: self._begin(output, value, now, must_select=False))

    def _begin(self, output: Output, value: float, now: float, must_select: bool) -> Status:
        begins = self._selections.execute(output.control.action, self, value, now, must_select)
        return Status.SUCCESS if begins else Status.NO_SELECT if must_select else Status.ALREADY_ACTIVE

    def _answer(self, objects: bytes, act: Callable[[Output, float], Status], *, is_checked: bool = True) -> Answer:
        """Repeat each object with its status; act: called with each output that can be operated so."""
        headers = list(headers_of(objects, REQUESTED))
        if not headers or any(not one.values or one.indices is None for one in headers):
            raise MalformedError("a command names no output")
        told, orders, was_refused, count = bytearray(), list[Order](), False, 0
        for header in headers:
            if header.group not in (RELAY, SET_POINT):
                raise MalformedError(f"object {header.group} is no command")
            statuses: list[Status] = []
            for index, raw in zip(header.indices or (), header.values, strict=True):
                count += 1
                output, value, status = self._wanted(header, index, raw)
                if count > self._most:
                    status = Status.TOO_MANY_OPERATIONS
                if output is not None and (status is Status.SUCCESS or not is_checked):
                    status = act(output, value)
                    if status is Status.SUCCESS:
                        orders.append(Order(output, value, len(objects) + 2))
                statuses.append(status)
            was_refused |= any(one is not Status.SUCCESS for one in statuses)
            told += _repeated(header, statuses)
        return Answer(bytes(told), orders, was_refused)

    def _wanted(self, header: Header, index: int, raw: bytes) -> tuple[Output | None, float, Status]:
        """The output that an object names, what it is to do, and whether it can."""
        output = self._outputs.get((header.group, index))
        if output is None:
            return None, 0.0, Status.NOT_SUPPORTED
        if header.group == RELAY:
            value = _switched(output, raw)
            status = Status.NOT_SUPPORTED if value is None else Status.SUCCESS
        else:
            (value,) = struct.unpack_from(SET_POINT_FORMATS[header.variation], raw)
            is_allowed = math.isfinite(value) and output.control.low <= value <= output.control.high
            status = Status.SUCCESS if is_allowed else Status.OUT_OF_RANGE
        if status is Status.SUCCESS and not self._is_ready(output):
            status = Status.AUTOMATION_INHIBIT
        return output, float(value or 0.0), status


def _switched(output: Output, raw: bytes) -> float | None:
    """What a control relay output block asks: 1 or 0; None for what no output here does (queues, repetitions, pulses without a direction)."""
    code, times = raw[0], raw[1]
    kind, direction, is_queued = code & 0x0F, code >> 6, code & 0x30
    if is_queued or times != 1:
        return None
    if kind == _PULSE_ON and direction in (_CLOSE, _TRIP):
        return float(direction == _CLOSE)
    if kind in (_LATCH_ON, _LATCH_OFF) and direction == 0 and output.control.action != TAP:
        return float(kind == _LATCH_ON)
    return None


def _repeated(header: Header, statuses: Sequence[Status]) -> bytes:
    """The bytes of a header and its objects, each of which ends with its status."""
    raw = bytearray(header.raw)
    size = len(header.values[0])
    prefix = {0x17: 1, 0x28: 2}.get(header.qualifier, 0)
    at = len(raw) - len(statuses) * (prefix + size)
    for status in statuses:
        at += prefix + size
        raw[at - 1] = status
    return bytes(raw)

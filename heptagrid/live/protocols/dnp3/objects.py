"""Objects of DNP3 (IEEE 1815-2012, annex A): values as bytes by group and variation, and as headers in fragments."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from heptagrid.live.protocols.dnp3.application import PACKED

BINARY, BINARY_EVENT, BINARY_OUTPUT, RELAY = 1, 2, 10, 12
COUNTER, FROZEN = 20, 21
ANALOG, ANALOG_EVENT, ANALOG_OUTPUT, SET_POINT = 30, 32, 40, 41
TIME, DELAY, CLASSES, INDICATIONS = 50, 52, 60, 80
ONLINE, COMM_LOST, OVER_RANGE, STATE = 0x01, 0x04, 0x20, 0x80
"""Flags of a value, and the state of a binary one."""
STATIC = (BINARY, BINARY_OUTPUT, COUNTER, FROZEN, ANALOG, ANALOG_OUTPUT)
"""Groups of present values, in the order in which they are told."""
DEFAULTS = {
    BINARY: 2,
    BINARY_EVENT: 2,
    BINARY_OUTPUT: 2,
    COUNTER: 1,
    FROZEN: 1,
    ANALOG: 5,
    ANALOG_EVENT: 7,
    ANALOG_OUTPUT: 3,
}
"""Variations that are told where none is asked for."""
REQUESTED = {
    (RELAY, 1): 11,
    (SET_POINT, 1): 5,
    (SET_POINT, 2): 3,
    (SET_POINT, 3): 5,
    (SET_POINT, 4): 9,
    (TIME, 1): 6,
    (TIME, 3): 6,
    (INDICATIONS, 1): PACKED,
}
"""Bytes of objects that requests carry."""
SET_POINT_FORMATS = {1: "<i", 2: "<h", 3: "<f", 4: "<d"}
_MOST_OBJECTS = 255


@dataclass(frozen=True, slots=True)
class Value:
    """A value with its flags, and when it had it, in milliseconds since 1970 UTC."""

    value: float
    flags: int
    ms: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """An object in a response. raw: None for a single bit, which is `is_on`. event: what it tells, if it is an event."""

    group: int
    variation: int
    index: int
    raw: bytes | None
    is_on: bool = False
    event: object | None = None


def _whole(format: str, low: int, high: int, *, has_flags: bool, has_time: bool = False) -> Callable[[Value], bytes]:
    def encode(one: Value) -> bytes:
        value, flags = round(one.value), one.flags
        if not low <= value <= high:
            value, flags = min(max(value, low), high), flags | OVER_RANGE
        return (bytes((flags,)) if has_flags else b"") + struct.pack(format, value) + (_time(one) if has_time else b"")

    return encode


def _real(format: str, *, has_time: bool = False) -> Callable[[Value], bytes]:
    def encode(one: Value) -> bytes:
        return bytes((one.flags,)) + struct.pack(format, one.value) + (_time(one) if has_time else b"")

    return encode


def _counted(format: str, wraps: int, *, has_flags: bool, has_time: bool = False) -> Callable[[Value], bytes]:
    def encode(one: Value) -> bytes:
        count = struct.pack(format, round(one.value) % wraps)
        return (bytes((one.flags,)) if has_flags else b"") + count + (_time(one) if has_time else b"")

    return encode


def _time(one: Value) -> bytes:
    return time_bytes(one.ms)


def time_bytes(ms: int) -> bytes:
    """A time of 48 bits."""
    return (ms % (1 << 48)).to_bytes(6, "little")


def _state(one: Value) -> bytes:
    return bytes((one.flags | (STATE if one.value else 0),))


_I32, _I16 = ("<i", -(1 << 31), (1 << 31) - 1), ("<h", -(1 << 15), (1 << 15) - 1)
_U32, _U16 = ("<I", 1 << 32), ("<H", 1 << 16)
_FORMS: dict[tuple[int, int], Callable[[Value], bytes] | None] = {
    (BINARY, 1): None,
    (BINARY, 2): _state,
    (BINARY_EVENT, 1): _state,
    (BINARY_EVENT, 2): lambda one: _state(one) + _time(one),
    (BINARY_OUTPUT, 1): None,
    (BINARY_OUTPUT, 2): _state,
    (COUNTER, 1): _counted(*_U32, has_flags=True),
    (COUNTER, 2): _counted(*_U16, has_flags=True),
    (COUNTER, 5): _counted(*_U32, has_flags=False),
    (COUNTER, 6): _counted(*_U16, has_flags=False),
    (FROZEN, 1): _counted(*_U32, has_flags=True),
    (FROZEN, 2): _counted(*_U16, has_flags=True),
    (FROZEN, 5): _counted(*_U32, has_flags=True, has_time=True),
    (FROZEN, 6): _counted(*_U16, has_flags=True, has_time=True),
    (FROZEN, 9): _counted(*_U32, has_flags=False),
    (FROZEN, 10): _counted(*_U16, has_flags=False),
    (ANALOG, 1): _whole(*_I32, has_flags=True),
    (ANALOG, 2): _whole(*_I16, has_flags=True),
    (ANALOG, 3): _whole(*_I32, has_flags=False),
    (ANALOG, 4): _whole(*_I16, has_flags=False),
    (ANALOG, 5): _real("<f"),
    (ANALOG, 6): _real("<d"),
    (ANALOG_EVENT, 1): _whole(*_I32, has_flags=True),
    (ANALOG_EVENT, 2): _whole(*_I16, has_flags=True),
    (ANALOG_EVENT, 3): _whole(*_I32, has_flags=True, has_time=True),
    (ANALOG_EVENT, 4): _whole(*_I16, has_flags=True, has_time=True),
    (ANALOG_EVENT, 5): _real("<f"),
    (ANALOG_EVENT, 6): _real("<d"),
    (ANALOG_EVENT, 7): _real("<f", has_time=True),
    (ANALOG_EVENT, 8): _real("<d", has_time=True),
    (ANALOG_OUTPUT, 1): _whole(*_I32, has_flags=True),
    (ANALOG_OUTPUT, 2): _whole(*_I16, has_flags=True),
    (ANALOG_OUTPUT, 3): _real("<f"),
    (ANALOG_OUTPUT, 4): _real("<d"),
}


def variation_of(group: int, asked: int) -> int | None:
    """The variation in which a group's values are told; None if there is none such. asked: 0 for the default."""
    variation = asked or DEFAULTS.get(group, 0)
    return variation if (group, variation) in _FORMS else None


def item(group: int, variation: int, index: int, value: Value, event: object | None = None) -> Item:
    """A value as an object. A single bit has no room for flags, so that a value which is not well is told with them."""
    form = _FORMS[group, variation]
    if form is None and value.flags != ONLINE:
        variation, form = 2, _FORMS[group, 2]
    return Item(group, variation, index, form(value) if form else None, bool(value.value), event)


def fragments(items: Sequence[Item], most: int) -> Iterator[tuple[bytes, list[Item]]]:
    """Objects in as many fragments as they need, of so many bytes at most each: their bytes, and what they hold."""
    data, held = bytearray(), list[Item]()
    for run in _runs(items):
        while run:
            room = most - len(data) - (5 if run[0].event is None else 4)
            fits = _fitting(run, room)
            if not fits:
                yield bytes(data), held
                data, held = bytearray(), []
                continue
            data += _headed(run[:fits])
            held += run[:fits]
            run = run[fits:]
    yield bytes(data), held


def _fitting(run: Sequence[Item], room: int) -> int:
    first = run[0]
    size = 1 / 8 if first.raw is None else len(first.raw) + (1 if first.event is not None else 0)
    return min(len(run), max(int(room / size), 0))


def _runs(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Objects that can stand behind one header: of one group and variation; present values with indices that follow one another."""
    run: list[Item] = []
    for one in items:
        if run:
            last = run[-1]
            is_alike = (last.group, last.variation) == (one.group, one.variation) and len(run) < _MOST_OBJECTS
            if not is_alike or (one.event is None and one.index != last.index + 1):
                yield run
                run = []
        run.append(one)
    if run:
        yield run


def _headed(run: Sequence[Item]) -> bytes:
    """A header and its objects; indices of stations here are of one byte."""
    first, last = run[0], run[-1]
    if first.event is not None:
        head = bytes((first.group, first.variation, 0x17, len(run)))
        return head + b"".join(bytes((one.index,)) + (one.raw or b"") for one in run)
    head = bytes((first.group, first.variation, 0x00, first.index, last.index))
    if first.raw is not None:
        return head + b"".join(one.raw or b"" for one in run)
    bits = sum(1 << k for k, one in enumerate(run) if one.is_on)
    return head + bits.to_bytes(-(-len(run) // 8), "little")

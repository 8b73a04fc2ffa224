"""The services by which a client reads, writes and acts (IEC 62056-5-3): their requests, read, and their answers, written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from heptagrid.live.protocols.dlms.data import MalformedError, Reader, length

GET_REQUEST, SET_REQUEST, ACTION_REQUEST = 192, 193, 195
EXCEPTION = 216
BLOCK_OVERHEAD = 13
"""Of an answer in blocks, beside what it carries."""
_GET_RESPONSE, _SET_RESPONSE, _ACTION_RESPONSE = 196, 197, 199
_NORMAL, _NEXT, _WITH_LIST = 1, 2, 3
_MOST_IN_A_LIST = 64


class Access(IntEnum):
    """What became of an access to an attribute or of an action."""

    SUCCESS = 0
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    CLASS_INCONSISTENT = 9
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    NO_LONG_GET = 16
    BLOCK_NUMBER_INVALID = 19
    OTHER_REASON = 250


class Service(IntEnum):
    """Why a request got no answer of its own."""

    NOT_POSSIBLE = 1
    NOT_SUPPORTED = 2
    OTHER_REASON = 3
    DECIPHERING_ERROR = 5
    COUNTER_ERROR = 6


@dataclass(frozen=True)
class Selection:
    """Which part of an attribute. selector: its number; parameters: as plain values."""

    selector: int
    parameters: Any


@dataclass(frozen=True)
class Target:
    """An attribute or a method: class, logical name, number."""

    interface: int
    name: bytes
    number: int


@dataclass(frozen=True)
class Get:
    """Read attributes; is_list: whether they were asked for as a list."""

    invoke: int
    targets: tuple[tuple[Target, Selection | None], ...]
    is_list: bool


@dataclass(frozen=True)
class GetNext:
    """Read the next block; block: the last that came."""

    invoke: int
    block: int


@dataclass(frozen=True)
class Set:
    """Write an attribute."""

    invoke: int
    target: Target
    value: Any


@dataclass(frozen=True)
class Action:
    """Call a method; value: its parameter, None without."""

    invoke: int
    target: Target
    value: Any


Request = Get | GetNext | Set | Action


class UnsupportedError(MalformedError):
    """A service of the standard that this meter does not have."""


def request(apdu: bytes) -> Request:
    """Read a request.

    Raises
    ------
    UnsupportedError
        For one that was not agreed on, such as writing in blocks.
    MalformedError
        If it is none.
    """
    reader = Reader(apdu)
    tag, kind, invoke = reader.byte(), reader.byte(), reader.byte()
    found: Request
    if tag == GET_REQUEST and kind == _NORMAL:
        found = Get(invoke, (_selected(reader),), is_list=False)
    elif tag == GET_REQUEST and kind == _NEXT:
        found = GetNext(invoke, reader.number(4))
    elif tag == GET_REQUEST and kind == _WITH_LIST:
        count = reader.count()
        if not 0 < count <= _MOST_IN_A_LIST:
            raise MalformedError(f"a list of {count}; 1 to {_MOST_IN_A_LIST} are taken")
        found = Get(invoke, tuple(_selected(reader) for _ in range(count)), is_list=True)
    elif tag == SET_REQUEST and kind == _NORMAL:
        target, selection = _selected(reader)
        if selection is not None:
            raise UnsupportedError("nothing is written in part")
        found = Set(invoke, target, reader.value())
    elif tag == ACTION_REQUEST and kind == _NORMAL:
        target = _target(reader)
        found = Action(invoke, target, reader.value() if reader.byte() else None)
    else:
        raise UnsupportedError(f"there is no service {tag}, {kind}")
    reader.end()
    return found


def _target(reader: Reader) -> Target:
    return Target(reader.number(2), reader.take(6), reader.byte())


def _selected(reader: Reader) -> tuple[Target, Selection | None]:
    target = _target(reader)
    return target, Selection(reader.byte(), reader.value()) if reader.byte() else None


def result(value: bytes | Access) -> bytes:
    """One result of reading: the value, or why there is none."""
    return bytes((1, value)) if isinstance(value, Access) else b"\x00" + value


def results(values: Sequence[bytes | Access]) -> bytes:
    """The results of a list."""
    return length(len(values)) + b"".join(result(one) for one in values)


def got(invoke: int, value: bytes | Access) -> bytes:
    """The answer to a read."""
    return bytes((_GET_RESPONSE, _NORMAL, invoke)) + result(value)


def got_list(invoke: int, values: bytes) -> bytes:
    """The answer to a read of a list; values: from `results`."""
    return bytes((_GET_RESPONSE, _WITH_LIST, invoke)) + values


def got_block(invoke: int, block: int, part: bytes | Access, is_last: bool) -> bytes:
    """A block of an answer, counted from 1."""
    head = bytes((_GET_RESPONSE, _NEXT, invoke, is_last)) + block.to_bytes(4, "big")
    return head + (bytes((1, part)) if isinstance(part, Access) else b"\x00" + length(len(part)) + part)


def written(invoke: int, access: Access) -> bytes:
    """The answer to a write."""
    return bytes((_SET_RESPONSE, _NORMAL, invoke, access))


def acted(invoke: int, access: Access, value: bytes | None = None) -> bytes:
    """The answer to an action, with what it returns, if that is anything."""
    return bytes((_ACTION_RESPONSE, _NORMAL, invoke, access)) + (b"\x00" if value is None else b"\x01\x00" + value)


def exception(why: Service, *, is_unknown: bool = False, expected: int | None = None) -> bytes:
    """That a request gets no answer. is_unknown: the service is unknown, else not allowed as things are; expected: the invocation counter, where that was wrong."""
    raw = bytes((EXCEPTION, 2 if is_unknown else 1, why))
    return raw if expected is None else raw + expected.to_bytes(4, "big")

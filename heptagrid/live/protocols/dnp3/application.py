"""Fragments of the application layer of DNP3 (IEEE 1815-2012, clause 4.2): control, function, indications, object headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from heptagrid.live.protocols.dnp3.link import MalformedError

FIRST, FINAL, CONFIRM, UNSOLICITED, SEQUENCE = 0x80, 0x40, 0x20, 0x10, 0x0F
"""Bits of the control byte, and its number."""
PACKED = 0
"""Size of objects of a single bit each: eight of them are a byte."""


class Function(IntEnum):
    """What a fragment asks, or is (table 4-2)."""

    CONFIRM = 0
    READ = 1
    WRITE = 2
    SELECT = 3
    OPERATE = 4
    DIRECT_OPERATE = 5
    DIRECT_OPERATE_NR = 6
    IMMED_FREEZE = 7
    IMMED_FREEZE_NR = 8
    COLD_RESTART = 13
    WARM_RESTART = 14
    ENABLE_UNSOLICITED = 20
    DISABLE_UNSOLICITED = 21
    DELAY_MEASURE = 23
    RECORD_CURRENT_TIME = 24
    RESPONSE = 129
    UNSOLICITED_RESPONSE = 130


class Indications(IntFlag):
    """Internal indications (table 4-3): the first byte in the low bits."""

    NONE = 0
    BROADCAST = 0x0001
    CLASS_1 = 0x0002
    CLASS_2 = 0x0004
    CLASS_3 = 0x0008
    NEED_TIME = 0x0010
    LOCAL_CONTROL = 0x0020
    DEVICE_TROUBLE = 0x0040
    DEVICE_RESTART = 0x0080
    NO_FUNCTION = 0x0100
    OBJECT_UNKNOWN = 0x0200
    PARAMETER_ERROR = 0x0400
    BUFFER_OVERFLOW = 0x0800


@dataclass(frozen=True, slots=True)
class Request:
    """A fragment from a master. objects: the bytes after its header."""

    sequence: int
    function: int
    objects: bytes
    is_unsolicited: bool = False


def request_of(fragment: bytes) -> Request:
    """A request, or a confirmation.

    Raises
    ------
    MalformedError
        If it is none: too short, of several fragments, or a response.
    """
    if len(fragment) < 2:
        raise MalformedError(f"a fragment of {len(fragment)} bytes is shorter than its header")
    control, function = fragment[:2]
    if control & (FIRST | FINAL) != FIRST | FINAL:
        raise MalformedError("a request is one fragment")
    if function in (Function.RESPONSE, Function.UNSOLICITED_RESPONSE):
        raise MalformedError("a master sends no responses")
    is_unsolicited = bool(control & UNSOLICITED)
    if is_unsolicited and function != Function.CONFIRM:
        raise MalformedError("only a confirmation can be of an unsolicited response")
    return Request(control & SEQUENCE, function, fragment[2:], is_unsolicited)


def response(
    sequence: int,
    indications: Indications,
    objects: bytes = b"",
    *,
    is_first: bool = True,
    is_final: bool = True,
    must_confirm: bool = False,
    is_unsolicited: bool = False,
) -> bytes:
    """The bytes of a response."""
    control = sequence | (FIRST if is_first else 0) | (FINAL if is_final else 0)
    control |= (CONFIRM if must_confirm else 0) | (UNSOLICITED if is_unsolicited else 0)
    function = Function.UNSOLICITED_RESPONSE if is_unsolicited else Function.RESPONSE
    return bytes((control, function)) + int(indications).to_bytes(2, "little") + objects


@dataclass(frozen=True, slots=True)
class Header:
    """An object header. indices: which points, None: all, or so many as `most`; values: the bytes of each object, where the request carries any. raw: its own bytes and theirs."""

    group: int
    variation: int
    qualifier: int
    indices: range | tuple[int, ...] | None
    most: int | None = None
    values: tuple[bytes, ...] = ()
    raw: bytes = b""


class UnknownObjectError(MalformedError):
    """An object of which it is not known how long it is; what follows cannot be read."""


def headers_of(objects: bytes, sizes: Mapping[tuple[int, int], int] | None) -> Iterator[Header]:
    """The object headers of a request, one after another. sizes: of the objects that it carries, by group and variation; None: it carries none.

    Raises
    ------
    MalformedError
        If one is cut off, or its qualifier is none; `UnknownObjectError` for an object that is not in `sizes`.
    """
    at = 0
    while at < len(objects):
        begins = at
        if len(objects) - at < 3:
            raise MalformedError("an object header is cut off")
        group, variation, qualifier = objects[at : at + 3]
        at += 3
        indices: range | tuple[int, ...] | None
        indices, most, prefix, at = _chosen(objects, qualifier, at)
        values: list[bytes] = []
        if sizes is not None and (indices is not None or most is not None):
            count = most if most is not None else len(indices or ())
            size = _size(sizes, group, variation)
            if size == PACKED:
                count, size = 1, -(-count // 8)
            if len(objects) - at < count * (prefix + size):
                raise MalformedError("objects are cut off")
            found = []
            for _ in range(count):
                found.append(int.from_bytes(objects[at : at + prefix], "little"))
                values.append(objects[at + prefix : at + prefix + size])
                at += prefix + size
            if prefix:
                indices, most = tuple(found), None
        elif prefix:
            count = most or 0
            if len(objects) - at < count * prefix:
                raise MalformedError("indices are cut off")
            indices = tuple(
                int.from_bytes(objects[at + k * prefix : at + (k + 1) * prefix], "little") for k in range(count)
            )
            most, at = None, at + count * prefix
        yield Header(group, variation, qualifier, indices, most, tuple(values), objects[begins:at])


def _size(sizes: Mapping[tuple[int, int], int], group: int, variation: int) -> int:
    """Bytes of an object; `PACKED` for single bits."""
    if (group, variation) not in sizes:
        raise UnknownObjectError(f"there is no object {group} variation {variation} in such a request")
    return sizes[group, variation]


def _chosen(objects: bytes, qualifier: int, at: int) -> tuple[range | None, int | None, int, int]:
    """What a qualifier and its range field choose: indices or a number, bytes of the index before each object, and where it ends (4.2.2.7.3)."""
    if qualifier == 0x06:
        return None, None, 0, at
    widths = {0x00: 1, 0x01: 2, 0x07: 1, 0x08: 2, 0x17: 1, 0x28: 2}
    if qualifier not in widths:
        raise MalformedError(f"there is no qualifier {qualifier:#04x} in a request")
    width = widths[qualifier]
    is_range = qualifier in (0x00, 0x01)
    ends = at + width * (2 if is_range else 1)
    if len(objects) < ends:
        raise MalformedError("a range is cut off")
    first = int.from_bytes(objects[at : at + width], "little")
    if not is_range:
        return None, first, width if qualifier in (0x17, 0x28) else 0, ends
    last = int.from_bytes(objects[at + width : ends], "little")
    if last < first:
        raise MalformedError("a range ends before it begins")
    return range(first, last + 1), None, 0, ends

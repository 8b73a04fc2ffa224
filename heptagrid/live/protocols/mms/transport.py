"""TPKT (RFC 1006) and the connection-oriented transport protocol of class 0 (ISO/IEC 8073): frames, and how long messages are cut into them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from heptagrid.live.protocols.mms.ber import MalformedError
from heptagrid.live.splitter import FrameSplitter

VERSION = 3
HEADER = 4
_SHORTEST, _DATA_HEADER = HEADER + 3, 3
_LAST_UNIT = 0x80
_LARGEST = 13
"""The exponent of the largest unit that is agreed on: 8192 bytes."""
_SMALLEST = 7
_LARGEST_UNIT = 65_531
"""Of a unit without an agreement (RFC 1006, 5)."""
_SIZE, _CALLING, _CALLED = 0xC0, 0xC1, 0xC2


class Code(IntEnum):
    """What a unit is."""

    REQUEST = 0xE0
    CONFIRM = 0xD0
    DATA = 0xF0
    DISCONNECT = 0x80
    ERROR = 0x70


@dataclass(frozen=True)
class Unit:
    """A transport protocol data unit. reference: of whoever asks, in a request. parameters: of a request, by code. content, is_last: of data."""

    code: Code
    reference: int = 0
    parameters: tuple[tuple[int, bytes], ...] = ()
    content: bytes = b""
    is_last: bool = True


class Splitter(FrameSplitter):
    """Cuts a stream of bytes into frames, with their headers."""

    __slots__ = ()

    def length(self, frame: bytes) -> int | None:
        if frame[0] != VERSION:
            raise MalformedError(f"a frame begins with {frame[0]:#04x}, not with {VERSION:#04x}")
        if len(frame) < HEADER:
            return None
        length = int.from_bytes(frame[2:4], "big")
        if length < _SHORTEST:
            raise MalformedError(f"a frame of {length} bytes is too short")
        return length


def decode(frame: bytes) -> Unit:
    """The unit in a frame.

    Raises
    ------
    MalformedError
        If there is none, or one that class 0 does not have.
    """
    header = frame[HEADER]
    if header == 0xFF or HEADER + 1 + header > len(frame) or header < 2:
        raise MalformedError("the header of a transport unit is longer than it")
    code = frame[HEADER + 1]
    fixed, content = frame[HEADER + 2 : HEADER + 1 + header], frame[HEADER + 1 + header :]
    if code & 0xF0 == Code.REQUEST:
        if len(fixed) < 5:
            raise MalformedError("a connection request is cut off")
        if fixed[4] >> 4:
            raise MalformedError(f"class {fixed[4] >> 4} of the transport protocol is not served")
        return Unit(Code.REQUEST, int.from_bytes(fixed[2:4], "big"), tuple(_parameters(fixed[5:])))
    if code == Code.DATA:
        return Unit(Code.DATA, content=content, is_last=bool(fixed[0] & _LAST_UNIT))
    if code in (Code.DISCONNECT, Code.ERROR):
        return Unit(Code(code))
    raise MalformedError(f"a transport unit {code:#04x} is not served")


def _parameters(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(data):
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
            raise MalformedError("a parameter of a connection request is cut off")
        found.append((data[at], data[at + 2 : at + 2 + data[at + 1]]))
        at += 2 + data[at + 1]
    return found


def confirmed(request: Unit, reference: int) -> tuple[bytes, int]:
    """The frame that confirms a request, and how many bytes a unit may have."""
    given = dict(request.parameters)
    largest, body = _LARGEST_UNIT, b""
    if (size := given.get(_SIZE)) is not None:
        if len(size) != 1 or not _SMALLEST <= size[0] <= 16:
            raise MalformedError("a size of units that cannot be")
        exponent = min(size[0], _LARGEST)
        largest, body = 1 << exponent, bytes((_SIZE, 1, exponent))
    for code in (_CALLING, _CALLED):
        if code in given:
            body += bytes((code, len(given[code]))) + given[code]
    fixed = request.reference.to_bytes(2, "big") + reference.to_bytes(2, "big") + b"\x00"
    header = bytes((Code.CONFIRM,)) + fixed + body
    return framed(bytes((len(header),)) + header), largest


def segments(message: bytes, largest: int) -> list[bytes]:
    """The frames that carry a message in units of so many bytes at most."""
    room = largest - _DATA_HEADER
    starts = range(0, len(message), room) or range(1)
    last = starts[-1]
    return [
        framed(bytes((2, Code.DATA, _LAST_UNIT if start == last else 0)) + message[start : start + room])
        for start in starts
    ]


def framed(unit: bytes) -> bytes:
    """A unit in its frame."""
    return bytes((VERSION, 0)) + (HEADER + len(unit)).to_bytes(2, "big") + unit

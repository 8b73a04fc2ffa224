"""Frames of IEC 60870-5-104 (edition 2.1, clause 5): start byte, length, four control bytes, and in an I-frame an ASDU."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from heptagrid.foundation.errors import HeptagridError
from heptagrid.live.splitter import FrameSplitter

START = 0x68
LEAST, MOST = 4, 253
"""Bytes after the length: the control field alone, and with the longest ASDU."""
MODULO = 1 << 15
"""Sequence numbers are counted modulo this."""


class MalformedError(HeptagridError):
    """Bytes that are no frame, or no ASDU, of the protocol."""


class Function(IntEnum):
    """What a U-frame asks or confirms: its first control byte."""

    STARTDT_ACT = 0x07
    STARTDT_CON = 0x0B
    STOPDT_ACT = 0x13
    STOPDT_CON = 0x23
    TESTFR_ACT = 0x43
    TESTFR_CON = 0x83


_FUNCTIONS = frozenset(int(one) for one in Function)


@dataclass(frozen=True, slots=True)
class Information:
    """An I-frame. send, receive: its sequence numbers N(S) and N(R)."""

    send: int
    receive: int
    asdu: bytes


@dataclass(frozen=True, slots=True)
class Supervisory:
    """An S-frame. receive: the sequence number N(R) up to which everything has come."""

    receive: int


@dataclass(frozen=True, slots=True)
class Unnumbered:
    """A U-frame."""

    function: Function


Frame = Information | Supervisory | Unnumbered


def encode(frame: Frame) -> bytes:
    """The bytes of a frame."""
    if isinstance(frame, Information):
        numbers = (frame.send << 1).to_bytes(2, "little") + (frame.receive << 1).to_bytes(2, "little")
        return bytes((START, LEAST + len(frame.asdu))) + numbers + frame.asdu
    if isinstance(frame, Supervisory):
        return bytes((START, LEAST, 1, 0)) + (frame.receive << 1).to_bytes(2, "little")
    return bytes((START, LEAST, frame.function, 0, 0, 0))


def decode(apdu: bytes) -> Frame:
    """A frame from its bytes, start byte and length included.

    Raises
    ------
    MalformedError
        For a control field that the standard does not know.
    """
    first = apdu[2]
    receive = int.from_bytes(apdu[4:6], "little")
    if not first & 1:
        if receive & 1:
            raise MalformedError("the lowest bit of an I-frame's third control byte is not 0")
        if len(apdu) == 2 + LEAST:
            raise MalformedError("an I-frame carries no ASDU")
        return Information(int.from_bytes(apdu[2:4], "little") >> 1, receive >> 1, apdu[6:])
    if len(apdu) != 2 + LEAST:
        raise MalformedError("a frame that is no I-frame is longer than its control field")
    if first == 1 and not receive & 1 and apdu[3] == 0:
        return Supervisory(receive >> 1)
    if first not in _FUNCTIONS or apdu[3:6] != b"\0\0\0":
        raise MalformedError(f"there is no frame with the control field {apdu[2:6].hex(' ')}")
    return Unnumbered(Function(first))


class Splitter(FrameSplitter):
    """Cuts a stream of bytes into APDUs."""

    __slots__ = ()

    def length(self, frame: bytes) -> int | None:
        if frame[0] != START:
            raise MalformedError(f"a frame begins with {frame[0]:#04x}; 0x68 is expected")
        if len(frame) < 2:
            return None
        if not LEAST <= frame[1] <= MOST:
            raise MalformedError(f"a frame says that it is {frame[1]} bytes long; 4 to 253 are expected")
        return 2 + frame[1]

"""Frames of IEEE C37.118.2-2011, clause 6: commands, configurations 1 and 2, headers and data, each with its CRC-CCITT."""

from __future__ import annotations

import math
import struct
from binascii import crc_hqx
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from heptagrid.foundation.errors import HeptagridError
from heptagrid.live.splitter import FrameSplitter

SYNC = 0xAA
VERSION = 1
"""Of frames that C37.118-2005 had already, as the edition of 2011 says (table 2)."""
TIME_BASE = 1_000_000
LEAST = 16
"""Bytes of a frame without any content."""
_NS_PER_COUNT = 1_000_000_000 // TIME_BASE
_COMMAND_LEAST = 18
NAME_BYTES = 16


class FrameType(IntEnum):
    """Kinds of frame, in bits 6 to 4 of the second byte."""

    DATA = 0
    HEADER = 1
    CONFIGURATION_1 = 2
    CONFIGURATION_2 = 3
    COMMAND = 4


class Command(IntEnum):
    """What a command frame asks for (table 15)."""

    DATA_OFF = 1
    DATA_ON = 2
    SEND_HEADER = 3
    SEND_CONFIGURATION_1 = 4
    SEND_CONFIGURATION_2 = 5
    SEND_CONFIGURATION_3 = 6
    EXTENDED = 8


class Status(IntEnum):
    """Bits of a data frame's STAT word (table 7)."""

    GOOD = 0x0000
    DATA_ERROR = 0xC000
    NOT_SYNCHRONISED = 0x2000
    CONFIGURATION_CHANGES = 0x0400
    TRIGGERED = 0x0800


class MalformedError(HeptagridError):
    """Bytes that are no frame of the protocol."""

    def __init__(self, message: str, is_lost: bool = False) -> None:
        super().__init__(message)
        self.is_lost = is_lost


@dataclass(frozen=True)
class Configuration:
    """What a unit's data frames hold. phasors: names, and whether each is a current; analogs, digitals: names, 16 of them a word. nominal_hz: 50 or 60. rate: frames a second. changes: how often it has changed."""

    id: int
    station: str
    phasors: tuple[tuple[str, bool], ...]
    analogs: tuple[str, ...]
    digitals: tuple[tuple[str, ...], ...]
    nominal_hz: int
    rate: int
    is_polar: bool = True
    changes: int = 1


@dataclass(frozen=True)
class Measurement:
    """What a unit measures at an instant. phasors: complex, V and A; frequency in Hz, its rate of change in Hz/s. digitals: a word for each sixteen."""

    status: int
    phasors: Sequence[complex]
    frequency_hz: float
    rocof_hz_per_s: float
    analogs: Sequence[float]
    digitals: Sequence[int]


@dataclass(frozen=True)
class Asked:
    """A command frame. code: of `Command`, or another."""

    id: int
    code: int


def framed(type: FrameType, id: int, ns: int, body: bytes, quality: int = 0) -> bytes:
    """A frame with its header and check; quality: of the time, 0: locked to UTC."""
    seconds, fraction = divmod((ns + _NS_PER_COUNT // 2) // _NS_PER_COUNT, TIME_BASE)
    head = struct.pack(
        ">BBHHII",
        SYNC,
        type << 4 | VERSION,
        LEAST + len(body),
        id,
        seconds & 0xFFFFFFFF,
        quality << 24 | fraction,
    )
    return _checked(head + body)


def _checked(frame: bytes) -> bytes:
    return frame + crc_hqx(frame, 0xFFFF).to_bytes(2, "big")


def configuration(type: FrameType, one: Configuration, ns: int) -> bytes:
    """A configuration frame of one unit (table 9); what it can do and what it does are the same."""
    names = [name for name, _ in one.phasors] + list(one.analogs) + [name for word in one.digitals for name in word]
    floats = 0x000E | (1 if one.is_polar else 0)
    body = struct.pack(">IH", TIME_BASE, 1) + _name(one.station)
    body += struct.pack(">HHHHH", one.id, floats, len(one.phasors), len(one.analogs), len(one.digitals))
    body += b"".join(_name(name) for name in names)
    body += b"".join(struct.pack(">I", is_current << 24) for _, is_current in one.phasors)
    body += struct.pack(">I", 1 << 24) * len(one.analogs)  # root mean square of what it measures
    body += b"".join(struct.pack(">HH", 0, (1 << sum(map(bool, word))) - 1) for word in one.digitals)
    body += struct.pack(">HHh", 1 if one.nominal_hz == 50 else 0, one.changes, one.rate)
    return framed(type, one.id, ns, body)


def header(one: Configuration, ns: int, text: str) -> bytes:
    """A header frame: a text for people."""
    return framed(FrameType.HEADER, one.id, ns, text.encode("ascii", "replace"))


def data(one: Configuration, ns: int, measured: Measurement) -> bytes:
    """A data frame of one unit (table 5), in floating point."""
    body = struct.pack(">H", measured.status)
    for phasor in measured.phasors:
        pair = (abs(phasor), math.atan2(phasor.imag, phasor.real)) if one.is_polar else (phasor.real, phasor.imag)
        body += struct.pack(">ff", *pair)
    body += struct.pack(">ff", measured.frequency_hz, measured.rocof_hz_per_s)
    body += struct.pack(f">{len(measured.analogs)}f", *measured.analogs)
    body += struct.pack(f">{len(measured.digitals)}H", *measured.digitals)
    return framed(FrameType.DATA, one.id, ns, body)


def command(id: int, code: int, ns: int) -> bytes:
    """A command frame, as a client sends it."""
    return framed(FrameType.COMMAND, id, ns, struct.pack(">H", code))


def asked(frame: bytes) -> Asked:
    """What a whole frame from a client asks for.

    Raises
    ------
    MalformedError
        For a wrong check, or a frame that is no command.
    """
    if crc_hqx(frame[:-2], 0xFFFF) != int.from_bytes(frame[-2:], "big"):
        raise MalformedError("the check of a frame is wrong")
    if frame[1] >> 4 & 7 != FrameType.COMMAND or len(frame) < _COMMAND_LEAST:
        raise MalformedError("a frame from a client is no command")
    id, code = struct.unpack_from(">H", frame, 4)[0], struct.unpack_from(">H", frame, 14)[0]
    return Asked(id, code)


class Splitter(FrameSplitter):
    """Cuts a stream of bytes into frames."""

    __slots__ = ()

    def length(self, frame: bytes) -> int | None:
        if frame[0] != SYNC:
            raise MalformedError(f"a frame begins with {frame[0]:#04x}; 0xaa is expected", is_lost=True)
        if len(frame) < 4:
            return None
        size = int.from_bytes(frame[2:4], "big")
        if size < LEAST:
            raise MalformedError(f"a frame says that it has {size} bytes; at least {LEAST} are expected", is_lost=True)
        return size


def _name(text: str) -> bytes:
    return text.encode("ascii", "replace")[:NAME_BYTES].ljust(NAME_BYTES)

"""Modbus TCP without sockets: frames out of a stream of bytes, requests out of frames, and responses.

Source: MODBUS Application Protocol Specification V1.1b3; MODBUS Messaging on TCP/IP Implementation Guide V1.0b (modbus.org).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

HEADER_BYTES = 7
MOST_READ = 125
MOST_WRITTEN = 123
MOST_WRITTEN_AND_READ = 121
"""The highest number of registers that functions 3 and 4 read, 16 writes, and 23 writes."""

READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE, READ_WRITE, ENCAPSULATED = 3, 4, 6, 16, 23, 43
READ_IDENTIFICATION = 14

_HEADER = struct.Struct(">HHHB")
_PAIR = struct.Struct(">HH")
_MOST_PDU_BYTES = 253
EXCEPTION = 0x80


class Code(IntEnum):
    """Why a request is not done."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    DEVICE_FAILURE = 4
    DEVICE_BUSY = 6
    NO_PATH = 10
    TARGET_SILENT = 11


class ExceptionResponse(Exception):
    """A request is answered with an exception code."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.name)
        self.code = code


class StreamError(Exception):
    """A header that cannot be one: where the next frame begins is not known any more."""


class Frame(NamedTuple):
    """A frame's transaction, unit, and protocol data unit: function and data."""

    transaction: int
    unit: int
    pdu: bytes


def frames(stream: bytes) -> tuple[list[Frame], bytes, int]:
    """The whole frames at the beginning of a stream, what is left of it, and how many frames were of another protocol than 0 and are left out.

    Raises
    ------
    StreamError
        For a length that no frame has.
    """
    found: list[Frame] = []
    at = foreign = 0
    end = len(stream)
    while end - at >= HEADER_BYTES:
        transaction, protocol, length, unit = _HEADER.unpack_from(stream, at)
        if not 2 <= length <= _MOST_PDU_BYTES + 1:
            raise StreamError(f"a length of {length} bytes")
        until = at + HEADER_BYTES - 1 + length
        if until > end:
            break
        if protocol == 0:
            found.append(Frame(transaction, unit, stream[at + HEADER_BYTES : until]))
        else:
            foreign += 1
        at = until
    return found, stream[at:], foreign


def framed(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A protocol data unit with its header."""
    return _HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def refusal(pdu: bytes, code: Code) -> bytes:
    """The response to a request that is not done."""
    return bytes((pdu[0] | EXCEPTION, code))


@dataclass(frozen=True)
class Read:
    """Functions 3 and 4."""

    function: int
    address: int
    count: int

    def response(self, registers: bytes) -> bytes:
        return bytes((self.function, len(registers))) + registers


@dataclass(frozen=True)
class Write:
    """Functions 6 and 16. registers: two bytes each."""

    function: int
    address: int
    registers: bytes

    def response(self) -> bytes:
        if self.function == WRITE_ONE:
            return bytes((WRITE_ONE,)) + self.address.to_bytes(2, "big") + self.registers
        return bytes((WRITE,)) + _PAIR.pack(self.address, len(self.registers) // 2)


@dataclass(frozen=True)
class ReadWrite:
    """Function 23: writes first, then reads."""

    read: Read
    write: Write


@dataclass(frozen=True)
class Identify:
    """Function 43/14. code: 1 basic, 2 regular, 3 extended, 4 one object."""

    code: int
    object_id: int


Request = Read | Write | ReadWrite | Identify


def request(pdu: bytes) -> Request:
    """What a protocol data unit asks for.

    Raises
    ------
    ExceptionResponse
        For an unknown function, or counts and lengths that do not fit it.
    """
    function, data = pdu[0], pdu[1:]
    if function in (READ_HOLDING, READ_INPUT):
        return _read(function, data)
    if function == WRITE_ONE:
        _require(len(data) == 4)
        return Write(WRITE_ONE, int.from_bytes(data[:2], "big"), data[2:])
    if function == WRITE:
        _require(len(data) >= 5)
        return _write(data, MOST_WRITTEN)
    if function == READ_WRITE:
        _require(len(data) >= 9)
        return ReadWrite(_read(READ_WRITE, data[:4]), _write(data[4:], MOST_WRITTEN_AND_READ))
    if function == ENCAPSULATED:
        return _identify(data)
    raise ExceptionResponse(Code.ILLEGAL_FUNCTION)


def _read(function: int, data: bytes) -> Read:
    _require(len(data) == 4)
    address, count = _PAIR.unpack(data)
    _require(1 <= count <= MOST_READ)
    return Read(function, address, count)


def _write(data: bytes, most: int) -> Write:
    address, count = _PAIR.unpack_from(data)
    _require(1 <= count <= most and data[4] == 2 * count and len(data) == 5 + 2 * count)
    return Write(WRITE, address, data[5:])


def _identify(data: bytes) -> Identify:
    if data[:1] != bytes((READ_IDENTIFICATION,)):
        raise ExceptionResponse(Code.ILLEGAL_FUNCTION)  # another kind of encapsulation, such as CANopen
    _require(len(data) == 3 and 1 <= data[1] <= 4)
    return Identify(data[1], data[2])


def _require(is_right: bool) -> None:
    if not is_right:
        raise ExceptionResponse(Code.ILLEGAL_VALUE)


_BASIC, _REGULAR = 3, 7
_INDIVIDUAL_AND_STREAM = 0x82
_ROOM_BYTES = 245


def identification(asked: Identify, objects: tuple[str, ...]) -> bytes:
    """The response with a device's objects: vendor, product code, revision, vendor's address, product, model, application.

    An object that does not exist begins the stream anew, as the specification says; asked for by itself it is refused.

    Raises
    ------
    ExceptionResponse
    """
    if asked.code == 4:
        if asked.object_id >= len(objects):
            raise ExceptionResponse(Code.ILLEGAL_ADDRESS)
        wanted = [asked.object_id]
    else:
        end = min(_BASIC if asked.code == 1 else _REGULAR, len(objects))
        wanted = list(range(asked.object_id if asked.object_id < end else 0, end))
    listed: list[bytes] = []
    size = following = 0
    for number in wanted:
        text = objects[number].encode("ascii", "replace")[:_ROOM_BYTES]
        if listed and size + 2 + len(text) > _ROOM_BYTES:
            following = number
            break
        listed.append(bytes((number, len(text))) + text)
        size += 2 + len(text)
    head = (ENCAPSULATED, READ_IDENTIFICATION, asked.code, _INDIVIDUAL_AND_STREAM)
    return bytes((*head, 0xFF if following else 0, following, len(listed))) + b"".join(listed)

"""The types that attributes have on the wire (IEC 61850-8-1, 8.1), and why an access to one fails (ISO 9506-2, DataAccessError)."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.protocols.mms.ber import (
    INTEGER,
    SEQUENCE,
    Element,
    MalformedError,
    bits,
    bits_of,
    elements,
    encoded,
    integer,
    integer_of,
    text,
    text_of,
)

STRUCTURE = 0xA2
_SINGLE_PRECISION = b"\x08"
_NS_PER_MS, _MS_PER_DAY = 1_000_000, 86_400_000
_FIRST_DAY = datetime(1984, 1, 1, tzinfo=UTC).toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()
_ACCURACY = 0x0A  # ten bits of a second's fraction are right: a millisecond
_LEAP_SECONDS_KNOWN, _CLOCK_FAILURE = 0x80, 0x40


class Failure(IntEnum):
    """Why an access fails."""

    INVALIDATED = 0
    TEMPORARILY_UNAVAILABLE = 2
    DENIED = 3
    UNDEFINED = 4
    TYPE_INCONSISTENT = 7
    ATTRIBUTE_INCONSISTENT = 8
    UNSUPPORTED = 9
    NON_EXISTENT = 10
    VALUE_INVALID = 11


class AccessError(Exception):
    """An access that fails, and why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.name)
        self.failure = failure


class Type(ABC):
    """A type of attributes. described: its type specification."""

    described: bytes

    @abstractmethod
    def encode(self, value: Any) -> bytes:
        """A value as data."""

    @abstractmethod
    def decode(self, given: Element) -> Any:
        """The value that data are.

        Raises
        ------
        AccessError
            If they are of another type.
        MalformedError
            If they are none of any.
        """


class Boolean(Type):
    described = encoded(0x83)

    def encode(self, value: bool) -> bytes:
        return encoded(0x83, b"\x01" if value else b"\x00")

    def decode(self, given: Element) -> bool:
        content = _content(given, 0x83)
        if len(content) != 1:
            raise MalformedError("a boolean of other than one byte")
        return content != b"\x00"


class Whole(Type):
    """An integer of so many bits, signed or not."""

    def __init__(self, bits: int, *, is_signed: bool) -> None:
        self._tag = 0x85 if is_signed else 0x86
        self._low = -(1 << bits - 1) if is_signed else 0
        self._high = (1 << (bits - 1 if is_signed else bits)) - 1
        self.described = integer(self._tag, bits)

    def encode(self, value: int) -> bytes:
        return integer(self._tag, value)

    def decode(self, given: Element) -> int:
        value = integer_of(_content(given, self._tag))
        if not self._low <= value <= self._high:
            raise AccessError(Failure.VALUE_INVALID)
        return value


class Real(Type):
    """A floating-point number of single precision."""

    described = encoded(0xA7, integer(INTEGER, 32), integer(INTEGER, 8))

    def encode(self, value: float) -> bytes:
        return encoded(0x87, _SINGLE_PRECISION, struct.pack(">f", value))

    def decode(self, given: Element) -> float:
        content = _content(given, 0x87)
        if len(content) != 5 or content[:1] != _SINGLE_PRECISION:
            raise AccessError(Failure.TYPE_INCONSISTENT)
        return float(struct.unpack(">f", content[1:])[0])


class Bits(Type):
    """A string of bits, as many as it has or at most, such as "0110"."""

    def __init__(self, count: int, *, is_varying: bool = False) -> None:
        self._count = count
        self._is_varying = is_varying
        self.described = integer(0x84, -count if is_varying else count)

    def encode(self, value: str) -> bytes:
        return bits(0x84, value)

    def decode(self, given: Element) -> str:
        word = bits_of(_content(given, 0x84))
        if len(word) > self._count or (len(word) < self._count and not self._is_varying):
            raise AccessError(Failure.TYPE_INCONSISTENT)
        return word.ljust(self._count, "0")


class Octets(Type):
    """Bytes, at most so many, or just as many."""

    def __init__(self, most: int, *, is_varying: bool = True) -> None:
        self._most, self._is_varying = most, is_varying
        self.described = integer(0x89, -most if is_varying else most)

    def encode(self, value: bytes) -> bytes:
        return encoded(0x89, value)

    def decode(self, given: Element) -> bytes:
        content = _content(given, 0x89)
        if len(content) > self._most or (len(content) < self._most and not self._is_varying):
            raise AccessError(Failure.VALUE_INVALID)
        return content


class Text(Type):
    """A visible string of at most so many letters."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.described = integer(0x8A, -most)

    def encode(self, value: str) -> bytes:
        return text(0x8A, value[: self._most])

    def decode(self, given: Element) -> str:
        words = text_of(_content(given, 0x8A))
        if len(words) > self._most:
            raise AccessError(Failure.VALUE_INVALID)
        return words


class UtcTime(Type):
    """An instant in ns since 1970, to 2^-24 s. A value may be negative: then the clock has failed at that instant's opposite."""

    described = encoded(0x91)

    def encode(self, value: int) -> bytes:
        seconds, ns = divmod(abs(value), NS_PER_S)
        quality = _LEAP_SECONDS_KNOWN | _ACCURACY | (_CLOCK_FAILURE if value < 0 else 0)
        fraction = (ns << 24) // NS_PER_S
        return encoded(0x91, seconds.to_bytes(4, "big") + fraction.to_bytes(3, "big") + bytes((quality,)))

    def decode(self, given: Element) -> int:
        content = _content(given, 0x91)
        if len(content) != 8:
            raise MalformedError("an instant of other than eight bytes")
        return int.from_bytes(content[:4], "big") * NS_PER_S + (int.from_bytes(content[4:7], "big") * NS_PER_S >> 24)


class DayTime(Type):
    """An instant in ns since 1970, as milliseconds of a day since 1984 (IEC 61850-8-1, EntryTime)."""

    described = encoded(0x8C, b"\x01")

    def encode(self, value: int) -> bytes:
        days, ms = divmod(max(value // _NS_PER_MS, _FIRST_DAY * _MS_PER_DAY), _MS_PER_DAY)
        return encoded(0x8C, ms.to_bytes(4, "big") + (days - _FIRST_DAY).to_bytes(2, "big"))

    def decode(self, given: Element) -> int:
        content = _content(given, 0x8C)
        if len(content) != 6:
            raise AccessError(Failure.TYPE_INCONSISTENT)
        days = int.from_bytes(content[4:], "big") + _FIRST_DAY
        return (days * _MS_PER_DAY + int.from_bytes(content[:4], "big")) * _NS_PER_MS


@dataclass(frozen=True)
class Structure(Type):
    """Values that have names and an order."""

    parts: Mapping[str, Type]

    @property
    def described(self) -> bytes:  # type: ignore[override]
        components = (
            encoded(SEQUENCE, text(0x80, name), encoded(0xA1, one.described)) for name, one in self.parts.items()
        )
        return encoded(0xA2, encoded(0xA1, *components))

    def encode(self, value: Mapping[str, Any]) -> bytes:
        return encoded(STRUCTURE, *(one.encode(value[name]) for name, one in self.parts.items()))

    def decode(self, given: Element) -> dict[str, Any]:
        found = list(elements(_content(given, STRUCTURE)))
        if len(found) != len(self.parts):
            raise AccessError(Failure.TYPE_INCONSISTENT)
        return {name: one.decode(each) for (name, one), each in zip(self.parts.items(), found, strict=True)}


def _content(given: Element, tag: int) -> bytes:
    if given.tag != tag:
        raise AccessError(Failure.TYPE_INCONSISTENT)
    return given.content


BOOLEAN, REAL, INSTANT, ENTRY_TIME = Boolean(), Real(), UtcTime(), DayTime()
INT8, INT32, INT64 = (Whole(size, is_signed=True) for size in (8, 32, 64))
UINT8, UINT16, UINT32 = (Whole(size, is_signed=False) for size in (8, 16, 32))
QUALITY, OPTIONS, TRIGGERS = (Bits(count, is_varying=True) for count in (13, 10, 6))
PAIR = Bits(2)
"""Of a double point, of a step command and of what is to be checked."""
IDENTIFIER, WORDS, REFERENCE = Octets(64), Text(255), Text(129)
ENTRY_NUMBER = Octets(8, is_varying=False)

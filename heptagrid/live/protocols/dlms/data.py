"""COSEM data: the bytes of typed values (A-XDR, IEC 62056-6-2), written one by one, and read into plain Python values.

A server writes many values and reads few, so that writing is by functions that return bytes, and reading gives numbers, bytes, lists and `None`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

NULL = b"\x00"
DEEPEST = 8
"""Structures within structures that are read; no attribute that can be written is deeper."""
_NOT_SPECIFIED = 0x8000
SUMMER = 0x80
"""In the status of a clock: summer time."""
_LARGEST = 4096
_SIZES = {3: 1, 5: 4, 6: 4, 13: 1, 15: 1, 16: 2, 17: 1, 18: 2, 20: 8, 21: 8, 22: 1, 23: 4, 24: 8, 25: 12, 26: 5, 27: 4}
_SIGNED = frozenset((5, 15, 16, 20))
_RAW = frozenset((23, 24, 25, 26, 27))
_STRINGS = frozenset((9, 10, 12))
_ARRAY, _STRUCTURE, _BITS = 1, 2, 4


class MalformedError(ValueError):
    """Bytes that are no frame, service or value of the protocol."""


def length(count: int) -> bytes:
    """A length or a count of elements: one byte up to 127, else the number of bytes before it."""
    if count < 0x80:
        return bytes((count,))
    size = (count.bit_length() + 7) // 8
    return bytes((0x80 | size,)) + count.to_bytes(size, "big")


def boolean(value: bool) -> bytes:
    return bytes((3, 0xFF if value else 0))


def bits(value: int, count: int) -> bytes:
    """A bit string, its first bit the highest of `value`."""
    size = (count + 7) // 8
    return b"\x04" + length(count) + (value << (8 * size - count)).to_bytes(size, "big")


def octets(value: bytes) -> bytes:
    return b"\x09" + length(len(value)) + value


def text(value: str) -> bytes:
    encoded = value.encode("utf-8")
    return b"\x0c" + length(len(encoded)) + encoded


def i8(value: int) -> bytes:
    return b"\x0f" + value.to_bytes(1, "big", signed=True)


def i16(value: int) -> bytes:
    return b"\x10" + value.to_bytes(2, "big", signed=True)


def i32(value: int) -> bytes:
    return b"\x05" + min(max(value, -0x80000000), 0x7FFFFFFF).to_bytes(4, "big", signed=True)


def u8(value: int) -> bytes:
    return bytes((0x11, value))


def u16(value: int) -> bytes:
    return b"\x12" + value.to_bytes(2, "big")


def u32(value: int) -> bytes:
    return b"\x06" + (value & 0xFFFFFFFF).to_bytes(4, "big")


def enum(value: int) -> bytes:
    return bytes((0x16, value))


def structure(*parts: bytes) -> bytes:
    return b"\x02" + length(len(parts)) + b"".join(parts)


def array(parts: Iterable[bytes]) -> bytes:
    found = list(parts)
    return b"\x01" + length(len(found)) + b"".join(found)


def moment(at: datetime) -> bytes:
    """The twelve bytes of an instant: deviation is local time to UTC, below 0 east of Greenwich (IEC 62056-6-2, 4.1.6.1); the status tells summer time."""
    offset = at.utcoffset() or timedelta()
    deviation = -round(offset.total_seconds() / 60)
    return (
        at.year.to_bytes(2, "big")
        + bytes((at.month, at.day, at.isoweekday(), at.hour, at.minute, at.second, at.microsecond // 10_000))
        + deviation.to_bytes(2, "big", signed=True)
        + bytes((SUMMER if at.dst() else 0,))
    )


def moment_of(value: Any, zone: tzinfo) -> datetime:
    """The instant that twelve bytes tell; without a deviation it is local in `zone`, in its summer time if the status says so.

    Raises
    ------
    MalformedError
        If it is none, or not fully specified.
    """
    if not isinstance(value, bytes) or len(value) != 12:
        raise MalformedError("a date and time of twelve bytes is expected")
    year, deviation = int.from_bytes(value[:2], "big"), int.from_bytes(value[9:11], "big")
    month, day, _, hour, minute, second, hundredths = value[2:9]
    try:
        hundredths = 0 if hundredths == 0xFF else hundredths
        local = datetime(year, month, day, hour, minute, 0 if second == 0xFF else second, hundredths * 10_000)
        if deviation != _NOT_SPECIFIED:
            minutes = deviation - 0x10000 if deviation & 0x8000 else deviation
            return local.replace(tzinfo=timezone(timedelta(minutes=-minutes))).astimezone(UTC)
        first, second_time = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        is_summer = value[11] != 0xFF and bool(value[11] & SUMMER)
        return (
            first if bool(first.dst()) == is_summer or first.dst() == second_time.dst() else second_time
        ).astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise MalformedError(f"no date and time: {value.hex()}") from problem


@dataclass
class Reader:
    """Reads bytes from the front."""

    raw: bytes
    at: int = 0

    def take(self, count: int) -> bytes:
        """The next bytes.

        Raises
        ------
        MalformedError
            If there are not so many.
        """
        end = self.at + count
        if count < 0 or end > len(self.raw):
            raise MalformedError("it ends too early")
        found = self.raw[self.at : end]
        self.at = end
        return found

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def count(self) -> int:
        """A length or a count of elements."""
        first = self.byte()
        if first < 0x80:
            return first
        if not 0x81 <= first <= 0x84:
            raise MalformedError(f"no length begins with {first:#x}")
        return self.number(first & 0x7F)

    def string(self) -> bytes:
        """Bytes with their length before them."""
        return self.take(self.count())

    def rest(self) -> bytes:
        return self.take(len(self.raw) - self.at)

    def end(self) -> None:
        """Nothing may be left.

        Raises
        ------
        MalformedError
            If something is.
        """
        if self.at != len(self.raw):
            raise MalformedError(f"{len(self.raw) - self.at} bytes too many")

    def value(self, depth: int = 0) -> Any:
        """A typed value: None, a boolean, a number, bytes, or a list.

        Raises
        ------
        MalformedError
            For an unknown type, one that nests too deeply, or that is too long.
        """
        tag = self.byte()
        if tag == 0:
            return None
        if tag in _STRINGS:
            return self.string()
        if tag == _BITS:
            return self.take((self.count() + 7) // 8)
        if tag in (_ARRAY, _STRUCTURE):
            count = self.count()
            if depth >= DEEPEST or count > _LARGEST:
                raise MalformedError("an array that is too deep or too long")
            return [self.value(depth + 1) for _ in range(count)]
        if tag not in _SIZES:
            raise MalformedError(f"there is no type {tag}")
        raw = self.take(_SIZES[tag])
        if tag in _RAW:
            return raw
        return bool(raw[0]) if tag == 3 else int.from_bytes(raw, "big", signed=tag in _SIGNED)

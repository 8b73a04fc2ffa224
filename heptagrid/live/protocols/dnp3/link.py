"""The data link layer of DNP3 (IEEE 1815-2012, clause 9): frames with checksums, and one station's answers to what a master asks of the link itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from heptagrid.foundation.errors import HeptagridError

START = b"\x05\x64"
HEADER, BLOCK, CHECK = 10, 16, 2
"""Bytes of a header with its checksum, of a block of user data, and of a checksum."""
MOST_DATA = 250
"""Bytes of user data in a frame."""
LAST_ADDRESS = 65_519
"""The highest address of a station; those above it have meanings of their own."""
SELF, BROADCASTS = 0xFFFC, frozenset((0xFFFD, 0xFFFE, 0xFFFF))
"""Whoever is at this end; and all stations: a confirmation of the application layer is not wanted, must come, or may."""
_DIRECTION, _PRIMARY, _COUNT_BIT, _COUNT_VALID = 0x80, 0x40, 0x20, 0x10


class MalformedError(HeptagridError):
    """Bytes that are no frame, segment or fragment of the protocol."""


class Primary(IntEnum):
    """What a primary station's frame is (table 9-1)."""

    RESET_LINK = 0
    TEST_LINK = 2
    CONFIRMED_DATA = 3
    DATA = 4
    REQUEST_STATUS = 9


class Secondary(IntEnum):
    """What a secondary station answers (table 9-2)."""

    ACK = 0
    NACK = 1
    STATUS = 11
    NOT_SUPPORTED = 15


def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        check = byte
        for _ in range(8):
            check = check >> 1 ^ 0xA6BC if check & 1 else check >> 1
        found.append(check)
    return tuple(found)


_CHECKS = _table()


def checksum(data: bytes) -> bytes:
    """The cyclic redundancy check of a block: x16 + x13 + x12 + x11 + x10 + x8 + x6 + x5 + x2 + 1, inverted."""
    check = 0
    for byte in data:
        check = check >> 8 ^ _CHECKS[(check ^ byte) & 0xFF]
    return (check ^ 0xFFFF).to_bytes(2, "little")


@dataclass(frozen=True, slots=True)
class LinkFrame:
    """A frame. function: of a primary or a secondary station, as `is_primary` says. count_bit: None where it has no meaning."""

    function: int
    destination: int
    source: int
    data: bytes = b""
    is_from_master: bool = False
    is_primary: bool = True
    count_bit: bool | None = None


def encode(frame: LinkFrame) -> bytes:
    """The bytes of a frame, checksums included."""
    control = frame.function | (_DIRECTION if frame.is_from_master else 0) | (_PRIMARY if frame.is_primary else 0)
    if frame.count_bit is not None:
        control |= _COUNT_VALID | (_COUNT_BIT if frame.count_bit else 0)
    head = START + bytes((5 + len(frame.data), control))
    head += frame.destination.to_bytes(2, "little") + frame.source.to_bytes(2, "little")
    parts = [head, checksum(head)]
    for at in range(0, len(frame.data), BLOCK):
        block = frame.data[at : at + BLOCK]
        parts += (block, checksum(block))
    return b"".join(parts)


def size_of(data_bytes: int) -> int:
    """How long a frame with so much user data is."""
    return HEADER + data_bytes + CHECK * -(-data_bytes // BLOCK)


def decode(raw: bytes) -> LinkFrame:
    """A frame from its bytes.

    Raises
    ------
    MalformedError
        If a checksum of its data is wrong.
    """
    control = raw[3]
    data = bytearray()
    for at in range(HEADER, len(raw), BLOCK + CHECK):
        block = raw[at : at + BLOCK + CHECK]
        if checksum(block[:-CHECK]) != block[-CHECK:]:
            raise MalformedError("a block's checksum is wrong")
        data += block[:-CHECK]
    return LinkFrame(
        control & 0x0F,
        int.from_bytes(raw[4:6], "little"),
        int.from_bytes(raw[6:8], "little"),
        bytes(data),
        bool(control & _DIRECTION),
        bool(control & _PRIMARY),
        bool(control & _COUNT_BIT) if control & _COUNT_VALID else None,
    )


class Splitter:
    """Cuts a stream of bytes into frames, however it comes in pieces. lost: how often something was skipped since no frame began there."""

    __slots__ = ("_rest", "lost")

    def __init__(self) -> None:
        self._rest = b""
        self.lost = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are whole now; what is no frame is skipped until one begins (9.2.4.3.6)."""
        rest, at = self._rest + data, 0
        found: list[bytes] = []
        while True:
            begins = rest.find(START, at)
            if begins < 0:
                keeps = 1 if rest.endswith(START[:1]) else 0
                self.lost += len(rest) - keeps > at
                self._rest = rest[len(rest) - keeps :]
                return found
            self.lost += begins > at
            at = begins
            if len(rest) - at < HEADER:
                break
            head = rest[at : at + HEADER]
            if head[2] < 5 or checksum(head[:-CHECK]) != head[-CHECK:]:
                self.lost += 1
                at += len(START)
                continue
            size = size_of(head[2] - 5)
            if len(rest) - at < size:
                break
            found.append(rest[at : at + size])
            at += size
        self._rest = rest[at:]
        return found


class SecondaryLink:
    """What a station knows of the link from one master: whether it was reset, and the count bit that is expected next (9.2.6)."""

    __slots__ = ("_expected",)

    def __init__(self) -> None:
        self._expected: bool | None = None

    def receive(self, frame: LinkFrame) -> tuple[Secondary | None, bool]:
        """What is answered to a primary frame, None: nothing; and whether its data are new."""
        function = frame.function
        if function == Primary.DATA:
            return None, bool(frame.data)
        if function == Primary.REQUEST_STATUS:
            return Secondary.STATUS, False
        if function == Primary.RESET_LINK:
            self._expected = True
            return Secondary.ACK, False
        if function not in (Primary.TEST_LINK, Primary.CONFIRMED_DATA):
            return Secondary.NOT_SUPPORTED, False
        if self._expected is None or frame.count_bit is None:
            return Secondary.NACK, False
        is_new = frame.count_bit == self._expected
        if is_new:
            self._expected = not self._expected
        return Secondary.ACK, is_new and function == Primary.CONFIRMED_DATA and bool(frame.data)

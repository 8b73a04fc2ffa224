"""A master for tests, fragment by fragment."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from heptagrid.live.protocols.dnp3.application import CONFIRM, SEQUENCE, Function, Indications
from heptagrid.live.protocols.dnp3.link import LinkFrame, Primary, Splitter, decode, encode
from heptagrid.live.protocols.dnp3.transport import Reassembly, Segments
from tests.live.wire_client import WireClient

CLASS_0, EVENTS = b"\x3c\x01\x06", b"\x3c\x02\x06\x3c\x03\x06\x3c\x04\x06"
INTEGRITY = EVENTS + CLASS_0
CLOSE, TRIP, LATCH_ON, LATCH_OFF = 0x41, 0x81, 3, 4


def request(sequence: int, function: int, objects: bytes = b"", *, is_unsolicited: bool = False) -> bytes:
    """The bytes of a request."""
    return bytes((0xC0 | sequence | (0x10 if is_unsolicited else 0), function)) + objects


def relay(index: int, code: int, times: int = 1) -> bytes:
    """A control relay output block, object 12 variation 1, with an index of a byte."""
    return bytes((12, 1, 0x17, 1, index, code, times)) + struct.pack("<II", 100, 100) + b"\0"


def set_point(index: int, value: float) -> bytes:
    """An analog output, object 41 variation 3."""
    return bytes((41, 3, 0x17, 1, index)) + struct.pack("<f", value) + b"\0"


@dataclass(frozen=True)
class Answer:
    """A response, taken apart."""

    sequence: int
    must_confirm: bool
    is_first: bool
    is_final: bool
    is_unsolicited: bool
    indications: Indications
    objects: bytes


def answer(fragment: bytes) -> Answer:
    """A response from its bytes."""
    control, function = fragment[:2]
    assert function in (Function.RESPONSE, Function.UNSOLICITED_RESPONSE)
    assert bool(control & 0x10) == (function == Function.UNSOLICITED_RESPONSE)
    return Answer(
        control & SEQUENCE,
        bool(control & CONFIRM),
        bool(control & 0x80),
        bool(control & 0x40),
        bool(control & 0x10),
        Indications(int.from_bytes(fragment[2:4], "little")),
        fragment[4:],
    )


class Master(WireClient):
    """One connection. answers: all that came, by outstation. confirms: whether they are confirmed where they must be."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: int) -> None:
        super().__init__(reader, writer)
        self.answers: list[tuple[int, Answer]] = []
        self.links: list[LinkFrame] = []
        self.confirms = True
        self._address = address
        self._splitter = Splitter()
        self._sequence = 0
        self._segments = Segments()
        self._parts: dict[int, Reassembly] = {}

    def link(self, function: int, outstation: int, data: bytes = b"", count_bit: bool | None = None) -> None:
        """Send a frame of the link layer."""
        self.write(encode(LinkFrame(function, outstation, self._address, data, True, True, count_bit)))

    def send(self, outstation: int, function: int, objects: bytes = b"") -> int:
        """Send a request; its number."""
        number, self._sequence = self._sequence, (self._sequence + 1) % 16
        self.fragment(outstation, request(number, function, objects))
        return number

    def fragment(self, outstation: int, fragment: bytes) -> None:
        """Send a fragment as it is."""
        for segment in self._segments.of(fragment):
            self.link(Primary.DATA, outstation, segment)

    async def ask(self, outstation: int, function: int, objects: bytes = b"") -> Answer:
        """Send a request, and wait for its answer."""
        count = len(self.answers)
        number = self.send(outstation, function, objects)

        def found() -> list[Answer]:
            return [
                one
                for of, one in self.answers[count:]
                if of == outstation and one.sequence == number and not one.is_unsolicited
            ]

        await self.until(found)
        return found()[0]

    def unsolicited(self, outstation: int) -> list[Answer]:
        """What came unasked."""
        return [one for of, one in self.answers if of == outstation and one.is_unsolicited]

    def received(self, data: bytes) -> None:
        for raw in self._splitter.feed(data):
            self._take(decode(raw))

    def _take(self, frame: LinkFrame) -> None:
        assert not frame.is_from_master and frame.destination == self._address
        if not frame.is_primary or frame.function != Primary.DATA:
            self.links.append(frame)
            return
        fragment = self._parts.setdefault(frame.source, Reassembly()).feed(frame.data)
        if fragment is None:
            return
        one = answer(fragment)
        if one.must_confirm and self.confirms:
            self.fragment(frame.source, request(one.sequence, Function.CONFIRM, is_unsolicited=one.is_unsolicited))
        self.answers.append((frame.source, one))


@asynccontextmanager
async def master_at(port: int, host: str = "127.0.0.1", address: int = 100) -> AsyncIterator[Master]:
    """A connection to an outstation, or to the front end."""
    master = Master(*await asyncio.open_connection(host, port), address)
    try:
        yield master
    finally:
        await master.close()

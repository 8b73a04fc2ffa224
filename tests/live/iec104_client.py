"""A controlling station for tests, frame by frame."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from heptagrid.live.protocols.iec104.apci import (
    Frame,
    Function,
    Information,
    Splitter,
    Supervisory,
    Unnumbered,
    decode,
    encode,
)
from heptagrid.live.protocols.iec104.asdu import Asdu, Object
from heptagrid.live.protocols.iec104.asdu import decode as asdu_of
from heptagrid.live.protocols.iec104.asdu import encode as asdu_bytes
from heptagrid.live.protocols.iec104.elements import Type
from heptagrid.live.protocols.iec104.time_tag import TimeTag
from tests.live.harness import Harness
from tests.live.wire_client import WireClient


class Client(WireClient):
    """One connection. asdus: all that came. confirms: whether I-frames are confirmed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self.asdus: list[Asdu] = []
        self.frames: list[Frame] = []
        self.confirms = True
        self._splitter = Splitter()
        self._sent = self._received = 0

    def ask(self, function: Function) -> None:
        self.write(encode(Unnumbered(function)))

    def send(self, asdu: Asdu | bytes) -> None:
        """Send an ASDU in the next I-frame."""
        raw = asdu if isinstance(asdu, bytes) else asdu_bytes(asdu)
        self.write(encode(Information(self._sent, self._received, raw)))
        self._sent += 1

    def command(
        self,
        type: Type,
        station: int,
        address: int = 0,
        value: float = 0,
        quality: int = 0,
        cause: int = 6,
        tag: TimeTag | None = None,
    ) -> None:
        self.send(Asdu(type, cause, station, (Object(address, value, quality, tag),)))

    async def start(self) -> None:
        self.ask(Function.STARTDT_ACT)
        await self.until(lambda: Unnumbered(Function.STARTDT_CON) in self.frames)

    def of(self, type: int, cause: int | None = None) -> list[Asdu]:
        """What came of a type."""
        return [one for one in self.asdus if one.type == type and cause in (None, one.cause)]

    def received(self, data: bytes) -> None:
        for apdu in self._splitter.feed(data):
            self._take(decode(apdu))

    def _take(self, frame: Frame) -> None:
        self.frames.append(frame)
        if frame == Unnumbered(Function.TESTFR_ACT) and self.confirms:
            self.ask(Function.TESTFR_CON)
        if isinstance(frame, Information):
            self._received += 1
            self.asdus.append(asdu_of(frame.asdu))
            if self.confirms:
                self.write(encode(Supervisory(self._received)))


@asynccontextmanager
async def client_to(port: int, host: str = "127.0.0.1") -> AsyncIterator[Client]:
    """A connection to a station, or to the front end."""
    client = Client(*await asyncio.open_connection(host, port))
    try:
        yield client
    finally:
        await client.close()


def malformed(harness: Harness) -> int:
    """How many malformed frames the grid has counted."""
    counts = harness.run.grid.counts
    return counts.get("iec104: malformed", 0) + counts.get("iec104: closed: malformed", 0)


def interrogated(client: Client, station: int) -> Callable[[], object]:
    """Whether a station has ended an interrogation of this client."""
    return lambda: [one for one in client.of(Type.C_IC_NA_1, 10) if one.common_address == station]

"""The desk as a controlling station: it connects to outside stations, interrogates them, and keeps what they tell with its age and quality.

Outside stations are no part of the modelled network, so nothing of this crosses it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from heptagrid.foundation.errors import UsageError
from heptagrid.live.grid import FrameRecord, LiveGrid, Peer
from heptagrid.live.protocols.iec104.apci import Function, MalformedError, Splitter
from heptagrid.live.protocols.iec104.asdu import Asdu, Cause, Object, decode, encode
from heptagrid.live.protocols.iec104.elements import NOT_TOPICAL, SELECT, Type, Value
from heptagrid.live.protocols.iec104.link import Happened, Link, Timing
from heptagrid.live.protocols.iec104.text import text_of
from heptagrid.live.protocols.iec104.time_tag import TimeTag

_OPENED_S = 30.0  # t0 of IEC 60870-5-104, 9.6
_AGAIN_S = (1.0, 2.0, 5.0, 10.0, 30.0)
_GENERAL, _COUNTERS = 20, 5
_REFUSALS = (
    *(Cause.UNKNOWN_TYPE, Cause.UNKNOWN_CAUSE),
    *(Cause.UNKNOWN_COMMON_ADDRESS, Cause.UNKNOWN_OBJECT_ADDRESS),
)
TITLE = "IEC 60870-5-104"


@dataclass(frozen=True)
class Outside:
    """An outside station: where it is, and its common address."""

    host: str
    port: int
    common_address: int

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}/{self.common_address}"


@dataclass(frozen=True)
class Told:
    """What a point was told to be. quality: bits of its quality descriptor. tag: of the station's clock. seen: when it came, of the monotonic clock."""

    type: Type
    value: Value
    quality: int
    tag: TimeTag | None
    seen: float


def outside_stations(words: str) -> list[Outside]:
    """The stations of `live.iec104.outstations`.

    Raises
    ------
    UsageError
        For one that is not written HOST:PORT/COMMON ADDRESS.
    """
    found = []
    for word in filter(None, (part.strip() for part in words.split(","))):
        place, _, address = word.partition("/")
        host, _, port = place.rpartition(":")
        if not (
            host and port.isdecimal() and address.isdecimal() and 0 < int(port) < 65536 and 0 < int(address) < 65535
        ):
            raise UsageError(
                f"live.iec104.outstations: {word!r}: write HOST:PORT/COMMON ADDRESS, such as 127.0.0.1:2404/1"
            )
        found.append(Outside(host.strip("[]"), int(port), int(address)))
    return found


@dataclass(eq=False)
class _Waiting:
    """A command whose confirmation, or termination, is waited for."""

    type: int
    address: int
    until: Cause
    done: asyncio.Future[bool]


class ControllingStation:
    """Keeps one outside station connected for as long as `run` does.

    values: what it told, by address. is_connected: whether data flow. is_interrogated: whether a general interrogation was answered since they do.
    """

    def __init__(self, grid: LiveGrid, outside: Outside, timing: Timing, interrogate_s: float) -> None:
        self.outside = outside
        self.is_connected = self.is_interrogated = False
        self._grid, self._timing, self._interrogate_s = grid, timing, interrogate_s
        self._values: dict[int, Told] = {}
        self._waiting: list[_Waiting] = []
        self._peer = Peer(TITLE, outside.name, "controlled station")
        self._link: Link | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def values(self) -> Mapping[int, Told]:
        return self._values

    def age_s(self, address: int) -> float:
        """Seconds of the wall clock since a point was told."""
        return self._grid.loop.time() - self._values[address].seen

    def quality(self, address: int) -> int:
        """A point's quality as it was told; not topical while the station is not connected and has not been interrogated since."""
        told = self._values[address].quality
        return told if self.is_interrogated else told | NOT_TOPICAL

    async def run(self) -> None:
        """Connect, again and again, until cancelled."""
        failed = 0
        while True:
            try:
                async with asyncio.timeout(_OPENED_S):
                    reader, writer = await asyncio.open_connection(self.outside.host, self.outside.port)
            except (OSError, TimeoutError):
                self._grid.count("iec104: outside station not reached")
            else:
                if await self._serve(reader, writer):
                    failed = 0
            await asyncio.sleep(_AGAIN_S[min(failed, len(_AGAIN_S) - 1)])
            failed += 1

    async def command(
        self, type: Type, address: int, value: Value, qualifier: int = 0, *, select: bool = False
    ) -> bool:
        """Give a command, selected first if wished; whether it was confirmed both times.

        Raises
        ------
        UsageError
            If the station is not connected.
        """
        for quality in (qualifier | SELECT, qualifier) if select else (qualifier,):
            if not await self._ask(
                Asdu(type, Cause.ACTIVATION, self.outside.common_address, (Object(address, value, quality),))
            ):
                return False
        return True

    async def interrogate(self) -> bool:
        """Interrogate the station; whether it has told all.

        Raises
        ------
        UsageError
            If the station is not connected.
        """
        asked = Asdu(Type.C_IC_NA_1, Cause.ACTIVATION, self.outside.common_address, (Object(0, 0, _GENERAL),))
        return await self._ask(asked, Cause.ACTIVATION_TERMINATION)

    async def _ask(self, asdu: Asdu, until: Cause = Cause.ACTIVATION_CON) -> bool:
        link = self._link
        if link is None or link.room <= 0:
            raise UsageError(f"{self.outside.name}: the station is not connected")
        one = _Waiting(asdu.type, asdu.objects[0].address, until, self._grid.loop.create_future())
        self._waiting.append(one)
        link.send(encode(asdu), self._grid.loop.time())
        self._flush()
        try:
            async with asyncio.timeout(2 * self._timing.t1_s):
                return await one.done
        except TimeoutError:
            return False
        finally:
            self._waiting.remove(one)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Keep a connection until it ends; whether data have flowed."""
        grid, name = self._grid, self.outside.name
        peer = Peer(TITLE, name, "controlled station", since_ns=grid.now_ns)
        self._link, self._writer, self._peer = Link(self._timing, False, grid.loop.time()), writer, peer
        self._link.on_asdu, self._link.on_happened = self._take, self._happened
        grid.peers.append(peer)
        tasks = [grid.loop.create_task(work) for work in (self._read(reader), self._tick(), self._repeat())]
        self._link.ask(Function.STARTDT_ACT, grid.loop.time())
        self._flush()
        try:
            await asyncio.wait(tasks[:1])
            return self.is_connected
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for one in self._waiting:
                if not one.done.done():
                    one.done.set_result(False)
            self.is_connected = self.is_interrogated = False
            self._link = self._writer = None
            grid.peers.remove(peer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        splitter, link = Splitter(), self._link
        assert link is not None
        with contextlib.suppress(OSError):
            while not link.closed and (data := await reader.read(65_536)):
                self._peer.bytes += len(data)
                self._grid.heard("iec104", self._peer.address, data)
                try:
                    frames = splitter.feed(data)
                except MalformedError:
                    self._grid.count("iec104: malformed")
                    return
                for one in frames:
                    self._peer.frames += 1
                    self._note(one, is_inward=True)
                    link.receive(one, self._grid.loop.time())
                self._flush()
        if link.closed:
            self._grid.count(f"iec104: closed: {link.closed.partition(':')[0]}")

    async def _tick(self) -> None:
        link, writer = self._link, self._writer
        assert link is not None and writer is not None
        while not link.closed:
            await asyncio.sleep(max(0.02, min(link.due() - self._grid.loop.time(), 1.0)))
            link.tick(self._grid.loop.time())
            self._flush()
        writer.close()

    async def _repeat(self) -> None:
        """Interrogate the station, and its counters, at the start and then again and again."""
        counters = Asdu(Type.C_CI_NA_1, Cause.ACTIVATION, self.outside.common_address, (Object(0, 0, _COUNTERS),))
        while True:
            while not self.is_connected:
                await asyncio.sleep(0.05)
            with contextlib.suppress(UsageError):
                self.is_interrogated = await self.interrogate()
                await self._ask(counters, Cause.ACTIVATION_TERMINATION)
            await asyncio.sleep(self._interrogate_s if self.is_interrogated else self._timing.t1_s)

    def _happened(self, what: Happened) -> None:
        self.is_connected = what is Happened.STARTED

    def _take(self, raw: bytes) -> None:
        try:
            asdu = decode(raw)
        except MalformedError:
            self._grid.count("iec104: malformed")
            return
        if asdu.type < Type.C_SC_NA_1 and asdu.common_address == self.outside.common_address:
            seen = self._grid.loop.time()
            for each in asdu.objects:
                self._values[each.address] = Told(Type(asdu.type), each.value, each.quality, each.tag, seen)
            return
        for one in self._waiting:
            if one.type == asdu.type and one.address == asdu.objects[0].address and not one.done.done():
                is_refused = asdu.is_negative or asdu.cause in _REFUSALS
                if is_refused or asdu.cause == one.until:
                    one.done.set_result(not is_refused)
                break

    def _flush(self) -> None:
        link, writer = self._link, self._writer
        if link is None or writer is None or writer.is_closing():
            return
        for one in link.take():
            self._peer.frames += 1
            self._peer.bytes += len(one)
            self._note(one, is_inward=False)
            writer.write(one)

    def _note(self, apdu: bytes, *, is_inward: bool) -> None:
        address = self._peer.address
        record = FrameRecord(self._grid.now_ns, TITLE, address, "", is_inward, len(apdu), text_of(apdu), 0.0)
        self._grid.note(record)

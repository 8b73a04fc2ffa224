"""One client's TLS connection: HTTP/1.1 on h11, whose requests cross the modelled network where the client stands for a device."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.grid import FrameRecord, LiveGrid, Peer
from heptagrid.live.inventory import Device
from heptagrid.live.protocols.sep2.answers import Answer, Request
from heptagrid.live.protocols.sep2.identity import lfdi_of, name_in
from heptagrid.live.protocols.sep2.server import Sep2Server
from heptagrid.live.protocols.sep2.xml import MEDIA_TYPE, written

MOST_BYTES = 256 * 1024
"""The longest body that is read."""
IDLE_S = 120.0
"""Of the wall clock; a connection that is silent for longer is closed."""
PATIENCE_S = 20.0
"""Of the wall clock, from the first byte of a request to its end, and for a client to read an answer: assumption, what 256 KB take at 0.1 Mbit/s."""
_LONGEST_PATH = 1000


@dataclass
class Connection:
    """A client that has shown a certificate. peer: as the grid lists it."""

    grid: LiveGrid
    server: Sep2Server
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def serve(self) -> None:
        """Answer requests until the client leaves."""
        secured: ssl.SSLObject | None = self.writer.get_extra_info("ssl_object")
        certificate = secured.getpeercert(binary_form=True) if secured is not None else None
        if certificate is None:
            self.grid.count("sep2: no certificate")
            return
        self.lfdi, self.name = lfdi_of(certificate), name_in(certificate)
        one = self.server.known(self.lfdi, self.name)
        self.device = one.device
        host, port = self.writer.get_extra_info("peername")[:2]
        role = "desk" if one.is_operator else "device"
        named = one.device.name if one.device is not None else ""
        self.peer = Peer("sep2", f"{host}:{port}", role, named, self.grid.now_ns)
        self.grid.peers.append(self.peer)
        try:
            await self._requests()
        finally:
            self.grid.peers.remove(self.peer)

    async def _requests(self) -> None:
        import h11

        link = h11.Connection(h11.SERVER, max_incomplete_event_size=16 * 1024)
        try:
            while True:
                self._until = asyncio.get_running_loop().time() + IDLE_S
                self._has_begun = False
                event = await self._next(link)
                if not isinstance(event, h11.Request):
                    return
                body, size_bytes = await self._body(link, event)
                answer = await self._answered(event, body, size_bytes)
                if answer is None:
                    return  # lost on the modelled network: nobody answers
                self.writer.write(_response(link, answer, is_head=event.method == b"HEAD"))
                await asyncio.wait_for(self.writer.drain(), PATIENCE_S)
                if link.our_state is h11.MUST_CLOSE or body is None:
                    return
                link.start_next_cycle()
        except h11.RemoteProtocolError as problem:
            self.grid.count("sep2: malformed HTTP")
            if link.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                with suppress(h11.LocalProtocolError, ConnectionError):
                    self.writer.write(_response(link, Answer(problem.error_status_hint or 400), is_head=False))

    async def _next(self, link: Any) -> Any:
        import h11

        loop = asyncio.get_running_loop()
        while True:
            event = link.next_event()
            if event is h11.NEED_DATA:
                if link.they_are_waiting_for_100_continue:
                    self.writer.write(link.send(h11.InformationalResponse(status_code=100, headers=[])))
                try:
                    data = await asyncio.wait_for(self.reader.read(65_536), max(self._until - loop.time(), 0.0))
                except TimeoutError:
                    self.grid.count("sep2: slow request" if self._has_begun else "sep2: silent")
                    raise
                if not self._has_begun:
                    self._has_begun, self._until = True, loop.time() + PATIENCE_S
                self.grid.heard("sep2", self.peer.address, data)
                link.receive_data(data)
            else:
                return event

    async def _body(self, link: Any, event: Any) -> tuple[bytes | None, int]:
        """The body of a request, None if it is too long, and how many bytes all of it took."""
        import h11

        size_bytes = len(event.method) + len(event.target) + 12 + sum(len(k) + len(v) + 4 for k, v in event.headers)
        body = b""
        while True:
            part = await self._next(link)
            if not isinstance(part, h11.Data):
                return body, size_bytes + len(body)
            body += bytes(part.data)
            if len(body) > MOST_BYTES:
                self.grid.count("sep2: 413")
                return None, size_bytes + len(body)

    async def _answered(self, event: Any, body: bytes | None, size_bytes: int) -> Answer | None:
        """What the server says; None if the request or the answer is lost on the way."""
        method, target = event.method.decode("ascii"), event.target[:_LONGEST_PATH].decode("ascii", "replace")
        if not await self._crosses(size_bytes, f"{method} {target}", is_inward=True):
            return None
        try:
            parts = urlsplit(target)
            query = dict(parse_qsl(parts.query, max_num_fields=20))
        except ValueError:
            return Answer(400)
        if body is None:
            answer = Answer(413)
        else:
            answer = self.server.handle(Request(method, parts.path, query, body, self.lfdi, self.name))
        if answer.status in (401, 403):
            self.peer.refused += 1
        size_bytes = 120 + (len(written(answer.content)) if answer.content is not None else 0)
        return answer if await self._crosses(size_bytes, str(answer.status), is_inward=False) else None

    async def _crosses(self, size_bytes: int, text: str, *, is_inward: bool) -> bool:
        """Whether so many bytes arrive over the modelled network; a client that is no device sits at the desk."""
        delay_s: float | None = 0.0
        if self.device is not None:
            delay_s = await _crossing(self.grid, self.device, size_bytes, is_inward=is_inward)
        self.peer.frames, self.peer.bytes = self.peer.frames + 1, self.peer.bytes + size_bytes
        record = FrameRecord(
            self.grid.now_ns, "sep2", self.peer.address, self.peer.device, is_inward, size_bytes, text[:120], delay_s
        )
        self.grid.note(record)
        return delay_s is not None


async def _crossing(grid: LiveGrid, device: Device, size_bytes: int, *, is_inward: bool) -> float | None:
    """Seconds between a device and its aggregator; None: the bytes are lost."""
    desk, sent_ns = grid.desk("aggregator", grid.aggregator_of(device)), grid.now_ns
    try:
        go: Awaitable[int] = grid.answer(device, desk, size_bytes) if is_inward else grid.ask(desk, device, size_bytes)
        return (await go - sent_ns) / NS_PER_S
    except HeptagridError:
        grid.count("sep2: lost on the network")
        return None


def _response(link: Any, answer: Answer, *, is_head: bool) -> bytes:
    import h11

    content = written(answer.content) if answer.content is not None else b""
    headers = [("content-length", str(len(content)))]
    if content:
        headers.append(("content-type", MEDIA_TYPE))
    if answer.location:
        headers.append(("location", answer.location))
    if answer.status == 204:
        headers = headers[1:]
    found = [link.send(h11.Response(status_code=answer.status, headers=headers))]
    if content and not is_head:
        found.append(link.send(h11.Data(data=content)))
    found.append(link.send(h11.EndOfMessage()))
    return b"".join(one for one in found if one)

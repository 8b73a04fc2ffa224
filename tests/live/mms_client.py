"""A client of MMS for tests, PDU by PDU."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from heptagrid.live.protocols.mms import pdu as mms
from heptagrid.live.protocols.mms.ber import (
    EXTERNAL,
    INTEGER,
    OBJECT,
    SEQUENCE,
    SET,
    Element,
    bits,
    bits_of,
    elements,
    encoded,
    integer,
    integer_of,
    one,
    part,
    parts,
    text,
    text_of,
)
from heptagrid.live.protocols.mms.pdu import Service
from heptagrid.live.protocols.mms.transport import Splitter, framed, segments
from tests.live.wire_client import WITHIN_S, WireClient

_ACSE, _MMS, _BASIC = bytes((0x52, 1, 0, 1)), bytes((0x28, 0xCA, 0x22, 2, 1)), bytes((0x51, 1))
_MMS_CONTEXT = bytes((0x28, 0xCA, 0x22, 2, 3))


def connect_request(exponent: int | None = 13, called: bytes = b"\x00\x01") -> bytes:
    """The frame with which a transport connection begins."""
    body = b"" if exponent is None else bytes((0xC0, 1, exponent))
    body += b"\xc1\x02\x00\x00" + bytes((0xC2, len(called))) + called
    header = b"\xe0\x00\x00\x00\x07\x00" + body
    return framed(bytes((len(header),)) + header)


def initiate(largest: int | None = 65_000) -> bytes:
    """The begin of an association of MMS."""
    detail = encoded(0xA4, integer(0x80, 1), bits(0x81, "11110001000"), bits(0x82, "1" * 85))
    size = b"" if largest is None else integer(0x80, largest)
    return encoded(mms.INITIATE, size, integer(0x81, 5), integer(0x82, 5), integer(0x83, 10), detail)


def associate(
    pdu: bytes, *, called: bytes = b"\x00\x00\x00\x01", session: bytes = b"\x00\x01", contexts: tuple[int, int] = (1, 3)
) -> bytes:
    """The message with which an association begins; contexts: the numbers of association control and of MMS."""
    control, number = contexts
    request = encoded(
        0x60,
        encoded(0xA1, encoded(OBJECT, _MMS_CONTEXT)),
        encoded(0xBE, encoded(EXTERNAL, integer(INTEGER, number), encoded(0xA0, pdu))),
    )
    proposed = (
        encoded(SEQUENCE, integer(INTEGER, each), encoded(OBJECT, syntax), encoded(SEQUENCE, encoded(OBJECT, _BASIC)))
        for each, syntax in ((control, _ACSE), (number, _MMS))
    )
    normal = encoded(
        0xA2,
        encoded(0x81, b"\x00\x00\x00\x01"),
        encoded(0x82, called),
        encoded(0xA4, *proposed),
        carried(control, request),
    )
    user = encoded(SET, encoded(0xA0, b"\x80\x01\x01"), normal)
    body = b"\x05\x06\x13\x01\x00\x16\x01\x02\x14\x02\x00\x02\x33\x02\x00\x01"
    body += bytes((0x34, len(session))) + session + _field(0xC1, user)
    return _field(0x0D, body)


def carried(context: int, value: bytes) -> bytes:
    """A value of a presentation context."""
    return encoded(0x61, encoded(SEQUENCE, integer(INTEGER, context), encoded(0xA0, value)))


def _field(code: int, content: bytes) -> bytes:
    length = len(content)
    return bytes((code,)) + (bytes((length,)) if length < 255 else b"\xff" + length.to_bytes(2, "big")) + content


def variables(*names: str) -> bytes:
    """Variables by their names, such as PRI0LD0/MMXU1$MX$TotW; one without a slash is of the server."""
    found = []
    for name in names:
        domain, slash, item = name.partition("/")
        found.append(mms.domain_name(domain, item) if slash else mms.named_by_server(name, is_list=False))
    return mms.listed(*found)


class ServiceFailedError(Exception):
    """A request was answered by an error. kind, code: of the error."""

    def __init__(self, kind: int, code: int) -> None:
        super().__init__(f"{kind} {code}")
        self.kind, self.code = kind, code


class Client(WireClient):
    """One connection. reports: what was told unasked: the names, or the list's, and the values. order: of answers and reports."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self.reports: list[tuple[list[str], list[Element]]] = []
        self.order: list[str] = []
        self.context = 3
        self.largest = 0
        self.longest_frame = 0
        self.longest_pdu = 0
        self.segment = 8192
        self._splitter = Splitter()
        self._number = 0
        self._answers: dict[int, asyncio.Future[Element]] = {}
        self._accepted: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._concluded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._message = b""

    def send(self, pdu: bytes) -> None:
        """Send an MMS PDU."""
        for frame in segments(b"\x01\x00\x01\x00" + carried(self.context, pdu), self.segment):
            self.write(frame)

    async def associate(
        self,
        largest: int | None = 65_000,
        exponent: int | None = 13,
        contexts: tuple[int, int] = (1, 3),
        called: bytes = b"\x00\x00\x00\x01",
    ) -> dict[int, bytes]:
        """Begin an association; what the answer says, by tag."""
        self.begin_association(largest, exponent, contexts, called)
        accepted = await asyncio.wait_for(self._accepted, WITHIN_S)
        found = parts(one(accepted, mms.INITIATED).content)
        self.largest = integer_of(found[0x80])
        return found

    def begin_association(
        self,
        largest: int | None = 65_000,
        exponent: int | None = 13,
        contexts: tuple[int, int] = (1, 3),
        called: bytes = b"\x00\x00\x00\x01",
    ) -> None:
        """Ask for an association."""
        self.context = contexts[1]
        self.write(connect_request(exponent))
        message = associate(initiate(largest), contexts=contexts, called=called)
        for frame in segments(message, 8192):
            self.write(frame)

    def begin(self, service: int, *contents: bytes) -> asyncio.Future[Element]:
        """Send a confirmed request; its answer."""
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        self.send(encoded(mms.REQUEST, integer(INTEGER, self._number), encoded(service, *contents)))
        return answer

    async def ask(self, service: int, *contents: bytes) -> bytes:
        """What a request is answered.

        Raises
        ------
        ServiceFailedError
        """
        answer = await asyncio.wait_for(self.begin(service, *contents), WITHIN_S)
        if answer.tag == mms.ERROR:
            error = one(one(parts(answer.content)[0xA2]).content)
            raise ServiceFailedError(error.tag & 0x1F, integer_of(error.content))
        if answer.tag == mms.REJECT:
            raise ServiceFailedError(-1, integer_of(parts(answer.content)[0x81]))
        return list(elements(answer.content))[1].content

    async def read(self, *names: str) -> list[Element]:
        """Values of variables; one that fails has the tag 0x80."""
        found = parts(await self.ask(Service.READ, encoded(0xA1, variables(*names))))
        return list(elements(part(found, 0xA1)))

    async def read_set(self, name: str) -> list[Element]:
        domain, _, item = name.partition("/")
        asked = encoded(0xA1, encoded(0xA1, mms.domain_name(domain, item)))
        found = parts(await self.ask(Service.READ, integer(0x80, 1), asked))
        assert one(found[0xA0]).tag == 0xA1, "the name is repeated as was asked for"
        return list(elements(part(found, 0xA1)))

    async def write_value(self, name: str, value: bytes) -> int | None:
        """Write a variable; why it failed, None if it did not."""
        answer = one(await self.ask(Service.WRITE, variables(name), encoded(0xA0, value)))
        return integer_of(answer.content) if answer.tag == 0x80 else None

    async def names(self, kind: int, domain: str | None = None, after: str | None = None) -> tuple[list[str], bool]:
        """Names of a kind, and whether there are more."""
        scope = encoded(0x80) if domain is None else text(0x81, domain)
        more = b"" if after is None else text(0x82, after)
        found = parts(await self.ask(Service.NAMES, encoded(0xA0, integer(0x80, kind)), encoded(0xA1, scope), more))
        return [text_of(each.content) for each in elements(found[0xA0])], found.get(0x81, b"\xff") != b"\x00"

    async def conclude(self) -> None:
        """End the association of MMS, then that below."""
        self.send(encoded(mms.CONCLUDE))
        await asyncio.wait_for(self._concluded, WITHIN_S)
        finish = _field(0x09, _field(0xC1, carried(1, encoded(0x62, integer(0x80, 0)))))
        for frame in segments(finish, 8192):
            self.write(frame)
        await self.until(lambda: self.is_closed)

    def received(self, data: bytes) -> None:
        for frame in self._splitter.feed(data):
            self.longest_frame = max(self.longest_frame, len(frame))
            if frame[5] == 0xF0:
                self._message += frame[7:]
                if frame[6] & 0x80:
                    message, self._message = self._message, b""
                    self._take(message)

    def _take(self, message: bytes) -> None:
        if message[0] == 0x0E:
            at = message.index(bytes((0xBE,)))
            external = parts(one(parts(message[at:])[0xBE], EXTERNAL).content)
            self._accepted.set_result(external[0xA0])
            return
        if message[0] != 0x01:
            return
        pdu = parts(one(one(message[4:], 0x61).content).content)[0xA0]
        self.longest_pdu = max(self.longest_pdu, len(pdu))
        given = one(pdu)
        if given.tag == mms.UNCONFIRMED:
            self._reported(given)
        elif given.tag == mms.CONCLUDED:
            self._concluded.set_result(None)
        else:
            first = next(elements(given.content))
            self.order.append("answer")
            self._answers.pop(integer_of(first.content)).set_result(given)

    def _reported(self, given: Element) -> None:
        names, values = elements(part(parts(given.content), 0xA0))
        if names.tag == 0xA1:
            found = [text_of(one(names.content).content)]
        else:
            found = [mms.name_of(one(one(each.content).content)).text for each in elements(names.content)]
        self.order.append(f"report {found[0]}")
        self.reports.append((found, list(elements(values.content))))


def told(values: Sequence[Element]) -> list[object]:
    """Values as Python has them, for those types that tests look at."""
    return [_told(each) for each in values]


def _told(given: Element) -> object:
    if given.tag == 0xA2:
        return [_told(each) for each in elements(given.content)]
    if given.tag == 0x83:
        return given.content != b"\x00"
    if given.tag in (0x85, 0x86, 0x80):
        return integer_of(given.content)
    if given.tag == 0x8A:
        return text_of(given.content)
    if given.tag == 0x84:
        return bits_of(given.content)
    if given.tag == 0x87:
        return float(struct.unpack(">f", given.content[1:])[0])
    return given.content


@asynccontextmanager
async def client_to(port: int, host: str = "127.0.0.1") -> AsyncIterator[Client]:
    """A connection to a device, or to the gateway; no association yet."""
    client = Client(*await asyncio.open_connection(host, port))
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def associated(port: int, host: str = "127.0.0.1", largest: int | None = 65_000) -> AsyncIterator[Client]:
    """An association with a device, or with the gateway."""
    async with client_to(port, host) as client:
        await client.associate(largest)
        yield client

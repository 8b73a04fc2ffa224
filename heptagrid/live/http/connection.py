"""Connections of the HTTP servers: uvicorn's, with bounds on how many there are and on how long a client takes to say what it wants.

A client whose request is not whole after `PATIENCE_S` is answered by 408; where there are too many connections, that which has waited longest for its client gives way,
so that whoever holds a thousand of them open keeps nobody out. What is no HTTP is answered by 400, a head that is too long by 431. All of these are counted.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from heptagrid.live.grid import LiveGrid
from heptagrid.live.http.heard import Application, Message, Receive, Send
from heptagrid.live.http.problems import MEDIA_TYPE, ProblemError

if TYPE_CHECKING:
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS = 1000
"""At a time, of one server."""
PATIENCE_S = 20.0
"""Of the wall clock, from the first byte of a request, or from the connection, to the end of the request: assumption, what a megabyte takes at 0.5 Mbit/s."""
KEPT_S = 75.0
"""How long a connection is kept after an answer; a client that asks again in the same moment as a shorter time is over sees the connection break."""
MOST_UNREAD = 1 << 20
"""Bytes of a body that are read for nothing."""
_LINGERS_S = 2.0  # what still comes after a refusal is read for so long, or a reset would overtake the refusal


def connections(grid: LiveGrid, name: str, most: int = CONNECTIONS) -> type[H11Protocol]:
    """The class of a server's connections, for uvicorn. name: under which is counted; most: how many there may be."""
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    unasked: dict[Any, None] = {}  # connections whose client has not asked, or not to the end, the oldest first

    class Connection(H11Protocol):
        """One client's. It waits for a request until `_deadline`, and reads nothing more once it was refused, or its transport is a WebSocket's."""

        _deadline: asyncio.TimerHandle | None = None
        _was_refused = _is_socket = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > most:
                grid.count(f"{name}: too many connections")
                next(iter(unasked), self).give_way()
            if not transport.is_closing():
                self._wait()

        def connection_lost(self, problem: Exception | None) -> None:
            self._settle()
            super().connection_lost(problem)

        def data_received(self, data: bytes) -> None:
            if self._was_refused:
                return
            super().data_received(data)
            self._look()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if not self.transport.is_closing():
                unasked[self] = None
                self._look()

        def handle_websocket_upgrade(self, event: h11.Request) -> None:
            self._settle()
            if len(self.connections) > most:
                self._refuse(503, "there are too many connections", "close some")
            else:
                self._is_socket = True
                super().handle_websocket_upgrade(event)

        def send_400_response(self, msg: str) -> None:
            problem = sys.exception()  # it is being handled, and alone knows which status is meant: 400, 431 or 501
            said = str(problem) or "this is no HTTP/1.1"
            self._refuse(getattr(problem, "error_status_hint", 400), said, "send HTTP/1.1 (RFC 9112)")

        def give_way(self) -> None:
            """End at once."""
            self._settle()
            self.connections.discard(self)
            self.transport.abort()

        def _look(self) -> None:
            """Wait for the rest of a request that has begun, and no longer for one that is whole."""
            if self._was_refused or self._is_socket or self.transport.is_closing():
                return
            is_whole = self.conn.their_state not in (h11.IDLE, h11.SEND_BODY)
            if is_whole:
                self._settle()
            elif self._deadline is None and (self.conn.their_state is h11.SEND_BODY or self.conn.trailing_data[0]):
                self._wait()

        def _wait(self) -> None:
            unasked[self] = None
            self._deadline = self.loop.call_later(PATIENCE_S, self._late)

        def _settle(self) -> None:
            unasked.pop(self, None)
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _late(self) -> None:
            self._refuse(408, f"the request was not whole after {PATIENCE_S:g} s", "send it at once")

        def _refuse(self, status: int, detail: str, remedy: str) -> None:
            """Answer what is no request, unless an answer has begun, and close the connection."""
            self._settle()
            self._unset_keepalive_if_required()
            self._was_refused = True
            grid.count(f"{name}: {status}")
            if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
                self.transport.abort()
                return
            body = msgspec.json.encode(ProblemError(status, detail, None, remedy).problem)
            fields = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), "connection": "close"}
            for event in (h11.Response(status_code=status, headers=list(fields.items())), h11.Data(data=body)):
                self.transport.write(self.conn.send(event) or b"")
            if self.cycle is not None:
                self.cycle.disconnected = True  # what an application that still reads the body says is left out
                self.cycle.message_event.set()
            if self.transport.can_write_eof():
                self.transport.write_eof()
            self.flow.resume_reading()
            self.loop.call_later(_LINGERS_S, self.transport.abort)

    return Connection


def read_through(application: Application) -> Application:
    """The same application, for connections that close after an answer: what it leaves of a body is read before the answer ends.

    A connection that closes with bytes unread is reset, and the answer may be lost with it. A client that goes away before its body is whole is no defect.
    """

    async def reading(scope: Message, receive: Receive, send: Send) -> None:
        from starlette.requests import ClientDisconnect

        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        is_more = True

        async def taking() -> Message:
            nonlocal is_more
            message = await receive()
            is_more = message["type"] == "http.request" and bool(message.get("more_body"))
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                left = MOST_UNREAD
                while is_more and left > 0 and _closes(scope):
                    left -= len((await taking()).get("body", b""))
            await send(message)

        try:
            await application(scope, taking, sending)
        except ClientDisconnect:
            return

    return reading


def _closes(scope: Message) -> bool:
    """Whether a request says that its connection closes after it, and its body comes unasked."""
    fields = dict(scope["headers"])
    closes = scope["http_version"] == "1.0" or fields.get(b"connection", b"").lower() == b"close"
    return closes and b"expect" not in fields

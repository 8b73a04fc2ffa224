"""Notes what comes in over HTTP and WebSocket in the wire log: request line and body, each message; headers and tokens are left out."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from heptagrid.live.grid import LiveGrid

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_SECRET = re.compile(r"((?:^|&)(?:token|access_token)=)[^&]*")


def heard(application: Application, grid: LiveGrid, protocol: str) -> Application:
    """The same application, with all that it receives in the grid's wire log."""

    async def hearing(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await application(scope, receive, send)
            return
        client = scope.get("client") or ("", 0)
        address = f"{client[0]}:{client[1]}"
        query = _SECRET.sub(r"\1...", scope.get("query_string", b"").decode("latin-1"))
        line = f"{scope.get('method', 'WEBSOCKET')} {scope['path']}{'?' if query else ''}{query}\r\n"
        grid.heard(protocol, address, line.encode())

        is_secret = scope["path"].endswith("/auth/token")  # a body with credentials

        async def noting() -> Message:
            message = await receive()
            if (data := _data(message)) and not is_secret:
                grid.heard(protocol, address, data)
            return message

        await application(scope, noting, send)

    return hearing


def _data(message: Message) -> bytes:
    if message["type"] == "http.request":
        return bytes(message.get("body", b""))
    if message["type"] == "websocket.receive":
        text = message.get("text")
        return text.encode() if text is not None else bytes(message.get("bytes") or b"")
    return b""

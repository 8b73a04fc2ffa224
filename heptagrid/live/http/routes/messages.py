"""Messages: the last waves, and all that come as a stream of lines of JSON, server-sent events or a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from starlette.responses import Response, StreamingResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from heptagrid.foundation.errors import UsageError
from heptagrid.live.answers import DomainName, Dropped, Event, EventTold, KindName, MessagesTold, MessageTold
from heptagrid.live.http.endpoint import Routes, Taken
from heptagrid.live.http.interface import Interface
from heptagrid.live.http.problems import ProblemError, misunderstood
from heptagrid.live.message_feed import Subscription, Wanted, WaveEvent
from heptagrid.planes.messages.tables import CAUSES

ROUTES = Routes("messages")

ALIVE_S = 15.0
"""A stream without messages says so often that it is alive: below the minute after which most proxies give up."""
_LISTED = 1000  # messages of a wave that are listed one by one


class MessagesWanted(Taken):
    """Which messages; without a field all."""

    event: Event | None = None
    kind: KindName | None = None
    topic: Annotated[str, Meta(max_length=100, description="of the contract, such as order.vehicles")] | None = None
    sender: DomainName | None = None
    receiver: DomainName | None = None
    device: (
        Annotated[str, Meta(max_length=100, description="only from or to this device, such as vehicles/17")] | None
    ) = None
    each: Annotated[bool, Meta(description="list the messages of a wave, a thousand at most")] = False


class StreamWanted(MessagesWanted):
    """Which messages, and in which form."""

    form: Annotated[Literal["ndjson", "sse"], Meta(description="lines of JSON, or server-sent events")] = "ndjson"


@ROUTES.get("/messages")
async def messages(interface: Interface, query: MessagesWanted) -> MessagesTold:
    """List the last five hundred events, filtered."""
    wanted = _filter(interface, query)
    found = filter(None, (wanted(one) for one in interface.feed.recent()))
    return MessagesTold([_told(interface, one, query.each) for one in found])


@ROUTES.get("/messages/stream", media_type="application/x-ndjson")
async def stream(interface: Interface, query: StreamWanted) -> Response:
    """Stream events from now on, one `EventTold` a line, or `Dropped` where some were; empty lines say that it is alive. With `Upgrade: websocket` the same path is a WebSocket, one event a text message."""
    subscription = interface.feed.subscribe(_filter(interface, query))
    is_sse = query.form == "sse"
    lines = _lines(interface, subscription, query.each)
    media_type = "text/event-stream" if is_sse else "application/x-ndjson"
    body = _as_events(lines) if is_sse else _as_lines(lines)
    return StreamingResponse(body, media_type=media_type, headers={"Cache-Control": "no-store"})


async def stream_to(interface: Interface, socket: WebSocket) -> None:
    """Serve a WebSocket; what a client sends on it is ignored."""
    given = {name: value for name, value in socket.query_params.items() if name != "token"}
    try:
        query = msgspec.convert(given, MessagesWanted, strict=False)
        wanted = _filter(interface, query)
    except msgspec.ValidationError as error:
        await _refuse(socket, misunderstood(error, MessagesWanted, "query"))
        return
    except ProblemError as problem:
        await _refuse(socket, problem)
        return
    await socket.accept()
    subscription = interface.feed.subscribe(wanted)
    listening = asyncio.create_task(_until_gone(socket, subscription))
    try:
        async for line in _lines(interface, subscription, query.each):
            if line:
                await socket.send_text(line.decode())
        await socket.close(1001)
    except (WebSocketDisconnect, RuntimeError, OSError):
        pass  # the client has gone
    finally:
        interface.feed.leave(subscription)
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


async def _refuse(socket: WebSocket, problem: ProblemError) -> None:
    """End a WebSocket with its problem; 1008: what was sent goes against policy (RFC 6455)."""
    await socket.accept()
    await socket.send_text(msgspec.json.encode(problem.problem).decode())
    await socket.close(1008)


async def _until_gone(socket: WebSocket, subscription: Subscription) -> None:
    with suppress(RuntimeError):
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass
    subscription.end()


async def _lines(interface: Interface, subscription: Subscription, each: bool) -> AsyncIterator[bytes]:
    """Events as JSON; an empty one where none came for a while."""
    encode = msgspec.json.Encoder().encode
    try:
        while not subscription.is_over:
            try:
                events, dropped = await asyncio.wait_for(subscription.take(), ALIVE_S)
            except TimeoutError:
                yield b""
                continue
            if dropped:
                yield encode(Dropped(dropped))
            for event in events:
                yield encode(_told(interface, event, each))
    finally:
        interface.feed.leave(subscription)


async def _as_lines(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield b"\n"  # so that a client knows at once that it is subscribed
    async for line in lines:
        yield line + b"\n"


async def _as_events(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield b":\n\n"
    async for line in lines:
        yield b"data: " + line + b"\n\n" if line else b":\n\n"


def _filter(interface: Interface, query: MessagesWanted) -> Wanted:
    """What a query wants of an event.

    Raises
    ------
    ProblemError
        For a device that does not exist.
    """
    endpoint = None
    if query.device is not None:
        try:
            endpoint = interface.grid.inventory.device(query.device).endpoint
        except UsageError as problem:
            raise ProblemError(400, str(problem), "device", "see GET /devices") from problem

    def wanted(event: WaveEvent) -> WaveEvent | None:
        of = event.wave.contract
        for asked, found in (
            (query.event, event.event),
            (query.kind, of.kind.name.lower()),
            (query.topic, of.topic),
            (query.sender, of.sender.name.lower()),
            (query.receiver, of.receiver.name.lower()),
        ):
            if asked is not None and asked != found:
                return None
        if endpoint is None:
            return event
        return event.only((event.source == endpoint) | (event.destination == endpoint))

    return wanted


def _told(interface: Interface, event: WaveEvent, each: bool) -> EventTold:
    of, delay_s = event.wave.contract, event.delay_s
    causes = [] if event.causes is None else [CAUSES[k] for k in event.causes.tolist()]
    return EventTold(
        event.number,
        event.event,
        of.kind.name.lower(),
        of.topic,
        of.sender.name.lower(),
        of.receiver.name.lower(),
        len(event.rows),
        event.wave.size_bytes,
        (int(event.at_ns.min()), int(event.at_ns.max())),
        interface.local(int(event.at_ns.min())),
        float(delay_s.min()),
        float(delay_s.mean()),
        float(delay_s.max()),
        {cause: causes.count(cause) for cause in dict.fromkeys(causes)},
        _one_by_one(interface, event, causes) if each else [],
    )


def _one_by_one(interface: Interface, event: WaveEvent, causes: list[str]) -> list[MessageTold]:
    first = event.only(np.arange(len(event.rows)) < _LISTED)
    if first is None:
        return []
    name = interface.grid.inventory.endpoint_name
    columns = (first.ids, first.source, first.destination, first.at_ns, first.delay_s)
    rows = zip(*(one.tolist() for one in columns), strict=True)
    return [
        MessageTold(id, name(source), name(destination), at_ns, delay_s, causes[k] if causes else None)
        for k, (id, source, destination, at_ns, delay_s) in enumerate(rows)
    ]

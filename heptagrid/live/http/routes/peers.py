"""Who is connected over which protocol, the log of their frames, and what was refused or malformed."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from heptagrid.live.http.endpoint import Routes, Taken
from heptagrid.live.http.interface import Interface

ROUTES = Routes("peers")


class PeerShown(msgspec.Struct):
    """Somebody outside. frames, bytes: in both directions; refused: what it was not allowed."""

    protocol: str
    address: str
    role: str
    device: str
    since_ns: int
    frames: int
    bytes: int
    refused: int


class ProtocolShown(msgspec.Struct):
    """A protocol that is served."""

    name: str
    title: str
    port: int


class PeersShown(msgspec.Struct):
    """Who is connected; counts: what was refused or malformed, by word."""

    protocols: list[ProtocolShown]
    peers: list[PeerShown]
    counts: dict[str, int]
    subscribers: int


class FrameShown(msgspec.Struct):
    """A frame. is_inward: whether it came from outside; delay_s: that the network added, null if it was lost."""

    ns: int
    local: str
    protocol: str
    address: str
    device: str
    is_inward: bool
    size_bytes: int
    text: str
    delay_s: float | None


class FramesShown(msgspec.Struct):
    """The last frames, the youngest first."""

    frames: list[FrameShown]


class FramesWanted(Taken):
    """Which frames."""

    protocol: Annotated[str, Meta(max_length=100, description="only of this protocol")] | None = None
    device: Annotated[str, Meta(max_length=100, description="only from or to this device")] | None = None
    address: Annotated[str, Meta(max_length=100, description="only of this peer")] | None = None
    count: Annotated[int, Meta(ge=1, le=2000, description="how many at most")] = 100


@ROUTES.get("/peers")
async def peers(interface: Interface) -> PeersShown:
    """List the protocols that are served, and who is connected."""
    grid = interface.grid
    return PeersShown(
        [ProtocolShown(one.name, one.title, one.listens_on) for one in interface.run.protocols],
        [PeerShown(**vars(one)) for one in grid.peers],
        dict(grid.counts),
        interface.feed.subscribers,
    )


@ROUTES.get("/frames")
async def frames(interface: Interface, query: FramesWanted) -> FramesShown:
    """List the last frames."""
    found = (
        one
        for one in reversed(interface.grid.frames)
        if query.protocol in (None, one.protocol)
        and query.device in (None, one.device)
        and query.address in (None, one.address)
    )
    taken = [one for one, _ in zip(found, range(query.count), strict=False)]
    return FramesShown([FrameShown(local=interface.local(one.ns), **vars(one)) for one in taken])

"""Who is connected over which protocol, the log of their frames, and what was refused or malformed."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from heptagrid.live.answers import FrameShown, FramesShown, PeerShown, PeersShown, ProtocolShown
from heptagrid.live.http.endpoint import Routes, Taken
from heptagrid.live.http.interface import Interface

ROUTES = Routes("peers")


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

"""Clients of a VTN over HTTP: they are on the list of who is connected, and what they say crosses the modelled network where they stand for devices."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.grid import FrameRecord, LiveGrid, Peer
from heptagrid.live.inventory import Device

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BYTES = 1 << 20
"""The longest body that is read."""
HEADER_BYTES = 120
"""Of an answer's status line and headers, as uvicorn writes them."""
_SILENT_S = 600.0


class Visitors:
    """Clients of one protocol, each known by a key of its own."""

    def __init__(self, grid: LiveGrid, protocol: str) -> None:
        self._grid, self._protocol = grid, protocol
        self._peers: dict[str, tuple[Peer, float]] = {}

    def seen(self, key: str, address: str, role: str, device: Device | None) -> Peer:
        """A client asks; how it is listed. address: from where; role: of one that has not been seen; device: which it stands for."""
        held, name = self._peers.get(key), device.name if device else ""
        if held is None:
            held = (Peer(self._protocol, address, role, name, self._grid.now_ns), 0.0)
            self._grid.peers.append(held[0])
        held[0].address, held[0].device = address, name
        self._peers[key] = (held[0], time.monotonic())
        return held[0]

    def forget_silent(self) -> None:
        """Take clients off the list that have not asked for a while."""
        now = time.monotonic()
        for key, (peer, asked) in list(self._peers.items()):
            if now - asked > _SILENT_S:
                del self._peers[key]
                self._grid.peers.remove(peer)

    async def cross(self, device: Device | None, size_bytes: int, *, is_inward: bool) -> float | None:
        """Seconds that the network adds between a device and its aggregator, none for a client that is no device; None: the bytes are lost."""
        if device is None:
            return 0.0
        desk = self._grid.desk("aggregator", self._grid.aggregator_of(device))
        sent_ns = self._grid.now_ns
        try:
            go = self._grid.answer(device, desk, size_bytes) if is_inward else self._grid.ask(desk, device, size_bytes)
            return (await go - sent_ns) / NS_PER_S
        except HeptagridError:
            self._grid.count(f"{self._protocol}: lost on the network")
            return None

    def log(self, peer: Peer | None, size_bytes: int, text: str, delay_s: float | None, *, is_inward: bool) -> None:
        """Note what a client that is known has said, or was told."""
        if peer is not None:
            peer.frames, peer.bytes = peer.frames + 1, peer.bytes + size_bytes
            self._grid.note(
                FrameRecord(
                    self._grid.now_ns, self._protocol, peer.address, peer.device, is_inward, size_bytes, text, delay_s
                )
            )


async def body_of(http: Request) -> bytes | None:
    """A request's body; None: it is too long."""
    found = b""
    async for part in http.stream():
        found += part
        if len(found) > MOST_BYTES:
            return None
    return found


def size_of(http: Request, body: bytes) -> int:
    """The bytes of a request: its first line, its headers and its body."""
    headers = sum(len(name) + len(value) + 4 for name, value in http.headers.raw)
    return len(http.method) + len(http.url.path) + headers + len(body)

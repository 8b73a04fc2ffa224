"""Answers to reads that are longer than a unit: cut into blocks that the client asks for one by one (IEC 62056-5-3, service-specific block transfer)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heptagrid.live.protocols.dlms import services
from heptagrid.live.protocols.dlms.services import Access, Get, GetNext


@dataclass
class LongGet:
    """At most one long answer, and how far the client has come: block: the last that was sent; 0 for none."""

    _left: bytes = b""
    _room: int = 0
    _block: int = 0

    def first(self, request: Get, values: Sequence[bytes | Access], room: int, has_blocks: bool) -> bytes:
        """The answer to a read, or its first block; an earlier long answer is forgotten, and blocks count from 1 again."""
        self.end()
        whole = services.results(values) if request.is_list else values[0]
        if isinstance(whole, Access):
            return services.got(request.invoke, whole)
        if len(whole) <= room:
            return (services.got_list if request.is_list else services.got)(request.invoke, whole)
        if not has_blocks:
            return services.got(request.invoke, Access.OTHER_REASON)
        self._left, self._room = whole, room
        return self._send(request.invoke)

    def next(self, request: GetNext) -> bytes:
        """The block after the one that the client names; it must be the last that was sent."""
        if not self._left:
            return services.got_block(request.invoke, request.block, Access.NO_LONG_GET, is_last=True)
        if request.block != self._block:
            self.end()
            return services.got_block(request.invoke, request.block, Access.BLOCK_NUMBER_INVALID, is_last=True)
        return self._send(request.invoke)

    def end(self) -> None:
        """Forget the answer."""
        self._left, self._block = b"", 0

    def _send(self, invoke: int) -> bytes:
        part, self._left = self._left[: self._room], self._left[self._room :]
        self._block += 1
        return services.got_block(invoke, self._block, part, is_last=not self._left)

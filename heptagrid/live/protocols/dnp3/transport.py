"""The transport function of DNP3 (IEEE 1815-2012, clause 8): fragments of the application layer in segments of at most 249 bytes."""

from __future__ import annotations

from collections.abc import Iterator

from heptagrid.live.protocols.dnp3.link import MOST_DATA, MalformedError

MOST_FRAGMENT = 2048
"""Bytes of a fragment, either way (4.2.2.1)."""
_FINAL, _FIRST, _NUMBERS = 0x80, 0x40, 64


class Segments:
    """Cuts fragments into segments; their numbers go on from one fragment to the next."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = 0

    def of(self, fragment: bytes) -> Iterator[bytes]:
        """The segments of a fragment in their order."""
        size = MOST_DATA - 1
        for at in range(0, len(fragment), size):
            header = self._next | (_FIRST if at == 0 else 0) | (_FINAL if at + size >= len(fragment) else 0)
            self._next = (self._next + 1) % _NUMBERS
            yield bytes((header,)) + fragment[at : at + size]


class Reassembly:
    """Puts segments together again (8.2.2)."""

    __slots__ = ("_last", "_parts", "_size")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._last: bytes | None = None

    def feed(self, segment: bytes) -> bytes | None:
        """The fragment that is whole now; None if none is.

        Raises
        ------
        MalformedError
            For a segment that follows no other, or a fragment that grows too long; what was begun is forgotten.
        """
        header = segment[0]
        if header & _FIRST:
            self._parts, self._size = [], 0
        elif not self._parts or self._last is None:
            raise MalformedError("a segment came that is not the first, and none was before it")
        elif segment == self._last:
            return None
        elif header % _NUMBERS != (self._last[0] + 1) % _NUMBERS:
            self._parts, self._last = [], None
            raise MalformedError("a segment is missing")
        self._parts.append(segment[1:])
        self._size += len(segment) - 1
        self._last = segment
        if self._size > MOST_FRAGMENT:
            self._parts, self._last = [], None
            raise MalformedError(f"a fragment is longer than {MOST_FRAGMENT} bytes")
        if not header & _FINAL:
            return None
        fragment = b"".join(self._parts)
        self._parts, self._last = [], None
        return fragment

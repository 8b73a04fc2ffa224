"""What came in from outside, byte by byte: a file with the simulated nanosecond, the protocol, the address and the bytes of each piece.

The file begins with `MAGIC`; then come records, little-endian: the instant (8 bytes), the number of the peer (4), the length (4), the bytes. A record with the instant
-1 introduces a peer: its bytes are "protocol address" in UTF-8. What a replay needs is in the journal; this is for whoever asks what was said.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from heptagrid.foundation.errors import OutputError

WIRE = "wire.bin"
MAGIC = b"heptagrid wire 1\n"
_HEAD = struct.Struct("<qII")
_INTRODUCES = -1
MOST_BYTES = 4 << 30
"""Of the file: whoever sends without end shall not fill the disk."""
_KNOWN = 4096  # addresses at a time, for clients may come from ever new ones


class Piece(NamedTuple):
    """Bytes that came in at once. ns: simulated."""

    ns: int
    protocol: str
    address: str
    data: bytes


class WireLog:
    """Writes the file; without a path it keeps nothing. pieces, bytes: how much has come in. problem: why the file has an end before the run, empty if it has not."""

    def __init__(self, path: Path | None = None) -> None:
        self.pieces = self.bytes = 0
        self.problem = ""
        self._written = self._introduced = 0
        self._peers: dict[tuple[str, str], int] = {}
        self._file: IO[bytes] | None = None
        if path is not None:
            try:
                self._file = path.open("wb")
                self._file.write(MAGIC)
            except OSError as problem:
                raise OutputError(f"{path} cannot be written: {problem.strerror}") from problem

    def write(self, ns: int, protocol: str, address: str, data: bytes) -> None:
        """Note what came in; nothing once the file is as large as it may be, or the disk is full, which `problem` says."""
        self.pieces += 1
        self.bytes += len(data)
        if self._file is None:
            return
        try:
            self._note(ns, protocol, address, data)
        except OSError as problem:
            self._end(f"it cannot be written: {problem.strerror}")
        if self._written > MOST_BYTES:
            self._end(f"more than {MOST_BYTES >> 20} MB have come in")

    def _note(self, ns: int, protocol: str, address: str, data: bytes) -> None:
        assert self._file is not None
        peer = self._peers.get((protocol, address))
        if peer is None:
            if len(self._peers) >= _KNOWN:
                self._peers.clear()  # who comes again is introduced again
            peer = self._peers[protocol, address] = self._introduced
            self._introduced += 1
            name = f"{protocol} {address}".encode()
            self._file.write(_HEAD.pack(_INTRODUCES, peer, len(name)) + name)
        self._file.write(_HEAD.pack(ns, peer, len(data)) + data)
        self._written += _HEAD.size + len(data)

    def _end(self, why: str) -> None:
        self.problem = f"{WIRE} ends early: {why}"
        self.close()

    def close(self) -> None:
        """Nothing more is written."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.close()
        except OSError as problem:
            self.problem = self.problem or f"{WIRE} ends early: it cannot be written: {problem.strerror}"


def read_wire(path: Path) -> Iterator[Piece]:
    """The pieces of a file in their order; one that was cut off by a kill is left out.

    Raises
    ------
    OutputError
        If it cannot be read, or is no such file.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise OutputError(f"{path} cannot be read: {problem.strerror}") from problem
    if not content.startswith(MAGIC):
        raise OutputError(f"{path} holds no bytes of a live run")
    at, peers = len(MAGIC), dict[int, tuple[str, str]]()
    while at + _HEAD.size <= len(content):
        ns, peer, length = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        data = content[at : at + length]
        at += length
        if len(data) < length:
            return
        if ns == _INTRODUCES:
            protocol, _, address = data.decode().partition(" ")
            peers[peer] = protocol, address
        elif peer in peers:
            yield Piece(ns, *peers[peer], data)
        else:
            raise OutputError(f"{path} is damaged at byte {at - length}")

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


class Piece(NamedTuple):
    """Bytes that came in at once. ns: simulated."""

    ns: int
    protocol: str
    address: str
    data: bytes


class WireLog:
    """Writes the file; without a path it keeps nothing. pieces, bytes: how much has come in."""

    def __init__(self, path: Path | None = None) -> None:
        self.pieces = self.bytes = 0
        self._peers: dict[tuple[str, str], int] = {}
        self._file: IO[bytes] | None = None
        if path is not None:
            try:
                self._file = path.open("wb")
                self._file.write(MAGIC)
            except OSError as problem:
                raise OutputError(f"{path} cannot be written: {problem.strerror}") from problem

    def write(self, ns: int, protocol: str, address: str, data: bytes) -> None:
        """Note what came in; nothing once a disk is full, which is said once by whoever closes it."""
        self.pieces += 1
        self.bytes += len(data)
        if self._file is None:
            return
        peer = self._peers.get((protocol, address))
        if peer is None:
            peer = self._peers[protocol, address] = len(self._peers)
            name = f"{protocol} {address}".encode()
            self._file.write(_HEAD.pack(_INTRODUCES, peer, len(name)) + name)
        self._file.write(_HEAD.pack(ns, peer, len(data)) + data)

    def close(self) -> None:
        """Nothing more is written."""
        if self._file is not None:
            self._file.close()
            self._file = None


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

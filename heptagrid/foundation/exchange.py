"""One end of a connection between two processes of a machine: objects go over it, and their arrays through memory that both see.

Memory is not copied through the kernel piece by piece, and it is gone when both processes are, however they end. Where the system offers none, all goes over the connection.
"""

from __future__ import annotations

import mmap
import os
import pickle
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

_SMALL = 1 << 16  # bytes that go over the connection themselves
_LINE = 64  # bytes of a cache line, at whose beginnings arrays begin
_PLAIN, _SHARED, _GROWN = b"p", b"s", b"g"


class Exchange:
    """Sends and receives objects, one at a time to and fro: what was sent last has been taken when the other side has answered."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._out = self._in = _Memory(None)

    def send(self, given: Any) -> None:
        """Send an object.

        Raises
        ------
        OSError
            If the other side is gone.
        """
        buffers: list[pickle.PickleBuffer] = []
        content = pickle.dumps(given, protocol=5, buffer_callback=buffers.append)
        views = [one.raw() for one in buffers]
        sizes = [one.nbytes for one in views]
        total = sum(_in_lines(size) for size in sizes)
        if total < _SMALL or not hasattr(os, "memfd_create"):
            self._connection.send_bytes(_PLAIN + pickle.dumps(given, protocol=5))
            return
        mark = _SHARED
        if self._out.size < total:
            self._out = _Memory(os.memfd_create("heptagrid"), 2 * total)
            mark = _GROWN
        self._out.write(views)
        self._connection.send_bytes(mark + pickle.dumps((self._out.size, sizes, content)))
        if mark == _GROWN:
            assert self._out.handle is not None
            reduction.send_handle(self._connection, self._out.handle, os.getpid())
            self._out.close_handle()

    def receive(self) -> Any:
        """Wait for an object.

        Raises
        ------
        EOFError, OSError
            If the other side is gone.
        """
        told = self._connection.recv_bytes()
        mark, content = told[:1], told[1:]
        if mark == _PLAIN:
            return pickle.loads(content)
        size, sizes, content = pickle.loads(content)
        if mark == _GROWN:
            handle = reduction.recv_handle(self._connection)
            self._in = _Memory(handle, size)
            self._in.close_handle()
        return pickle.loads(content, buffers=self._in.read(sizes))

    def close(self) -> None:
        """Send and receive no more."""
        self._connection.close()


class _Memory:
    """Memory that two processes see."""

    def __init__(self, handle: int | None, size: int = 0) -> None:
        self.handle, self.size = handle, size
        if handle is not None:
            if os.fstat(handle).st_size < size:
                os.ftruncate(handle, size)
            self._map = mmap.mmap(handle, size)

    def close_handle(self) -> None:
        """The memory stays as long as it is mapped."""
        assert self.handle is not None
        os.close(self.handle)
        self.handle = None

    def write(self, views: list[memoryview]) -> None:
        at = 0
        for one in views:
            self._map[at : at + one.nbytes] = one
            at += _in_lines(one.nbytes)

    def read(self, sizes: list[int]) -> list[bytearray]:
        """Copies, for the other side writes anew."""
        found, at, seen = [], 0, memoryview(self._map)
        for size in sizes:
            found.append(bytearray(seen[at : at + size]))
            at += _in_lines(size)
        seen.release()
        return found


def _in_lines(size: int) -> int:
    return -(-size // _LINE) * _LINE

"""Cuts a stream of bytes into frames that begin with a mark and say how long they are."""

from __future__ import annotations

from abc import ABC, abstractmethod

HEAD = 8
"""Bytes from which a frame's length can be told, in every protocol here."""


class FrameSplitter(ABC):
    """Takes bytes however they come in pieces; a subclass says how long a frame is."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    @abstractmethod
    def length(self, frame: bytes) -> int | None:
        """How long a frame is that begins so, one byte at least; None: that is not known yet.

        Raises
        ------
        MalformedError
            Of the protocol, where no frame begins so; what follows cannot be found any more.
        """

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are whole now.

        Raises
        ------
        MalformedError
            Where a frame should begin and does not.
        """
        rest, found, at = self._rest + data, [], 0
        while at < len(rest):
            length = self.length(rest[at : at + HEAD])
            if length is None or len(rest) - at < length:
                break
            found.append(rest[at : at + length])
            at += length
        self._rest = rest[at:]
        return found

"""The wrapper in which application data units travel over TCP (IEC 62056-47): version, source and destination port, length."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.live.protocols.dlms.data import MalformedError

HEADER = 8
_VERSION = b"\x00\x01"


@dataclass(frozen=True)
class Wrapped:
    """What came in a wrapper. source: the client's service access point; destination: that of the logical device."""

    source: int
    destination: int
    apdu: bytes


def wrap(source: int, destination: int, apdu: bytes) -> bytes:
    """The bytes that are sent."""
    ends = source.to_bytes(2, "big") + destination.to_bytes(2, "big")
    return _VERSION + ends + len(apdu).to_bytes(2, "big") + apdu


class Unwrapper:
    """Cuts a stream into what it carries."""

    def __init__(self, longest: int) -> None:
        """Set up; longest: the longest unit that is taken."""
        self._longest = longest
        self._held = bytearray()

    def feed(self, received: bytes) -> list[Wrapped]:
        """What is complete by now.

        Raises
        ------
        MalformedError
            If the stream is not of this protocol, or a unit is too long; it cannot be followed any further.
        """
        held, found = self._held, []
        held += received
        while len(held) >= HEADER:
            if held[:2] != _VERSION:
                raise MalformedError(f"no wrapper of version 1 begins with {bytes(held[:2]).hex()}")
            size = int.from_bytes(held[6:8], "big")
            if not 0 < size <= self._longest:
                raise MalformedError(f"a unit of {size} bytes; 1 to {self._longest} are taken")
            if len(held) < HEADER + size:
                break
            ends = int.from_bytes(held[2:4], "big"), int.from_bytes(held[4:6], "big")
            found.append(Wrapped(*ends, bytes(held[HEADER : HEADER + size])))
            del held[: HEADER + size]
        return found

"""What a protocol is: the base of the file in which everything about it stands.

A protocol is found through an entry point of the group `heptagrid.protocols`; its name there is its name in `heptagrid serve --protocols` and, with
`live.` before it, of its section of a scenario. What its file imports from other packages it imports where it needs it, for every scenario with a section of any protocol loads it.
"""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from heptagrid.live.grid import LiveGrid


@dataclass(frozen=True)
class Listening:
    """Where a protocol listens. host: an address; port: 0 takes a free one. tls: for protocols that have it; None: plain."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


class Protocol(ABC):
    """An adapter: sockets of its protocol on one side, a live grid on the other.

    name: on the command line. title: for people. port: the default one. section: the dataclass that declares its parameters, None if it has none. extra: the package that it needs beside the extra `live`, empty if none.
    authenticates: whether it lets in only whom it knows, once it is given TLS or passwords; one that does not listens on loopback alone unless it is exposed.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    port: ClassVar[int]
    section: ClassVar[type | None] = None
    extra: ClassVar[str] = ""
    authenticates: ClassVar[bool] = False

    def __init__(self, grid: LiveGrid, parameters: Any) -> None:
        """Set up; parameters: an instance of `section`."""
        self.grid, self.parameters = grid, parameters
        self.listens_on = 0

    @abstractmethod
    async def start(self, listening: Listening) -> None:
        """Open the sockets, and set `listens_on`, the port.

        Raises
        ------
        UsageError
            If it cannot: the port is taken, a package is missing; with the remedy.
        """

    @abstractmethod
    async def stop(self) -> None:
        """Close all connections."""

    def greeting(self) -> list[str]:
        """Lines that tell a user how to connect, with addresses that can be copied."""
        return []

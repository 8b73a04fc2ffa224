"""Connections of all listeners of devices together: how many each may hold, so that none takes the places of the others."""

from __future__ import annotations

import sys
from collections.abc import Sized
from contextlib import suppress

MOST_CONNECTIONS = 16_384
"""Of one listener, where this process may open that many files."""
_LEAST_KEPT = 64
_KEPT_SHARE = 32  # of the files that this process may open, for each listener
_OTHER_SHARE = (
    4  # of the files, for what the grid writes, for the interface, and for protocols with bounds of their own
)


class Places:
    """Places for connections. kept: that each listener has whatever the others hold. all_places: of all listeners together, unless what they keep is more."""

    def __init__(self, files: int | None = None) -> None:
        """Set up. files: that this process may open; None: as the system says."""
        files = _files() if files is None else files
        self.kept = min(MOST_CONNECTIONS, max(_LEAST_KEPT, files // _KEPT_SHARE))
        self.all_places = files - files // _OTHER_SHARE
        self._listeners: list[Listener] = []

    def listener(self, connections: Sized) -> Listener:
        """A listener that keeps its connections in a container."""
        made = Listener(self, connections)
        self._listeners.append(made)
        return made

    def most_of(self, listener: Listener) -> int:
        """How many connections a listener may hold now: all places that the others neither hold nor keep."""
        others = sum(max(self.kept, one.held) for one in self._listeners if one is not listener)
        return max(self.kept, self.all_places - others)


class Listener:
    """One of the listeners. most: that it may hold however many places there are."""

    def __init__(self, places: Places, connections: Sized) -> None:
        self.most = MOST_CONNECTIONS
        self._places, self._connections = places, connections

    @property
    def held(self) -> int:
        """Connections now."""
        return len(self._connections)

    @property
    def is_full(self) -> bool:
        """Whether there is no place for one more."""
        held = self.held
        return held >= self.most or held >= self._places.most_of(self)


def _files() -> int:
    """Files that this process may open, after it has asked for as many as it may have."""
    without_bound = 1 << 20
    if sys.platform == "win32":
        return without_bound
    import resource

    raise_files()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return without_bound if files == resource.RLIM_INFINITY else files


def raise_files() -> None:
    """Let this process hold as many sockets as the system allows it."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != hard:
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

"""Paths through the communication network: every one in use is kept once, as a row of hops.

A hop is the port that sends, the node that receives, the receiver's port if the medium is shared, and the error
rate of that pair on a shared medium.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.bare_room import bare_room
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages.tables import HOP, Floats, Ints


class PathHops(NamedTuple):
    """Paths end to end: `hops` (paths,) each; the other arrays (hops,) one path after another."""

    hops: Ints
    port: npt.NDArray[np.int32]
    node: npt.NDArray[np.int32]
    peer: npt.NDArray[np.int32]
    loss: npt.NDArray[np.float32]


class KnownPaths(NamedTuple):
    """The paths that were asked for: keys (pairs,), source times nodes plus destination, ascending; at, hops (pairs,) where each begins and how long it is."""

    nodes: int
    keys: Ints
    at: Ints
    hops: Ints


class KnownHops(Protocol):
    """Where the kernel finds hops. size: how many of the table's are of paths so far."""

    table: npt.NDArray[np.void]

    @property
    def size(self) -> int: ...


class Router(Protocol):
    """Finds paths."""

    def find(self, sources: Ints, destinations: Ints) -> PathHops:
        """The path of each pair."""
        ...


class Paths:
    """The paths in use; a pair that was not asked for before is found by the router.

    They stand in the order in which they were asked for first: who sends regularly sends in that order, and the memory
    is read from one end to the other.
    """

    def __init__(self, nodes: int, router: Router) -> None:
        self._nodes = nodes
        self._router = router
        self._keys = np.empty(0, dtype=np.int64)
        self._at = np.empty(0, dtype=np.int64)
        self._hops = np.empty(0, dtype=np.int64)
        self._size = 0
        self.table = np.zeros(1, dtype=HOP)

    @property
    def port(self) -> npt.NDArray[np.int32]:
        """The ports of all hops, (hops,), one path after another."""
        return self.table["port"]

    def of(self, sources: Ints, destinations: Ints) -> tuple[Ints, Ints]:
        """(n,) where each pair's path begins, and (n,) its hops."""
        keys = sources * self._nodes + destinations
        place = self._find(keys)
        known = self._keys[place] == keys if len(self._keys) else np.zeros(len(keys), dtype=bool)
        if not known.all():
            new, first = np.unique(keys[~known], return_index=True)
            self._learn(new[np.argsort(first)])
            place = self._find(keys)
        return self._at[place], self._hops[place]

    @property
    def known(self) -> KnownPaths:
        """Those of the pairs that were asked for."""
        return KnownPaths(self._nodes, self._keys, self._at, self._hops)

    @property
    def size(self) -> int:
        """How many hops of the table are of paths so far."""
        return self._size

    def reroute(self, router: Router) -> None:
        """Find all paths anew from now on; those of messages under way stay as they are."""
        self._router = router
        self._keys, self._at, self._hops = self._keys[:0], self._at[:0], self._hops[:0]

    def _find(self, keys: Ints) -> Ints:
        return np.minimum(np.searchsorted(self._keys, keys), max(0, len(self._keys) - 1))

    def _learn(self, keys: Ints) -> None:
        found = self._router.find(keys // self._nodes, keys % self._nodes)
        at = self._size + np.cumsum(found.hops) - found.hops
        total = int(found.hops.sum())
        if self._size + total > len(self.table):
            room = max(2 * len(self.table), self._size + total)
            grown = bare_room(room, HOP.itemsize // 8).view(HOP).reshape(room)
            grown[: self._size] = self.table[: self._size]
            self.table = grown
        for name in HOP.names or ():
            self.table[name][self._size : self._size + total] = getattr(found, name)
        self._size += total
        all_keys = np.concatenate([self._keys, keys])
        order = np.argsort(all_keys, kind="stable")
        self._keys = all_keys[order]
        self._at = np.concatenate([self._at, at])[order]
        self._hops = np.concatenate([self._hops, found.hops])[order]


class TreeEdges(NamedTuple):
    """A tree of places: parent and depth (places,), and the hop to the parent and back, (places,) each.

    peer is -1 and loss 0 where the hop is a link of its own.
    """

    parent: Ints
    depth: Ints
    up_port: Ints
    up_peer: Ints
    down_port: Ints
    down_peer: Ints
    loss: Floats

    def copied(self) -> TreeEdges:
        """The same tree, to be changed."""
        return TreeEdges(
            self.parent.copy(),
            self.depth.copy(),
            self.up_port.copy(),
            self.up_peer.copy(),
            self.down_port.copy(),
            self.down_peer.copy(),
            self.loss.copy(),
        )


class TreeRouter:
    """Climbs to the nearest common place and descends."""

    def __init__(self, edges: TreeEdges) -> None:
        self._edges = edges

    def find(self, sources: Ints, destinations: Ints) -> PathHops:
        """The path of each pair; a pair of one place has none."""
        edges = self._edges
        count = np.empty(len(sources), dtype=np.int64)
        room = np.empty((4, int(2 * edges.depth.max(initial=0) * len(sources)) + 1))
        size = _climb(sources, destinations, edges, count, room)
        port, node, peer, loss = room[:, :size]
        as_int = (port.astype(np.int32), node.astype(np.int32), peer.astype(np.int32))
        return PathHops(count, *as_int, loss.astype(np.float32))


@kernel
def _climb(sources, destinations, edges, count, room):  # type: ignore[no-untyped-def]
    """Fill `room` (4, hops) with port, node, peer and loss of every path; how many hops in all."""
    size = 0
    for k in range(sources.shape[0]):
        a, b = sources[k], destinations[k]
        begin = size
        while a != b:
            if edges.depth[a] >= edges.depth[b]:
                room[0, size], room[1, size] = edges.up_port[a], edges.parent[a]
                room[2, size], room[3, size] = edges.up_peer[a], edges.loss[a]
                a = edges.parent[a]
                size += 1
            else:
                b = edges.parent[b]
        # The way down, from the common place: its hops are found from the far end.
        b = destinations[k]
        falling = 0
        while b != a:
            falling += 1
            b = edges.parent[b]
        b = destinations[k]
        for j in range(size + falling - 1, size - 1, -1):
            room[0, j], room[1, j] = edges.down_port[b], b
            room[2, j], room[3, j] = edges.down_peer[b], edges.loss[b]
            b = edges.parent[b]
        size += falling
        count[k] = size - begin
    return size

"""A communication network as a graph, and the shortest paths through it.

Shortest is by the sum of delays, then by hops, then by the order in which the links were named. Where one link alone
leads to a node, as to a customer's meter, the search is made once for the node before it. A static route overrides the
shortest path where it stands; paths to its destination are then followed node by node.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages.kernel.events import drop_first, push
from heptagrid.planes.messages.routing.paths import PathHops
from heptagrid.planes.messages.tables import NEVER, Floats, Ints


@dataclass(frozen=True)
class Graph:
    """Edges of a network, in the order in which they were named; (edges,) each.

    A medium that all its members share is a node of its own, numbered after the real ones: an edge leads from each
    member to it (hop 1) and from it to each member (hop 0).

    source, destination: nodes. port: that sends. peer: the port of the receiver on a shared medium, else -1.
    loss: of a pair on a shared medium. delay_ns: what the path is judged by. nodes: real ones. routes: by (node, destination), the edges to the next node: one, or two over
    a shared medium.
    """

    nodes: int
    source: Ints
    destination: Ints
    port: Ints
    peer: Ints
    loss: Floats
    delay_ns: Ints
    routes: Mapping[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)

    def edges_to(self, at: int, following: int) -> tuple[int, ...]:
        """The edges of the least delay from a node to a neighbour, the first named of equals; none if it is no neighbour."""
        found: list[tuple[int, tuple[int, ...]]] = []
        for edge in np.flatnonzero(self.source == at).tolist():
            to = int(self.destination[edge])
            if to == following:
                found.append((int(self.delay_ns[edge]), (edge,)))
            elif to >= self.nodes:
                down = np.flatnonzero((self.source == to) & (self.destination == following)).tolist()
                found += [(int(self.delay_ns[edge] + self.delay_ns[last]), (edge, last)) for last in down]
        return min(found)[1] if found else ()

    def without(self, dead: npt.NDArray[np.bool_], cut: npt.NDArray[np.bool_]) -> Graph:
        """The graph without (nodes,) that are dead and (ports,) that are cut, and without static routes over these."""
        usable = ~cut[np.maximum(self.port, 0)] | (self.port < 0)
        for ends in (self.source, self.destination):
            usable &= (ends >= self.nodes) | ~dead[np.minimum(ends, self.nodes - 1)]
        moved = np.cumsum(usable) - 1
        columns = ("source", "destination", "port", "peer", "loss", "delay_ns")
        left = {name: getattr(self, name)[usable] for name in columns}
        routes = {
            place: tuple(int(moved[edge]) for edge in edges)
            for place, edges in self.routes.items()
            if usable[list(edges)].all()
        }
        return replace(self, **left, routes=routes)

    def without_routes(self) -> Graph:
        """The graph with shortest paths alone."""
        return replace(self, routes={})


class RoutingLoopError(ValueError):
    """Static routes send what is for one destination round for ever; `nodes` are those of the loop, in order."""

    def __init__(self, nodes: list[int]) -> None:
        self.nodes = nodes
        super().__init__(f"a loop over nodes {nodes}")


class NoPathError(ValueError):
    """No links lead from a source to its destination; `pair` is the index of the first such pair."""

    def __init__(self, pair: int) -> None:
        self.pair = pair
        super().__init__(f"pair {pair} has no path")


class _Edges(NamedTuple):
    """(edges,) columns of a graph; hop is 1 for an edge that a port sends over, 0 for one from a shared medium to a member.

    into, out: the edges that lead to each node and from it, node after node; into_at, out_at: (nodes + 1,) where those of each begin.
    """

    source: Ints
    destination: Ints
    delay_ns: Ints
    hop: Ints
    into: Ints
    into_at: Ints
    out: Ints
    out_at: Ints


class _Search(NamedTuple):
    """Delay and hops from every node to one target, (nodes,), the best edge from it as far as it is known, -1 elsewhere; and room for a heap."""

    delay: Ints
    hops: Ints
    best: Ints
    heap: Ints


class _Tails(NamedTuple):
    """The single links before each pair's destination: near (pairs,) the node where they begin, edges, last one first, and at (pairs + 1,)."""

    near: Ints
    edges: Ints
    at: Ints


class _Found(NamedTuple):
    """Where the edges of each pair's path begin, and how many they are, (pairs,) each."""

    at: Ints
    length: Ints


class GraphRouter:
    """Finds shortest paths through a graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._all = int(max(graph.source.max(initial=-1), graph.destination.max(initial=-1), graph.nodes - 1)) + 1
        into, into_at = _grouped(graph.destination, self._all)
        out, out_at = _grouped(graph.source, self._all)
        hop = (graph.source < graph.nodes).astype(np.int64)
        self._edges = _Edges(graph.source, graph.destination, graph.delay_ns, hop, into, into_at, out, out_at)
        self._routed = np.array(sorted({to for _, to in graph.routes}), dtype=np.int64)
        self._search = _Search(
            delay=np.empty(self._all, dtype=np.int64),
            hops=np.empty(self._all, dtype=np.int64),
            best=np.empty(self._all, dtype=np.int64),
            heap=np.empty((len(graph.source) + self._all + 1, 3), dtype=np.int64),
        )

    def find(self, sources: Ints, destinations: Ints) -> PathHops:
        """The path of each pair.

        Raises
        ------
        NoPathError
            If there is none for some pair.
        RoutingLoopError
            If static routes lead round.
        """
        graph = self._graph
        tails = _Tails(*_tails(destinations, self._edges, graph.nodes))
        has_routes = np.isin(destinations, self._routed)
        order = np.flatnonzero(~has_routes)
        order = order[np.argsort(tails.near[order], kind="stable")]
        found = _Found(np.zeros(len(sources), dtype=np.int64), np.zeros(len(sources), dtype=np.int64))
        room = np.empty(max(64, 8 * len(sources)), dtype=np.int64)
        size = 0
        begin = 0
        while begin < len(order):
            target = tails.near[order[begin]]
            end = begin + int(np.searchsorted(tails.near[order[begin:]], target, side="right"))
            pairs = order[begin:end]
            _distances(target, self._edges, self._search)
            while True:
                grown = _walk(pairs, sources, destinations, target, tails, self._edges, self._search, found, room, size)
                if grown >= 0:
                    size = grown
                    break
                if grown == -1:
                    room = np.concatenate([room, np.empty(len(room), dtype=np.int64)])
                else:
                    raise NoPathError(-2 - grown)
            begin = end
        at, count = found
        parts = [room[:size]]
        for target in np.unique(destinations[has_routes]):
            _distances(target, self._edges, self._search)
            for k in np.flatnonzero(destinations == target):
                path = self._follow(int(k), int(sources[k]), int(target), self._search.delay, self._search.hops)
                parts.append(path)
                at[k], count[k], size = size, len(path), size + len(path)
        room = np.concatenate(parts)
        edges = _in_order(room, at, count)
        ports = self._edges.hop[edges] == 1
        # An edge from a shared medium to a member says who receives what the edge before it sends.
        receives = np.flatnonzero(ports)
        last = np.where(graph.destination[edges[receives]] < graph.nodes, receives, receives + 1)
        owner = np.repeat(np.arange(len(count)), count)
        return PathHops(
            np.bincount(owner[receives], minlength=len(count)).astype(np.int64),
            graph.port[edges[receives]].astype(np.int32),
            graph.destination[edges[last]].astype(np.int32),
            graph.peer[edges[last]].astype(np.int32),
            graph.loss[edges[last]].astype(np.float32),
        )

    def reaches(self, sources: Ints, destinations: Ints) -> npt.NDArray[np.bool_]:
        """Whether any links lead from each source to its destination."""
        found = np.zeros(len(sources), dtype=bool)
        for target in np.unique(destinations):
            mine = destinations == target
            _distances(target, self._edges, self._search)
            found[mine] = self._search.delay[sources[mine]] != NEVER
        return found

    def _follow(self, pair: int, node: int, target: int, delay: Ints, hops: Ints) -> Ints:
        """The edges from a node to `target`, by its static route or else the shortest way, node by node."""
        graph = self._graph
        passed: list[int] = []
        path: list[int] = []
        while node != target:
            if node in passed:
                raise RoutingLoopError(passed[passed.index(node) :])
            if node < graph.nodes:
                passed.append(node)
            edges = graph.routes.get((node, target)) or self._shortest(node, delay, hops)
            if not edges:
                raise NoPathError(pair)
            path += edges
            node = int(graph.destination[edges[-1]])
        return np.array(path, dtype=np.int64)

    def _shortest(self, node: int, delay: Ints, hops: Ints) -> tuple[int, ...]:
        """The first edge of the shortest way from a node; none if there is no way."""
        graph = self._graph
        if delay[node] == NEVER:
            return ()
        for edge in self._edges.out[self._edges.out_at[node] : self._edges.out_at[node + 1]].tolist():
            to = graph.destination[edge]
            is_shortest = delay[to] != NEVER and graph.delay_ns[edge] + delay[to] == delay[node]
            if is_shortest and self._edges.hop[edge] + hops[to] == hops[node]:
                return (edge,)
        raise AssertionError("a node at a finite distance has a next one")


def _grouped(ends: Ints, nodes: int) -> tuple[Ints, Ints]:
    """Edges by the node at one end, in the order in which they were named: (edges,) and (nodes + 1,) where each begins."""
    order = np.argsort(ends, kind="stable")
    return order, np.searchsorted(ends[order], np.arange(nodes + 1))


@kernel
def _tails(destinations, edges, nodes):  # type: ignore[no-untyped-def]
    """Follow single links backwards: the nearest node with a choice, and the edges from there, last one first."""
    source, into, into_at = edges.source, edges.into, edges.into_at
    near = destinations.copy()
    at = np.zeros(destinations.shape[0] + 1, dtype=np.int64)
    room = np.empty(max(16, 2 * destinations.shape[0]), dtype=np.int64)
    size = 0
    for k in range(destinations.shape[0]):
        node = destinations[k]
        steps = 0
        while into_at[node + 1] - into_at[node] == 1 and source[into[into_at[node]]] < nodes and steps < nodes:
            edge = into[into_at[node]]
            if size == room.shape[0]:
                room = np.concatenate((room, np.empty(size, dtype=np.int64)))
            room[size] = edge
            size += 1
            node = source[edge]
            steps += 1
        if steps >= nodes:  # a ring of single links: no node on it has a choice
            size -= steps
            node = destinations[k]
        near[k] = node
        at[k + 1] = size
    return near, room[:size], at


@kernel
def _distances(target, edges, search):  # type: ignore[no-untyped-def]
    """Delay and hops from every node to `target`; NEVER where no links lead there."""
    source, delay_ns, hop, into, into_at = edges.source, edges.delay_ns, edges.hop, edges.into, edges.into_at
    delay, hops, best, heap = search.delay, search.hops, search.best, search.heap
    delay[:] = NEVER
    hops[:] = NEVER
    best[:] = -1
    delay[target] = hops[target] = 0
    size = push(heap, 0, 0, 0, target)
    while size > 0:
        far, steps, node = heap[0, 0], heap[0, 1], heap[0, 2]
        size = drop_first(heap, size)
        if far > delay[node] or (far == delay[node] and steps > hops[node]):
            continue
        for k in range(into_at[node], into_at[node + 1]):
            edge = into[k]
            other = source[edge]
            d, h = far + delay_ns[edge], steps + hop[edge]
            if d < delay[other] or (d == delay[other] and h < hops[other]):
                delay[other], hops[other] = d, h
                size = push(heap, size, d, h, other)


@kernel
def _walk(pairs, sources, destinations, target, tails, edges, search, found, room, size):  # type: ignore[no-untyped-def]
    """Write the edges of each pair's path into `room`: the new size; -1 for no room; -2 - pair for no path."""
    source, destination, delay_ns, hop = edges.source, edges.destination, edges.delay_ns, edges.hop
    out, out_at = edges.out, edges.out_at
    delay, hops, best = search.delay, search.hops, search.best
    tail_at = tails.at
    for k in pairs:
        begin = size
        node = sources[k]
        # The source may itself stand on the single links before the destination.
        first = tail_at[k + 1]
        if node == destinations[k]:
            found.at[k], found.length[k] = size, 0
            continue
        for j in range(tail_at[k], tail_at[k + 1]):
            if source[tails.edges[j]] == node:
                first = j + 1
                node = target
                break
        if first == tail_at[k + 1] and node != target and delay[node] == NEVER:
            return -2 - k
        while node != target:
            if best[node] < 0:
                for j in range(out_at[node], out_at[node + 1]):
                    edge = out[j]
                    to = destination[edge]
                    if delay[to] == NEVER:
                        continue
                    if delay_ns[edge] + delay[to] == delay[node] and hop[edge] + hops[to] == hops[node]:
                        best[node] = edge
                        break
            if size == room.shape[0]:
                return -1
            room[size] = best[node]
            size += 1
            node = destination[best[node]]
        for j in range(first - 1, tail_at[k] - 1, -1):
            if size == room.shape[0]:
                return -1
            room[size] = tails.edges[j]
            size += 1
        found.at[k], found.length[k] = begin, size - begin
    return size


def _in_order(room: Ints, at: Ints, count: Ints) -> Ints:
    """The edges of all paths, pair by pair."""
    total = int(count.sum())
    starts = np.cumsum(count) - count
    return room[np.repeat(at - starts, count) + np.arange(total)]

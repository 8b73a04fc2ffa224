"""The tree in a network of nodes and branches: which branches carry it, and its nodes depth-first.

Where the network has loops, the tree is that of the electrically shortest paths (Dijkstra 1959), so that it is
shallow and the branches left over, which close the loops, lie about halfway round, where little flows.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

UNREACHED = -2


@dataclass(frozen=True)
class SpanningTree:
    """A walk over the branches: parents before children, each subtree in one piece.

    parent: (nodes,) -1 for the root, `UNREACHED` for nodes without a path to it. above: (nodes,) the branch to
    the parent, -1 without one. order: the nodes reached, as they were met. loops: branches met that the tree does not take.
    busbar: the first node of the order with more than one branch below it.
    """

    parent: Ints
    above: Ints
    order: Ints
    loops: Ints
    busbar: int


class Adjacency:
    """Which branches meet at each node; `from_node` and `to_node` are (branches,)."""

    def __init__(self, from_node: Ints, to_node: Ints, nodes: int) -> None:
        ends = np.concatenate([from_node, to_node])
        order = np.argsort(ends, kind="stable")
        self.nodes = nodes
        self.start = np.searchsorted(ends[order], np.arange(nodes + 1))
        self.edge = order % max(1, len(from_node))
        self.other = np.concatenate([to_node, from_node])[order]
        self.is_outward = order < len(from_node)


def depth_first(adjacency: Adjacency, root: int, usable: Bools) -> SpanningTree:
    """Walk from the root over the usable branches; others, and what closes a loop, are met but not taken."""
    nodes, ends = adjacency.nodes, len(adjacency.edge)
    parent, above = np.full(nodes, UNREACHED, dtype=np.int64), np.full(nodes, -1, dtype=np.int64)
    order, loops = np.empty(nodes, dtype=np.int64), np.empty(len(usable), dtype=np.int64)
    waiting = np.empty((1 + ends, 3), dtype=np.int64)
    is_loop = np.zeros(len(usable), dtype=np.bool_)
    at = adjacency.start, adjacency.edge, adjacency.other
    reached, closed = _walk(*at, root, usable, parent, above, order, loops, is_loop, waiting)
    order = order[:reached].copy()
    below = np.bincount(parent[parent >= 0], minlength=nodes)
    branching = order[below[order] > 1]
    return SpanningTree(parent, above, order, loops[:closed].copy(), int(branching[0]) if len(branching) else root)


@kernel
def _walk(start, edge, other, root, usable, parent, above, order, loops, is_loop, waiting):  # type: ignore[no-untyped-def]
    """Fill parent, above, order and loops; how many nodes were reached, and how many branches close loops. waiting: room for (node, parent, branch) of who waits."""
    waiting[0, 0], waiting[0, 1], waiting[0, 2] = root, -1, -1
    size, reached, closed = 1, 0, 0
    while size > 0:
        size -= 1
        node, upper, branch = waiting[size, 0], waiting[size, 1], waiting[size, 2]
        if parent[node] != UNREACHED:
            if not is_loop[branch]:
                is_loop[branch] = True
                loops[closed] = branch
                closed += 1
            continue
        parent[node], above[node] = upper, branch
        order[reached] = node
        reached += 1
        for k in range(start[node + 1] - 1, start[node] - 1, -1):
            met, far = edge[k], other[k]
            if met == branch:
                continue
            if usable[met] and parent[far] == UNREACHED:
                waiting[size, 0], waiting[size, 1], waiting[size, 2] = far, node, met
                size += 1
            elif above[far] != met and not is_loop[met]:
                is_loop[met] = True
                loops[closed] = met
                closed += 1
    return reached, closed


def shortest_paths(adjacency: Adjacency, root: int, length: Floats, one_way: Bools) -> Bools:
    """The branches of the tree of shortest paths from the root, (branches,); `one_way` ones lead from -> to only."""
    chosen = np.zeros(len(length), dtype=np.bool_)
    reached = np.zeros(adjacency.nodes, dtype=np.bool_)
    queue = [(0.0, -1, root)]
    while queue:
        so_far, branch, node = heapq.heappop(queue)
        if reached[node]:
            continue
        reached[node] = True
        if branch >= 0:
            chosen[branch] = True
        for k in range(adjacency.start[node], adjacency.start[node + 1]):
            edge, other = int(adjacency.edge[k]), int(adjacency.other[k])
            if not reached[other] and (adjacency.is_outward[k] or not one_way[edge]):
                heapq.heappush(queue, (so_far + float(length[edge]), edge, other))
    return chosen

"""The tree in a network of nodes and branches: which branches carry it, and its nodes depth-first.

Where the network has loops, the tree is that of the electrically shortest paths (Dijkstra 1959), so that it is
shallow and the branches left over, which close the loops, lie about halfway round, where little flows.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
    start, edge, other = adjacency.start.tolist(), adjacency.edge.tolist(), adjacency.other.tolist()
    may = usable.tolist()
    parent, above = [UNREACHED] * adjacency.nodes, [-1] * adjacency.nodes
    order: list[int] = []
    loops: dict[int, None] = {}
    stack = [(root, -1, -1)]
    while stack:
        node, upper, branch = stack.pop()
        if parent[node] != UNREACHED:
            loops[branch] = None
            continue
        parent[node], above[node] = upper, branch
        order.append(node)
        for k in range(start[node + 1] - 1, start[node] - 1, -1):
            if edge[k] == branch:
                continue
            if may[edge[k]] and parent[other[k]] == UNREACHED:
                stack.append((other[k], node, edge[k]))
            elif above[other[k]] != edge[k]:
                loops[edge[k]] = None
    parents = np.array(parent, dtype=np.int64)
    below = np.bincount(parents[parents >= 0], minlength=adjacency.nodes)
    busbar = next((node for node in order if below[node] > 1), root)
    return SpanningTree(
        parents,
        np.array(above, dtype=np.int64),
        np.array(order, dtype=np.int64),
        np.array(list(loops), dtype=np.int64),
        busbar,
    )


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

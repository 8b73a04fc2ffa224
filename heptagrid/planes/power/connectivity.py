"""Connected parts of a graph, and its nodes depth-first.

The same as scipy's `connected_components` and `depth_first_order`, node for node; a snapshot of a small circuit takes less time than importing
scipy does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel

Ints = npt.NDArray[np.int64]

NONE = -1


def connected_parts(pairs: Ints, nodes: int) -> Ints:
    """(nodes,) the connected part of each, numbered in the order of their first nodes; pairs: (pairs, 2) of nodes that are joined."""
    part = np.arange(nodes, dtype=np.int64)
    _join(np.ascontiguousarray(pairs, dtype=np.int64), part)
    return part


def depth_first(pairs: Ints, nodes: int, root: int) -> tuple[Ints, Ints]:
    """The nodes that are reached from the root, depth-first, and of each node, (nodes,), the one it is reached from; `NONE` of others.

    pairs: (pairs, 2), each once and sorted. From a node its second partners come first, then those of which it is the second.
    """
    start, other = [], []
    for end in (0, 1):
        order = np.argsort(pairs[:, end], kind="stable")
        start.append(np.searchsorted(pairs[order, end], np.arange(nodes + 1)))
        other.append(pairs[order, 1 - end])
    order, before = np.full(nodes, NONE, dtype=np.int64), np.full(nodes, NONE, dtype=np.int64)
    is_reached, following = np.zeros(nodes, dtype=np.bool_), np.array(start, dtype=np.int64)
    reached = _walk(following.copy(), np.array(other, dtype=np.int64), root, order, before, following, is_reached)
    return order[:reached], before


@kernel(allocates=False)
def _join(pairs, part):  # type: ignore[no-untyped-def]
    """Number the parts of (nodes,) `part`, in which each node stands for itself at first."""
    for k in range(pairs.shape[0]):
        a, b = pairs[k, 0], pairs[k, 1]
        while part[a] != a:
            part[a] = part[part[a]]
            a = part[a]
        while part[b] != b:
            part[b] = part[part[b]]
            b = part[b]
        part[max(a, b)] = min(a, b)
    parts = 0
    for node in range(part.shape[0]):
        if part[node] == node:  # the least of its part
            part[node] = parts
            parts += 1
        else:
            part[node] = part[part[node]]  # of a lesser node, which is numbered


@kernel(allocates=False)
def _walk(start, other, root, order, before, following, is_reached):  # type: ignore[no-untyped-def]
    """start: (2, nodes + 1), other: (2, pairs) the partners of each node as first and as second of a pair; the nodes reached.

    following: the same as `start` at first, is_reached: False; they are used up.
    """
    order[0], is_reached[root] = root, True
    node, reached = root, 1
    while node != NONE:
        found = NONE
        for end in range(2):
            while found == NONE and following[end, node] < start[end, node + 1]:
                partner = other[end, following[end, node]]
                following[end, node] += 1
                if not is_reached[partner]:
                    found = partner
        if found == NONE:
            node = before[node]
            continue
        before[found], order[reached], is_reached[found] = node, found, True
        reached += 1
        node = found
    return reached

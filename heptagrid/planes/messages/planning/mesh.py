"""Trees of a mesh: every member finds the path to the collector that takes the fewest expected transmissions.

As RPL does with the expected transmission count as its metric (RFC 6550, RFC 6551, RFC 6719): a hop costs
1 / ((1 - e)(1 - e)), for the frame and its acknowledgement must both get through. A member that nobody reaches
within the hop's limit of error joins the nearest one that is on the tree, over a poor link.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.planes.messages.technology import LinkBudget

WORST_HOP = 0.5
"""Frame error beyond which RPL would not choose a parent: assumption, MRHOF's limit is four transmissions."""
WORST_POOR_HOP = 0.8
"""Frame error at which a member out of reach is served all the same, by a better antenna: assumption."""

_METRE_STEPS = 4096


class MeshTree(NamedTuple):
    """parent: (members,) index of each member's parent, -1 for the collector. depth: hops to it. error: of the hop
    to the parent. expected: transmissions to the collector. is_poor: (members,) out of everyone's reach."""

    parent: Ints
    depth: Ints
    error: Floats
    expected: Floats
    is_poor: npt.NDArray[np.bool_]


def etx_tree(xy_m: Floats, budget: LinkBudget | None, range_m: float, alive: np.ndarray | None = None) -> MeshTree:
    """The tree of members at `xy_m` (n, 2); the first is the collector.

    alive: (n,) members that take part; the others have parent -2.
    """
    count = len(xy_m)
    reach_m, error = _errors(budget, range_m)
    tree = MeshTree(
        parent=np.full(count, -2, dtype=np.int64),
        depth=np.zeros(count, dtype=np.int64),
        error=np.zeros(count),
        expected=np.full(count, np.inf),
        is_poor=np.zeros(count, dtype=bool),
    )
    lives = np.ones(count, dtype=bool) if alive is None else np.asarray(alive, dtype=bool)
    _grow(np.ascontiguousarray(xy_m), error, reach_m, lives, tree)
    return tree


@lru_cache(maxsize=32)
def _errors(budget: LinkBudget | None, range_m: float) -> tuple[float, Floats]:
    """How far a member is heard at all, and the error of a frame at equal steps of distance up to there: the same for all meshes of a technology."""
    if budget is None:
        return range_m, np.zeros(_METRE_STEPS)
    reach_m = min(range_m * 2.0, budget.reach_m(-10.0))
    return reach_m, np.asarray(budget.frame_error(np.linspace(0.0, reach_m, _METRE_STEPS)))


@kernel
def _grow(xy_m, error, reach_m, alive, tree):  # type: ignore[no-untyped-def]
    """Dijkstra's algorithm on all pairs, distances looked up in a table of errors."""
    parent, depth, hop_error = tree.parent, tree.depth, tree.error
    expected, is_poor = tree.expected, tree.is_poor
    count = xy_m.shape[0]
    done = ~alive
    step = reach_m / (error.shape[0] - 1)
    nearest = np.full(count, np.inf)
    near_to = np.zeros(count, dtype=np.int64)
    expected[0], parent[0] = 0.0, -1
    left = 0
    for k in range(count):
        left += not done[k]
    while left > 0:
        best = -1
        for k in range(count):
            if not done[k] and expected[k] < np.inf and (best < 0 or expected[k] < expected[best]):
                best = k
        if best < 0:
            # Nobody left is in reach: the one nearest to the tree joins over a poor link.
            for k in range(count):
                if not done[k] and (best < 0 or nearest[k] < nearest[best]):
                    best = k
            up = near_to[best]
            hop_error[best] = WORST_POOR_HOP
            parent[best], depth[best], is_poor[best] = up, depth[up] + 1, True
            expected[best] = expected[up] + 1.0 / (1.0 - WORST_POOR_HOP) ** 2
        done[best] = True
        left -= 1
        for k in range(count):
            if done[k]:
                continue
            far = np.sqrt((xy_m[k, 0] - xy_m[best, 0]) ** 2 + (xy_m[k, 1] - xy_m[best, 1]) ** 2)
            if far < nearest[k]:
                nearest[k], near_to[k] = far, best
            if far > reach_m:
                continue
            e = error[int(far / step)]
            if e > WORST_HOP:
                continue
            cost = expected[best] + 1.0 / (1.0 - e) ** 2
            if cost < expected[k]:
                expected[k], parent[k], depth[k], hop_error[k] = cost, best, depth[best] + 1, e

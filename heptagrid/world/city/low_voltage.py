"""Local substations and the cables below them: customers in groups along Hilbert's curve, each fed by the shortest way from the nearest substation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.world.city.curve import along
from heptagrid.world.city.neighbourhoods import KINDS
from heptagrid.world.city.streets import Streets

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

NOBODY = -1


@dataclass(frozen=True)
class Forest:
    """Trees of cables, by nodes of the streets. station: (stations,) where the substations stand; node: (n,) those to which a cable leads, parents first; parent: (n,) from where; length_m, customers: (n,) of the cable, and behind it. of: (customers,) the substation of each."""

    station: Ints
    node: Ints
    parent: Ints
    length_m: Floats
    customers: Ints
    of: Ints

    def behind(self, at: Ints, values: Floats) -> Floats:
        """What is behind each cable, (n,): the sum of values that stand at nodes of the streets, (k,) each."""
        count = 1 + max(int(one.max(initial=0)) for one in (self.node, self.parent, at))
        before = np.full(count, NOBODY)
        before[self.node] = self.parent
        total = np.asarray(np.bincount(at, weights=values, minlength=count), dtype=np.float64)
        _gather(self.node, before, total)
        return np.asarray(total[self.node])


def forest(streets: Streets) -> Forest:
    """Place substations, and lay cables."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    station = _stations(streets)
    count = len(streets.x_m)
    ends, length_m = streets.ends, streets.length_m
    graph = coo_array((length_m, (ends[:, 0], ends[:, 1])), shape=(count, count)).tocsr()
    distance_m, before, source = dijkstra(
        graph, directed=False, indices=station, return_predecessors=True, min_only=True
    )
    behind = np.zeros(count)
    behind[streets.customer] = 1.0
    order = np.argsort(distance_m, kind="stable")
    before = np.where(before < 0, NOBODY, before).astype(np.int64)
    _gather(order, before, behind)
    node = order[(behind[order] > 0) & (before[order] >= 0)]
    number = np.full(count, NOBODY)
    number[station] = np.arange(len(station))
    return Forest(
        station,
        node,
        before[node],
        distance_m[node] - distance_m[before[node]],
        behind[node].astype(np.int64),
        number[source[streets.customer].astype(np.int64)],
    )


def _stations(streets: Streets) -> Ints:
    """The node nearest to the middle of each group of customers."""
    from scipy.spatial import KDTree

    x_m, y_m = streets.x_m[streets.customer], streets.y_m[streets.customer]
    order = np.argsort(along(x_m, y_m), kind="stable")
    per_customer = 1.0 / np.array([one.loads for one in KINDS])[streets.kind[order]]
    group = np.floor(np.cumsum(per_customer) - 0.5 * per_customer).astype(np.int64)
    count = np.bincount(group)
    middle = [np.bincount(group, values[order]) / np.maximum(count, 1) for values in (x_m, y_m)]
    places = np.stack(middle, axis=1)[count > 0]
    _, nearest = KDTree(np.stack([x_m, y_m], axis=1)).query(places)
    return np.unique(streets.customer[nearest])


@kernel
def _gather(order: Ints, before: Ints, behind: Floats) -> None:
    """Add up what is behind each node, from the farthest to the nearest."""
    for k in range(len(order) - 1, -1, -1):
        above = before[order[k]]
        if above >= 0:
            behind[above] += behind[order[k]]

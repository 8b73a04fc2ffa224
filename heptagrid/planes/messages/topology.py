"""A tree of places with a first-come-first-served server for each link and direction, and nothing else.

The plainest network there is: what an independent reference can be written for. The town's own is planned by
`planning.network_planner`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.planes.messages.planning.network_builder import NetworkBuilder
from heptagrid.planes.messages.routing.paths import TreeEdges

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Topology:
    """Places of a tree and the servers between them.

    parent: (places,) towards the core, -1 for the core itself. up, down: (places,) server from the place
    to its parent and back, -1 for the core. depth: (places,).
    rate_bps, delay_ns, loss, retries, link_class: (servers,).
    group: (places,) access network of a gateway or concentrator, -1 elsewhere. groups: how many there are.
    """

    parent: Ints
    up: Ints
    down: Ints
    depth: Ints
    rate_bps: Floats
    delay_ns: Ints
    loss: Floats
    retries: Ints
    link_class: Ints
    group: Ints
    groups: int

    @property
    def places(self) -> int:
        return len(self.parent)

    @property
    def areas(self) -> None:
        """None: it is one."""
        return None

    @property
    def wiring(self) -> NetworkBuilder:
        """A port for every server; one that works in both directions belongs to no place."""
        network = NetworkBuilder(self.places)
        count = len(self.rate_bps)
        near, far = np.full(count, -1), np.full(count, -1)
        apart = np.flatnonzero((self.parent >= 0) & (self.up != self.down))
        near[self.up[apart]], far[self.up[apart]] = apart, self.parent[apart]
        near[self.down[apart]], far[self.down[apart]] = self.parent[apart], apart
        network.links(
            near,
            far,
            rate_bps=self.rate_bps,
            delay_ns=self.delay_ns,
            loss=self.loss,
            retries=self.retries,
            link_class=self.link_class,
        )
        return network

    @property
    def edges(self) -> TreeEdges:
        """The hops between a place and its parent."""
        none = np.full(self.places, -1, dtype=np.int64)
        parent, depth = self.parent.astype(np.int64), self.depth.astype(np.int64)
        up, down = self.up.astype(np.int64), self.down.astype(np.int64)
        return TreeEdges(parent, depth, up, none, down, none, np.zeros(self.places))

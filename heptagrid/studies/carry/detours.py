"""Other ways during an outage: what leaves while something is down takes the shortest path over what is up.

Between two changes, which take effect `failover_ns` after an outage begins or ends, the network is one graph. A message
whose usual path is whole takes that. One without any way takes its usual path too, and is lost where that is broken.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from heptagrid.planes.messages.planning.graph import Graph, GraphRouter, NoPathError, RoutingLoopError
from heptagrid.planes.messages.routing.paths import Paths
from heptagrid.planes.messages.tables import NEVER, Ints
from heptagrid.studies.carry.network import CarryNetwork
from heptagrid.studies.carry.traffic_file import Traffic

Booleans = npt.NDArray[np.bool_]


def detoured(
    network: CarryNetwork, paths: Paths, traffic: Traffic, path_at: Ints, path_hops: Ints
) -> tuple[Ints, Ints]:
    """The paths of messages, (n,) each, from their usual ones; the table of `paths` has the detours, and what it finds are usual ones."""
    at, hops = path_at.copy(), path_hops.copy()
    is_led_round = False
    for begin_ns, end_ns, dead, cut in _troubled(network):
        rows = np.flatnonzero((traffic.sent_ns >= begin_ns) & (traffic.sent_ns < end_ns))
        rows = rows[_is_broken(paths, traffic.source[rows], path_at[rows], path_hops[rows], dead, cut)]
        if not len(rows):
            continue
        graph = network.graph.without(dead, cut)
        source, destination = traffic.source[rows], traffic.destination[rows]
        reached = GraphRouter(graph).reaches(source, destination)
        rows, source, destination = rows[reached], source[reached], destination[reached]
        at[rows], hops[rows] = _found(paths, graph, source, destination)
        is_led_round = True
    if is_led_round:
        paths.reroute(GraphRouter(network.graph))
    return at, hops


def _troubled(network: CarryNetwork) -> Iterator[tuple[int, int, Booleans, Booleans]]:
    """Every span between two changes in which something is down: begin, end, (nodes,) that are, (ports,) that are."""
    dead = np.zeros(len(network.names), dtype=np.int64)
    cut = np.zeros(network.wiring.ports, dtype=np.int64)
    changes = sorted(network.outages, key=lambda one: one[2])
    times = [when_ns + network.failover_ns for _, _, when_ns, _ in changes]
    ends = [*times, int(NEVER)][1:]
    for (which, is_link, _, up), begin_ns, end_ns in zip(changes, times, ends, strict=True):
        (cut if is_link else dead)[which] += -1 if up else 1
        if begin_ns < end_ns and (dead.any() or cut.any()):
            yield begin_ns, end_ns, dead > 0, cut > 0


def _is_broken(paths: Paths, source: Ints, path_at: Ints, path_hops: Ints, dead: Booleans, cut: Booleans) -> Booleans:
    """(n,) whether something on a path is down; the sender itself, which nothing can replace, does not count."""
    begins, first, which = np.unique(path_at, return_index=True, return_inverse=True)
    broken = np.empty(len(begins), dtype=bool)
    for k, (begin, end) in enumerate(zip(begins, begins + path_hops[first], strict=True)):
        way = paths.table[begin:end]
        broken[k] = cut[way["port"]].any() or dead[way["node"]].any()
    return np.asarray(broken[which] & ~dead[source])


def _found(paths: Paths, graph: Graph, source: Ints, destination: Ints) -> tuple[Ints, Ints]:
    """Where the paths of pairs that have one begin, and their hops: by static routes, if these lead there."""
    paths.reroute(GraphRouter(graph))
    try:
        return paths.of(source, destination)
    except (NoPathError, RoutingLoopError):
        paths.reroute(GraphRouter(graph.without_routes()))
        return paths.of(source, destination)

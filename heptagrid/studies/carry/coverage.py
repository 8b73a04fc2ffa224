"""Who is covered: whether a message has a path, and which nodes are out of reach on the medium they belong to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.planes.messages.planning.graph import Graph, GraphRouter
from heptagrid.planes.messages.routing.paths import Paths
from heptagrid.planes.messages.tables import Ints
from heptagrid.studies.carry.network import CarryNetwork
from heptagrid.studies.carry.traffic_file import Traffic

Booleans = npt.NDArray[np.bool_]


def covered(
    network: CarryNetwork, paths: Paths, router: GraphRouter, source: Ints, destination: Ints
) -> tuple[Booleans, Booleans]:
    """Whether each pair (pairs,) has a path; and whether it would, if all members of a medium reached each other.

    Where the members of a medium do not relay, a path that takes it twice running is none.
    """
    has_path = router.reaches(source, destination)
    if network.relays and not all(network.relays):
        at, hops = paths.of(source[has_path], destination[has_path])
        has_path[has_path] = ~_relayed(network, paths, at, hops)
    is_joined = has_path.copy()
    if network.joined is not None and not has_path.all():
        missing = np.flatnonzero(~has_path)
        is_joined[missing] = GraphRouter(network.joined).reaches(source[missing], destination[missing])
    return has_path, is_joined


def uncovered_nodes(network: CarryNetwork, traffic: Traffic, is_uncovered: Booleans) -> tuple[str, ...]:
    """The ends of messages without a path that belong to the smaller part of the network; the source of equal ones."""
    if not is_uncovered.any():
        return ()
    part = _parts(network.graph)
    size = np.bincount(part)[part]
    source, destination = traffic.source[is_uncovered], traffic.destination[is_uncovered]
    apart = np.where(size[source] <= size[destination], source, destination)
    return tuple(network.names[node] for node in np.unique(apart))


def _relayed(network: CarryNetwork, paths: Paths, path_at: Ints, path_hops: Ints) -> Booleans:
    """(n,) whether a path takes a medium whose members do not relay twice running."""
    medium = np.append(network.medium, -1)[paths.port]
    alone = ~np.array([*network.relays, True])[medium]
    again = np.append(False, (medium[1:] == medium[:-1]) & (medium[1:] >= 0) & alone[1:])
    so_far = np.append(0, np.cumsum(again))
    begins = np.minimum(path_at + 1, path_at + path_hops)
    return np.asarray(so_far[path_at + path_hops] > so_far[begins])


def _parts(graph: Graph) -> Ints:
    """(nodes,) the part of the network that each belongs to: what edges join, whichever way they lead."""
    ends = np.stack([graph.source, graph.destination])
    part = np.arange(int(max(ends.max(initial=-1), graph.nodes - 1)) + 1)
    while True:
        least = part.copy()
        np.minimum.at(least, ends[0], part[ends[1]])
        np.minimum.at(least, ends[1], part[ends[0]])
        least = least[least]
        if (least == part).all():
            return np.asarray(part[: graph.nodes])
        part = least

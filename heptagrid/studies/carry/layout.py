"""What a communication network looks like from above: where its nodes stand and which hops its links and media offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.planes.messages.planning.graph import Graph
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.studies.carry.network import CarryNetwork

LINKS = "links"


@dataclass(frozen=True)
class Hops:
    """The hops of all links, or of one medium, each way once.

    pairs: (hops, 2) nodes. members: (members,) of a medium whose members all reach each other; empty of one with pairs.
    """

    name: str
    pairs: Ints
    members: Ints


@dataclass(frozen=True)
class Layout:
    """A communication network from above.

    x_m, y_m: (nodes,); where the file has no coordinates the nodes stand in a circle, in its order. is_surveyed: whether it has.
    hops: the links first. is_uncovered: (nodes,) out of reach of who sends to them or should hear them.
    """

    names: Sequence[str]
    x_m: Floats
    y_m: Floats
    is_surveyed: bool
    hops: Sequence[Hops]
    is_uncovered: npt.NDArray[np.bool_]


def layout(network: CarryNetwork, uncovered: Sequence[str]) -> Layout:
    """How a network is drawn; `uncovered` are names of nodes."""
    graph, nodes = network.graph, len(network.names)
    medium = np.append(network.medium, -1)[graph.port]
    is_pair = (graph.source < nodes) & (graph.destination < nodes)
    names = (LINKS, *network.media)
    hops = [Hops(name, _pairs(graph, is_pair & (medium == k - 1)), _nothing()) for k, name in enumerate(names)]
    enters = graph.destination >= nodes  # the point that stands for a medium on which all reach all
    for hub in np.unique(graph.destination[enters]).tolist():
        mine = enters & (graph.destination == hub)
        which = int(medium[mine][0])
        members = np.unique(graph.source[mine])
        hops[1 + which] = Hops(names[1 + which], hops[1 + which].pairs, members)
    is_surveyed = bool(network.wiring.xy_m.any())
    x_m, y_m = network.wiring.xy_m.T
    if not is_surveyed:
        turn = 2.0 * np.pi * np.arange(nodes) / max(1, nodes)
        x_m, y_m = np.sin(turn), np.cos(turn)
    lost = set(uncovered)
    is_uncovered = np.array([name in lost for name in network.names], dtype=bool)
    return Layout(network.names, x_m, y_m, is_surveyed, hops, is_uncovered)


def _pairs(graph: Graph, chosen: npt.NDArray[np.bool_]) -> Ints:
    ends = np.stack([graph.source[chosen], graph.destination[chosen]], axis=1)
    return np.unique(np.sort(ends, axis=1), axis=0)


def _nothing() -> Ints:
    return np.empty(0, dtype=np.int64)

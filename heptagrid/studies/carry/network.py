"""A communication network ready to carry messages: names, ports, graph, limits, outages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from heptagrid.planes.messages.planning.graph import Graph
from heptagrid.planes.messages.planning.network_builder import NetworkBuilder
from heptagrid.planes.messages.tables import Ints


@dataclass(frozen=True)
class CarryNetwork:
    """A network ready to carry: names by node, wiring, graph, limits, and what goes down when.

    mtu_bytes: (ports,) longest message a port takes; 0 for any. outages: (node or port, is a link, ns, is up).
    failover_ns: after each of them, until other paths are taken. joined: the graph as if every member of a medium reached
    every other. medium: (ports,) the medium of each, -1 for a link. relays: (media,) whether members of a medium relay for each
    other. media: what each is called, or its technology or method. groups: the nodes of each group, by its name.
    """

    names: list[str]
    wiring: NetworkBuilder
    graph: Graph
    mtu_bytes: Ints
    outages: list[tuple[int, bool, int, bool]]
    failover_ns: int = 0
    joined: Graph | None = None
    medium: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    relays: tuple[bool, ...] = ()
    media: tuple[str, ...] = ()
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


class EdgeList:
    """Edges of a graph that is being put together."""

    def __init__(self) -> None:
        self.columns: list[list[Any]] = [[], [], [], [], [], []]

    def add(self, source: Any, destination: Any, port: Any, peer: Any, loss: Any, delay_ns: Any) -> None:
        """Add (n,) edges."""
        rows = np.broadcast_arrays(*(np.atleast_1d(each) for each in (source, destination, port, peer, loss, delay_ns)))
        for column, row in zip(self.columns, rows, strict=True):
            column.append(row)

    def with_all(self, more: EdgeList) -> EdgeList:
        """These and more, as new ones."""
        both = EdgeList()
        both.columns = [[*mine, *theirs] for mine, theirs in zip(self.columns, more.columns, strict=True)]
        return both

    def graph(self, nodes: int) -> Graph:
        """All of them."""
        source, destination, port, peer, loss, delay = (
            np.concatenate(column) if column else np.empty(0, dtype=np.int64) for column in self.columns
        )
        return Graph(
            nodes=nodes,
            source=source.astype(np.int64),
            destination=destination.astype(np.int64),
            port=port.astype(np.int64),
            peer=peer.astype(np.int64),
            loss=loss.astype(np.float64),
            delay_ns=delay.astype(np.int64),
        )

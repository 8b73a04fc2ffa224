"""Networks and traffic for `carry_messages`, made in memory: links of their own, and members of one shared medium."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.planning.graph import Graph
from heptagrid.planes.messages.planning.network_builder import NetworkBuilder
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.studies.carry.api import Carried, carry_messages
from heptagrid.studies.carry.network import CarryNetwork
from heptagrid.studies.carry.traffic_file import Traffic


def linked(nodes: int, source: npt.ArrayLike, destination: npt.ArrayLike, **settings: Any) -> CarryNetwork:
    """Nodes joined by (n,) links in one direction each; `settings` are those of `NetworkBuilder.links`."""
    wiring = NetworkBuilder(nodes)
    ends = np.atleast_1d(np.asarray(source, dtype=np.int64)), np.atleast_1d(np.asarray(destination, dtype=np.int64))
    ports = wiring.links(*ends, **settings)
    delay_ns = np.broadcast_to(np.asarray(settings.get("delay_ns", 0), dtype=np.int64), ports.shape)
    return _network(wiring, (*ends, ports, np.full(len(ports), -1), delay_ns))


def shared(
    senders: int, settings: Medium, *, xy_m: Floats | None = None, spreading: int | None = None, **sending: Any
) -> CarryNetwork:
    """Node 0 and (senders,) nodes that speak to it over one medium; `sending` are settings of `NetworkBuilder.medium`."""
    wiring = NetworkBuilder(senders + 1, xy_m)
    ports = wiring.medium(
        np.arange(senders + 1),
        settings,
        base=0 if settings.has_base else None,
        spreading=None if spreading is None else np.full(senders + 1, spreading),
        **sending,
    )
    from_node = np.arange(1, senders + 1)
    to_sink = np.zeros(senders, dtype=np.int64)
    peer = np.full(senders, ports[0] if settings.has_base else -1)
    return _network(wiring, (from_node, to_sink, ports[1:], peer, np.zeros(senders, dtype=np.int64)))


def _network(wiring: NetworkBuilder, edges: tuple[Ints, Ints, Ints, Ints, Ints]) -> CarryNetwork:
    source, destination, port, peer, delay_ns = edges
    graph = Graph(wiring.nodes, source, destination, port, peer, np.zeros(len(source)), delay_ns)
    names = [str(node) for node in range(wiring.nodes)]
    return CarryNetwork(names, wiring, graph, np.zeros(wiring.ports, dtype=np.int64), [])


def poisson_ns(random: np.random.Generator, count: int, per_s: float) -> Ints:
    """(count,) times of a Poisson process, in nanoseconds, given that so many fall into the time they take on average.

    To fix the count leaves the process as it is within, and what is measured scatters less.
    """
    return np.sort(random.integers(0, round(count * 1e9 / per_s), count))


def mixed(random: np.random.Generator, count: int, share: Floats) -> Ints:
    """(count,) numbers from 0 in random order, each as often as its share says."""
    upto = np.rint(np.cumsum(share) * count).astype(np.int64)
    return random.permutation(np.searchsorted(upto, np.arange(count), side="right"))


def carried(
    network: CarryNetwork,
    sent_ns: Ints,
    *,
    source: npt.ArrayLike,
    destination: npt.ArrayLike,
    size_bytes: npt.ArrayLike,
    priority: npt.ArrayLike = 0,
    seed: int = 1,
) -> Carried:
    """Carry (n,) messages; what is the same for all may be given once."""
    from_node, to_node, sizes, urgency = (
        np.broadcast_to(np.asarray(each, dtype=np.int64), sent_ns.shape)
        for each in (source, destination, size_bytes, priority)
    )
    traffic = Traffic(sent_ns, from_node, to_node, sizes, urgency, table=None)
    return carry_messages(network, traffic, "a validation case", seed)


def share_through(network: CarryNetwork, senders: int, per_s: float, size_bytes: int, expected: float) -> float:
    """The share of a Poisson load from nodes 1 to `senders` that reaches node 0.

    So many are sent that 150,000 get through if `expected` is right, but four millions at most: by chance the share is then off by 0.2 to
    0.4 % (one standard deviation).
    """
    random = np.random.default_rng(1)
    left, count = min(round(150_000 / expected), 4_000_000), 0
    through = 0
    while left > 0:
        block = min(left, 1_000_000)
        sent_ns = poisson_ns(random, block, per_s)
        source = random.integers(1, senders + 1, block)
        come = carried(network, sent_ns, source=source, destination=0, size_bytes=size_bytes, seed=1 + count)
        through += int(np.sum(come.delivered_ns >= 0))
        left, count = left - block, count + block
    return through / count

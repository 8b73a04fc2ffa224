"""The message kernel: hop-events per second, acknowledgements included.

A hop-event is one copy of a message crossing one server, whatever back-offs and repetitions that takes. First the town's
readings; the peer is the tests' plain reference with simpy, on a fiftieth of the traffic. Then 400,000 meters: two hundred towns of plain
links, each with its own head end, and contended media alone (readings end at the collectors of their meshes).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.history import report
from benchmarks.networks import Network, suburb, tree_of_links
from heptagrid.assembly.world import build_world
from heptagrid.contracts.kinds import FACTS
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.planes.messages.kernel.event_queue import EventQueue, fact_table
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.planes.messages.topology import Topology
from heptagrid.scenario.load import load
from tests.messages.reference import Message, Reference

S = 1_000_000_000
world = build_world(load("town"))
places = world.endpoints


def tree_of_queues() -> Topology:
    """The town's places with one queue for each access network and a link in each direction above: no contention."""
    gateways, concentrators = len(places.gateways), len(places.concentrators)
    hub = gateways + concentrators
    count = places.operations + 1
    parent = np.full(count, -1)
    parent[:gateways] = gateways + world.plan.topology.group[places.gateways]
    parent[gateways:hub] = hub
    parent[places.operations] = hub
    depth = np.zeros(count, dtype=np.int64)
    depth[gateways:hub] = depth[places.operations] = 1
    depth[:gateways] = 2
    up, down = np.full(count, -1), np.full(count, -1)
    up[:gateways] = down[:gateways] = parent[:gateways] - gateways
    trunks = np.append(np.arange(gateways, hub), places.operations)
    up[trunks] = concentrators + 2 * np.arange(len(trunks))
    down[trunks] = up[trunks] + 1
    sizes = (concentrators, 2 * concentrators, 2)
    return Topology(
        parent=parent,
        up=up,
        down=down,
        depth=depth,
        rate_bps=np.repeat([50e3, 1e6, 1e8], sizes),
        delay_ns=np.repeat([10_000_000, 50_000_000, 2_000_000], sizes),
        loss=np.repeat([0.02, 0.005, 0.0001], sizes),
        retries=np.repeat([3, 2, 0], sizes),
        link_class=np.repeat([0, 1, 2], sizes),
        group=np.full(count, -1),
        groups=0,
    )


topology = tree_of_queues()
rng = np.random.default_rng(1)
offset_ns = rng.integers(0, 840 * S, len(places.gateways))
to = np.full(len(places.gateways), places.operations)


def run(quarters: int) -> tuple[float, int]:
    """Seconds and hop-events of some quarter hours of readings, in steps of a minute."""
    plane = MessagePlane(topology, 1)
    began = time.perf_counter()
    for quarter in range(quarters):
        start = quarter * 900 * S
        plane.send(
            Kind.METER_READING,
            places.gateways,
            to,
            start + offset_ns,
            sender=Domain.CUSTOMERS,
            receiver=Domain.OPERATIONS,
        )
        for minute in range(1, 16):
            plane.advance(start + minute * 60 * S)
    return time.perf_counter() - began, plane.hop_events


run(1)
seconds, events = min(run(24) for _ in range(3))
reference = Reference(topology, FACTS, 1)
some = np.arange(0, len(places.gateways), 50)
reference.messages = [
    Message(
        0,
        Kind.METER_READING,
        int(places.gateways[k]),
        places.operations,
        int(offset_ns[k]),
        FACTS[Kind.METER_READING].wire_bytes,
    )
    for k in some
]
began = time.perf_counter()
reference.run()
peer_rate = events / 24 * len(some) / len(places.gateways) / (time.perf_counter() - began)
report(
    "message kernel",
    events / seconds / 1e6,
    "million hop-events/s",
    events / seconds / peer_rate,
    "a plain reference with simpy",
)


PERIOD_NS, ROUNDS, METERS = 300 * S, 3, 400_000


def carried(name: str, network: Network) -> None:
    """Report hop-events per second of the best of some rounds."""
    queue = EventQueue(network.net, network.paths, fact_table(FACTS), 1)
    queue.advance(network.rows[:0], 0)  # compiles
    best = 0.0
    for number in range(ROUNDS):
        rows, before = network.round(number, PERIOD_NS), queue.hop_events
        began = time.perf_counter()
        queue.advance(rows, (number + 1) * PERIOD_NS - 1)
        best = max(best, (queue.hop_events - before) / (time.perf_counter() - began))
    report(
        name,
        best / 1e6,
        "million hop-events/s",
        best / peer_rate,
        "a plain reference with simpy on the town's readings",
    )


carried("plain links, 400,000 meters", tree_of_links(METERS, period_ns=PERIOD_NS, towns=200))
carried("contended meshes, 400,000 meters", suburb(METERS, period_ns=PERIOD_NS, to_collectors=True))

"""The message kernel on the town's readings: hop-events per second, acknowledgements included, one thread.

A hop-event is one copy of a message crossing one server. The peer is the tests' plain reference with simpy, on a
fiftieth of the traffic.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.history import report
from heptagrid.engine.build import build_world
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.planes.messages.kinds import FACTS
from heptagrid.planes.messages.plane import MessagePlane
from heptagrid.scenario.load import load
from tests.messages.reference import Message, Reference

S = 1_000_000_000
world = build_world(load("town"))
places, topology = world.endpoints, world.plan.topology
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

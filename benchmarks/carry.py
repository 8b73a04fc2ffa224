"""`heptagrid carry`: a tree of queues beside ns-3 and simpy, a million rows from file to file, and contended media.

The tree is the one on which ns-3 scales best: 1,000 senders behind ten sub-hubs, a hub, and a sink, four hops. ns-3 (if its
wheel and a C++ compiler are installed), a plain model with simpy and heptagrid carry the same messages in the same run, and
must agree on every delay; each is timed without what it does beforehand. A hop-event is one message at one link or medium.
The media: 200 radio networks of 10 members each, IEEE 802.15.4 with collisions.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import simpy

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.history import report
from heptagrid.planes.messages.tables import Ints
from heptagrid.studies.carry import api
from heptagrid.studies.carry.network import CarryNetwork
from heptagrid.validate import carried as cases
from heptagrid.validate.case import NotRun
from heptagrid.validate.messages_ns3 import HEADER_BYTES, star
from heptagrid.validate.peers import peer
from tests.carry.networks import carried
from tests.carry.reference import Message

SENDERS, FAN, PER_S = 1000, 100, 400.0
PAYLOAD_BYTES, WIRE_BYTES = 200, 200 + HEADER_BYTES
COMPARED, ROWS = 100_000, 1_000_000
rng = np.random.default_rng(1)


def arrivals(rows: int) -> Ints:
    """(rows, 3) sender from 0, time in nanoseconds, bytes of payload; they load the last link to three quarters."""
    sent_ns = cases.poisson_ns(rng, rows, PER_S)
    return np.column_stack([rng.integers(0, SENDERS, rows), sent_ns, np.full(rows, PAYLOAD_BYTES)])


def ours(network: CarryNetwork, messages: Ints) -> api.Carried:
    """The fastest of three."""
    sender, sent_ns, _ = messages.T
    runs = (cases.carried(network, sent_ns, source=2 + sender, destination=0, size_bytes=WIRE_BYTES) for _ in range(3))
    return min(runs, key=lambda each: each.seconds)


def with_simpy(messages: Ints) -> tuple[Ints, float]:
    """Delays and seconds of a process for each message and a resource for each link, as one would write it."""
    world = simpy.Environment()
    hub = SENDERS + SENDERS // FAN
    link = [simpy.Resource(world) for _ in range(hub + 1)]
    transmission_ns = np.rint(WIRE_BYTES * 8e9 / np.where(np.arange(hub + 1) == hub, 1e6, 100e6)).astype(int).tolist()
    delay_ns = np.where(np.arange(hub + 1) == hub, 5_000_000, 1_000_000).tolist()
    delays = np.empty(len(messages), dtype=np.int64)

    def travel(row: int, sender: int, sent_ns: int) -> Iterator[simpy.Event]:
        yield world.timeout(sent_ns)
        for k in (sender, SENDERS + sender // FAN, hub):
            with link[k].request() as turn:
                yield turn
                yield world.timeout(transmission_ns[k])
            yield world.timeout(delay_ns[k])
        delays[row] = world.now - sent_ns

    for row, (sender, sent_ns, _) in enumerate(messages.tolist()):
        world.process(travel(row, sender, sent_ns))
    began = time.perf_counter()
    world.run()
    return delays, time.perf_counter() - began


def seconds_from_file_to_file(messages: Ints) -> float:
    """Read, carry and write, the best of three."""
    hub = SENDERS + SENDERS // FAN
    ends = [
        *((k, SENDERS + k // FAN) for k in range(SENDERS)),
        *((k, hub) for k in range(SENDERS, hub)),
        (hub, hub + 1),
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "network.toml").open("w", encoding="utf-8") as file:
            file.writelines(f'[[node]]\nname = "n{k}"\n' for k in range(hub + 2))
            for source, destination in ends:
                rate, delay = (1e6, 0.005) if source == hub else (100e6, 0.001)
                file.write(f'[[link]]\nfrom = "n{source}"\nto = "n{destination}"\n')
                file.write(f"rate_bps = {rate!r}\ndelay_s = {delay!r}\n")
        with (folder / "traffic.csv").open("w", encoding="utf-8") as file:
            file.write("sent_s,source,destination,bytes\n")
            file.writelines(
                f"{sent_ns / 1e9:.9f},n{sender},n{hub + 1},{WIRE_BYTES}\n" for sender, sent_ns, _ in messages.tolist()
            )
        times = []
        for _ in range(3):
            began = time.perf_counter()
            api.carry(folder / "network.toml", folder / "traffic.csv", folder / "delivered.csv")
            times.append(time.perf_counter() - began)
    return min(times)


def contended() -> tuple[dict[str, Any], list[Message]]:
    """Every member talks to its network's first one, seven times a second."""
    nodes = [{"name": f"n{k}", "x_m": float(k % 10), "y_m": 0.0} for k in range(2000)]
    media = [
        {"members": [f"n{10 * k + j}" for j in range(10)], "access": "csma-ca", "rate_bps": 250_000, "retries": 3}
        for k in range(200)
    ]
    rows = 200_000
    sent_ns, networks = np.sort(rng.integers(0, 12 * 10**9, rows)), rng.integers(0, 200, rows)
    members = rng.integers(1, 10, rows)
    messages = [
        Message(k, int(sent_ns[k]), int(10 * networks[k] + members[k]), int(10 * networks[k]), 100) for k in range(rows)
    ]
    return {"node": nodes, "medium": media}, messages


tree = star(SENDERS, FAN)
compared = arrivals(COMPARED)
ours(tree, compared[:1000])
found = ours(tree, compared)
delays_ns = found.delivered_ns - compared[:, 1]
packets_per_s = COMPARED / found.seconds
theirs, simpy_s = with_simpy(compared)
assert (theirs == delays_ns).all(), "simpy's delays differ"
report("carry, tree of queues", packets_per_s, "packets/s", simpy_s / found.seconds, "simpy")
try:
    theirs, ns3_s = peer("ns3", "tree of queues").delays_ns("links", compared, n=SENDERS, fan=FAN)
    assert (theirs == delays_ns).all(), "ns-3's delays differ"
    report(
        "carry, tree of queues", packets_per_s, "packets/s", ns3_s / found.seconds, "ns-3 3.44 on its best-scaling tree"
    )
except NotRun as reason:
    print(f"carry, tree of queues: not compared with ns-3: {reason}")

messages = arrivals(ROWS)
many = ours(tree, messages)
report(
    "carry, tree of queues",
    many.hop_events / many.seconds / 1e6,
    "million hop-events/s",
    ROWS / many.seconds / (COMPARED / simpy_s),
    "simpy",
)
whole_s = seconds_from_file_to_file(messages)
report(
    "carry, a million rows from file to file", whole_s, "s", ROWS / whole_s / (COMPARED / simpy_s), "simpy in memory"
)
air = min((carried(*contended(), 1) for _ in range(3)), key=lambda each: each.seconds)
report(
    "carry, contended media",
    air.hop_events / air.seconds / 1e6,
    "million hop-events/s",
    air.hop_events / air.seconds / (COMPARED / simpy_s),
    "simpy's tree of queues, which has no contention,",
)
print(f"contended media: {air.summary()}")

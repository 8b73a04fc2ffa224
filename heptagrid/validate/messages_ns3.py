"""Delays recorded with ns-3: message by message over links, on average over a bus with carrier sense."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from typing import Any

import numpy as np

from heptagrid.engine.carry.network_file import CarryNetwork
from heptagrid.planes.messages.media import PLAIN_CARRIER_SENSE
from heptagrid.planes.messages.tables import Ints
from heptagrid.validate.carried import carried, linked, shared
from heptagrid.validate.case import DATA, Finding, case

RECORDED = DATA / "ns3"
WIRE_BYTES = 230  # 200 of payload, UDP 8, IPv4 20, PPP 2
BUS_BYTES = 246  # 200 of payload, UDP 8, IPv4 20, Ethernet 18
SEEDS = range(1, 6)  # of our back-offs: the mean of one run on an overloaded bus scatters by 1.4 %


@case("ns3-star", plane="messages", kind="exact", source="ns-3 3.44 (recorded): 500 senders, one bottleneck")
def ns3_star(live: bool) -> Iterator[Finding]:
    """Poisson messages, every one delivered."""
    yield from _against_recording("star", star(500))


@case("ns3-tree", plane="messages", kind="exact", source="ns-3 3.44 (recorded): 1,000 senders behind ten sub-hubs")
def ns3_tree(live: bool) -> Iterator[Finding]:
    """Periodic messages over four hops, every one delivered."""
    yield from _against_recording("tree", star(1000, fan=100))


@case(
    "ns3-star-queue",
    plane="messages",
    kind="exact",
    source="ns-3 3.44 (recorded): 560 senders overload a link whose queue holds ten packets",
)
def ns3_star_queue(live: bool) -> Iterator[Finding]:
    """The same messages find the queue full."""
    yield from _against_recording("star_queue", star(560, queue_packets=10))


def star(senders: int, fan: int = 0, queue_packets: int = -1) -> CarryNetwork:
    """Node 0 is the sink, node 1 the hub, then the senders; then, if `fan` is given, a sub-hub for so many senders each."""
    sender = np.arange(senders)
    sub_hub = np.arange(senders // fan if fan else 0) + 2 + senders
    own_hub = sub_hub[sender // fan] if fan else np.ones(senders, dtype=np.int64)
    source = np.concatenate([2 + sender, sub_hub, [1]])
    destination = np.concatenate([own_hub, np.ones(len(sub_hub), dtype=np.int64), [0]])
    is_bottleneck = source == 1
    return linked(
        2 + senders + len(sub_hub),
        source,
        destination,
        rate_bps=np.where(is_bottleneck, 1e6, 100e6),
        delay_ns=np.where(is_bottleneck, 5_000_000, 1_000_000),
        queue_packets=np.where(is_bottleneck, queue_packets, -1),
    )


def _against_recording(name: str, network: CarryNetwork) -> Iterator[Finding]:
    """Every delay to the nanosecond; with losses, the same messages lost."""
    sent_ns, sender, delay_ns = _recorded(name)
    come = carried(network, sent_ns, source=2 + sender, destination=0, size_bytes=WIRE_BYTES)
    theirs, ours = delay_ns >= 0, come.delivered_ns >= 0
    if not theirs.all():
        yield Finding("messages dropped", int(np.sum(~theirs)), int(np.sum(~ours)), 0)
    yield Finding("messages of another fate", 0, int(np.sum(theirs != ours)), 0)
    both = theirs & ours
    apart_ns = np.abs((come.delivered_ns - sent_ns - delay_ns)[both]).max()
    yield Finding("largest difference of a delay", 0.0, apart_ns * 1e-9, 1e-9, unit="s")


def _recorded(name: str) -> tuple[Ints, Ints, Ints]:
    """When each message was sent, by whom, and its delay; -1 if it was dropped."""
    with gzip.open(RECORDED / f"{name}.csv.gz", "rt") as file:
        rows = [[int(field or -1) for field in row] for row in csv.reader(file) if row[0] != "sent_ns"]
    sent_ns, sender, delay_ns = np.array(rows, dtype=np.int64).T
    return sent_ns, sender, delay_ns


@case(
    "ns3-csma",
    plane="messages",
    kind="exact",
    source="ns-3 3.44, csma channel (recorded): the same messages, other random back-offs",
)
def ns3_csma(live: bool) -> Iterator[Finding]:
    """100 and 1,000 senders on one bus, from half load to overload; what is compared is the average of many back-offs."""
    with (RECORDED / "bus.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            delays_s = [_over_bus(row, seed) * 1e-9 for seed in SEEDS]
            ours = {"delivered": np.mean([len(each) for each in delays_s])}
            ours |= {"mean_s": np.mean([each.mean() for each in delays_s])}
            ours |= {"p95_s": np.mean([np.quantile(each, 0.95) for each in delays_s])}
            ours |= {"p99_s": np.mean([np.quantile(each, 0.99) for each in delays_s])}
            for column, word in (("delivered", "delivered"), ("mean_s", "mean"), ("p95_s", "p95"), ("p99_s", "p99")):
                quantity, unit = f"{row['case']}: {word}", "s" if column.endswith("_s") else ""
                yield Finding(quantity, float(row[column]), float(ours[column]), 0.05, relative=True, unit=unit)


def _over_bus(row: dict[str, Any], seed: int) -> Ints:
    """Delays of what was delivered, of the messages that csma.cc was given."""
    senders, seconds = int(row["senders"]), float(row["duration_s"])
    random = np.random.default_rng(5)
    count = int(senders * seconds / float(row["period_s"]))
    sent_ns = np.sort(random.integers(0, int(seconds * 1e9), count))
    source = 1 + random.integers(0, senders, count)
    queue = int(row["queue_packets"] or -1)
    network = shared(senders, PLAIN_CARRIER_SENSE, rate_bps=1e6, delay_ns=6560, queue_packets=queue)
    come = carried(network, sent_ns, source=source, destination=0, size_bytes=BUS_BYTES, seed=seed)
    return (come.delivered_ns - sent_ns)[come.delivered_ns >= 0]

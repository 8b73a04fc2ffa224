"""Delays over point-to-point links, message by message, against ns-3: recorded, and with other links, run live."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from heptagrid.planes.messages.tables import Ints
from heptagrid.studies.carry.network import CarryNetwork
from heptagrid.validate.carried import carried, linked, poisson_ns
from heptagrid.validate.case import DATA, Finding, case
from heptagrid.validate.peers import peer, run_now

RECORDED = DATA / "ns3"
COLUMNS = ("rate_bps", "delay_ns", "queue_packets")
HEADER_BYTES = 30  # of the wire's: UDP 8, IPv4 20, PPP 2


@case("ns3-star", plane="messages", kind="exact", source="ns-3 3.44 (recorded): 500 senders, one bottleneck")
def ns3_star(live: bool) -> Iterator[Finding]:
    """Poisson messages, every one delivered."""
    yield from _against_recording("star", star(500))
    if live:
        yield from _against_ns3_now("at odd rates", Links(56e3, 333_000), Links(997e3, 5_000_123), 300, 5.0)


@case("ns3-tree", plane="messages", kind="exact", source="ns-3 3.44 (recorded): 1,000 senders behind ten sub-hubs")
def ns3_tree(live: bool) -> Iterator[Finding]:
    """Periodic messages over four hops, every one delivered."""
    yield from _against_recording("tree", star(1000, fan=100))
    if live:
        links = Links(7e6, 1_000_000), Links(1.1e6, 2_000_000)
        yield from _against_ns3_now("of ever other sizes", *links, 1000, 0.5, fan=50, middle=Links(333e3, 1))


@case(
    "ns3-star-queue",
    plane="messages",
    kind="exact",
    source="ns-3 3.44 (recorded): 560 senders overload a link whose queue holds ten packets",
)
def ns3_star_queue(live: bool) -> Iterator[Finding]:
    """The same messages find the queue full."""
    yield from _against_recording("star_queue", star(560, last=replace(LAST, queue_packets=10)))
    if live:
        links = Links(20e3, 1_000_000, 1), Links(997e3, 5_000_000, 5)
        middle = Links(200e3, 1_000_000, 2)
        yield from _against_ns3_now("short queues on all hops", *links, 400, 0.6, fan=40, middle=middle)


@dataclass(frozen=True)
class Links:
    """Links of one kind; `queue_packets` is -1 for an unbounded queue."""

    rate_bps: float
    delay_ns: int
    queue_packets: int = -1

    @property
    def of_ns3(self) -> str:
        """As our program against ns-3 takes them."""
        return f"{round(self.rate_bps)}bps,{self.delay_ns}ns,{self.queue_packets if self.queue_packets > 0 else 10**6}"


ACCESS, LAST = Links(100e6, 1_000_000), Links(1e6, 5_000_000)


def star(
    senders: int, fan: int = 0, *, access: Links = ACCESS, middle: Links = ACCESS, last: Links = LAST
) -> CarryNetwork:
    """Node 0 is the sink, node 1 the hub, then the senders; then, if `fan` is given, a sub-hub for so many senders each."""
    sender = np.arange(senders)
    sub_hub = np.arange(-(-senders // fan) if fan else 0) + 2 + senders
    own_hub = sub_hub[sender // fan] if fan else np.ones(senders, dtype=np.int64)
    kinds = np.repeat(np.arange(3), [senders, len(sub_hub), 1])
    columns = {name: np.array([getattr(each, name) for each in (access, middle, last)])[kinds] for name in COLUMNS}
    return linked(
        2 + senders + len(sub_hub),
        np.concatenate([2 + sender, sub_hub, [1]]),
        np.concatenate([own_hub, np.ones(len(sub_hub), dtype=np.int64), [0]]),
        **columns,
    )


def _against_recording(name: str, network: CarryNetwork) -> Iterator[Finding]:
    sent_ns, sender, delay_ns = _recorded(name)
    yield from _alike(network, sent_ns, sender, 200 + HEADER_BYTES, delay_ns)


def _against_ns3_now(
    word: str, access: Links, last: Links, senders: int, per_s: float, fan: int = 0, middle: Links = ACCESS
) -> Iterator[Finding]:
    """Messages of 50 to 500 bytes, `per_s` from each sender."""
    run = peer("ns3", f"delays, {word}")
    random = np.random.default_rng(senders)
    sent_ns = poisson_ns(random, 10_000, per_s * senders)
    sender, size = random.integers(0, senders, 10_000), random.integers(20, 470, 10_000)
    of_ns3 = {"access": access.of_ns3, "middle": middle.of_ns3, "last": last.of_ns3}
    delay_ns, _ = run.delays_ns("links", np.column_stack([sender, sent_ns, size]), n=senders, fan=fan, **of_ns3)
    network = star(senders, fan, access=access, middle=middle, last=last)
    for one in _alike(network, sent_ns, sender, size + HEADER_BYTES, delay_ns):
        yield replace(one, quantity=f"{one.quantity}, {word}, live", source=run_now("ns3"))


def _alike(
    network: CarryNetwork, sent_ns: Ints, sender: Ints, size_bytes: Ints | int, delay_ns: Ints
) -> Iterator[Finding]:
    """Every delay to the nanosecond; with losses, the same messages lost."""
    come = carried(network, sent_ns, source=2 + sender, destination=0, size_bytes=size_bytes)
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

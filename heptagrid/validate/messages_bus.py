"""Delays over a bus with plain carrier sense, on average, against ns-3's csma channel: recorded, and run live."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from heptagrid.planes.messages.media import PLAIN_CARRIER_SENSE
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.validate.carried import carried, shared
from heptagrid.validate.case import DATA, Finding, case
from heptagrid.validate.peers import peer, run_now

RECORDED = DATA / "ns3" / "bus.csv"
HEADER_BYTES = 46  # UDP 8, IPv4 20, Ethernet 18
DELAY_NS = 6560
SEEDS = range(1, 6)  # of our back-offs: one run on an overloaded bus scatters by 1.4 % of the mean
FIGURES = {"delivered": "", "mean": "s", "p95": "s", "p99": "s"}


@dataclass(frozen=True)
class Bus:
    """A bus and what is sent over it: 200 bytes at random times, each sender once in `period_s` on average."""

    name: str
    senders: int
    period_s: float
    duration_s: float
    queue_packets: int = -1
    rate_bps: float = 1e6

    def arrivals(self) -> Ints:
        """(n, 3) sender from 0, time in nanoseconds, bytes of payload; the same whenever it is asked."""
        random = np.random.default_rng(5)
        count = int(self.senders * self.duration_s / self.period_s)
        sent_ns = np.sort(random.integers(0, int(self.duration_s * 1e9), count))
        return np.column_stack([random.integers(0, self.senders, count), sent_ns, np.full(count, 200)])

    def ours_ns(self, seed: int) -> Ints:
        """Our delay of each message, -1 if it did not arrive."""
        sender, sent_ns, size = self.arrivals().T
        network = shared(
            self.senders,
            PLAIN_CARRIER_SENSE,
            rate_bps=self.rate_bps,
            delay_ns=DELAY_NS,
            queue_packets=self.queue_packets,
        )
        come = carried(network, sent_ns, source=1 + sender, destination=0, size_bytes=size + HEADER_BYTES, seed=seed)
        return np.where(come.delivered_ns >= 0, come.delivered_ns - sent_ns, -1)

    def of_ns3(self, run: int) -> dict[str, object]:
        """What our program against ns-3 is told; `run` is of its random numbers."""
        queue = self.queue_packets if self.queue_packets > 0 else 10**6
        return {"n": self.senders, "Q": queue, "R": f"{round(self.rate_bps)}bps", "D": f"{DELAY_NS}ns", "run": run}


def figures(runs: list[Ints]) -> Floats:
    """Delivered, mean, 95th and 99th percentile of the delay in seconds: (4,), on average over runs of the same messages."""
    each = []
    for delay_ns in runs:
        delay_s = 1e-9 * delay_ns[delay_ns >= 0]
        each.append([len(delay_s), delay_s.mean(), *np.quantile(delay_s, [0.95, 0.99])])
    return np.asarray(np.mean(each, axis=0))


def recorded() -> Iterator[tuple[Bus, Floats]]:
    """Each recorded case, and ns-3's figures."""
    with RECORDED.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            size = float(row["period_s"]), float(row["duration_s"]), int(row["queue_packets"] or -1)
            figures_of = np.array([float(row[name]) for name in ("delivered", "mean_s", "p95_s", "p99_s")])
            yield Bus(row["case"], int(row["senders"]), *size), figures_of


@case(
    "ns3-csma",
    plane="messages",
    kind="exact",
    source="ns-3 3.44, csma channel (recorded): the same messages, other random back-offs",
)
def ns3_csma(live: bool) -> Iterator[Finding]:
    """100 to 10,000 senders on one bus, from half load to overload; what is compared is the average of many back-offs."""
    for bus, theirs in recorded():
        yield from _alike(bus, bus.name, theirs)
    if live:
        for bus in (
            Bus("300 senders with room for one message each", 300, 0.45, 15, queue_packets=1),
            Bus("200 senders at 10 Mbit/s", 200, 0.05, 5, rate_bps=10e6),
        ):
            run = peer("ns3", f"{bus.name}, live")
            runs = [run.delays_ns("csma", bus.arrivals(), **bus.of_ns3(k))[0] for k in (1, 2, 3)]
            yield from _alike(bus, f"{bus.name}, live", figures(runs), run_now("ns3"))


def _alike(bus: Bus, name: str, theirs: Floats, source: str = "") -> Iterator[Finding]:
    ours = figures([bus.ours_ns(seed) for seed in SEEDS])
    for (word, unit), expected, found in zip(FIGURES.items(), theirs, ours, strict=True):
        yield Finding(f"{name}: {word}", float(expected), float(found), 0.05, relative=True, unit=unit, source=source)

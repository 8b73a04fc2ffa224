"""Delays over a channel of IEEE 802.15.4, on average, against ns-3's lr-wpan: recorded, and run live."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from heptagrid.planes.messages.media import IEEE_802_15_4
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.validate.carried import carried, shared
from heptagrid.validate.case import DATA, Finding, case
from heptagrid.validate.peers import peer, run_now

RECORDED = DATA / "ns3" / "lr_wpan.csv"
HEADER_BYTES = 17  # synchronisation 6, header 9, checksum 2
PAYLOAD_BYTES = 33
RATE_BPS = 250e3
PER_S = 2.0  # frames of each station
SEEDS = range(1, 6)  # of our back-offs
TOLERANCE = {"delivery": 0.01, "mean delay": 0.01, "p99 delay": 0.02}
"""Several standard errors of the difference; the 99th percentile lies on a grid of back-off slots, 320 us apart."""


@dataclass(frozen=True)
class Channel:
    """Stations within reach of one another, and so many unacknowledged frames to a sink, at random times."""

    stations: int
    frames: int = 20_000

    def arrivals(self) -> Ints:
        """(n, 3) sender from 0, time in nanoseconds, bytes of payload; the same whenever it is asked."""
        random = np.random.default_rng(3)
        sent_ns = np.sort(random.integers(0, int(self.frames / (self.stations * PER_S) * 1e9), self.frames))
        sender = random.integers(0, self.stations, self.frames)
        return np.column_stack([sender, sent_ns, np.full(self.frames, PAYLOAD_BYTES)])

    def ours_ns(self, seed: int) -> Ints:
        """Our delay of each frame, -1 if it did not arrive."""
        sender, sent_ns, size = self.arrivals().T
        network = shared(self.stations, replace(IEEE_802_15_4, ack_s=0.0), rate_bps=RATE_BPS)
        come = carried(network, sent_ns, source=1 + sender, destination=0, size_bytes=size + HEADER_BYTES, seed=seed)
        return np.where(come.delivered_ns >= 0, come.delivered_ns - sent_ns, -1)


def figures(runs: list[Ints]) -> Floats:
    """Share that arrives, mean and 99th percentile of the delay in seconds: (runs, 3)."""
    return np.array(
        [[np.mean(run >= 0), 1e-9 * run[run >= 0].mean(), 1e-9 * np.quantile(run[run >= 0], 0.99)] for run in runs]
    )


@case(
    "ns3-802.15.4",
    plane="messages",
    kind="exact",
    source="ns-3 3.44, lr-wpan (recorded): unslotted CSMA/CA, the same frames, other random back-offs, no capture",
)
def ns3_802_15_4(live: bool) -> Iterator[Finding]:
    """10 to 150 stations, two unacknowledged frames of 50 bytes a second from each."""
    with RECORDED.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            theirs = np.array([float(row[name]) for name in ("delivery", "mean_s", "p99_s")])
            yield from _alike(Channel(int(row["stations"])), theirs)
    if live:
        channel = Channel(70, 10_000)
        run = peer("ns3", f"802.15.4, {channel.stations} stations, live")
        runs = [run.delays_ns("lr_wpan", channel.arrivals(), n=channel.stations, run=k)[0] for k in (1, 2, 3)]
        yield from _alike(channel, figures(runs).mean(axis=0), ", live", run_now("ns3"))


def _alike(channel: Channel, theirs: Floats, word: str = "", source: str = "") -> Iterator[Finding]:
    ours = figures([channel.ours_ns(seed) for seed in SEEDS]).mean(axis=0)
    for (name, tolerance), expected, found in zip(TOLERANCE.items(), theirs, ours, strict=True):
        quantity, unit = f"{name}, {channel.stations} stations{word}", "s" if "delay" in name else ""
        yield Finding(quantity, float(expected), float(found), tolerance, relative=True, unit=unit, source=source)

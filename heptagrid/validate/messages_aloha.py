"""ALOHA, pure and in slots: what gets through of a Poisson load on one channel."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from heptagrid.planes.messages.media import Medium
from heptagrid.validate.carried import carried, poisson_ns, shared
from heptagrid.validate.case import Finding, case

STATIONS = 20_000  # so many that none has two messages at once
FRAME_S = 1e-3
LOADS = {0.1: 300_000, 0.5: 300_000, 1.0: 500_000, 2.0: 1_500_000}
"""Messages sent at each load; the more are lost, the more are needed."""


@case(
    "aloha-pure",
    plane="messages",
    kind="exact",
    source="Abramson, AFIPS Fall Joint Computer Conference 37, 1970: S = G exp(-2G)",
)
def aloha_pure(live: bool) -> Iterator[Finding]:
    """A frame is lost to any that begins within one frame's time before or after it."""
    yield from _throughput(Medium(access="aloha"), lambda load: load * math.exp(-2.0 * load))


@case(
    "aloha-slotted",
    plane="messages",
    kind="exact",
    source="Roberts, ACM SIGCOMM Computer Communication Review 5(2), 1975: S = G exp(-G)",
)
def aloha_slotted(live: bool) -> Iterator[Finding]:
    """A frame is lost to any other of its slot."""
    yield from _throughput(Medium(access="slotted-aloha", slot_s=FRAME_S), lambda load: load * math.exp(-load))


def _throughput(settings: Medium, theory: Callable[[float], float]) -> Iterator[Finding]:
    random = np.random.default_rng(1)
    for load, count in LOADS.items():
        network = shared(STATIONS, settings, rate_bps=1e6)
        sent_ns = poisson_ns(random, count, load / FRAME_S)
        source = random.integers(1, STATIONS + 1, count)
        come = carried(network, sent_ns, source=source, destination=0, size_bytes=round(FRAME_S * 1e6 / 8))
        ours = load * float(np.mean(come.delivered_ns >= 0))
        yield Finding(f"throughput at load {load}", theory(load), ours, 0.01, relative=True, unit="of the channel")

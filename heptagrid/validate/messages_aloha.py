"""ALOHA, pure and in slots: what gets through of a Poisson load on one channel."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from heptagrid.planes.messages.media import Medium
from heptagrid.validate.carried import share_through, shared
from heptagrid.validate.case import Finding, case

STATIONS = 20_000  # so many that none has two messages at once
FRAME_S = 1e-3
LOADS = (0.1, 0.5, 1.0, 2.0)


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
    network = shared(STATIONS, settings, rate_bps=1e6)
    for load in LOADS:
        expected = theory(load)
        share = share_through(network, STATIONS, load / FRAME_S, round(FRAME_S * 1e6 / 8), expected / load)
        quantity = f"throughput at load {load}"
        yield Finding(quantity, expected, load * share, 0.01, relative=True, unit="of the channel")

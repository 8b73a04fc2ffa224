"""CSMA/CA: carrier sense without back-off against theory, IEEE 802.15.4 against publications and a model."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from heptagrid.planes.messages.media import IEEE_802_15_4, Medium
from heptagrid.validate.carried import carried, poisson_ns, share_through, shared
from heptagrid.validate.case import Finding, case, within

RATE_BPS = 250e3


@case(
    "csma-non-persistent",
    plane="messages",
    kind="exact",
    source="Kleinrock and Tobagi, IEEE Trans. Communications 23(12), 1975, doi:10.1109/TCOM.1975.1092768",
)
def csma_non_persistent(live: bool) -> Iterator[Finding]:
    """Many stations look once; what begins is heard by the others after a tenth, or a hundredth, of a frame's time."""
    stations, frame_s = 20_000, 4e-3
    for late in (0.01, 0.1):
        settings = Medium(access="csma-ca", slot_s=1e-9, turnaround_s=late * frame_s)
        network = shared(stations, settings, rate_bps=RATE_BPS)
        for load in (0.5, 2.0, 8.0):
            theory = load * math.exp(-late * load) / (load * (1.0 + 2.0 * late) + math.exp(-late * load))
            ours = load * share_through(network, stations, load / frame_s, 125, theory / load)
            quantity = f"throughput at load {load}, heard after {late}"
            yield Finding(quantity, theory, ours, 0.01, relative=True, unit="of the channel")


@case(
    "802.15.4-one-sender",
    plane="messages",
    kind="exact",
    source="Latré et al., J. of Networks 1(1), 2006: 64.9 % of 250 kbit/s at most, unslotted, no addresses; the acknowledged figure by its formula",
)
def one_sender(live: bool) -> Iterator[Finding]:
    """One saturated sender of the longest frames; the paper counts neither the look at the channel nor the turnaround to sending."""
    payload_bytes, overhead_bytes, frames = 122, 6 + 5, 400_000
    bare = replace(IEEE_802_15_4, sense_s=0.0, turnaround_s=0.0, header_bytes=overhead_bytes)
    back_off_s, frame_s, gap_s = 3.5 * 320e-6, 8 * (payload_bytes + overhead_bytes) / RATE_BPS, 640e-6
    answer_s = 192e-6 + 352e-6
    with_answer_s = back_off_s + frame_s + answer_s + gap_s
    for word, ack_s, expected in (
        ("without acknowledgement", 0.0, 0.649),
        ("with acknowledgement", answer_s, 8 * payload_bytes / with_answer_s / RATE_BPS),
    ):
        network = shared(1, replace(bare, ack_s=ack_s), rate_bps=RATE_BPS)
        come = carried(network, np.zeros(frames, dtype=np.int64), source=1, destination=0, size_bytes=payload_bytes)
        ours = 8 * payload_bytes * frames / (come.delivered_ns.max() * 1e-9) / RATE_BPS
        yield Finding(f"throughput {word}", expected, ours, 0.0005, unit="of the rate")


@case(
    "802.15.4-contention",
    plane="messages",
    kind="band",
    source="own model after Kleinrock and Tobagi (1975) and the back-off of IEEE 802.15.4-2006: looks at the channel taken for Poisson",
)
def contention(live: bool) -> Iterator[Finding]:
    """Unacknowledged frames of 50 bytes, two a second from each station; a band of 5 % of what arrives, 10 % of its delay.

    The model is not the truth: a look that found the channel busy is often followed by one at the same frame, which it ignores, as
    it ignores the wait for the station's own frame before.
    """
    wire_bytes, per_s, random = 50, 2.0, np.random.default_rng(1)
    settings = replace(IEEE_802_15_4, ack_s=0.0)
    for stations in (10, 50, 100, 150):
        delivery, delay_s = _model(settings, stations * per_s, 8 * wire_bytes / RATE_BPS)
        count = 400_000
        network = shared(stations, settings, rate_bps=RATE_BPS)
        sent_ns = poisson_ns(random, count, stations * per_s)
        source = random.integers(1, stations + 1, count)
        come = carried(network, sent_ns, source=source, destination=0, size_bytes=wire_bytes)
        there = come.delivered_ns >= 0
        ours_s = float(np.mean((come.delivered_ns - sent_ns)[there])) * 1e-9
        yield within(f"delivery, {stations} stations", 0.95 * delivery, 1.05 * delivery, float(there.mean()))
        yield within(f"mean delay, {stations} stations", 0.9 * delay_s, 1.1 * delay_s, ours_s, unit="s")


def _model(settings: Medium, frames_per_s: float, frame_s: float) -> tuple[float, float]:
    """Share of the frames that arrive, and their mean delay.

    Every look finds the channel busy with the same probability, that of Kleinrock and Tobagi at the rate of all looks; after so
    many busy looks as the standard allows, the frame is given up.
    """
    late_s, most = settings.turnaround_s, settings.back_offs + 1
    busy = 0.0
    for _ in range(200):
        looks_per_s = frames_per_s * sum(busy**k for k in range(most))
        spread_s = late_s - (1.0 - math.exp(-late_s * looks_per_s)) / looks_per_s
        heard_s = frame_s + spread_s
        busy = 0.5 * busy + 0.5 * heard_s / (heard_s + late_s + 1.0 / looks_per_s)
    alone = math.exp(-late_s * looks_per_s) / (1.0 + late_s * looks_per_s)
    low, high = settings.exponents
    back_off_s = [0.5 * (2 ** min(low + k, high) - 1) * settings.slot_s + settings.sense_s for k in range(most)]
    chance = [busy**k * (1.0 - busy) for k in range(most)]
    waited_s = sum(each * sum(back_off_s[: k + 1]) for k, each in enumerate(chance)) / sum(chance)
    return sum(chance) * alone, waited_s + late_s + frame_s

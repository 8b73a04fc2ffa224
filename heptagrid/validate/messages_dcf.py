"""Saturated stations under the distributed coordination function of IEEE 802.11, against Bianchi's model.

In Bianchi (2000) every counter falls by one over a busy period. In the standard, as here, counters freeze, and only who has just sent
and drawn no slots may begin right after DIFS: one time in W it sends again and nobody collides with it. ns-3's form of the
model counts these frames; for Bianchi's channel the two forms differ by less than 1 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from heptagrid.planes.messages.media import DCF_OFDM, Medium
from heptagrid.validate.carried import carried, shared
from heptagrid.validate.case import Finding, case

STATIONS = (5, 10, 20, 50)


@dataclass(frozen=True)
class Saturation:
    """A channel and its stations' settings, in seconds: a frame on the air, and what follows on success and collision.

    windows: least and most slots. again: share of the frames after which the sender sends again at once; 0 in Bianchi (2000).
    """

    payload_bits: int
    frame_s: float
    slot_s: float
    sifs_s: float
    difs_s: float
    ack_s: float
    after_collision_s: float
    windows: tuple[int, int]
    again: float

    def throughput_bps(self, stations: int) -> float:
        """Payload that gets through: Bianchi (2000), equations 7 to 13; with `again`, ns-3's Bianchi11a.m."""
        least, most = self.windows
        doublings = round(np.log2(most / least))
        low, high = 0.0, 1.0
        for _ in range(100):
            tau = 0.5 * (low + high)
            p = 1.0 - (1.0 - tau) ** (stations - 1)
            sends = 2.0 / (1.0 + least + p * least * sum((2.0 * p) ** k for k in range(doublings)))
            low, high = (tau, high) if sends > tau else (low, tau)
        idle, alone = (1.0 - tau) ** stations, stations * tau * (1.0 - tau) ** (stations - 1)
        success_s = self.frame_s + self.sifs_s + self.ack_s + self.difs_s
        if self.again:
            success_s = success_s / (1.0 - self.again) + self.slot_s
        collision_s = self.frame_s + self.after_collision_s + self.difs_s
        mean_s = idle * self.slot_s + alone * success_s + (1.0 - idle - alone) * collision_s
        return float(alone * self.payload_bits / (1.0 - self.again) / mean_s)

    @property
    def medium(self) -> Medium:
        """The same for the kernel: all of a frame's time is a lead, and its bits take none."""
        exponents = tuple(round(np.log2(window)) for window in self.windows)
        return replace(
            DCF_OFDM,
            slot_s=self.slot_s,
            exponents=(exponents[0], exponents[1]),
            turnaround_s=self.sifs_s,
            ack_s=self.ack_s,
            gap_s=self.difs_s,
            collision_gap_s=self.after_collision_s,
            frame_s=self.frame_s,
        )

    def carried_bps(self, stations: int, frames: int = 60_000) -> float:
        """What gets through between a tenth and nine tenths of the time until the first station has sent all it had."""
        each = frames // stations
        network = shared(stations, self.medium, rate_bps=1e18, retries=-1)
        source = np.repeat(np.arange(1, stations + 1), each)
        come = carried(network, np.zeros(len(source), dtype=np.int64), source=source, destination=0, size_bytes=1)
        all_sent_ns = min(int(come.delivered_ns[source == k].max()) for k in range(1, stations + 1))
        begin_ns, end_ns = 0.1 * all_sent_ns, 0.9 * all_sent_ns
        through = np.sum((come.delivered_ns > begin_ns) & (come.delivered_ns <= end_ns))
        return float(through) * self.payload_bits / (end_ns - begin_ns) * 1e9


FHSS = Saturation(
    payload_bits=8184,
    frame_s=(8184 + 272 + 128) * 1e-6,
    slot_s=50e-6,
    sifs_s=29e-6,  # and the way there
    difs_s=128e-6,
    ack_s=241e-6,  # 112 + 128 bits, and the way back
    after_collision_s=1e-6,
    windows=(32, 256),
    again=0.0,
)
FHSS_PUBLISHED = {5: 0.8097, 10: 0.7532, 20: 0.6788, 50: 0.5529}


@case(
    "bianchi-fhss",
    plane="messages",
    kind="exact",
    source="Bianchi, IEEE J. Selected Areas in Communications 18(3), 2000, doi:10.1109/49.840210: Table II, basic access, W = 32, m = 3",
)
def bianchi_fhss(live: bool) -> Iterator[Finding]:
    """1 Mbit/s, payloads of 8,184 bits: success takes 8,982 microseconds, a collision 8,713."""
    for stations, published in FHSS_PUBLISHED.items():
        model = FHSS.throughput_bps(stations) / 1e6
        yield Finding(f"model solved here, {stations} stations", published, model, 0.5e-4, unit="of the channel")
        ours = FHSS.carried_bps(stations) / 1e6
        yield Finding(f"throughput, {stations} stations", model, ours, 0.03, relative=True, unit="of the channel")


def _symbols_s(bits: int, rate_bps: float) -> float:
    """Time of an OFDM frame: preamble, then symbols of 4 microseconds with 16 bits of service and 6 of tail."""
    return 20e-6 + 4e-6 * math.ceil((16 + bits + 6) / (rate_bps * 4e-6) - 1e-9)


OFDM = Saturation(
    payload_bits=12_000,
    frame_s=_symbols_s(12_000 + 8 * 28 + 48, 54e6),
    slot_s=9e-6,
    sifs_s=16e-6,
    difs_s=34e-6,
    ack_s=_symbols_s(112, 24e6) + 1e-7,
    after_collision_s=16e-6 + _symbols_s(112, 24e6) + 1e-7,
    windows=(16, 1024),
    again=1.0 / 16.0,
)
OFDM_PUBLISHED = {5: 29.2861, 10: 27.3763, 20: 25.3325, 50: 22.4162}


@case(
    "bianchi-ofdm",
    plane="messages",
    kind="exact",
    source="ns-3, src/wifi/examples/wifi-bianchi.cc: table of Bianchi's model with EIFS (reference/Bianchi11a.m, BSD-3-Clause)",
)
def bianchi_ofdm(live: bool) -> Iterator[Finding]:
    """802.11a at 54 Mbit/s, payloads of 1,500 bytes; the table was made on a grid of 10,000 values, hence 0.1 %."""
    for stations, published in OFDM_PUBLISHED.items():
        model = OFDM.throughput_bps(stations) / 1e6
        yield Finding(f"model solved here, {stations} stations", published, model, 1e-3, relative=True, unit="Mbit/s")
        ours = OFDM.carried_bps(stations) / 1e6
        yield Finding(f"throughput, {stations} stations", model, ours, 0.03, relative=True, unit="Mbit/s")

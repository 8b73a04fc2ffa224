"""Stations of IEEE 802.11 of which some do not hear each other, without RTS: what they get through, and when."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from heptagrid.planes.messages.media import DCF_OFDM
from heptagrid.planes.messages.tables import Ints
from heptagrid.validate import plain_dcf
from heptagrid.validate.carried import carried, shared
from heptagrid.validate.case import DATA, Finding, case
from heptagrid.validate.peers import peer, run_now

RECORDED = DATA / "ns3" / "wifi.csv"
PAYLOAD_BYTES = 500
SIFS_S, ACK_S = 16e-6, 28e-6
TIMEOUT_S = 45e-6  # of an acknowledgement, in ns-3: SIFS, a slot, and the preamble and header of what should come
APART_M, HEARD_M = 50.0, 60.0
FRAME_S = 200e-6  # 20 us of preamble and 45 symbols of 4 us for 536 bytes, 16 bits of service and 6 of tail
RETRIES = 100  # hardly any is given up
WINDOW_EXPONENT = 8
FRAMES = 20_000
SEEDS = range(1, 4)  # of our back-offs


@dataclass(frozen=True)
class TwoGroups:
    """Stations by turns on either side of an access point, 50 m from it: the two groups do not hear each other."""

    stations: int
    retries: int = 7
    exponents: tuple[int, int] = (4, 10)
    after_collision_s: float = SIFS_S + ACK_S

    @property
    def x_m(self) -> list[float]:
        return [0.0, *(APART_M if k % 2 else -APART_M for k in range(self.stations))]

    def at_random(self, per_s: float, frames: int = FRAMES) -> Ints:
        """(n, 3) sender from 0, time in nanoseconds, bytes of payload: so many frames a second from each at random."""
        random = np.random.default_rng(3)
        sent_ns = np.sort(random.integers(0, int(frames / (self.stations * per_s) * 1e9), frames))
        return np.column_stack([random.integers(0, self.stations, frames), sent_ns, np.full(frames, PAYLOAD_BYTES)])

    def at_once(self) -> Ints:
        """(n, 3) the same, all of them at the beginning."""
        each = FRAMES // self.stations
        sender = np.tile(np.arange(self.stations), each)
        return np.column_stack([sender, np.zeros_like(sender), np.full(len(sender), PAYLOAD_BYTES)])

    def ours_ns(self, arrivals: Ints, seed: int = 1) -> Ints:
        """(n,) when each frame has come to the access point, -1 if it has not."""
        settings = replace(DCF_OFDM, frame_s=FRAME_S, exponents=self.exponents, ack_s=ACK_S)
        settings = replace(settings, collision_gap_s=self.after_collision_s, sense_m=HEARD_M, interfere_m=HEARD_M)
        xy_m = np.column_stack([self.x_m, np.zeros(1 + self.stations)])
        network = shared(self.stations, settings, xy_m=xy_m, rate_bps=1e18, retries=self.retries)
        sender, sent_ns, size = arrivals.T
        come = carried(network, sent_ns, source=1 + sender, destination=0, size_bytes=size, seed=seed)
        return np.where(come.delivered_ns >= 0, come.delivered_ns - round((SIFS_S + ACK_S) * 1e9), -1)

    def plain_ns(self, arrivals: Ints) -> Ints:
        """(n,) the same by the plain simulation."""
        channel = plain_dcf.Channel(
            frame_ns=round(FRAME_S * 1e9),
            after_collision_ns=round(self.after_collision_s * 1e9),
            windows=(1 << self.exponents[0], 1 << self.exponents[1]),
            retries=self.retries,
        )
        cell = plain_dcf.Cell(self.x_m, HEARD_M, channel, seed=1)
        there = cell.carry(arrivals[:, 1].tolist(), (1 + arrivals[:, 0]).tolist())
        return np.array([there.get(k, -1) for k in range(len(arrivals))])


def through_bps(arrivals: Ints, there_ns: Ints) -> float:
    """Payload a second between a tenth and nine tenths of the time until the first station has sent all it had."""
    sender = arrivals[:, 0]
    all_sent_ns = min(int(there_ns[sender == k].max()) for k in range(sender.max() + 1))
    through = np.sum((there_ns > 0.1 * all_sent_ns) & (there_ns <= 0.9 * all_sent_ns))
    return float(through) * 8 * PAYLOAD_BYTES / (0.8 * all_sent_ns) * 1e9


@case(
    "dcf-hidden-stations",
    plane="messages",
    kind="exact",
    source="plain simulation, here, of the distributed coordination function (IEEE 802.11-2012, 9.3) at 24 Mbit/s; stations hear 60 m",
)
def dcf_hidden_stations(live: bool) -> Iterator[Finding]:
    """Half of the stations 50 m to the left of the access point, half to the right: 500 bytes at random times."""
    for stations, per_s in ((10, 50.0), (10, 100.0), (20, 50.0)):
        cell = TwoGroups(stations)
        arrivals = cell.at_random(per_s)
        plain_ns, ours_ns = cell.plain_ns(arrivals), cell.ours_ns(arrivals)
        words = f"{stations} stations, {per_s:g} frames a second each"
        yield Finding(f"delivery, {words}", float(np.mean(plain_ns >= 0)), float(np.mean(ours_ns >= 0)), 0.005)
        plain_s, ours_s = (float((there - arrivals[:, 1])[there >= 0].mean()) * 1e-9 for there in (plain_ns, ours_ns))
        yield Finding(f"mean delay, {words}", plain_s, ours_s, 0.1, relative=True, unit="s")


@case(
    "ns3-wifi-hidden",
    plane="messages",
    kind="exact",
    source="ns-3 3.44, wifi (recorded): IEEE 802.11a, the same frames all at once, other random back-offs",
)
def ns3_wifi_hidden(live: bool) -> Iterator[Finding]:
    """Saturated stations, half of which do not hear the other half.

    The window is always 256 slots, for ns-3 keeps a wide one after a frame is given up. There a station hears at once what begins, here
    after a slot: with ten others beyond hearing that costs some per cent.
    """
    with RECORDED.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield _alike(int(row["stations"]), float(row["through_bps"]))
    if live:
        stations = 6
        run = peer("ns3", f"802.11, {stations} hidden stations, live")
        yield _alike(stations, theirs_bps(run, stations, 1), ", live", run_now("ns3"))


def theirs_bps(run: object, stations: int, number: int) -> float:
    """What gets through in ns-3, with random numbers of that number."""
    arrivals = TwoGroups(stations).at_once()
    settings = {"n": stations, "retries": RETRIES, "window": 1 << WINDOW_EXPONENT, "run": number}
    delays = run.delays_ns("wifi", arrivals, **settings)[0]  # type: ignore[attr-defined]
    return through_bps(arrivals, np.where(delays >= 0, arrivals[:, 1] + delays, -1))


def _alike(stations: int, theirs: float, word: str = "", source: str = "") -> Finding:
    exponents = (WINDOW_EXPONENT, WINDOW_EXPONENT)
    cell = TwoGroups(stations, retries=RETRIES, exponents=exponents, after_collision_s=TIMEOUT_S)
    arrivals = cell.at_once()
    ours = float(np.mean([through_bps(arrivals, cell.ours_ns(arrivals, seed)) for seed in SEEDS]))
    quantity = f"throughput, {stations} stations{word}"
    return Finding(quantity, theirs / 1e6, ours / 1e6, 0.05, relative=True, unit="Mbit/s", source=source)

"""LoRaWAN uplinks: time on air, and what is lost to other uplinks, without and with capture."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from heptagrid.planes.messages.media import Medium
from heptagrid.validate.carried import carried, share_through, shared
from heptagrid.validate.case import Finding, case

DEVICES = 5_000
HEADER_BYTES = 13
PAYLOAD_BYTES = 20
EXPONENT = 3.5
SHEET = "The Things Network's sheet of airtimes, docs.google.com/spreadsheets/d/1voGAtQAjC1qBmaVuP1ApNKs1ekgUjavHuVQIXyYSvNc"


def airtime_s(frame_bytes: int, factor: int) -> float:
    """Semtech AN1200.13, 125 kHz, coding rate 4/5, header and checksum, 8 symbols of preamble."""
    symbol_s = 2**factor / 125e3
    slow = factor >= 11
    blocks = math.ceil((8 * frame_bytes - 4 * factor + 28 + 16) / (4 * (factor - 2 * slow)))
    return float((8 + 4.25 + 8 + 5 * max(0, blocks)) * symbol_s)


@case(
    "lora-time-on-air",
    plane="messages",
    kind="exact",
    source="Semtech AN1200.13, LoRa Modem Designer's Guide, 2013",
)
def lora_time_on_air(live: bool) -> Iterator[Finding]:
    """One uplink of 51 bytes, 64 with its headers, at each spreading factor; and the shortest one at factor 9."""
    for factor in range(7, 13):
        yield Finding(f"64 bytes at factor {factor}", airtime_s(64, factor), _uplink_s(51, factor), 1e-9, unit="s")
    yield Finding("13 bytes at factor 9", 0.164864, _uplink_s(0, 9), 1e-9, unit="s", source=SHEET)


def _uplink_s(payload_bytes: int, factor: int) -> float:
    """How long one uplink takes from a device beside the gateway."""
    settings = Medium(access="class-a", header_bytes=HEADER_BYTES)
    network = shared(1, settings, spreading=factor, rate_bps=1.0)
    come = carried(network, np.zeros(1, dtype=np.int64), source=1, destination=0, size_bytes=payload_bytes)
    return float(come.delivered_ns[0]) * 1e-9


@case(
    "lorawan-collisions",
    plane="messages",
    kind="exact",
    source="pure ALOHA in each channel: exp(-2G) of the uplinks arrive (Abramson 1970), where nothing is captured",
)
def lorawan_collisions(live: bool) -> Iterator[Finding]:
    """Uplinks of one spreading factor over one channel, and over three that are drawn."""
    for channels, load in ((1, 0.1), (1, 0.5), (3, 0.1), (3, 0.5)):
        expected = math.exp(-2.0 * load)
        arrive = _arriving(Medium(access="class-a", header_bytes=HEADER_BYTES, channels=channels), load, expected)
        quantity = f"delivery, load {load} in each of {channels} channels" if channels > 1 else f"delivery, load {load}"
        yield Finding(quantity, expected, arrive, 0.01, relative=True)


@case(
    "lorawan-capture",
    plane="messages",
    kind="exact",
    source="closed form, here, of capture between pairs of devices spread evenly over a disc; 6 dB as in Bor et al., ACM MSWiM 2016",
)
def lorawan_capture(live: bool) -> Iterator[Finding]:
    """A frame survives all that are weaker by 6 dB; only devices within a multiple of its own distance disturb it.

    With u the squared distance in parts of the disc's, and c the squared ratio of distances that makes 6 dB, a frame
    survives with probability exp(-2G min(1, c u)); its mean over the disc has a closed form.
    """
    radius_m = 1000.0
    random = np.random.default_rng(2)
    share, angle = (np.arange(DEVICES) + 0.5) / DEVICES, random.uniform(0.0, 2.0 * np.pi, DEVICES)
    far_m = radius_m * np.sqrt(share)
    xy_m = np.vstack([[0.0, 0.0], np.column_stack([far_m * np.cos(angle), far_m * np.sin(angle)])])
    settings = Medium(access="class-a", header_bytes=HEADER_BYTES, capture_db=6.0, path_exponent=EXPONENT)
    ratio = 10.0 ** (2.0 * 6.0 / (10.0 * EXPONENT))
    for load in (0.1, 0.5, 1.0):
        lost = math.exp(-2.0 * load)
        mean = (1.0 - lost) / (2.0 * load * ratio) + (1.0 - 1.0 / ratio) * lost
        yield Finding(f"delivery, load {load}", mean, _arriving(settings, load, mean, xy_m), 0.01, relative=True)


def _arriving(settings: Medium, load: float, expected: float, xy_m: npt.NDArray[np.float64] | None = None) -> float:
    """Share of the uplinks that arrive at a load of each channel."""
    network = shared(DEVICES, settings, spreading=7, xy_m=xy_m, rate_bps=1.0)
    per_s = load * settings.channels / airtime_s(PAYLOAD_BYTES + HEADER_BYTES, 7)
    return share_through(network, DEVICES, per_s, PAYLOAD_BYTES, expected)

"""LoRaWAN uplinks: time on air, what is lost to other uplinks, without and with capture, and over the radius."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from heptagrid.planes.messages.media import Medium
from heptagrid.studies.carry.network_file import build_network
from heptagrid.validate.carried import carried, share_through, shared
from heptagrid.validate.case import Finding, case
from heptagrid.validate.plain_lorawan import airtime_s, delivered

DEVICES = 5_000
HEADER_BYTES = 13
PAYLOAD_BYTES = 20
EXPONENT = 3.5
SHEET = "The Things Network's sheet of airtimes, docs.google.com/spreadsheets/d/1voGAtQAjC1qBmaVuP1ApNKs1ekgUjavHuVQIXyYSvNc"


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


@case(
    "lorawan-radius",
    plane="messages",
    kind="exact",
    source="plain simulation, here, of pure ALOHA with capture; airtimes of AN1200.13, the least factor with 3 dB to spare (SX1272 data sheet)",
)
def lorawan_radius(live: bool) -> Iterator[Finding]:
    """1,000 meters spread evenly around a gateway, 20 bytes every 15 minutes for two hours: the farther out, the slower and the more lost.

    0.969, 0.933 and 0.805 were found elsewhere at the three radii.
    """
    for radius_m in (1000.0, 2000.0, 2500.0):
        plain, ours = over_the_radius(radius_m, meters=1000, readings=8)
        yield Finding(f"delivery within {radius_m / 1000.0:g} km", plain, ours, 0.02)


def over_the_radius(radius_m: float, meters: int, readings: int) -> tuple[float, float]:
    """The share of readings, one each quarter of an hour, that arrives: carried plainly, and by `carry_messages`."""
    random = np.random.default_rng(7)
    far_m, angle = radius_m * np.sqrt(random.random(meters)), 2.0 * np.pi * random.random(meters)
    sent_s = (random.uniform(0.0, 900.0, (readings, meters)) + 900.0 * np.arange(readings)[:, None]).ravel()
    device = np.tile(np.arange(meters), readings)
    x_m, y_m = (far_m * np.cos(angle)).tolist(), (far_m * np.sin(angle)).tolist()
    names = ["gateway", *(f"meter {k}" for k in range(meters))]
    nodes: list[dict[str, object]] = [{"name": names[0]}]
    nodes += [{"name": name, "x_m": x, "y_m": y} for name, x, y in zip(names[1:], x_m, y_m, strict=True)]
    medium = {"technology": "lorawan", "loss": 0.0, "members": names}
    network = build_network({"node": nodes, "medium": [medium]}, "a validation case")
    sent_ns = np.rint(sent_s * 1e9).astype(np.int64)
    come = carried(network, sent_ns, source=1 + device, destination=0, size_bytes=PAYLOAD_BYTES)
    plain = delivered(far_m.tolist(), sent_s.tolist(), device.tolist(), PAYLOAD_BYTES, seed=1)
    return plain, float((come.delivered_ns >= 0).mean())

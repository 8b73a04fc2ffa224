"""LoRaWAN in the European 868 MHz band, class A: the farther a device, the slower it speaks."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.technology import NS_PER_KM_RADIO, Costs, LinkBudget, Technology

Array = Any


@dataclass(frozen=True)
class Spreading:
    """What a spreading factor at 125 kHz gives: most payload of a frame, received power needed, bit rate."""

    payload_bytes: int
    sensitivity_dbm: float
    rate_bps: float


SPREADING = {
    7: Spreading(222, -124.0, 5470.0),
    8: Spreading(222, -127.0, 3125.0),
    9: Spreading(115, -130.0, 1760.0),
    10: Spreading(51, -133.0, 980.0),
    11: Spreading(51, -135.0, 440.0),
    12: Spreading(51, -137.0, 250.0),
}
"""Payloads: RP002 EU868 with room for a repeater, source not read (LoRaMac-node allows 242 at 7 and 8). Sensitivities: SX1272
data sheet as in the ns-3 module lorawan. Rates: RAKwireless data-rate appendix."""

BUDGET = LinkBudget(sent_dbm=14.0, sensitivity_dbm=-137.0, loss_1m_db=31.2, exponent=3.5)

LORAWAN = Technology(
    name="lorawan",
    title="LoRaWAN EU868, class A",
    networks=("access",),
    medium=Medium(
        access="class-a",
        frame_s=12.25 * 0.032768,
        channels=3,
        duty_cycle=0.01,
        receive_delay_s=1.0,
        second_spreading=12,
        second_duty_cycle=0.1,
        capture_db=6.0,
        path_exponent=3.5,
    ),
    uplink_bps=250.0,
    downlink_bps=250.0,
    layers=(("MAC header", 1), ("frame header", 7), ("port", 1), ("integrity code", 4)),
    payload_bytes=51,
    fragments=True,
    delay_s=0.1,
    retries=0,
    ns_per_km=NS_PER_KM_RADIO,
    range_m=2000.0,
    budget=BUDGET,
    loss=0.01,
    multi_hop=False,
    members_per_site=1000,
    costs=Costs(15.0, 0.0, 1500.0, 460.0),
    sources={
        "networks": "assumption: meters and sensors to a gateway",
        "medium": "three default channels, 1 % of the time; windows 1 s and 2 s after an uplink, the second at 869.525 MHz and factor 12 in a "
        "band of 10 % (LoRaMac-node RegionEU868.h: LC1 to LC3 in band 1, RECEIVE_DELAY1, RX_WND_2_FREQ, RX_WND_2_DR, BAND3); capture 6 dB, source not read; preamble of "
        "12.25 symbols of 32.768 ms at spreading factor 12 (Semtech AN1200.13), used only where no factor is set; a downlink has no checksum of its "
        "payload, and inverted chirps that no uplink disturbs (LoRaMac-node's regions listen with crcOn false and iqInverted true)",
        "uplink_bps": "at spreading factor 12 (RAKwireless data-rate appendix); a nearer device is faster: SPREADING",
        "downlink_bps": "the same",
        "layers": "13 bytes (Semtech LoRaWAN-lib LoRaMac.cpp)",
        "payload_bytes": "51 at factors 10 to 12 (LoRaMac-node RegionEU868.h), for all; SPREADING has those of each",
        "fragments": "assumption: by the application, as in LoRaWAN TS004; each part is a frame of its own",
        "delay_s": "assumption: gateway to network server",
        "retries": "unconfirmed uplinks are sent once",
        "ns_per_km": "speed of light",
        "range_m": "assumption: in a town, at spreading factor 12",
        "budget": "14 dBm of at most 16 dBm (LoRaMac-node RegionEU868.h); -137 dBm at factor 12 (SX1272 data sheet as in the ns-3 "
        "module lorawan); urban exponent 3.5: assumption",
        "loss": "assumption: other users of the band",
        "multi_hop": "every device speaks to gateways",
        "members_per_site": "assumption: some uplinks an hour each",
        "costs": "device 15 EUR, gateway 1500 EUR and 100 EUR a year, network server 300 EUR a month (worked example of IoT Class, "
        "2024), shared by ten gateways: assumption",
    },
    not_modelled="reception of one device by several gateways; that a gateway demodulates no more than eight frames "
    "at once; interference between spreading factors and from other networks; rates that change during operation "
    "(adaptive data rate); joining; that the slower rate of the second receive window reaches farther than the rate "
    "of a near device",
)


class Star(NamedTuple):
    """Devices around a gateway: (devices,) spreading factor, most payload of a frame, probability that noise loses one."""

    spreading: Array
    payload_bytes: Array
    frame_error: Array


def star(distance_m: Array, spreading: int | None = None) -> Star:
    """The devices at these distances (devices,) from their gateway, each at its own factor, or all at the one given."""
    return star_at(BUDGET.margin_db(distance_m), spreading)


def star_at(margin_db: Array, spreading: int | None = None) -> Star:
    """The same by received power above the sensitivity at spreading factor 12, (devices,)."""
    factors = factors_at(margin_db) if spreading is None else np.full(np.shape(margin_db), spreading)
    rows = [SPREADING[int(factor)] for factor in factors]
    sensitivity_dbm = np.array([row.sensitivity_dbm for row in rows])
    above_db = margin_db + BUDGET.sensitivity_dbm - sensitivity_dbm
    return Star(factors, np.array([row.payload_bytes for row in rows]), BUDGET.error_at(above_db))


def spreading_factors(distance_m: Array, margin_db: float = 3.0) -> Array:
    """The least spreading factor whose sensitivity leaves that margin at each distance; 12 where none does."""
    return factors_at(BUDGET.margin_db(distance_m), margin_db)


def factors_at(above_db: Array, margin_db: float = 3.0) -> Array:
    """The same by received power above the sensitivity at factor 12."""
    chosen = np.full(np.shape(above_db), max(SPREADING))
    for factor in sorted(SPREADING, reverse=True):
        margin = above_db + BUDGET.sensitivity_dbm - SPREADING[factor].sensitivity_dbm
        chosen = np.where(margin >= margin_db, factor, chosen)
    return chosen

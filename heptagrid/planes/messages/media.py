"""A shared medium's settings: how its members take turns, with every constant of the method in one place."""

from __future__ import annotations

import math
from dataclasses import dataclass

from heptagrid.planes.messages.tables import (
    ALOHA,
    CARRIER_SENSE,
    CELLULAR,
    CLASS_A,
    CSMA_CA,
    DCF,
    SHARED_QUEUE,
    SLOTTED_ALOHA,
    SLOTTED_CSMA_CA,
    TDMA,
)

METHODS = {
    "csma": CARRIER_SENSE,
    "csma-ca": CSMA_CA,
    "slotted-csma-ca": SLOTTED_CSMA_CA,
    "dcf": DCF,
    "aloha": ALOHA,
    "slotted-aloha": SLOTTED_ALOHA,
    "tdma": TDMA,
    "cellular": CELLULAR,
    "class-a": CLASS_A,
    "queue": SHARED_QUEUE,
}
"""The methods of access by name."""


@dataclass(frozen=True)
class Medium:
    """How a medium is shared. A method reads its own constants and ignores the others.

    access: a name of `METHODS`. slot_s: back-off period, contention slot, or slot of time division.
    exponents: least and most doublings of the back-off range. back_offs: looks at a busy channel (or random-access
    attempts of a cell) before giving up. sense_s: how long a look takes. turnaround_s: from receiving to sending.
    ack_s: time of a link-layer acknowledgement on the air; 0 for none, and then nothing is sent again.
    ack_wait_s: how long a sender waits for it. gap_s: between frames (DIFS in 802.11). collision_gap_s: after a
    collision. window_s: an ALOHA sender waits up to this before it tries again; a cell's back-off indicator;
    for "csma" the most slots. header_bytes, frame_s: what each frame adds in bytes and in time (preamble).
    payload_bytes: of a frame; 0 for any. channels, dwell_s: channels, by the receiver's hopping sequence if dwell_s
    is given, else drawn; of a cell, devices that send side by side. duty_cycle: share of the time that a sender may send; 0 for all.
    sense_m, interfere_m: how far a sender is heard and disturbs. capture_db, path_exponent: a frame survives an
    interferer weaker by this. opportunity_s, preambles, response_s, setup_s, grant_s, inactivity_s, paging_s: of a cell.
    active_s, update_s: a device without a connection hears paging for so long, and sleeps; it listens again when it has
    sent, and so long after. 0: it never sleeps.
    """

    access: str
    slot_s: float = 0.0
    exponents: tuple[int, int] = (0, 0)
    back_offs: int = 0
    sense_s: float = 0.0
    turnaround_s: float = 0.0
    ack_s: float = 0.0
    ack_wait_s: float = 0.0
    gap_s: float = 0.0
    collision_gap_s: float = 0.0
    window_s: float = 0.0
    header_bytes: int = 0
    frame_s: float = 0.0
    payload_bytes: int = 0
    channels: int = 1
    dwell_s: float = 0.0
    duty_cycle: float = 0.0
    sense_m: float = math.inf
    interfere_m: float = math.inf
    capture_db: float = math.inf
    path_exponent: float = 3.0
    opportunity_s: float = 0.0
    preambles: int = 0
    response_s: float = 0.0
    setup_s: float = 0.0
    grant_s: float = 0.0
    inactivity_s: float = 0.0
    paging_s: float = 0.0
    active_s: float = 0.0
    update_s: float = 86_400.0

    @property
    def method(self) -> int:
        return METHODS[self.access]

    @property
    def has_base(self) -> bool:
        """Whether one member is the base station of the others, which do not talk to each other."""
        return self.method in (CELLULAR, CLASS_A)

    @property
    def capture_ratio(self) -> float:
        """Least ratio of squared distances at which a frame survives; 0 if none does."""
        if math.isinf(self.capture_db):
            return 0.0
        return float(10.0 ** (2.0 * self.capture_db / (10.0 * self.path_exponent)))


PLAIN_CARRIER_SENSE = Medium(access="csma", slot_s=1e-6, exponents=(0, 10), back_offs=1000, window_s=1000.0)
"""ns-3's csma module: its defaults (src/csma/model/backoff.cc)."""

IEEE_802_15_4 = Medium(
    access="csma-ca",
    slot_s=320e-6,
    exponents=(3, 5),
    back_offs=4,
    sense_s=128e-6,
    turnaround_s=192e-6,
    ack_s=352e-6,
    ack_wait_s=864e-6,
    gap_s=640e-6,
    frame_s=0.0,
)
"""IEEE 802.15.4-2006 at 2.4 GHz: 62,500 symbols a second; macMinBE 3, macMaxBE 5, macMaxCSMABackoffs 4."""

DCF_OFDM = Medium(
    access="dcf",
    slot_s=9e-6,
    exponents=(4, 10),
    turnaround_s=16e-6,
    ack_s=44e-6,
    gap_s=34e-6,
    collision_gap_s=60e-6,
    frame_s=20e-6,
)
"""IEEE 802.11 OFDM at 20 MHz: slot 9 us, SIFS 16 us, DIFS 34 us, 16 to 1024 slots."""

ALOHA_WITHOUT_ACKNOWLEDGEMENT = Medium(access="aloha")
"""Abramson's channel: send at once, never again."""

"""A shared medium's settings: how its members share it, with every constant of the method in one place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from heptagrid.foundation.parameters import parameter
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


_SOURCE = "the technology's file, or the default's below"


def _constant(default: Any, info: str, low: float, high: float, unit: str = "", *, least: float | None = None) -> Any:
    """A constant of a method and its bounds: with these no time of the kernel passes the horizon of its clock."""
    return parameter(default, info=info, unit=unit, low=low, high=high, least=least, source=_SOURCE)


def _time(info: str) -> float:
    seconds: float = _constant(0.0, info, 0.0, 1e4, "s")
    return seconds


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
    is given, else drawn; of a cell, devices that send side by side. broadcast_interval_s, broadcast_dwell_s: all members listen
    to the broadcast channel for the dwell at the beginning of each interval, counted from the clock's zero, and no other frame may
    overlap that; 0: there is none. stack_s: what host, protocol stack and driver at both ends take together, of a message from
    where it enters the network to where it leaves it. duty_cycle: share of the time that a sender may send; 0 for all.
    receive_delay_s, second_spreading, second_duty_cycle: a class A device listens so long after its uplink, and a second later again;
    that second window has a spreading factor for all devices and a band of its own, of which a gateway may use this share.
    sense_m, interfere_m: how far a sender is heard and disturbs. capture_db, path_exponent: a frame survives an
    interferer weaker by this. opportunity_s, preambles, response_s, setup_s, grant_s, inactivity_s, paging_s: of a cell.
    active_s, update_s: a device without a connection hears paging for so long, and sleeps; it listens again when it has
    sent, and so long after. 0: it never sleeps.
    """

    access: str
    slot_s: float = _constant(0.0, "back-off or contention slot, or slot of time division", 1e-9, 100.0, "s")
    exponents: tuple[int, int] = _constant((0, 0), "least and most doublings of the range of slots", 0, 20)
    back_offs: int = _constant(0, "looks at a busy channel, or attempts at random access", 0, 100_000)
    sense_s: float = _time("a look at the channel")
    turnaround_s: float = _time("from receiving to sending")
    ack_s: float = _time("an acknowledgement on the air")
    ack_wait_s: float = _time("how long a sender waits for the acknowledgement")
    gap_s: float = _time("silence after a frame")
    collision_gap_s: float = _time("silence after a collision")
    window_s: float = _constant(0.0, "added wait before a frame is sent again; for csma the most slots", 0.0, 1e6, "s")
    header_bytes: int = 0
    frame_s: float = _time("preamble of a frame")
    payload_bytes: int = 0
    channels: int = _constant(1, "channels, or devices of a cell that send side by side", 1, 1000)
    dwell_s: float = _constant(0.0, "how long a channel is kept; 0 for a drawn channel", 0.0, 1e6, "s", least=1e-6)
    broadcast_interval_s: float = _constant(
        0.0, "between two dwells of broadcasts; 0 for none", 0.0, 1e6, "s", least=1e-6
    )
    broadcast_dwell_s: float = _time("how long all listen for broadcasts in each interval")
    stack_s: float = _time("what host and protocol stack take at both ends together")
    duty_cycle: float = _constant(0.0, "share of the time that a sender may send; 0 for all", 0.0, 1.0, least=1e-6)
    receive_delay_s: float = _constant(1.0, "from an uplink to the first window of its device", 1.0, 15.0, "s")
    second_spreading: int = _constant(12, "spreading factor of the second window", 7, 12)
    second_duty_cycle: float = _constant(
        0.0, "share of the time that a gateway may send in second windows; 0 for all", 0.0, 1.0, least=1e-6
    )
    sense_m: float = _constant(math.inf, "how far a sender is heard", 0.0, math.inf, "m")
    interfere_m: float = _constant(math.inf, "how far a sender disturbs", 0.0, math.inf, "m")
    capture_db: float = _constant(math.inf, "a frame survives what is weaker by this", 0.0, math.inf, "dB")
    path_exponent: float = _constant(3.0, "how power falls with distance", 1.0, 10.0)
    opportunity_s: float = _constant(0.0, "between two opportunities of random access", 1e-6, 1e4, "s")
    preambles: int = _constant(0, "of which an attempt at random access takes one", 1, 1000)
    response_s: float = _time("from preamble to response")
    setup_s: float = _time("from response or paging to a connection")
    grant_s: float = _time("from request to grant")
    inactivity_s: float = _constant(0.0, "silence after which a connection ends", 0.0, 1e6, "s")
    paging_s: float = _constant(0.0, "between paging occasions; 0 for any time", 0.0, 1e5, "s", least=0.1)
    active_s: float = _constant(0.0, "how long a device hears paging before it sleeps; 0 for always", 0.0, 1e6, "s")
    update_s: float = _constant(86_400.0, "after which a silent device wakes", 1.0, 4e7, "s")

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
        return float(10.0 ** min(300.0, 2.0 * self.capture_db / (10.0 * self.path_exponent)))


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

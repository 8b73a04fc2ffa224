"""The eleven kinds of messages as data: size, envelope, deadline, acknowledgement, retries.

A kind's deadline is the latency of the published requirement that it must meet (`requirements`); sizes follow the same
tables where there is one for the application.
"""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.contracts.requirements import FOR_KIND, REQUIREMENTS
from heptagrid.foundation.domains import Kind

ENVELOPE_BYTES = 96
"""Sender, sequence, time (16 bytes), an ECDSA P-256 signature (64 bytes, FIPS 186-5), and a DTLS 1.2 record
header with an AES-CCM-8 nonce and tag, rounded to 16 bytes (RFC 6347, RFC 6655)."""


@dataclass(frozen=True)
class KindFacts:
    """What every message of a kind has in common.

    deadline_s: an older delivery is late. timeout_s: how long, at least, the sender waits for an acknowledgement
    before the first transport retry (`timeouts` dithers it); each further wait is twice as long. Not acknowledged: 0
    retries. priority: of `requirements.PRIORITIES`, 0 first.
    """

    payload_bytes: int
    deadline_s: float
    acknowledged: bool
    timeout_s: float
    retries: int
    priority: int
    source: str

    @property
    def wire_bytes(self) -> int:
        return self.payload_bytes + ENVELOPE_BYTES


def _latency_s(kind: Kind) -> float:
    return REQUIREMENTS[FOR_KIND[kind]].latency_s


FACTS: dict[Kind, KindFacts] = {
    Kind.METER_READING: KindFacts(
        100, _latency_s(Kind.METER_READING), True, 30.0, 2, 4,
        "payload: meter reading on demand, 100 bytes, Kuzlu et al. 2014 (source not read); retries: assumption",
    ),
    Kind.TELEMETRY: KindFacts(
        100, _latency_s(Kind.TELEMETRY), False, 0.0, 0, 2,
        "distribution automation monitoring, 100 to 1000 bytes, below 5 s, Kuzlu et al. 2014 (source not read); the next "
        "scan replaces a lost one, so none is acknowledged",
    ),
    Kind.DISPATCH: KindFacts(
        200, _latency_s(Kind.DISPATCH), True, 2.0, 2, 1,
        "distribution automation commands, 150 to 250 bytes, below 5 s, Kuzlu et al. 2014 (source not read); retries: "
        "assumption",
    ),
    Kind.BID: KindFacts(1000, _latency_s(Kind.BID), False, 0.0, 0, 3, "assumption: a page of price and quantity pairs, well before the gate"),
    Kind.SCHEDULE: KindFacts(1000, _latency_s(Kind.SCHEDULE), False, 0.0, 0, 3, "assumption: 24 hourly values with identifiers as XML or ASN.1"),
    Kind.PRICE: KindFacts(
        200, _latency_s(Kind.PRICE), True, 30.0, 2, 3,
        "real-time price broadcast, 100 bytes, below 60 s, Kuzlu et al. 2014 (source not read); 200 for 24 hourly values; "
        "retries: assumption",
    ),
    Kind.SETPOINT: KindFacts(
        200, _latency_s(Kind.SETPOINT), True, 30.0, 2, 1,
        "demand response, direct load control, 100 bytes, below 60 s, Kuzlu et al. 2014 (source not read); 200 for a signal "
        "of 96 values of one byte each; retries: assumption",
    ),
    Kind.ALARM: KindFacts(
        100, _latency_s(Kind.ALARM), True, 2.0, 3, 0,
        "alarm messages below 100 bytes, 98 % within 5 s: RFC 8036 section 4.2 class C1; retries: assumption",
    ),
    Kind.BILL: KindFacts(2000, _latency_s(Kind.BILL), False, 0.0, 0, 5, "assumption: a page of text, any time within the day"),
    Kind.FIRMWARE: KindFacts(
        1024, _latency_s(Kind.FIRMWARE), True, 600.0, 2, 5,
        "a block of a firmware image of 400 to 2000 kB, Kuzlu et al. 2014 (source not read); 1024 bytes a block and the "
        "retries: assumptions",
    ),
    Kind.ACK: KindFacts(20, _latency_s(Kind.ACK), False, 0.0, 0, 1, "assumption: kind, sequence number and time of what is acknowledged"),
}  # fmt: skip

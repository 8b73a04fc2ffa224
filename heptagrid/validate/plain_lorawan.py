"""LoRaWAN uplinks carried plainly: pure ALOHA with capture, one frame after another, in the words of the sources alone.

Airtime: Semtech AN1200.13. Sensitivities at 125 kHz: SX1272 data sheet. Capture of 6 dB and path loss 31.2 + 35 lg d: as the
technology's page states. Nothing here is shared with the program.
"""

from __future__ import annotations

import math

import numpy as np

SENSITIVITY_DBM = {7: -124.0, 8: -127.0, 9: -130.0, 10: -133.0, 11: -135.0, 12: -137.0}
MARGIN_DB, CAPTURE_DB, CHANNELS, DUTY, HEADER_BYTES = 3.0, 6.0, 3, 0.01, 13


def airtime_s(frame_bytes: int, factor: int, checksum_bits: int = 16) -> float:
    """Time on air at 125 kHz, coding rate 4/5, with header and checksum, 8 symbols of preamble."""
    symbol_s = 2**factor / 125e3
    slow = 1 if factor >= 11 else 0
    blocks = max(0, math.ceil((8 * frame_bytes - 4 * factor + 28 + checksum_bits) / (4 * (factor - 2 * slow))))
    return float((8 + 4.25 + 8 + 5 * blocks) * symbol_s)


def downlink_s(frame_bytes: int, factor: int) -> float:
    """Time on air of a downlink, whose payload has no checksum (LoRaMac-node's regions listen with crcOn false)."""
    return airtime_s(frame_bytes, factor, checksum_bits=0)


def delivered(far_m: list[float], sent_s: list[float], device: list[int], size_bytes: int, seed: int) -> float:
    """The share of uplinks that the gateway receives, by the distance of each device."""
    random = np.random.default_rng(seed)
    received_dbm = [14.0 - 31.2 - 35.0 * math.log10(max(1.0, far)) for far in far_m]
    factors = [
        next((f for f, least in SENSITIVITY_DBM.items() if power - least >= MARGIN_DB), 12) for power in received_dbm
    ]
    ready = [0.0] * len(far_m)
    frames = []
    for k in np.argsort(sent_s, kind="stable"):
        who = device[k]
        begin = max(sent_s[k], ready[who])
        air = airtime_s(size_bytes + HEADER_BYTES, factors[who])
        ready[who] = begin + air / DUTY
        frames.append((begin, begin + air, int(random.integers(CHANNELS)), factors[who], received_dbm[who]))
    frames.sort()
    lost = [False] * len(frames)
    for i, (_, end, channel, factor, power) in enumerate(frames):
        for j in range(i + 1, len(frames)):
            begin, _, other_channel, other_factor, other_power = frames[j]
            if begin >= end:
                break
            if (channel, factor) == (other_channel, other_factor):
                lost[i] |= power < other_power + CAPTURE_DB
                lost[j] |= other_power < power + CAPTURE_DB
    return 1.0 - sum(lost) / len(lost)

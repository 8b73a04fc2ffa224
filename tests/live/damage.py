"""Damage to bytes, from a seeded generator."""

from __future__ import annotations

import random


def damaged(draw: random.Random, sound: bytes) -> bytes:
    """Something with one to three damages: bytes that are gone, are others, or are more."""
    raw = bytearray(sound)
    for _ in range(draw.randrange(1, 4)):
        at = draw.randrange(len(raw) + 1)
        raw[at : at + draw.randrange(3)] = draw.randbytes(draw.randrange(4))
    return bytes(raw)

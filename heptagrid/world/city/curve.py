"""Hilbert's curve through a square: what lies near on it lies near in the plane (Hilbert, Mathematische Annalen 38, 1891)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ORDER = 16
"""Halvings of the square's side."""


def along(x: Floats, y: Floats) -> Ints:
    """(n,) positions on the curve of points in the square that holds them all."""
    side = 1 << ORDER
    scale = (side - 1) / max(float(np.ptp(x)), float(np.ptp(y)), 1e-9)
    column = ((x - x.min()) * scale).astype(np.int64)
    row = ((y - y.min()) * scale).astype(np.int64)
    position = np.zeros(len(x), dtype=np.int64)
    half = side >> 1
    while half:
        right, upper = (column & half) > 0, (row & half) > 0
        position += half * half * ((3 * right) ^ upper)
        turned = ~upper
        flipped = turned & right
        column, row = np.where(flipped, side - 1 - column, column), np.where(flipped, side - 1 - row, row)
        column, row = np.where(turned, row, column), np.where(turned, column, row)
        half >>= 1
    return position

"""A field of clouds: normally distributed noise in the plane, alike on all scales, which the day's wind carries along.

Source: fractal cloud fields that are carried over photovoltaic units, as in Cai and Aliprantis, "Cumulus cloud shadow model for analysis of power systems with
photovoltaics" (IEEE Transactions on Power Systems 28, 2013). The water that clouds hold varies along a line with a spectrum of the power -5/3 (Cahalan and Snider,
"Marine stratocumulus structure", Remote Sensing of Environment 28, 1989): increments grow as the distance to the power 1/3. Both from memory.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.random import normal, uniform

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

PIXEL_M = 125.0
STREAM = zlib.crc32(b"clouds")  # of random numbers, beyond those that `heptagrid.foundation.random.Stream` has
_LARGEST = 6  # the coarsest octave's nodes lie two to this power pixels apart: 8 km
_OCTAVES = 6  # down to two pixels
_ROUGHNESS = 1.0 / 3.0  # H
_UNITS = 1e6  # of a whole number in the sums, so that these do not depend on where they begin
_WIND, _NODES = 1, 2  # occasions of random numbers


@dataclass(frozen=True)
class Wind:
    """That carries the clouds of a day: their speed, and the unit vector in which they move, (east, north)."""

    speed_m_per_s: float
    east: float
    north: float

    @classmethod
    def of(cls, seed: int, day: int, speed_m_per_s: float) -> Wind:
        """Of a day, in a direction drawn from the seed."""
        angle = 2.0 * math.pi * float(uniform(seed, STREAM, day, _WIND))
        return cls(speed_m_per_s, math.cos(angle), math.sin(angle))

    def along_m(self, east_m: Floats, north_m: Floats) -> Floats:
        """How far places lie in the wind's direction, the same shape."""
        return np.asarray(self.east * east_m + self.north * north_m)

    def across_m(self, east_m: Floats, north_m: Floats) -> Floats:
        """How far places lie to the left of the wind's direction, the same shape."""
        return np.asarray(self.east * north_m - self.north * east_m)


class Strip(NamedTuple):
    """A part of the field in the wind's frame, which moves along: rows across, columns along it.

    first_row, first_column: the global numbers of the first pixels. values: (rows, columns) in whole numbers; sums: (rows, columns + 1) of the values of the
    columns before.
    """

    first_row: int
    first_column: int
    values: npt.NDArray[np.int32]
    sums: Integers


def strip(seed: int, day: int, along_m: tuple[float, float], across_m: tuple[float, float]) -> Strip:
    """The field of a day between two places along the wind and two across it."""
    (first_column, last_column), (first_row, last_row) = (
        (math.floor(low / PIXEL_M) - 1, math.floor(high / PIXEL_M) + 2) for low, high in (along_m, across_m)
    )
    values = np.zeros((last_row - first_row + 1, last_column - first_column + 1), dtype=np.float64)
    amplitudes = (2.0**-_ROUGHNESS) ** np.arange(_OCTAVES)
    amplitudes /= np.sqrt((amplitudes**2).sum())
    for octave in range(_OCTAVES):
        _add_octave(seed, day * 16 + octave, first_row, first_column, _LARGEST - octave, amplitudes[octave], values)
    whole = np.rint(_UNITS * values).astype(np.int32)
    sums = np.zeros((len(whole), whole.shape[1] + 1), dtype=np.int64)
    np.cumsum(whole, axis=1, out=sums[:, 1:])
    return Strip(first_row, first_column, whole, sums)


@kernel(inline=True, allocates=False)
def mean_between(part: Strip, across_m: float, low_m: float, high_m: float) -> float:
    """The field's mean between two places on a line along the wind; the field lies at the pixels' first corners across it, and is even along a pixel."""
    return float((_integral(part, across_m, high_m) - _integral(part, across_m, low_m)) / (high_m - low_m))


@kernel(inline=True, allocates=False)
def _integral(part, across_m, along_m):  # type: ignore[no-untyped-def]
    at = across_m / PIXEL_M - part.first_row
    row = int(at)
    share = at - row
    to = along_m / PIXEL_M - part.first_column
    column = int(to)
    rest = to - column
    first = part.sums[row, column] + rest * part.values[row, column]
    second = part.sums[row + 1, column] + rest * part.values[row + 1, column]
    return ((1.0 - share) * first + share * second) * (PIXEL_M / _UNITS)


@kernel
def _add_octave(seed, occasion, first_row, first_column, power, amplitude, values):  # type: ignore[no-untyped-def]
    """Add noise whose nodes lie two to a power pixels apart: normal numbers at the nodes, blended smoothly between, of variance one everywhere."""
    rows, columns = values.shape
    spacing = 1 << power
    top, left = first_row >> power, first_column >> power
    nodes = np.empty((((first_row + rows) >> power) - top + 2, ((first_column + columns) >> power) - left + 2))
    for i in range(nodes.shape[0]):
        for j in range(nodes.shape[1]):
            nodes[i, j] = normal(seed, STREAM, ((top + i) << 32) ^ ((left + j) & 0xFFFFFFFF), _NODES + occasion)

    begin, end = np.empty(spacing), np.empty(spacing)
    for k in range(spacing):
        share = k / spacing
        share = share * share * (3.0 - 2.0 * share)
        length = np.sqrt((1.0 - share) ** 2 + share**2)
        begin[k], end[k] = (1.0 - share) / length, share / length

    line = np.empty(nodes.shape[1])
    for row in range(rows):
        i, above = ((first_row + row) >> power) - top, (first_row + row) & (spacing - 1)
        for j in range(line.shape[0]):
            line[j] = amplitude * (begin[above] * nodes[i, j] + end[above] * nodes[i + 1, j])
        for column in range(columns):
            j, beside = ((first_column + column) >> power) - left, (first_column + column) & (spacing - 1)
            values[row, column] += begin[beside] * line[j] + end[beside] * line[j + 1]

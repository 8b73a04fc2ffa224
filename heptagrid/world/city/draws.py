"""Random numbers of one area of a city, a pure function of the city's seed and the area's number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.random import Stream, normals, uniforms

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_OF_AN_AREA = 1 << 32
_OF_NORMALS = 1 << 20


class Draws:
    """Draws one after the other; each call is an occasion of its own, numbered from `first` on."""

    def __init__(self, seed: int, area: int, first: int = 0) -> None:
        self._seed, self._first, self._calls = seed, area * _OF_AN_AREA, first

    def uniform(self, count: int) -> Floats:
        """(count,) in the open interval (0, 1)."""
        return np.asarray(uniforms(self._seed, int(Stream.CITY), self._entities(count), self._calls))

    def normal(self, count: int) -> Floats:
        """(count,) standard normal."""
        return np.asarray(normals(self._seed, int(Stream.CITY), self._entities(count), _OF_NORMALS + self._calls))

    def choice(self, shares: Floats, count: int) -> Ints:
        """(count,) numbers of the shares, each as often as it is great."""
        ends = np.cumsum(shares)
        return np.asarray(np.searchsorted(ends[:-1], self.uniform(count) * ends[-1]))

    def _entities(self, count: int) -> Ints:
        self._calls += 1
        return np.arange(self._first, self._first + count)

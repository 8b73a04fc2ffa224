"""Process images: what the stations of a class show of the last solved state, and which points have moved beyond their deadbands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from heptagrid.live.stations.points import Read, View

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Told(Protocol):
    """A point of any protocol."""

    @property
    def read(self) -> Read: ...

    @property
    def deadband(self) -> float: ...


P = TypeVar("P", bound=Told)


class Image(Generic[P]):
    """Of all stations of a class, so many. points: that they have. invalid: the bits of quality, as the protocol has them, of a value that is not known."""

    def __init__(self, points: Sequence[P], count: int, invalid: int) -> None:
        self.points, self._invalid = points, invalid
        self._column = {id(one): k for k, one in enumerate(points)}
        self._values = np.zeros((len(self.points), count))
        self._is_known = np.zeros((len(self.points), count), dtype=np.bool_)
        self._age_quality = invalid
        self._told = np.full((len(self.points), count), np.nan)
        self._told_quality = np.full((len(self.points), count), -1, dtype=np.int64)
        self._deadbands = np.array([[one.deadband] for one in self.points])

    def look(self, view: View | None, age_quality: int) -> None:
        """Take what a state shows; None: nothing new. age_quality: bits that hold for all, since the state is old."""
        self._age_quality = age_quality
        if view is not None:
            for k, one in enumerate(self.points):
                self._values[k] = one.read(view)
            self._is_known = np.isfinite(self._values)
            self._values[~self._is_known] = 0.0

    def read(self, point: P, row: int) -> tuple[float, int]:
        """A point's value and quality at a station."""
        k = self._column[id(point)]
        return float(self._values[k, row]), self._age_quality | (0 if self._is_known[k, row] else self._invalid)

    def settle(self, row: int) -> None:
        """Take a station's present values as told: whoever begins to listen interrogates it first."""
        self._told[:, row] = self._values[:, row]
        self._told_quality[:, row] = np.where(
            self._is_known[:, row], self._age_quality, self._age_quality | self._invalid
        )

    def changes(self, rows: Ints) -> list[tuple[int, list[P]]]:
        """The points at some stations, ascending rows, that have moved since they were last told or asked for here, by station."""
        if not len(rows):
            return []
        values, told = self._values[:, rows], self._told[:, rows]
        quality = np.where(self._is_known[:, rows], self._age_quality, self._age_quality | self._invalid)
        moved = ~(np.abs(values - told) <= self._deadbands) & (self._deadbands < np.inf)
        moved |= (quality != self._told_quality[:, rows]) & (self._deadbands < np.inf)
        columns, places = np.nonzero(moved)
        self._told[columns, rows[places]] = values[columns, places]
        self._told_quality[columns, rows[places]] = quality[columns, places]
        found: dict[int, list[P]] = {}
        for k, place in zip(columns.tolist(), places.tolist(), strict=True):
            found.setdefault(int(rows[place]), []).append(self.points[k])
        return sorted(found.items())

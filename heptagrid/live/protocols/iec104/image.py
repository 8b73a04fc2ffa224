"""Process images: what the stations of a class show of the last solved state, and which points have moved beyond their deadbands."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.live.protocols.iec104.elements import INVALID, NOT_TOPICAL, Type, Value
from heptagrid.live.protocols.iec104.points import POINTS, Point, View

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Image:
    """Of all stations of a class. points: that they have."""

    def __init__(self, name: str, count: int) -> None:
        self.points = POINTS[name]
        self._column = {one.address: k for k, one in enumerate(self.points)}
        self._values = np.zeros((len(self.points), count))
        self._is_known = np.zeros((len(self.points), count), dtype=np.bool_)
        self._age_quality = INVALID
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

    def read(self, point: Point, row: int) -> tuple[Value, int]:
        """A point's value and quality at a station."""
        k = self._column[point.address]
        value = float(self._values[k, row])
        quality = self._age_quality | (0 if self._is_known[k, row] else INVALID)
        return (value if point.type == Type.M_ME_NC_1 else round(value)), quality

    def settle(self, row: int) -> None:
        """Take a station's present values as told: whoever begins to listen interrogates it first."""
        self._told[:, row] = self._values[:, row]
        self._told_quality[:, row] = np.where(self._is_known[:, row], self._age_quality, self._age_quality | INVALID)

    def changes(self, rows: Ints) -> list[tuple[int, list[Point]]]:
        """The points at some stations, ascending rows, that have moved since they were last told or asked for here, by station."""
        if not len(rows):
            return []
        values, told = self._values[:, rows], self._told[:, rows]
        quality = np.where(self._is_known[:, rows], self._age_quality, self._age_quality | INVALID)
        moved = ~(np.abs(values - told) <= self._deadbands) & (self._deadbands < np.inf)
        moved |= (quality != self._told_quality[:, rows]) & (self._deadbands < np.inf)
        columns, places = np.nonzero(moved)
        self._told[columns, rows[places]] = values[columns, places]
        self._told_quality[columns, rows[places]] = quality[columns, places]
        found: dict[int, list[Point]] = {}
        for k, place in zip(columns.tolist(), places.tolist(), strict=True):
            found.setdefault(int(rows[place]), []).append(self.points[k])
        return sorted(found.items())


def age_quality(age_s: float, topical_s: float, is_running: bool) -> int:
    """What the age of a state says of all values: seconds of simulated time since its end, and whether it is still being solved."""
    if not is_running:
        return INVALID
    return NOT_TOPICAL if age_s > topical_s else 0

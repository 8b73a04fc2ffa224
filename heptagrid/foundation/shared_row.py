"""A value for each metering point that is kept as what differs from an array that others keep as well, or from zeros.

What all meters read in a quarter hour travels as one array and stays one: who takes it in marks what has arrived, and keeps for itself only what it
knows otherwise. A row that is nearly all zeros (what is fed in) takes what its others take.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.merging import merged

Values = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]

_FEW = 8  # what differs is kept apart while it is fewer than one in so many


class SharedRow:
    """Values of one dtype, (points,); `base` is never written to, None stands for zeros."""

    __slots__ = ("_base", "_count", "_own", "_point", "_value")

    def __init__(self, points: int, base: Values | None = None, dtype: npt.DTypeLike = np.float32) -> None:
        self._count, self._base = points, base
        self._own: Values | None = None  # all values, once much differs
        self._point, self._value = np.empty(0, dtype=np.int32), np.empty(0, dtype=dtype)

    @classmethod
    def of(cls, values: Values) -> SharedRow:
        """What differs from zeros alone, or the array itself if that is much."""
        row = cls(len(values), dtype=values.dtype)
        if _FEW * np.count_nonzero(values) < len(values):
            point = np.flatnonzero(values)
            row._point, row._value = point.astype(np.int32), values[point]
        else:
            row._base = values
        return row

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of its values."""
        return self._value.dtype

    @property
    def is_new(self) -> bool:
        """Whether nothing has been put into it."""
        return self._own is None and self._base is None and not len(self._point)

    @property
    def nbytes(self) -> int:
        """What it keeps for itself alone."""
        return self._point.nbytes + self._value.nbytes + (0 if self._own is None else self._own.nbytes)

    def all(self) -> Values:
        """All values, (points,), not to be written to."""
        if self._own is not None:
            return self._own
        if not len(self._point) and self._base is not None:
            return self._base
        found = np.zeros(self._count, dtype=self.dtype) if self._base is None else self._base.copy()
        found[self._point] = self._value
        return found

    def snapshot(self) -> SharedRow:
        """What it holds now; neither takes what is put into the other."""
        if self._own is not None:
            self._base, self._own = self._own, None  # and nobody writes to it from now on
        found = SharedRow(self._count, self._base, self.dtype)
        found._point, found._value = self._point, self._value
        return found

    def cut(self, points: slice) -> Values:
        """Those of consecutive points, a new array."""
        first, last, _ = points.indices(self._count)
        if self._own is not None:
            return self._own[first:last].copy()
        found = np.zeros(last - first, dtype=self.dtype) if self._base is None else self._base[first:last].copy()
        begin, end = np.searchsorted(self._point, (first, last))
        found[self._point[begin:end] - first] = self._value[begin:end]
        return found

    def at(self, points: Ints) -> Values:
        """Those of some points, (k,)."""
        if self._own is not None:
            return self._own[points]
        found = np.zeros(len(points), dtype=self.dtype) if self._base is None else self._base[points]
        if len(self._point):
            place = np.minimum(np.searchsorted(self._point, points), len(self._point) - 1)
            here = self._point[place] == points
            found[here] = self._value[place[here]]
        return found

    def put(self, points: Ints, values: Values) -> None:
        """Let some points, each once, have other values, (k,)."""
        if self._own is not None:
            self._own[points] = values
            return
        differs = values != 0.0 if self._base is None else values != self._base[points]
        if not len(self._point) and not differs.any():
            return
        if _FEW * (len(self._point) + np.count_nonzero(differs)) >= self._count:
            self._own = self.all().copy()
            self._own[points] = values
            self._base, self._point, self._value = None, self._point[:0], self._value[:0]
            return
        origin = merged(self._point, points, differs)
        self._point = np.concatenate([self._point, points], dtype=np.int32, casting="same_kind")[origin]
        self._value = np.concatenate([self._value, np.asarray(values, dtype=self.dtype)])[origin]

    def fill(self, points: Ints, value: float) -> None:
        """Let some points, each once, have one value."""
        self.put(points, np.full(len(points), value, dtype=self.dtype))

    def take(self, points: Ints, values: Values, whole: Values | None) -> None:
        """Put what is a part of `whole`, (points,), if that is known; a row that is still empty keeps this whole."""
        if whole is not None and self.is_new:
            self._base = whole
        elif self._base is None or self._base is not whole or len(self._point):
            self.put(points, values)

"""Values of consecutive quarter hours and all metering points, (quarters, points), as rows that others keep as well.

It is read as an array is, in parts: what is asked for is made then. A whole day of a city, twice or three times, would be most of its memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.shared_row import SharedRow

Ints = npt.NDArray[np.int64]
Values = npt.NDArray[Any]


class QuarterRows:
    """`[:, points]`, `[a:b, point]` and `[slots, points]` are arrays, `[a:b]` fewer rows, `[k]` one row; what is put in here changes nobody else's rows."""

    __slots__ = ("_points", "_rows", "dtype")

    ndim = 2

    def __init__(self, rows: Sequence[SharedRow], points: int, dtype: npt.DTypeLike = np.float32) -> None:
        """Set up from rows, all of the dtype, that are nobody else's to change."""
        self._rows, self._points, self.dtype = list(rows), points, np.dtype(dtype)

    @property
    def shape(self) -> tuple[int, int]:
        """Quarter hours and points."""
        return len(self._rows), self._points

    @property
    def size(self) -> int:
        return len(self._rows) * self._points

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, tuple):
            rows = self._rows[key]
            return rows.all() if isinstance(rows, SharedRow) else QuarterRows(rows, self._points, self.dtype)
        slots, points = key
        if slots is Ellipsis:
            slots = slice(None)
        if isinstance(slots, int | np.integer):
            return self._rows[slots].all()[points]
        if not isinstance(slots, slice):
            return self._single(np.asarray(slots), np.asarray(points))
        if isinstance(points, int | np.integer):
            return self._cut(self._rows[slots], slice(int(points), int(points) + 1))[:, 0]
        return self._cut(self._rows[slots], points)

    def __setitem__(self, key: tuple[Any, Any], values: np.ndarray) -> None:
        slots, points = key
        if isinstance(slots, slice):
            for row, of_row in zip(self._rows[slots], values, strict=True):
                row.put(points, of_row)
            return
        for slot in np.unique(slots).tolist():
            mine = slots == slot
            self._rows[slot].put(points[mine], values[mine])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = self._cut(self._rows, slice(None))
        return whole if dtype is None else whole.astype(dtype)

    def astype(self, dtype: Any) -> np.ndarray:
        """The whole array in another form."""
        return np.asarray(self).astype(dtype)

    def copy(self) -> QuarterRows:
        """The same; what is put into one is not in the other."""
        return QuarterRows([one.snapshot() for one in self._rows], self._points, self.dtype)

    def sum(self, axis: int, dtype: Any) -> np.ndarray:
        """The sum over all points, (quarters,), to the last bit as of the whole array; axis: 1."""
        if axis != 1:
            raise ValueError(f"rows are summed over their points, axis 1, not {axis}")
        return np.array([row.all().sum(dtype=dtype) for row in self._rows], dtype=dtype)

    def _cut(self, rows: Sequence[SharedRow], points: Ints | slice) -> Values:
        parts = [row.cut(points) if isinstance(points, slice) else row.at(points) for row in rows]
        return np.stack(parts) if parts else np.empty((0, self._points), dtype=self.dtype)[:, points]

    def _single(self, slots: Ints, points: Ints) -> Values:
        found = np.empty(len(slots), dtype=self.dtype)
        for slot in np.unique(slots).tolist():
            mine = slots == slot
            found[mine] = self._rows[slot].at(points[mine])
        return found


DayValues = np.ndarray | QuarterRows
"""Values of a day's quarter hours, (quarters, points): an array, or rows that others keep as well."""

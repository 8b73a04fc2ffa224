"""Arrays whose last axis are metering points, cut into the points of each company and put together again.

Where one company has all the points, its part is the whole array: nothing is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.quarter_rows import DayValues, QuarterRows

Ints = npt.NDArray[np.int64]


def of_points(values: Any, points: Ints) -> Any:
    """What belongs to some points, ascending, of an array or a day's values (..., all points)."""
    if len(points) == values.shape[-1]:
        return values
    return values[:, points] if isinstance(values, QuarterRows) else np.take(values, points, axis=-1)


def for_some_points(values: Sequence[DayValues], points: Sequence[Ints], some: slice) -> np.ndarray:
    """An array (..., some points), of consecutive ones, from those of each company, whose last axes are its points, ascending."""
    if len(values) == 1:
        found: np.ndarray = values[0][..., some]
        return found
    found = np.empty((*values[0].shape[:-1], some.stop - some.start), dtype=values[0].dtype)
    for one, mine in zip(values, points, strict=True):
        begin, end = np.searchsorted(mine, (some.start, some.stop))
        found[..., mine[begin:end] - some.start] = one[..., begin:end]
    return found


def for_all_points(values: Sequence[Any], points: Sequence[Ints]) -> Any:
    """An array (..., all points) from those of each company, whose last axes are its points."""
    if len(values) == 1:
        return values[0]
    found = np.empty((*values[0].shape[:-1], sum(len(one) for one in points)), dtype=values[0].dtype)
    for one, mine in zip(values, points, strict=True):
        found[..., mine] = one
    return found

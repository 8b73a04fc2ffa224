"""Sums of products in a stated order, so that no library's threads decide about the last bit.

`a @ b` and `numpy.dot` go through BLAS, which shares long sums among as many threads as the environment allows
(OMP_NUM_THREADS) and adds the parts in that many pieces. What a run records is summed here instead: one addition after
another, from the first element to the last.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel

Floats = npt.NDArray[np.float64]


def dot(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """The sum of products of two rows of one length, (n,) each."""
    return float(_columns(np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)[:, np.newaxis])[0])


def weighted_columns(weights: npt.ArrayLike, rows: npt.ArrayLike) -> Floats:
    """Each column's sum, its rows weighted: (n,) weights and (n, columns) rows give (columns,)."""
    return np.asarray(_columns(np.asarray(weights, dtype=np.float64), np.asarray(rows)))


def weighted_sum(weights: npt.ArrayLike, rows: npt.ArrayLike) -> Floats:
    """Each row's sum, its columns weighted: (n,) weights and (rows, n) give (rows,)."""
    return np.asarray(_rows(np.asarray(weights, dtype=np.float64), np.asarray(rows)))


@kernel
def _columns(weights, rows):  # type: ignore[no-untyped-def]
    sums = np.zeros(rows.shape[1])
    for k in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            sums[j] += weights[k] * rows[k, j]
    return sums


@kernel
def _rows(weights, rows):  # type: ignore[no-untyped-def]
    sums = np.zeros(rows.shape[0])
    for k in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            sums[k] += weights[j] * rows[k, j]
    return sums

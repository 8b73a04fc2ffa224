"""The exact optimum of a program with bent costs, once it is known which bounds and rows bind: one sparse system of equations.

Tangents find the binding ones soon, but the quantities only to the root of the gap. Source: Nocedal and Wright, Numerical Optimization, 2nd edition
(2006), section 16.1.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.sparse import bmat, diags
from scipy.sparse.linalg import MatrixRankWarning, splu

from heptagrid.world.market_case import Bools, Floats


def optimum_of(
    matrix: Any, x: Floats, slope: Floats, bend: Floats, is_free: Bools, row_value: Floats, binds: Bools
) -> tuple[Floats, Floats] | None:
    """Quantities (columns,) and prices (rows,) at which no free quantity gains by moving, with costs as they bend at x; None if there are none, or many.

    x: the others keep their values in it. slope, bend: (columns,) first and second derivatives of the costs there. row_value: (rows,) to keep where
    `binds`; the other rows have no price.
    """
    rows, columns = np.flatnonzero(binds), np.flatnonzero(is_free)
    kept = matrix[rows]
    part = kept[:, columns]
    system = bmat([[diags(bend[columns]), -part.T], [part, None]]).tocsc()
    missing = row_value[rows] - kept @ x
    right = np.concatenate([-slope[columns], missing])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", MatrixRankWarning)
            solver = splu(system)
            found = solver.solve(right)
            found += solver.solve(right - system @ found)
    except (RuntimeError, MatrixRankWarning):
        return None
    if not np.isfinite(found).all():
        return None
    best, dual = x.copy(), np.zeros(matrix.shape[0])
    best[columns] += found[: len(columns)]
    dual[rows] = found[len(columns) :]
    return best, dual

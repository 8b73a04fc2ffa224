"""The exact optimum of a program with bent costs, once it is known which bounds and rows bind: one sparse system of equations.

Tangents find most of the binding ones soon, but the quantities only to the root of the gap. From a point near the optimum what binds is tried, and corrected by what
its solution breaks. Source: Hintermüller, Ito and Kunisch, "The primal-dual active set strategy as a semismooth Newton method", SIAM Journal on Optimization 13
(2003). Rows that bind may depend on one another: the system is solved with a small weight on all that is sought, again and again from the last
answer (Rockafellar, "Augmented Lagrangians and applications of the proximal point algorithm", Mathematics of Operations Research 1, 1976).
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy.sparse import bmat, diags
from scipy.sparse.linalg import splu

from heptagrid.world.market_case import Bools, Floats

_WEIGHT = 1e-7  # of what is sought in the system that is solved instead
_MOST_STEPS = 30
_RESIDUAL = 1e-9  # MW and the like, at which a solution is taken
_UNSOLVED = 1e-5  # at which there is none
_MOST_CHOICES = 12  # of what binds
_NEAR_MW = 1e-4  # quantities so near to a bound may be there in truth
_OVER_MW = 1e-7  # beyond a bound
_MISSED = 1e-7  # of a price, that is rounding
_LOW, _FREE, _HIGH = -1, 0, 1


class Costs(Protocol):
    """Convex costs of columns."""

    def slopes(self, x: Floats, /) -> tuple[Floats, Floats]:
        """What one less saves and one more costs, (columns,) each."""

    def bend(self, x: Floats, /) -> Floats:
        """How fast the slopes rise, (columns,)."""


def optimum_near(
    matrix: Any, x: Floats, dual: Floats, low: Floats, high: Floats, row_low: Floats, row_high: Floats, costs: Costs
) -> tuple[Floats, Floats] | None:
    """Quantities (columns,) and prices (rows,) that no choice of what binds betters, from others near them; None if none is found.

    A column where straight pieces of a cost meet keeps its quantity.
    """
    row = matrix @ x
    held = np.where(
        low == high, _LOW, np.where(x <= low + _NEAR_MW, _LOW, np.where(x >= high - _NEAR_MW, _HIGH, _FREE))
    )
    below, above = costs.slopes(x)
    worth = matrix.T @ dual
    held[(held == _LOW) & (worth > above) & (low < high)] = _FREE
    held[(held == _HIGH) & (worth < below)] = _FREE
    at_row = np.where(row <= row_low + _NEAR_MW, _LOW, np.where(row >= row_high - _NEAR_MW, _HIGH, _FREE))
    at_row[(dual == 0.0) & (row_low < row_high)] = _FREE
    for _ in range(_MOST_CHOICES):
        start = np.where(held == _LOW, low, np.where(held == _HIGH, high, x))
        below, above = costs.slopes(start)
        is_free, value = (held == _FREE) & (below == above), np.where(at_row == _LOW, row_low, row_high)
        found = _optimum_of(matrix, start, above, costs.bend(start), is_free, value, at_row != _FREE)
        if found is None:
            return None
        x, dual = found
        row, worth = matrix @ x, matrix.T @ dual
        below, above = costs.slopes(np.clip(x, low, high))
        held_then, at_row_then = held.copy(), at_row.copy()
        held[is_free & (x < low - _OVER_MW)] = _LOW
        held[is_free & (x > high + _OVER_MW)] = _HIGH
        held[(held_then == _LOW) & (low < high) & (worth > above + _MISSED)] = _FREE
        held[(held_then == _HIGH) & (low < high) & (worth < below - _MISSED)] = _FREE
        is_range = row_low < row_high
        at_row[is_range & (at_row_then == _LOW) & (dual < -_MISSED)] = _FREE
        at_row[is_range & (at_row_then == _HIGH) & (dual > _MISSED)] = _FREE
        at_row[(at_row_then == _FREE) & (row < row_low - _OVER_MW)] = _LOW
        at_row[(at_row_then == _FREE) & (row > row_high + _OVER_MW)] = _HIGH
        if (held == held_then).all() and (at_row == at_row_then).all():
            return x, dual
    return None


def _optimum_of(
    matrix: Any, x: Floats, slope: Floats, bend: Floats, is_free: Bools, row_value: Floats, binds: Bools
) -> tuple[Floats, Floats] | None:
    """Quantities (columns,) and prices (rows,) at which no free quantity gains by moving, with costs as they bend at x; None if there are none.

    x: the others keep their values in it. slope, bend: (columns,) first and second derivatives of the costs there. row_value: (rows,) to keep where
    `binds`; the other rows have no price.
    """
    rows, columns = np.flatnonzero(binds), np.flatnonzero(is_free)
    kept = matrix[rows]
    part = kept[:, columns]
    system = bmat([[diags(bend[columns]), -part.T], [-part, None]]).tocsc()
    weight = np.repeat([_WEIGHT, -_WEIGHT], [len(columns), len(rows)])
    right = np.concatenate([-slope[columns], kept @ x - row_value[rows]])
    try:
        solver = splu((system + diags(weight)).tocsc())
    except RuntimeError:
        return None
    found, residual = np.zeros(len(right)), right
    for _ in range(_MOST_STEPS):
        found = found + solver.solve(residual)
        residual = right - system @ found
        if not np.abs(residual).max(initial=0.0) >= _RESIDUAL:
            break
    if not np.abs(residual).max(initial=0.0) < _UNSOLVED:
        return None
    best, dual = x.copy(), np.zeros(matrix.shape[0])
    best[columns] += found[: len(columns)]
    dual[rows] = found[len(columns) :]
    return best, dual

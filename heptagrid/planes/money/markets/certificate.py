"""A certificate of optimality: what makes a market's answer the best there is, computed from its arrays and not from what a solver says.

The program is: least sum of costs f(x) with low <= x <= high and low <= A x <= high; each f is convex. Source: Boyd and Vandenberghe, Convex
Optimization (2004), sections 5.2 and 5.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_AT_BOUND = 1e-6  # MW: a quantity so near to its bound is at it
_LEAST_COST = 1e-9  # of costs near zero, to which gaps are related


class Costs(Protocol):
    """Convex costs of columns."""

    def value(self, x: Floats, /) -> Floats:
        """What each column costs, (columns,)."""

    def slopes(self, x: Floats, /) -> tuple[Floats, Floats]:
        """What one less saves and one more costs, (columns,) each."""

    def best_output(self, price: Floats, low: Floats, high: Floats, /) -> Floats:
        """Where within bounds a column gains most at a price, (columns,)."""


@dataclass(frozen=True)
class Certificate:
    """How far an answer can be from the best.

    cost: of the answer. bound: below which no answer can lie, from the prices alone (weak duality). gap: (cost - bound) / |cost|. primal_residual: by how
    much a bound or a row is broken at most. dual_residual: by how much a price misses a cost at most, where a quantity could move.
    complementarity: the greatest product of a row's price and its distance from its bound.
    """

    cost: float
    bound: float
    gap: float
    primal_residual: float
    dual_residual: float
    complementarity: float


def certify(
    matrix: Any, x: Floats, dual: Floats, low: Floats, high: Floats, row_low: Floats, row_high: Floats, costs: Costs
) -> Certificate:
    """The certificate of quantities x (columns,) and prices dual (rows,).

    matrix: (rows, columns), sparse or not. dual: what one more of a row's bound would cost. A column without bounds is held at x in the bound, for its
    price is zero but for rounding, which the dual residual shows.
    """
    row, worth = matrix @ x, matrix.T @ dual
    broken = [low - x, x - high, row_low - row, row - row_high]
    below, above = costs.slopes(x)
    may_rise, may_fall = x < high - _AT_BOUND, x > low + _AT_BOUND
    missed = [(worth - above) * may_rise, (below - worth) * may_fall]
    row_bound = np.where(dual > 0.0, row_low, row_high)
    counts = dual != 0.0
    slack = np.abs(dual[counts] * (row - row_bound)[counts])

    is_free = np.isinf(low) & np.isinf(high)
    if is_free.any():
        low, high = np.where(is_free, x, low), np.where(is_free, x, high)
    best = costs.best_output(worth, low, high)
    gains = costs.value(best) - worth * best
    cost = float(costs.value(x).sum())
    bound = float(gains.sum() + dual[counts] @ row_bound[counts])
    return Certificate(
        cost=cost,
        bound=bound,
        gap=abs(cost - bound) / max(abs(cost), _LEAST_COST),
        primal_residual=_greatest(broken),
        dual_residual=_greatest(missed),
        complementarity=_greatest([slack]),
    )


def _greatest(parts: list[Floats]) -> float:
    return max((float(part.max(initial=0.0)) for part in parts), default=0.0)

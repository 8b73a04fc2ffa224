"""Least-cost dispatch as a linear program, solved by HiGHS through scipy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

Floats = npt.NDArray[np.float64]


def least_cost(load_mw: float, low_mw: Floats, high_mw: Floats, cost_1: Floats) -> tuple[float, float]:
    """The least cost in USD/h and the price of the last MW in USD/MWh."""
    bounds = np.column_stack([low_mw, high_mw])
    found = linprog(cost_1, A_eq=np.ones((1, len(cost_1))), b_eq=[load_mw], bounds=bounds, method="highs")
    return float(found.fun), float(found.eqlin.marginals[0])

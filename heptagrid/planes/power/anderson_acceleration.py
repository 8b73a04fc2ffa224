"""Anderson mixing: a fixed point x = g(x) found in fewer steps, by the combination of the last ones whose errors cancel best.

Source: D. G. Anderson, "Iterative procedures for nonlinear integral equations", J. ACM 12(4), 1965, in the form of H. F. Walker and P. Ni, SIAM J.
Numer. Anal. 49(4), 2011. Where a step makes the error larger, memory is dropped and the plain step is taken, so that a plain iteration that
converges still does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DEPTH = 6  # steps remembered; more add little and make the least squares ill-conditioned
SMALLEST = 1e-13  # of the greatest singular value of the normal equations that are kept
WORSE = 1.5  # times the least error so far: then memory misleads


class Mixing:
    """Steps towards one fixed point; make a new one for each."""

    def __init__(self) -> None:
        self._x: list[Floats] = []
        self._step: list[Floats] = []
        self._least = np.inf

    def next(self, x: Floats, step: Floats) -> Floats:
        """Where to go from x (n,), when the plain iteration would go to x + step."""
        error = float(np.sqrt((step * step).sum()))
        if error > WORSE * self._least:
            self._x.clear()
            self._step.clear()
        self._least = min(self._least, error)
        self._x.append(x.copy())
        self._step.append(step.copy())
        del self._x[: -DEPTH - 1], self._step[: -DEPTH - 1]
        if len(self._x) == 1:
            return x + step
        x_changes = np.diff(np.array(self._x), axis=0).T
        step_changes = np.diff(np.array(self._step), axis=0).T
        # Sums of numpy's own, whose order no library's threads change.
        products = np.einsum("ij,ik->jk", step_changes, step_changes)
        against = np.einsum("ij,i->j", step_changes, step)
        weights = np.linalg.lstsq(products, against, rcond=SMALLEST)[0]
        mixed: Floats = x + step - np.einsum("ij,j->i", x_changes + step_changes, weights)
        return mixed

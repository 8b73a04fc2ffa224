"""Running extremes of the node voltages: by quarter hour, over the run, and minutes outside the band.

A voltage of 0 is none: the node has no supply. It counts as an interruption, not as a voltage outside the band.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel

Floats = npt.NDArray[np.float64]
BAND_PU = (0.9, 1.1)  # EN 50160: slow voltage changes at the supply terminals, 10 % either way


@kernel
def _follow(v_pu, dt_s, least, weighted, greatest, seconds):  # type: ignore[no-untyped-def]
    for k in range(v_pu.shape[0]):
        v = v_pu[k]
        if v == 0.0:
            continue
        seconds[k] += dt_s
        weighted[k] += v * dt_s
        if v < least[k]:
            least[k] = v
        if v > greatest[k]:
            greatest[k] = v


@kernel
def _count_outside(v_pu, low, high, dt_s, outside_s, v_min, v_max):  # type: ignore[no-untyped-def]
    total = 0.0
    least, greatest = np.inf, -np.inf
    for k in range(v_pu.shape[0]):
        v = v_pu[k]
        if v == 0.0:
            continue
        least, greatest = min(least, v), max(greatest, v)
        v_min[k], v_max[k] = min(v_min[k], v), max(v_max[k], v)
        if v < low or v > high:
            outside_s[k] += dt_s
            total += dt_s
    return total, least, greatest


class QuarterVoltages:
    """Least, mean and greatest voltage of every node since the last `take`, while it had one; else 0."""

    def __init__(self, nodes: int) -> None:
        self._least = np.empty(nodes)
        self._weighted = np.empty(nodes)
        self._greatest = np.empty(nodes)
        self._seconds = np.empty(nodes)
        self._reset()

    def follow(self, v_pu: Floats, dt_s: float) -> None:
        """Take in the voltages of a step, (nodes,)."""
        _follow(v_pu, dt_s, self._least, self._weighted, self._greatest, self._seconds)

    def take(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Least, mean and greatest voltage, (nodes,) float32 each; starts anew."""
        had = self._seconds > 0.0
        self._least[~had] = self._greatest[~had] = 0.0
        taken = (
            self._least.astype(np.float32),
            (self._weighted / np.where(had, self._seconds, 1.0)).astype(np.float32),
            self._greatest.astype(np.float32),
        )
        self._reset()
        return taken

    def _reset(self) -> None:
        self._least[:] = np.inf
        self._weighted[:] = 0.0
        self._greatest[:] = -np.inf
        self._seconds[:] = 0.0


class SupplyVoltages:
    """What each customer's supply voltage came to: least, greatest, and seconds outside EN 50160's band.

    Voltages are per unit of the customer's own rated voltage, which need not be the base of the node where it stands.

    Attributes: outside_s, v_min_pu, v_max_pu (points,); total_s over all; step_min_pu, step_max_pu of the last step, infinite if
    nobody had supply.
    """

    def __init__(self, points: int) -> None:
        self.outside_s = np.zeros(points)
        self.v_min_pu, self.v_max_pu = np.full(points, np.inf), np.full(points, -np.inf)
        self.total_s = 0.0
        self.step_min_pu, self.step_max_pu = np.inf, -np.inf

    def follow(self, v_pu: Floats, dt_s: float) -> None:
        """Take in the voltages at the customers' points of a step, (points,)."""
        more_s, self.step_min_pu, self.step_max_pu = _count_outside(
            v_pu, BAND_PU[0], BAND_PU[1], dt_s, self.outside_s, self.v_min_pu, self.v_max_pu
        )
        self.total_s += more_s

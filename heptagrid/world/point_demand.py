"""Demand that follows the voltage at its metering point: what is drawn at nominal voltage, and how much of it is of a constant impedance, current and power."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PointDemand:
    """Rows, (rows,) each, at the metering points `point`, or what stands for these where lines are solved.

    p_kw, q_kvar: at nominal voltage, whose customers write them. p_shares, q_shares: (rows, 3) of impedance, current and power. v_pu: the voltage that each sees, drawn_kw,
    drawn_kvar: what it draws there; both are whose power flow solves to write.
    """

    point: Ints
    p_kw: Floats
    q_kvar: Floats
    p_shares: Floats
    q_shares: Floats
    v_pu: Floats
    drawn_kw: Floats
    drawn_kvar: Floats

    @staticmethod
    def of(point: Ints, p_shares: Floats, q_shares: Floats) -> PointDemand:
        """Nothing is drawn yet."""
        nothing = (np.zeros(len(point)) for _ in range(4))
        p_kw, q_kvar, drawn_kw, drawn_kvar = nothing
        return PointDemand(point, p_kw, q_kvar, p_shares, q_shares, np.ones(len(point)), drawn_kw, drawn_kvar)

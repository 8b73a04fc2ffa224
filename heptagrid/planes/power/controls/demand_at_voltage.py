"""Demand that follows the voltage and its network find a common voltage, whatever solves the network.

Source: the polynomial (ZIP) load model. A round is a solution of the network, started from the one before. What a volt more or less changes of the draw moves the
voltage by a few hundredths of a volt, so three or four rounds are enough.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.world.point_demand import PointDemand

Floats = npt.NDArray[np.float64]

_MOST_ROUNDS = 50

Look = Callable[[Floats, Floats], Floats]
"""Solves the network with what the demand draws, (rows,) kW and kvar, and returns its voltages in pu."""


def settle(demand: PointDemand, look: Look, gap_pu: float) -> bool:
    """Renew what is drawn until it is that of the voltage there but for `gap_pu`; whether it was found. The last look is at the solution."""
    draws = (demand.p_kw != 0.0) | (demand.q_kvar != 0.0)
    for _ in range(_MOST_ROUNDS):
        _draw(demand.p_kw, demand.p_shares, demand.v_pu, demand.drawn_kw)
        _draw(demand.q_kvar, demand.q_shares, demand.v_pu, demand.drawn_kvar)
        v_pu = look(demand.drawn_kw, demand.drawn_kvar)
        gap = np.abs(v_pu - demand.v_pu).max(initial=0.0, where=draws)
        demand.v_pu[:] = v_pu
        if gap <= gap_pu:
            return True
    return False


@kernel(allocates=False)
def _draw(rated, shares, v_pu, drawn):  # type: ignore[no-untyped-def]
    for k in range(rated.shape[0]):
        v = v_pu[k]
        drawn[k] = rated[k] * ((shares[k, 0] * v + shares[k, 1]) * v + shares[k, 2])

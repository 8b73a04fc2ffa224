"""Lines at whose terminals demand follows the voltage: solved until what is drawn is that of the voltage there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from heptagrid.domains.distribution.fed_by_inverters import GAP_PU, Solve
from heptagrid.domains.distribution.lines import FeederFlow
from heptagrid.planes.power.controls.demand_at_voltage import settle
from heptagrid.world.point_demand import PointDemand

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NOT_SETTLED = "demand"


def drawn(solve: Solve, p_kw: Floats, q_kvar: Floats, demand: PointDemand, point_terminal: Ints) -> FeederFlow:
    """The flow in which demand draws what it does at its own voltages.

    solve: of the lines, for net draws (terminals,). p_kw, q_kvar: (terminals,) what is drawn beside the demand. point_terminal: (points,). Where no common voltage is
    found the last one stands, and the flow names `NOT_SETTLED` among what hunts.
    """
    terminal, count = point_terminal[demand.point], len(p_kw)
    flow: FeederFlow | None = None

    def look(drawn_kw: Floats, drawn_kvar: Floats) -> Floats:
        nonlocal flow
        flow = solve(p_kw + np.bincount(terminal, drawn_kw, count), q_kvar + np.bincount(terminal, drawn_kvar, count))
        return flow.terminal_v_pu[terminal]

    is_settled = settle(demand, look, GAP_PU)
    assert flow is not None, "settling looks at least once"
    return flow if is_settled else replace(flow, hunting=(*flow.hunting, NOT_SETTLED))  # type: ignore[type-var]

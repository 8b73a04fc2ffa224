"""Lines at whose terminals inverters answer the voltage: solved until each inverter sees its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from heptagrid.domains.distribution.lines import FeederFlow
from heptagrid.planes.power.controls.common_voltage import probe, settle
from heptagrid.world.inverter_bank import PointInverters

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GAP_PU = 1e-7  # ten times the tolerance of the sweeps, whose last steps are noise
NOT_SETTLED = "inverters"

Solve = Callable[[Floats, Floats], FeederFlow]


def solved(solve: Solve, p_kw: Floats, q_kvar: Floats, inverters: PointInverters, point_terminal: Ints) -> FeederFlow:
    """The flow in which inverters feed what their functions say at its own voltages.

    solve: of the lines, for net draws (terminals,). p_kw, q_kvar: (terminals,) what is drawn beside the inverters. point_terminal: (points,). Where no common voltage is
    found the last one stands, and the flow names `NOT_SETTLED` among what hunts.
    """
    bank, terminal = inverters.bank, point_terminal[inverters.point]
    count = len(p_kw)
    flow: FeederFlow | None = None

    def look(fed_kw: Floats, fed_kvar: Floats) -> Floats:
        nonlocal flow
        flow = solve(
            p_kw - np.bincount(terminal, fed_kw, count),
            q_kvar - np.bincount(terminal, fed_kvar, count),
        )
        return np.where(bank.is_on, flow.terminal_v_pu[terminal], bank.seen_pu)

    if not inverters.is_probed:
        probe(bank, look, np.zeros(len(terminal), dtype=np.int64))
        inverters.is_probed = True
    is_settled = settle(bank, look, GAP_PU)
    assert flow is not None, "settling looks at least once"
    return flow if is_settled else replace(flow, hunting=(*flow.hunting, NOT_SETTLED))  # type: ignore[type-var]

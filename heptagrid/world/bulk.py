"""The bulk system above the town: buses, branches, units, and the loads that are not the scenario's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BulkUnits:
    """Generating units, (units,) each; hourly cost in USD: cost_2 p^2 + cost_1 p + cost_0 while on, p in MW.

    mva, inertia_s: rating of the machine, and its inertia constant on that base. turbine: what drives it, a word.
    """

    bus: Ints
    p_max_mw: Floats
    p_min_mw: Floats
    cost_2: Floats
    cost_1: Floats
    cost_0: Floats
    ramp_mw_per_min: Floats
    min_up_h: Floats
    min_down_h: Floats
    start_usd: Floats
    mva: Floats
    inertia_s: Floats
    turbine: npt.NDArray[np.str_]
    q_min_mvar: Floats
    q_max_mvar: Floats

    def cost_usd_per_h(self, p_mw: Floats, on: npt.NDArray[np.bool_]) -> float:
        """What the units that are on cost an hour at their outputs."""
        each = self.cost_2 * p_mw**2 + self.cost_1 * p_mw + self.cost_0
        return float(each[on].sum())


@dataclass(frozen=True)
class BulkSystem:
    """Buses by position; `bus` fields hold positions. load_mw: (8784,) of a leap year's hours, local time.

    For a flow with voltages: mvar_per_mw of the loads at each bus, shunt_mw and shunt_mvar drawn at 1 pu, held_pu where a unit
    holds the voltage, branch_b_pu of the lines' charging, and the synchronous condensers.
    """

    bus_numbers: Ints
    bus_share: Floats
    bus_kv: Floats
    branch_from: Ints
    branch_to: Ints
    branch_r_pu: Floats
    branch_x_pu: Floats
    branch_rating_mw: Floats
    branch_ratio: Floats
    units: BulkUnits
    load_mw: Floats
    mvar_per_mw: Floats
    shunt_mw: Floats
    shunt_mvar: Floats
    held_pu: Floats
    branch_b_pu: Floats
    condenser_bus: Ints
    condenser_q_min_mvar: Floats
    condenser_q_max_mvar: Floats
    base_mva: float = 100.0

    def rest_mw(self, local: datetime) -> float:
        """The load of region 1 in the local hour of that calendar date."""
        day = datetime(2020, local.month, local.day).timetuple().tm_yday - 1
        return float(self.load_mw[day * 24 + local.hour])

"""The terminals at which domains meet: what each puts there, and what it finds there.

Each array has one writer, named in the comment; every other domain only reads. Positive power flows
towards the customers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.world.inverter_bank import PointInverters
from heptagrid.world.point_demand import PointDemand

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass
class Terminals:
    """Terminals of one arm of a run; `points` are the customers' metering points, (m,), infeeds are the towns', (towns,)."""

    point_p_kw: Floats  # customers: net active power drawn; while the power flow is solved, without what `inverters` feed and `demand` draws
    point_q_kvar: Floats  # customers: net reactive power drawn, likewise
    point_v_pu: Floats  # distribution: voltage at each point, 0 without supply
    point_is_supplied: Bools  # distribution: whether each point has supply in the step to come
    infeed_p_kw: Floats  # distribution: drawn from the transmission network, where power flows back < 0
    infeed_q_kvar: Floats  # distribution
    infeed_v_pu: Floats  # transmission: voltage held at each infeed
    unit_output_mw: Floats  # generation: (units,) output of the bulk units
    rest_load_mw: Floats  # transmission: (buses,) the loads beyond the scenario's own
    required_mw: float = 0.0  # transmission: what the units must give together now, losses included
    inverters: PointInverters | None = (
        None  # customers: those that answer to their voltage; distribution: what they feed
    )
    demand: PointDemand | None = None  # customers: what follows the voltage; distribution: what that draws
    deviation_hz: float = 0.0  # generation: of the frequency from nominal

    @staticmethod
    def at_rest(points: int, units: int, buses: int, infeed_v_pu: float, towns: int = 1) -> Terminals:
        """Terminals before the first step: no power anywhere, nominal voltage."""
        return Terminals(
            point_p_kw=np.zeros(points),
            point_q_kvar=np.zeros(points),
            point_v_pu=np.ones(points),
            point_is_supplied=np.ones(points, dtype=np.bool_),
            infeed_p_kw=np.zeros(towns),
            infeed_q_kvar=np.zeros(towns),
            infeed_v_pu=np.full(towns, infeed_v_pu),
            unit_output_mw=np.zeros(units),
            rest_load_mw=np.zeros(buses),
        )

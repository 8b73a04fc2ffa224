"""What the towns cost the fleet in a day: the fuel of the units that were on, with the towns and without, at least cost within the network's limits.

Both are solved after the day, exactly, with the day's own loads and losses: what remains between them is what the towns' energy took, at their buses. The
dearest unit that ran is no measure of it, for where branches are full it runs for others. Tanks and storages give what they gave, for a day's end is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import MarketError
from heptagrid.planes.money.markets.day_case import Before, Offers, Rows, day_case
from heptagrid.planes.money.markets.unit_commitment import dispatch
from heptagrid.world.bulk import STORES, BulkSystem, UnitCosts

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_TOO_FEW_EUR = (
    4000.0  # what a MWh costs that units which are on cannot give, so that they give all they can; it is in no sum
)


@dataclass(frozen=True)
class FleetDay:
    """How a day went, means of its hours: on, output_mw, low_mw and high_mw (hours, units), between which each could give; rest_mw (hours, buses) and
    towns_mw (hours, towns), what loads took."""

    on: Bools
    output_mw: Floats
    low_mw: Floats
    high_mw: Floats
    rest_mw: Floats
    towns_mw: Floats


def cost_of_towns(system: BulkSystem, costs: UnitCosts, day: FleetDay, town_bus: Ints) -> tuple[float, float]:
    """EUR and tonnes of carbon dioxide that the fleet burns more with the towns, at the buses (towns,), than without; below 0 where they feed in.

    What is lost on the way is in proportion to load, as it was in each hour.

    Raises
    ------
    MarketError
        If the solver gives no schedule, for which there is no reason.
    """
    with_towns = day.rest_mw.copy()
    np.add.at(with_towns.T, town_bus, day.towns_mw.T)
    taken_mw = with_towns.sum(axis=1)
    losses = np.divide(day.output_mw.sum(axis=1), taken_mw, out=np.ones(len(taken_mw)), where=taken_mw > 0.0)
    both = [
        np.array(_least(system, costs, day, load_mw * losses[:, np.newaxis])) for load_mw in (with_towns, day.rest_mw)
    ]
    eur, tonnes = both[0] - both[1]
    return float(eur), float(tonnes)


def _least(system: BulkSystem, costs: UnitCosts, day: FleetDay, load_mw: Floats) -> tuple[float, float]:
    """EUR and tonnes of the cheapest outputs of the units that were on, starts apart; load_mw: (hours, buses)."""
    units, rows = system.units, Rows.of(system.units)
    stores = units.of(*STORES)
    low_mw, high_mw, left_mw = day.low_mw.copy(), day.high_mw.copy(), load_mw.copy()
    low_mw[:, stores] = high_mw[:, stores] = 0.0
    np.subtract.at(left_mw.T, units.bus[stores], day.output_mw[:, stores].T)
    offers = Offers(
        low_mw=low_mw,
        high_mw=high_mw,
        inflow_mwh=np.zeros_like(low_mw),
        block_mw=costs.block_mw,
        block_eur=costs.block_eur,
        no_load_eur_per_h=costs.no_load_eur_per_h,
        start_eur=np.zeros_like(costs.start_eur),
    )
    case = day_case(system, offers, left_mw, Before.unknown(units), np.zeros(len(load_mw)), _TOO_FEW_EUR)
    whole_hours = np.ones(len(case.units), dtype=np.int64)  # units that failed kept no minimum times
    case = replace(case, units=replace(case.units, min_up_h=whole_hours, min_down_h=whole_hours))
    found = dispatch(case, day.on[:, rows.committed])
    if found.cost is None:
        raise MarketError(f"the day's fleet has no least cost: {found.status}")
    p_mw = rows.together(found.unit_mw, found.source_mw, found.stored_mw)
    eur, tonnes = np.sum([costs.per_h(hour_mw, units.p_min_mw) for hour_mw in p_mw], axis=0)
    return float(eur), float(tonnes)

"""Clearing of the day-ahead market: which units are on, then the merit order of their offers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.markets.commitment import LONG_H, commit, hours_in_state
from heptagrid.planes.money.markets.dispatch import dispatch
from heptagrid.world.bulk import BulkUnits

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Parameters:
    """Rules of the market."""

    reserve_share: float = parameter(
        0.1,
        info="capacity kept on beyond the hour's demand, as a share of it",
        low=0.0,
        high=1.0,
        source="assumption: covers the forecast error and the largest of the usual units",
    )
    loss_share: float = parameter(
        0.035,
        info="transmission losses foreseen, as a share of demand",
        low=0.0,
        high=0.2,
        source="assumption: our DC flow of the RTS loses 3.5 to 3.9 % of its demand",
    )
    eur_per_usd: float = parameter(
        0.9239,
        info="what a dollar of the units' costs is in euros",
        unit="EUR/USD",
        low=0.1,
        high=10.0,
        source="ECB reference rate, mean of 2024: 1.0824 USD per EUR; the costs are taken at their nominal value",
    )
    price_cap_eur_per_mwh: float = parameter(
        4000.0,
        info="price when the units that are on cannot cover the demand",
        unit="EUR/MWh",
        low=0.0,
        high=100000.0,
        source="harmonised maximum price of European day-ahead coupling (ACER, 4000 EUR/MWh since 2022)",
    )


@dataclass(frozen=True)
class Cleared:
    """on, p_mw: (hours, units). price_eur_per_mwh: (hours,). cost_eur: of the schedule, starts included.

    since_h: (units,) for how many hours each unit has been on or off at its end.
    """

    on: Bools
    p_mw: Floats
    price_eur_per_mwh: Floats
    cost_eur: float
    since_h: npt.NDArray[np.int64]


def clear(
    demand_mw: Floats,
    units: BulkUnits,
    before: Bools,
    parameters: Parameters,
    since_h: npt.NDArray[np.integer] | None = None,
) -> Cleared:
    """Clear the hours of a day.

    demand_mw: (hours,) without losses. before: (units,) which units were on in the hour before; since_h: (units,) for
    how many hours they have been on or off (default: so long that no minimum time binds).
    """
    needed_mw = demand_mw * (1.0 + parameters.loss_share)
    if since_h is None:
        since_h = np.full(len(before), LONG_H)
    cap_usd_per_mwh = parameters.price_cap_eur_per_mwh / parameters.eur_per_usd
    on = commit(needed_mw, units, before, parameters.reserve_share, since_h, cap_usd_per_mwh)
    p_mw = np.zeros(on.shape)
    price = np.zeros(len(needed_mw))
    for hour, load_mw in enumerate(needed_mw):
        low, high = np.where(on[hour], units.p_min_mw, 0.0), np.where(on[hour], units.p_max_mw, 0.0)
        p_mw[hour], price_usd = dispatch(float(load_mw), low, high, units.cost_1, units.cost_2)
        short = load_mw > high.sum() + 1e-9
        price[hour] = parameters.price_cap_eur_per_mwh if short else price_usd * parameters.eur_per_usd
    started = on & ~np.vstack([before, on[:-1]])
    cost_usd = sum(units.cost_usd_per_h(p, state) for p, state in zip(p_mw, on, strict=True))
    cost_usd += float((started * units.start_usd).sum())
    return Cleared(on, p_mw, price, cost_usd * parameters.eur_per_usd, hours_in_state(on, before, since_h))

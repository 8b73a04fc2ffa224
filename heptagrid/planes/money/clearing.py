"""Clearing of the day-ahead market: units by priority list, then the merit order of their offers.

Units are switched on by the price of their full output until they cover the demand and a reserve; minimum
up and down times are kept by leaving units on. The hour's demand then goes to where it costs least
(equal incremental cost; Wood and Wollenberg, Power Generation, Operation and Control, chapters 3 and 5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.kernel import kernel
from heptagrid.foundation.parameters import parameter
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
    """on, p_mw: (hours, units). price_eur_per_mwh: (hours,). cost_eur: of the schedule, starts included."""

    on: Bools
    p_mw: Floats
    price_eur_per_mwh: Floats
    cost_eur: float


def clear(demand_mw: Floats, units: BulkUnits, before: Bools, parameters: Parameters) -> Cleared:
    """Clear the hours of a day.

    demand_mw: (hours,) without losses. before: (units,) which units were on in the hour before.
    """
    needed_mw = demand_mw * (1.0 + parameters.loss_share)
    on = commit(needed_mw, units, before, parameters.reserve_share)
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
    return Cleared(on, p_mw, price, cost_usd * parameters.eur_per_usd)


def priority(units: BulkUnits) -> npt.NDArray[np.int64]:
    """Units in the order in which they are switched on: by the cost of a MWh at full output."""
    full_usd = units.cost_2 * units.p_max_mw**2 + units.cost_1 * units.p_max_mw + units.cost_0
    return np.argsort(full_usd / units.p_max_mw, kind="stable")


def commit(needed_mw: Floats, units: BulkUnits, before: Bools, reserve_share: float) -> Bools:
    """Which units are on in each hour, (hours, units)."""
    order = priority(units)
    capacity_mw = np.cumsum(units.p_max_mw[order])
    on = np.zeros((len(needed_mw), len(order)), dtype=bool)
    for hour, load_mw in enumerate(needed_mw):
        count = int(np.searchsorted(capacity_mw, load_mw * (1.0 + reserve_share))) + 1
        on[hour, order[:count]] = True
    for unit in range(len(order)):
        _keep_times(on[:, unit], bool(before[unit]), units.min_up_h[unit], units.min_down_h[unit])
    for hour, load_mw in enumerate(needed_mw):
        for unit in order[::-1]:
            if units.p_min_mw[on[hour]].sum() <= load_mw:
                break
            on[hour, unit] = False
    return on


def _keep_times(on: Bools, before: bool, min_up_h: float, min_down_h: float) -> None:
    """Fill pauses shorter than the minimum down time and lengthen runs shorter than the minimum up time."""
    hours = len(on)
    state, since = before, -10_000
    for hour in range(hours):
        if on[hour] and not state:
            if hour - since < min_down_h and since >= 0:
                on[since:hour] = True
            else:
                since = hour
            state = True
        elif state and not on[hour]:
            if since >= 0 and hour - since < min_up_h:
                on[hour] = True
            else:
                state, since = False, hour


@kernel
def dispatch(load_mw, low_mw, high_mw, cost_1, cost_2):  # type: ignore[no-untyped-def]
    """Least-cost outputs within bounds that sum to the load, and the price of the last MW in USD/MWh.

    A load beyond the bounds gets the bounds.
    """
    units = low_mw.shape[0]
    cheap, dear = np.inf, -np.inf
    for k in range(units):
        if high_mw[k] > 0.0:
            cheap = min(cheap, cost_1[k] + 2.0 * cost_2[k] * low_mw[k])
            dear = max(dear, cost_1[k] + 2.0 * cost_2[k] * high_mw[k])
    below, above = cheap - 1.0, dear + 1.0
    least, most = np.empty(units), np.empty(units)
    _at_price(below, low_mw, high_mw, cost_1, cost_2, least)
    _at_price(above, low_mw, high_mw, cost_1, cost_2, most)
    if load_mw <= least.sum():
        return least, cheap
    if load_mw >= most.sum():
        return most, dear
    middle = np.empty(units)
    for _ in range(60):
        price = 0.5 * (below + above)
        _at_price(price, low_mw, high_mw, cost_1, cost_2, middle)
        if middle.sum() >= load_mw:
            above = price
            most[:] = middle
        else:
            below = price
            least[:] = middle
        if above - below < 1e-10:
            break
    part = (load_mw - least.sum()) / (most.sum() - least.sum())
    return least + part * (most - least), above


@kernel
def _at_price(price, low_mw, high_mw, cost_1, cost_2, p_mw):  # type: ignore[no-untyped-def]
    for k in range(low_mw.shape[0]):
        if cost_2[k] > 0.0:
            wanted = (price - cost_1[k]) / (2.0 * cost_2[k])
        else:
            wanted = np.inf if price > cost_1[k] else -np.inf
        p_mw[k] = min(max(wanted, low_mw[k]), high_mw[k])

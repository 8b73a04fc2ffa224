"""The bulk system of runs and its day-ahead market, over the two weeks of the solution that RTS-GMLC's authors published (PLEXOS, 5 to 18 July 2020).

Theirs has no solar tower, roofs as generation, outages of units, and a look-ahead; so ours goes without the tower, and costs are to be near and not the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.domains.generation.availability import Availability
from heptagrid.foundation.time import NS_PER_HOUR, from_ns, midnight_ns
from heptagrid.importers.rts import read_bulk
from heptagrid.planes.money.fuel_prices import Parameters as FuelPrices
from heptagrid.planes.money.fuel_prices import costs_of
from heptagrid.planes.money.markets.day_ahead import Demand, Parameters, clear
from heptagrid.planes.money.markets.day_case import Before, Offers
from heptagrid.planes.power.dynamics.frequency import TURBINES
from heptagrid.scenario.load import BULK
from heptagrid.validate.case import Finding, NotRun, case, within
from heptagrid.world.bulk import SUN, THERMAL, TOWER, WATER, WIND, BulkSystem

Floats = npt.NDArray[np.float64]

UTC = ZoneInfo("UTC")
BEGIN, FIRST, LAST = (datetime(2020, 7, day) for day in (3, 5, 18))  # two days to forget what units did before
NOBODY = np.zeros((24, 0))
PLEXOS = "RTS-GMLC, published PLEXOS solution of 5 to 18 July 2020, DOE/NREL/ALLIANCE"


@case("bulk-july-series", plane="money", kind="exact", source=f"{PLEXOS}, without network")
def bulk_july_series(live: bool) -> Iterator[Finding]:
    """What loads took, and what water, wind and sun gave there or had turned down, in two weeks."""
    system = read_bulk(BULK)
    hours = slice((FIRST - datetime(2020, 1, 1)).days * 24, (LAST - datetime(2020, 1, 1)).days * 24 + 24)
    series_gwh = system.series_mw[hours].sum(axis=0, dtype=np.float64) / 1e3
    given = {
        kind: float(series_gwh[system.units.kind[system.series_unit] == kind].sum()) for kind in (WATER, WIND, SUN)
    }
    roofs_gwh = float(system.roof_mw[hours].sum(dtype=np.float64)) / 1e3
    yield Finding("loads", 1793.9, float(system.load_mw[hours].sum(dtype=np.float64)) / 1e3, 1e-3, True, "GWh")
    yield Finding("water", 219.1, given[WATER], 1e-3, True, "GWh")
    yield Finding("wind, 5.52 % of it curtailed", 170.2 / (1.0 - 0.0552), given[WIND], 1e-3, True, "GWh")
    yield Finding("sun and roofs, 1.35 % curtailed", 254.32 / (1.0 - 0.0135), given[SUN] + roofs_gwh, 1e-3, True, "GWh")


@case("bulk-market-july", plane="money", kind="band", source=f"{PLEXOS}; 3 % either way")
def bulk_market_july(live: bool) -> Iterator[Finding]:
    """Cost and thermal energy of the run's own market at the consortium's prices, without what it adds for losses and reserves."""
    if not live:
        raise NotRun("cost of two weeks", "it takes a minute; --live runs it")
    musd, redispatch_musd, thermal_gwh = _fortnight(read_bulk(BULK))
    for name, published, ours, unit in (
        ("cost without network", 26.906, musd - redispatch_musd, "MUSD"),
        ("cost with network", 27.012, musd, "MUSD"),
        ("energy of thermal units", 571.5 + 441.55 + 3.08 + 134.2, thermal_gwh, "GWh"),
    ):
        yield within(name, 0.97 * published, 1.03 * published, ours, unit=unit)


def _fortnight(system: BulkSystem) -> tuple[float, float, float]:
    """What schedules cost and what of it is redispatch, in million dollars, and the energy of thermal units in GWh."""
    prices = FuelPrices(basis="rts-gmlc")
    units, costs = system.units, costs_of(system.units, prices)
    availability = Availability(system, UTC, {word: one.governed for word, one in TURBINES.items()})
    tower, thermal = units.of(TOWER), units.of(THERMAL)
    of_costs = {one.name: getattr(costs, one.name) for one in fields(Offers) if hasattr(costs, one.name)}
    before, rules, found = Before.unknown(units), Parameters(loss_share=0.0, reserve_share=0.0), np.zeros(3)
    day = BEGIN
    while day <= LAST:
        bounds = availability.day(midnight_ns(day.date(), UTC))
        bounds.high_mw[:, tower] = bounds.inflow_mwh[:, tower] = 0.0
        offers = Offers(bounds.low_mw, bounds.high_mw, bounds.inflow_mwh, **of_costs)
        at = [from_ns((bounds.first_hour + k) * NS_PER_HOUR, UTC) for k in range(24)]
        rest_mw = np.array([system.rest_mw(one) for one in at])
        cleared = clear(system, offers, Demand(rest_mw, NOBODY, NOBODY, np.empty(0, dtype=np.int64)), before, rules)
        before = cleared.before
        if day >= FIRST:
            found += [cleared.cost_eur, cleared.redispatch_eur, float(cleared.p_mw[:, thermal].sum())]
        day += timedelta(days=1)
    return found[0] / prices.eur_per_usd / 1e6, found[1] / prices.eur_per_usd / 1e6, found[2] / 1e3

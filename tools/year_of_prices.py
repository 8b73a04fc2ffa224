"""Clears every day of the bulk system's year without towns, and says what prices, costs and curtailment come to (development only).

python tools/year_of_prices.py [eu-2024|rts-gmlc] [first month] [last month] [bus ...]
"""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from heptagrid.domains.generation.availability import Availability
from heptagrid.foundation.time import from_ns, midnight_ns
from heptagrid.importers.rts import read_bulk
from heptagrid.planes.money.fuel_prices import Parameters, costs_of
from heptagrid.planes.money.markets.day_ahead import Demand, clear
from heptagrid.planes.money.markets.day_ahead import Parameters as Rules
from heptagrid.planes.money.markets.day_case import Before, Offers
from heptagrid.planes.power.dynamics.frequency import TURBINES
from heptagrid.scenario.load import BULK
from heptagrid.world.bulk import SUN, WIND

UTC = ZoneInfo("UTC")


def main(basis: str, first: int = 1, last: int = 12, *buses: int) -> None:
    """Print a line a month, and the year's; of each of `buses` what its price was."""
    system = read_bulk(BULK)
    units, costs = system.units, costs_of(system.units, Parameters(basis=basis))
    availability = Availability(system, UTC, {word: one.governed for word, one in TURBINES.items()})
    before, rules = Before.unknown(units), Rules()
    free = units.of(SUN, WIND)
    rows, at_buses, began = [], [], time.perf_counter()
    places = [list(system.bus_numbers).index(bus) for bus in buses]
    day = datetime(2016, first, 1)
    while day.year == 2016 and day.month <= last:
        bounds = availability.day(midnight_ns(day.date(), UTC))
        offers = Offers(
            bounds.low_mw,
            bounds.high_mw,
            bounds.inflow_mwh,
            costs.block_mw,
            costs.block_eur,
            costs.no_load_eur_per_h,
            costs.start_eur,
        )
        at = [from_ns((bounds.first_hour + k) * 3600 * 10**9, UTC) for k in range(24)]
        rest = np.array([system.rest_mw(one) for one in at])
        none = np.zeros((24, 0))
        found = clear(system, offers, Demand(rest, none, none, np.empty(0, dtype=np.int64)), before, rules)
        before = found.before
        nodal = (found.bus_eur_per_mwh * rest).sum(axis=1) / rest.sum(axis=1)
        at_buses.append(found.bus_eur_per_mwh[:, places])
        tonnes = sum(costs.per_h(p, units.p_min_mw)[1] for p in found.p_mw)
        spilled = float((bounds.high_mw - found.p_mw)[:, free].sum())
        rows += [
            (
                *(day.month, found.price_eur_per_mwh[k], nodal[k], rest[k].sum(), found.cost_eur / 24.0),
                *(found.redispatch_eur / 24.0, tonnes / 24.0, spilled / 24.0, bounds.high_mw[:, free].sum() / 24.0),
                *(found.gap, found.unserved_mwh / 24.0),
            )
            for k in range(24)
        ]
        day += timedelta(days=1)
        if day.day == 1:
            told(f"month {day.month - 1 or 12}", np.array([row for row in rows if row[0] == rows[-1][0]]))
    table = np.array(rows)
    told(f"{basis}, {time.perf_counter() - began:.0f} s", table)
    for bus, price in zip(buses, np.concatenate(at_buses).T, strict=True):
        print(
            f"bus {bus}: mean {price.mean():.2f}, median {np.median(price):.1f}, deviation {price.std():.1f}, at most 0.01 in {(price <= 0.01).sum()} of {len(price)} h"
        )
    by_hour = table[:, [1, 3]].reshape(-1, 24, 2)
    price, load = by_hour[:, :, 0], by_hour[:, :, 1]
    night = np.isin(np.arange(24), [22, 23, *range(6)])
    print("by hour:", " ".join(f"{one:.0f}" for one in price.mean(axis=0)))
    for name, which in (("22 to 6 h", night), ("6 to 22 h", ~night)):
        print(f"{name}, by load: {(price * load)[:, which].sum() / load[:, which].sum():.2f}")


def told(what: str, rows: np.ndarray) -> None:
    """One line of figures."""
    zone, nodal, load = rows[:, 1], rows[:, 2], rows[:, 3]
    print(
        f"{what}: zone mean {zone.mean():.2f} (weighted {(zone * load).sum() / load.sum():.2f}), median {np.median(zone):.1f}, deviation {zone.std():.1f}, "
        f"max {zone.max():.0f}, at most 0.01 in {(zone <= 0.01).sum()} of {len(zone)} h; nodal mean {nodal.mean():.2f}, median {np.median(nodal):.1f}, "
        f"at most 0.01 in {(nodal <= 0.01).sum()} h; load {load.sum() / 1e6:.3f} TWh; cost {rows[:, 4].sum() / load.sum():.2f} EUR/MWh, "
        f"redispatch {rows[:, 5].sum() / rows[:, 4].sum():.1%}; {rows[:, 6].sum() / load.sum():.3f} t/MWh; curtailed {rows[:, 7].sum() / rows[:, 8].sum():.1%}; "
        f"gap {rows[:, 9].mean():.2%}, at most {rows[:, 9].max():.2%}; unserved {rows[:, 10].sum():.1f} MWh",
        flush=True,
    )


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(arguments[0] if arguments else "eu-2024", *(int(one) for one in arguments[1:]))

"""The day-ahead market of a run: demand is served within the network's limits, prices by hand, both arms share a commitment."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from heptagrid.domains.generation.availability import Availability
from heptagrid.foundation.time import NS_PER_HOUR, from_ns, midnight_ns
from heptagrid.importers.rts import read_bulk
from heptagrid.planes.money.fuel_prices import Parameters as FuelPrices
from heptagrid.planes.money.fuel_prices import costs_of
from heptagrid.planes.money.markets.day_ahead import NODAL, Cleared, Demand, Parameters, clear
from heptagrid.planes.money.markets.day_case import Before, Offers
from heptagrid.planes.power.balanced.dc import DcNetwork
from heptagrid.planes.power.dynamics.frequency import TURBINES
from heptagrid.scenario.load import BULK
from heptagrid.world.bulk import STORAGE, SUN, THERMAL, TOWER, WATER, WIND, BulkSystem

ZONE = ZoneInfo("Europe/Berlin")
DAY = date(2016, 1, 27)
TOWN = np.array([8])


@cache
def system() -> BulkSystem:
    return read_bulk(BULK)


@cache
def offers(basis: str = "eu-2024") -> Offers:
    units = system().units
    day = Availability(system(), ZONE, {word: one.governed for word, one in TURBINES.items()}).day(
        midnight_ns(DAY, ZONE)
    )
    costs = costs_of(units, FuelPrices(basis=basis))
    blocks = costs.block_mw, costs.block_eur, costs.no_load_eur_per_h, costs.start_eur
    return Offers(day.low_mw, day.high_mw, day.inflow_mwh, *blocks)


def demand(town_mw: float = 15.0, expected_mw: float = 15.0) -> Demand:
    first = midnight_ns(DAY, ZONE) // NS_PER_HOUR
    rest = np.array([system().rest_mw(from_ns((first + k) * NS_PER_HOUR, ZONE)) for k in range(24)])
    return Demand(rest, np.full((24, 1), town_mw), np.full((24, 1), expected_mw), TOWN)


@cache
def winter_day() -> Cleared:
    return clear(system(), offers(), demand(), Before.unknown(system().units), Parameters())


def test_the_system_is_that_of_the_consortium() -> None:
    """SourceData/gen.csv: 8,076 MW of thermal units, 1,000 of hydro, 2,507.9 of wind, 1,554.5 of photovoltaics; three regions of 2,850 MW."""
    units = system().units
    assert {
        kind: round(float(units.p_max_mw[units.of(kind)].sum()), 1)
        for kind in (THERMAL, WATER, WIND, SUN, TOWER, STORAGE)
    } == {**{THERMAL: 8076.0, WATER: 1000.0, WIND: 2507.9, SUN: 1554.5, TOWER: 200.0, STORAGE: 50.0}}
    assert len(system().bus_numbers) == 73 and len(system().branch_from) == 120
    assert system().load_mw.max(axis=0).tolist() == [2850.0] * 3
    assert float(system().roof_mw.max(axis=0).sum()) < 1161.4


def test_the_schedule_serves_demand_within_limits() -> None:
    cleared, given = winter_day(), offers()
    load = demand().at_buses(demand().towns_mw) * 1.03
    assert cleared.unserved_mwh == pytest.approx(0.0, abs=1e-6)
    assert cleared.p_mw.sum(axis=1) == pytest.approx(load.sum(axis=1), abs=1e-4)
    units = system().units
    low, high = np.where(cleared.on, given.low_mw, 0.0), np.where(cleared.on, given.high_mw, 0.0)
    assert (cleared.p_mw >= low - 1e-6).all() and (cleared.p_mw <= high + 1e-6).all()
    bulk = system()
    network = DcNetwork(
        *(len(bulk.bus_numbers), bulk.branch_from, bulk.branch_to, np.zeros(len(bulk.branch_from))),
        *(bulk.branch_x_pu, bulk.branch_ratio, bulk.base_mva),
    )
    for hour in range(24):
        fed_in = np.bincount(units.bus, cleared.p_mw[hour], minlength=73) - load[hour]
        flow = network.solve(fed_in).flow_mw
        assert (np.abs(flow) <= bulk.branch_rating_mw + 1e-3).all()


def test_both_arms_share_the_commitment_and_differ_by_their_demand() -> None:
    """The commitment hangs on what is expected alone; a MWh that one arm takes more costs what a MWh is worth."""
    one = winter_day()
    other = clear(system(), offers(), demand(16.0), Before.unknown(system().units), Parameters())
    assert (one.on == other.on).all() and one.gap == other.gap
    assert (one.before.on_h == other.before.on_h).all()
    nodal = one.bus_eur_per_mwh[:, TOWN[0]]
    assert other.cost_eur - one.cost_eur == pytest.approx(float(nodal.sum()) * 1.03, rel=0.05)


def test_prices_of_buses_are_what_a_megawatt_costs_there() -> None:
    """By another solution with 0.01 MW more at the town's bus, hour by hour; storages and tanks may move, so the day is compared."""
    more = clear(system(), offers(), demand(15.01), Before.unknown(system().units), Parameters(pricing=NODAL))
    per_mwh = (more.cost_eur - winter_day().cost_eur) / (24 * 0.01 * 1.03)
    assert per_mwh == pytest.approx(float(winter_day().bus_eur_per_mwh[:, TOWN[0]].mean()), rel=1e-3)
    assert more.price_eur_per_mwh == pytest.approx(more.bus_eur_per_mwh[:, TOWN[0]])


def test_the_zone_is_no_dearer_than_its_network_allows() -> None:
    assert winter_day().redispatch_eur >= -1e-6
    assert winter_day().price_eur_per_mwh.min() >= -1e-9
    assert winter_day().price_eur_per_mwh.max() < 4000.0


def test_a_tank_gives_no_more_than_has_flowed_into_it() -> None:
    """Both arms expected 1000 MWh in it; in this arm it is empty."""
    tower = system().units.of(TOWER)
    expected = replace(Before.unknown(system().units), tank_mwh=np.array([1000.0]))
    cleared = clear(system(), offers(), demand(), expected, Parameters())
    inflow = offers().inflow_mwh[:, tower]
    given = cleared.p_mw[:, tower]
    assert (np.cumsum(given) <= np.cumsum(inflow) + 1e-6).all()
    assert cleared.before.own_tank_mwh.sum() <= inflow.sum() - given.sum() + 1e-6


def test_a_storage_that_offers_nothing_stands_still_and_a_unit_that_offers_nothing_is_off() -> None:
    which = np.concatenate([system().units.of(STORAGE), np.flatnonzero(system().units.names == "107_CC_1")])
    few = replace(offers(), low_mw=offers().low_mw.copy(), high_mw=offers().high_mw.copy())
    few.low_mw[:, which] = few.high_mw[:, which] = 0.0
    cleared = clear(system(), few, demand(), Before.unknown(system().units), Parameters())
    assert np.abs(cleared.p_mw[:, which]).max() == 0.0
    assert cleared.before.on_h[which[-1]] < 0


def test_scarcity_has_the_price_cap() -> None:
    few = replace(offers(), low_mw=offers().low_mw * 0.0, high_mw=offers().high_mw * 0.0)
    cleared = clear(system(), few, demand(), Before.unknown(system().units), Parameters())
    assert cleared.price_eur_per_mwh == pytest.approx(np.full(24, 4000.0))
    assert cleared.unserved_mwh > 0.0


def test_a_unit_below_its_minimum_burns_what_it_burns_there() -> None:
    """While the frequency is high; a unit at rest burns nothing."""
    units = system().units
    costs, one = costs_of(units, FuelPrices()), units.names == "107_CC_1"
    at_least, below, off = (costs.per_h(one * mw, units.p_min_mw) for mw in (170.0, 169.9, 0.0))
    assert below == at_least and off == (0.0, 0.0)


def test_dearer_carbon_turns_the_order_of_coal_and_gas() -> None:
    """By hand from gen.csv: at full output 107_CC_1 takes 7.06 and 123_STEAM_3 11.0 million Btu a MWh. In 2024: 7.06 (10.20 + 0.0535 x 65) = 96.5 and
    11.0 (4.15 + 0.0953 x 65) = 113.7 EUR/MWh; at the consortium's prices, without carbon, 25.4 and 21.5."""
    units = system().units

    def full(basis: str) -> list[float]:
        costs = costs_of(units, FuelPrices(basis=basis))
        p_mw = [units.p_max_mw * (units.names == name) for name in ("107_CC_1", "123_STEAM_3")]
        return [costs.per_h(one, units.p_min_mw)[0] / one.sum() for one in p_mw]

    assert full("eu-2024") == pytest.approx([96.5, 113.8], abs=0.2)
    assert full("rts-gmlc") == pytest.approx([25.3, 21.5], abs=0.2)

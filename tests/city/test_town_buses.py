"""The buses that feed the areas of a city: each takes the place of load that was there, and a town takes none."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from heptagrid.assembly.town_buses import planned_mw, town_buses, without_what_areas_replace
from heptagrid.importers.rts import read_bulk
from heptagrid.scenario.load import load
from heptagrid.world.bulk import BulkSystem

PEAK = datetime(2016, 7, 24, 16)


@pytest.fixture(scope="module")
def bulk() -> BulkSystem:
    return read_bulk(load("city").bulk_folder)


def peak_mw(bulk: BulkSystem) -> np.ndarray:
    return np.asarray(bulk.load_mw.max(axis=0)[bulk.bus_area] * bulk.bus_share)


def test_a_small_city_hangs_where_a_town_does(bulk: BulkSystem) -> None:
    scenario = load("city", ["city.customers=60000"])
    buses = town_buses(scenario, bulk)
    assert set(bulk.bus_numbers[buses]) == {109}
    left = without_what_areas_replace(bulk, buses, planned_mw(scenario))
    before, after = (one.load_mw.max(axis=0)[one.bus_area] * one.bus_share for one in (bulk, left))
    assert before.sum() - after.sum() == pytest.approx(planned_mw(scenario).sum(), rel=1e-6)
    assert (before - after)[bulk.bus_numbers != 109].max() == 0.0


@pytest.mark.parametrize("customers", [300_000, 1_000_000])
def test_a_large_one_spreads_over_the_nearest_buses_and_replaces_their_load(bulk: BulkSystem, customers: int) -> None:
    scenario = load("city", [f"city.customers={customers}"])
    buses, planned = town_buses(scenario, bulk), planned_mw(scenario)
    replaced = np.bincount(buses, planned, minlength=len(bulk.bus_numbers))
    assert (replaced <= peak_mw(bulk)).all()
    used = np.flatnonzero(replaced)
    assert len(used) >= planned.sum() / peak_mw(bulk).max()
    first = int(np.flatnonzero(bulk.bus_numbers == 109)[0])
    east = bulk.bus_longitude * np.cos(np.radians(bulk.bus_latitude[first]))
    distance = np.hypot(east - east[first], bulk.bus_latitude - bulk.bus_latitude[first])
    nearer = np.flatnonzero(distance < distance[used].max())
    assert (peak_mw(bulk) - replaced)[nearer].max() < planned.max(), "none is left out while it has room"
    left = without_what_areas_replace(bulk, buses, planned)
    assert left.rest_mw(PEAK).sum() + planned.sum() == pytest.approx(bulk.rest_mw(PEAK).sum(), rel=0.1)


def test_a_greater_city_keeps_the_buses_of_its_first_areas(bulk: BulkSystem) -> None:
    small, great = (town_buses(load("city", [f"city.customers={one}"]), bulk) for one in (250_000, 900_000))
    assert (small[:-1] == great[: len(small) - 1]).all(), "the last area has what is left"


def test_an_area_with_a_bus_of_its_own_keeps_it(bulk: BulkSystem) -> None:
    scenario = load("city", ["city.customers=200000", "towns.area-3.bus=218"])
    numbers = bulk.bus_numbers[town_buses(scenario, bulk)]
    assert numbers[2] == 218
    assert (numbers == 218).sum() == 1


def test_towns_are_beside_the_other_loads(bulk: BulkSystem) -> None:
    scenario = load("two-towns")
    buses = town_buses(scenario, bulk)
    assert without_what_areas_replace(bulk, buses, planned_mw(scenario)) is bulk


def test_more_than_all_loads_is_said(bulk: BulkSystem, caplog: pytest.LogCaptureFixture) -> None:
    scenario = load("city", ["city.customers=5000000"])
    buses, planned = town_buses(scenario, bulk), planned_mw(scenario)
    left = without_what_areas_replace(bulk, buses, planned)
    assert "MW more than the loads of the bulk system" in caplog.text
    assert (left.bus_share >= 0.0).all()

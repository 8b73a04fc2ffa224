"""An area of a city: the same for the same seed and number, a tree that holds its voltages, fed by the shortest ways."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from heptagrid.importers.extract import read_grid, read_profiles
from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.scenario.load import DATA
from heptagrid.world.balanced.radial_network import radial_network
from heptagrid.world.city.area import SIMULTANEOUS, UTILISED, area
from heptagrid.world.city.catalogue import Catalogue, catalogue
from heptagrid.world.city.curve import along
from heptagrid.world.city.draws import Draws
from heptagrid.world.city.low_voltage import forest
from heptagrid.world.city.medium_voltage import BUSBAR, FEWEST, MOST, rings
from heptagrid.world.city.places import land_km2_of, places, whole_area
from heptagrid.world.city.streets import streets
from heptagrid.world.grid import Grid
from heptagrid.world.joined import KM_PER_DEGREE

TOWN = DATA / "town"
QUARTER_NS = 900_000_000_000
WINTER_EVENING, SUMMER_NOON = 26 * 96 + 71, 170 * 96 + 50
"""Quarter hours of the profiles' year: the greatest net import of the town, and much sun."""


@pytest.fixture(scope="module")
def of() -> Catalogue:
    return catalogue(read_grid(TOWN))


def _same(one: Grid, other: Grid) -> bool:
    tables = ("buses", "lines", "transformers", "loads", "units")
    return all(
        np.array_equal(
            getattr(getattr(one, table), column.name),
            getattr(getattr(other, table), column.name),
            equal_nan=column.type == "Floats",
        )
        for table in tables
        for column in fields(getattr(one, table))
    )


def test_an_area_is_a_function_of_seed_and_number(of: Catalogue) -> None:
    assert _same(area(1, 2, 1500, of), area(1, 2, 1500, of))
    assert not _same(area(1, 2, 1500, of), area(1, 3, 1500, of))
    assert not _same(area(1, 2, 1500, of), area(2, 2, 1500, of))


def test_a_greater_city_has_the_same_areas_and_more() -> None:
    small, great = places(60_000, 7), places(250_000, 7)
    assert sum(one.customers for one in small) == 60_000 and sum(one.customers for one in great) == 250_000
    assert great[: len(small) - 1] == small[:-1]
    assert all(10_000 <= one.customers <= 14_000 for one in great[:-1])


def test_areas_do_not_lie_upon_one_another() -> None:
    found = places(400_000, 3)
    at = np.array([[one.east_km, one.north_km] for one in found])
    own_km = np.sqrt([land_km2_of(one.character, whole_area(3, one.number)[0]) / np.pi for one in found])
    apart_km = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)) - own_km[:, None] - own_km[None]
    assert apart_km[np.triu_indices(len(found), 1)].min() > 0.0
    city_km = (np.hypot(*at.T) + own_km).max()
    assert (own_km**2).sum() > 0.5 * city_km**2, "they take more than half of the land"


@pytest.mark.parametrize("number", [0, 4, 9])
def test_an_area_keeps_to_its_land(of: Catalogue, number: int) -> None:
    customers, character = whole_area(1, number)
    buses = area(1, number, customers, of).buses
    north_km = (buses.latitude_deg - buses.latitude_deg[0]) * KM_PER_DEGREE
    east_km = (buses.longitude_deg - buses.longitude_deg[0]) * KM_PER_DEGREE * np.cos(np.radians(buses.latitude_deg[0]))
    assert np.hypot(east_km, north_km).max() < np.sqrt(land_km2_of(character, customers) / np.pi)


def test_transformers_and_cables_are_planned_for_what_stands_behind_them(of: Catalogue) -> None:
    grid = area(1, 3, 12_000, of)
    low = grid.buses.vn_kv[grid.lines.from_bus] < 1.0
    above, cable = np.arange(len(grid.buses.vn_kv)), np.full(len(grid.buses.vn_kv), -1)
    above[grid.lines.to_bus[low]], cable[grid.lines.to_bus[low]] = grid.lines.from_bus[low], np.flatnonzero(low)
    carried_kva, bus = np.zeros(len(grid.lines.names)), grid.loads.bus
    rated_kva, station_kva = np.hypot(grid.loads.p_kw, grid.loads.q_kvar), np.zeros(len(above))
    while len(bus):  # up the cables, all customers a step at a time
        on = cable[bus] >= 0
        np.add.at(station_kva, bus[~on], rated_kva[~on])
        bus, rated_kva = bus[on], rated_kva[on]
        np.add.at(carried_kva, cable[bus], rated_kva)
        bus = above[bus]
    local = grid.transformers.vn_lv_kv < 1.0
    planned = SIMULTANEOUS / UTILISED
    assert (planned * station_kva[grid.transformers.lv_bus[local]] <= 1000.0 * grid.transformers.sn_mva[local]).all()
    cable_kva = 1000.0 * np.sqrt(3.0) * 0.4 * grid.lines.max_i_ka[low]
    is_thin = grid.lines.max_i_ka[low] < of.low[0].max_i_ka
    assert (planned * carried_kva[low] <= cable_kva + 1e-6)[~is_thin].all()
    assert carried_kva.max() > 100.0


@pytest.mark.parametrize(("number", "customers"), [(0, 1), (0, 40), (1, 700), (2, 3000), (5, 12_000)])
def test_every_customer_is_fed_and_voltages_hold(of: Catalogue, number: int, customers: int) -> None:
    grid, profiles = area(1, number, customers, of), read_profiles(TOWN)
    assert len(grid.loads.bus) == customers
    network = radial_network(grid)  # which refuses islands and loops
    solver = RadialSolver(network, grid)
    for quarter in (WINTER_EVENING, SUMMER_NOON):
        shares = profiles.at(profiles.start_ns + quarter * QUARTER_NS)
        p_kw, q_kvar = np.zeros(network.nodes), np.zeros(network.nodes)
        np.add.at(p_kw, network.node_of_bus[grid.loads.bus], grid.loads.p_kw * shares[grid.loads.p_profile])
        np.add.at(q_kvar, network.node_of_bus[grid.loads.bus], grid.loads.q_kvar * shares[grid.loads.q_profile])
        np.add.at(p_kw, network.node_of_bus[grid.units.bus], -grid.units.p_kw * shares[grid.units.profile])
        flow = solver.solve(p_kw, q_kvar, grid.infeed_v_pu, grid.transformers.tap_pos)
        assert not len(flow.held)
        assert flow.v_pu.min() > 0.97 and flow.v_pu.max() < 1.08
        assert flow.transformer_loading_pct.max() < 100.0


def test_customers_are_fed_from_the_nearest_substation_by_the_shortest_way() -> None:
    found = streets(Draws(4, 0), "suburban", 400)
    trees = forest(found)
    ends, count = found.ends, len(found.x_m)
    graph = coo_array((found.length_m, (ends[:, 0], ends[:, 1])), shape=(count, count)).tocsr()
    from_each_m = dijkstra(graph, directed=False, indices=trees.station)
    laid_m = np.zeros(count)
    for node, parent, length_m in zip(trees.node, trees.parent, trees.length_m, strict=True):
        laid_m[node] = laid_m[parent] + length_m
    np.testing.assert_allclose(laid_m[found.customer], from_each_m[:, found.customer].min(axis=0), rtol=1e-12)
    assert np.isfinite(laid_m).all() and np.array_equal(
        np.bincount(trees.of).nonzero()[0], np.arange(len(trees.station))
    )


def test_rings_stand_open_and_lead_through_every_substation_once() -> None:
    draws = Draws(5, 0)
    x_m, y_m = draws.normal(150) * 1000.0, draws.normal(150) * 1000.0
    laid = rings(draws, x_m, y_m)
    closed = ~laid.is_open
    assert np.array_equal(np.sort(laid.lower[closed]), np.arange(150)), "each is fed by one cable"
    below = {int(lower): int(upper) for upper, lower in zip(laid.upper[closed], laid.lower[closed], strict=True)}

    def way(station: int) -> list[int]:
        return [station, *(way(below[station]) if below[station] != BUSBAR else [])]

    sizes = [len({*way(int(a)), *way(int(b))}) for a, b in zip(laid.upper[~closed], laid.lower[~closed], strict=True)]
    assert sum(sizes) == 150 and all(FEWEST <= size <= MOST + FEWEST for size in sizes)
    assert (laid.length_m > 0.0).all()


def test_the_curve_goes_from_neighbour_to_neighbour() -> None:
    x, y = (one.ravel().astype(np.float64) for one in np.meshgrid(np.arange(16), np.arange(16)))
    order = np.argsort(along(x, y))
    steps = np.abs(np.diff(x[order])) + np.abs(np.diff(y[order]))
    assert (steps == 1.0).all()

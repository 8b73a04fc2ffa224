"""The world of a scenario, which all arms share: networks, people, weather, the bulk system, the places of messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.communication_sites import communication_sites
from heptagrid.assembly.companies import companies_of
from heptagrid.assembly.happenings import Happening, Site, happenings
from heptagrid.assembly.local_markets import local_markets
from heptagrid.assembly.town_buses import planned_mw, town_buses, without_what_areas_replace
from heptagrid.domains.customers.ownership import Ownership, ownership
from heptagrid.domains.distribution.actor import Substations
from heptagrid.foundation.errors import NetworkError
from heptagrid.foundation.random import Stream, uniforms
from heptagrid.importers.epw import read_epw
from heptagrid.importers.extract import read_grid, read_profiles
from heptagrid.importers.network_folder import read_network
from heptagrid.importers.photovoltaics import under_the_sun
from heptagrid.importers.rts import read_bulk
from heptagrid.importers.weather import read_weather
from heptagrid.planes.messages.planning.planned_network import Plan
from heptagrid.planes.money.fuel_prices import costs_of
from heptagrid.scenario.schema import Scenario
from heptagrid.world.balanced.radial_network import BASE_KVA, Tree, radial_network
from heptagrid.world.bulk import BulkSystem, UnitCosts
from heptagrid.world.city.area import area
from heptagrid.world.city.catalogue import Catalogue, catalogue
from heptagrid.world.clouds.units import Clouds
from heptagrid.world.companies import Companies
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.grid import Grid, Profiles, local_transformers
from heptagrid.world.joined import TownNetwork, joined_grid, joined_profiles, joined_tree, moved, placed, towns_of_nodes
from heptagrid.world.local_markets import LocalMarkets
from heptagrid.world.weather import Weather

if TYPE_CHECKING:
    from heptagrid.planes.power.unbalanced.conductors import Conductors
    from heptagrid.world.circuit.circuit import Circuit

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LEAST_SAMPLE = 24  # nodes and customers recorded at every step


@dataclass(frozen=True)
class World:
    """What both arms share: the networks, the people, the weather, the bulk system, the places of messages.

    grid, network: of all towns as one (`heptagrid.world.joined`); towns: each by itself. town_of: (points,) whose network feeds each metering point. town_bus: (towns,) positions of the buses of the
    bulk system that feed them.
    companies: whose customers the points are. point_node, point_terminal: (points,) where metering points stand, and where they hang on the lines. circuit: whose conductors
    are solved one by one; None where the grid is balanced. conductors: of the circuit. dead_points: metering points that no source feeds.
    local_markets: None where the scenario has none. clouds: over photovoltaic units; None where these follow their profiles. resting: towns that take no part, by number.
    """

    grid: Grid
    network: Tree
    profiles: Profiles
    weather: Weather
    bulk: BulkSystem
    unit_costs: UnitCosts
    owned: Ownership
    towns: tuple[TownNetwork, ...]
    town_of: Ints
    town_bus: Ints
    companies: Companies
    point_node: Ints
    point_terminal: Ints
    substations: Substations
    plan: Plan
    endpoints: Endpoints
    sample_nodes: Ints
    sample_customers: Ints
    events: tuple[Happening, ...] = ()
    circuit: Circuit | None = None
    conductors: Conductors | None = None
    dead_points: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    local_markets: LocalMarkets | None = None
    clouds: Clouds | None = None
    resting: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def customers_count(self) -> int:
        return len(self.grid.loads.bus)

    @property
    def points(self) -> int:
        """Metering points: customers, then producers without a load."""
        return len(self.point_node)

    @property
    def points_at_rest(self) -> Ints:
        """Metering points of towns that take no part."""
        return np.flatnonzero(np.isin(self.town_of, self.resting))

    @property
    def substation_of(self) -> Ints:
        """(points,) the substation at whose concentrator each metering point's gateway is."""
        return self.plan.topology.group[self.plan.gateways]

    @property
    def branch_pct_per_pu(self) -> Floats:
        """(nodes,) loading in percent of the branch above each node, for a current of one per unit."""
        network, grid = self.network, self.grid
        pct = np.zeros(network.nodes)
        base_a = BASE_KVA / np.sqrt(3.0) / network.v_base_kv
        lines = np.flatnonzero(network.line_of_node >= 0)
        pct[lines] = 100.0 * base_a[lines] / (grid.lines.max_i_ka[network.line_of_node[lines]] * 1000.0)
        above = np.flatnonzero(network.transformer_of_node >= 0)
        unit = network.transformer_of_node[above]
        rated_a = grid.transformers.sn_mva[unit] * 1000.0 / np.sqrt(3.0) / grid.transformers.vn_lv_kv[unit]
        pct[above] = 100.0 * base_a[above] / (rated_a * network.parallels[above])
        return pct

    def feeder_head(self, feeder: int) -> str:
        """The name of the line with which a feeder leaves the busbar."""
        line = self.network.line_of_node[self.network.feeder_start[feeder - 1]]
        return str(self.grid.lines.names[line]) if line >= 0 else "a transformer"


@lru_cache(maxsize=4)
def _town_files(folder: Path) -> tuple[Grid, Profiles, Weather]:
    return read_grid(folder), read_profiles(folder), read_weather(folder)


@lru_cache(maxsize=2)
def _catalogue(folder: Path) -> Catalogue:
    return catalogue(read_grid(folder))


@lru_cache(maxsize=2)
def _bulk_file(folder: Path) -> BulkSystem:
    return read_bulk(folder)


def build_world(scenario: Scenario) -> World:
    """Everything that does not depend on the arm.

    Raises
    ------
    NetworkError, HeptagridError
        For a network that is no tree, or data that cannot be read.
    """
    towns, tables, weather, circuit = networks_of(scenario)
    given = scenario.sections["weather"]
    if given.file:
        weather = read_epw(given.file).weather
        tables = [under_the_sun(one, given) for one in tables]
    profiles, first_columns = joined_profiles(tables)
    grid, network, bulk = joined_grid(towns, first_columns), joined_tree(towns), _bulk_file(scenario.bulk_folder)
    town_bus = town_buses(scenario, bulk)
    bulk = without_what_areas_replace(bulk, town_bus, planned_mw(scenario))
    owned = ownership(grid.loads, grid.units, scenario.sections, scenario.seed)
    lonely = np.flatnonzero(owned.unit_point >= len(grid.loads.bus))
    point_bus = np.concatenate([grid.loads.bus, grid.units.bus[lonely]])
    point_node = network.node_of_bus[point_bus]
    point_terminal = point_node
    conductors, dead_points = None, np.empty(0, dtype=np.int64)
    if circuit is not None:  # few runs solve conductors one by one
        from heptagrid.planes.power.unbalanced.conductors import conductors_of
        from heptagrid.planes.power.unbalanced.solver import UnbalancedSolver
        from heptagrid.world.circuit.circuit import terminals_of

        loads, units = terminals_of(circuit)
        point_terminal = np.concatenate([loads, units[lonely]])
        conductors = conductors_of(UnbalancedSolver(circuit))
        dead_points = np.flatnonzero(conductors.served_share(circuit.devices)[point_terminal] == 0.0)
    substations = _substations(grid, network)
    nearest = circuit is not None
    has_outages = bool(scenario.events) or len(dead_points) > 0
    plan, endpoints = communication_sites(
        scenario, towns, grid, network, bulk, town_bus, point_bus, point_node, substations, nearest, has_outages
    )
    town_of = towns_of_nodes(towns, point_node)
    return World(
        towns=towns,
        town_of=town_of,
        town_bus=town_bus,
        companies=companies_of(scenario, town_of),
        grid=grid,
        network=network,
        profiles=profiles,
        weather=weather,
        bulk=bulk,
        unit_costs=costs_of(bulk.units, scenario.sections["fuel_prices"]),
        owned=owned,
        point_node=point_node,
        point_terminal=point_terminal,
        substations=substations,
        plan=plan,
        endpoints=endpoints,
        sample_nodes=_sample(scenario, 0, network.nodes),
        sample_customers=_sample(scenario, 1, len(grid.loads.bus)),
        events=happenings(scenario, Site(towns, network, point_node, substations, plan)),
        circuit=circuit,
        conductors=conductors,
        dead_points=dead_points,
        local_markets=local_markets(
            scenario.sections["local_market"], scenario.step_s, grid, network, substations, point_node, owned
        ),
        clouds=_clouds(scenario, grid, profiles),
    )


def _clouds(scenario: Scenario, grid: Grid, profiles: Profiles) -> Clouds | None:
    given = scenario.sections["weather"]
    if given.clouds == "none":
        return None
    return Clouds.over(
        profiles, grid.units.profile, grid.units.bus, grid.buses, scenario.seed, given.cloud_speed_m_per_s
    )


def networks_of(scenario: Scenario) -> tuple[tuple[TownNetwork, ...], list[Profiles], Weather, Circuit | None]:
    """The networks of the towns and their profiles, the weather, which is the first town's, and the circuit of the only town."""
    towns, tables = [], []
    weather, circuit = None, None
    city = scenario.sections["city"]
    for town in scenario.towns:
        grid, profiles, own_weather = _town_files(town.folder)
        if town.entry.customers:
            grid = area(city.seed, town.entry.area, town.entry.customers, _catalogue(town.folder))
            network: Tree = radial_network(grid)
        else:
            network, circuit = read_network(town.folder)
        if circuit is not None and len(scenario.towns) > 1:
            raise NetworkError(
                f"town {town.name!r}: {town.folder} holds a circuit whose conductors are solved one by one; only a scenario with one town takes it"
            )
        weather = own_weather if weather is None else weather
        towns.append(TownNetwork(town.name, moved(grid, town.entry.east_km, town.entry.north_km), network))
        tables.append(profiles)
    assert weather is not None
    return placed(towns), tables, weather, circuit


def _sample(scenario: Scenario, occasion: int, count: int) -> Ints:
    """A random sample of ids, ascending; a greater one has those of a smaller one."""
    drawn = np.asarray(uniforms(scenario.seed, int(Stream.SAMPLE), np.arange(count), occasion))
    size = max(LEAST_SAMPLE, round(scenario.sections["record"].sample_share * count))
    return np.sort(np.argsort(drawn, kind="stable")[:size])


def _substations(grid: Grid, network: Tree) -> Substations:
    """Every transformer to low voltage is a substation with a concentrator."""
    local = local_transformers(grid)
    return Substations(transformer=local, node=network.node_of_transformer[local])

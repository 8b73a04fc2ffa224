"""Where the ends of the communication network stand: gateways, concentrators, hubs, control centres, plants, substations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.access_plan import read_access_plan
from heptagrid.domains.distribution.actor import Substations
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.messages.planning.network_planner import plan_network
from heptagrid.planes.messages.planning.planned_network import Plan
from heptagrid.scenario.schema import Scenario
from heptagrid.world.balanced.radial_network import Tree
from heptagrid.world.bulk import BulkSystem
from heptagrid.world.companies import called
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.grid import Grid
from heptagrid.world.joined import TownNetwork, towns_of_nodes

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def communication_sites(
    scenario: Scenario,
    towns: Sequence[TownNetwork],
    grid: Grid,
    network: Tree,
    bulk: BulkSystem,
    town_bus: Ints,
    point_bus: Ints,
    point_node: Ints,
    substations: Substations,
    nearest: bool,
    has_outages: bool,
) -> tuple[Plan, Endpoints]:
    """The communication network over the electrical one's coordinates.

    A metering point belongs to the substation that feeds it, or to the `nearest` one of its town. has_outages: whether any
    place is ever without supply. town_bus: (towns,) positions of the buses that feed them.
    """
    concentrator_of_node = np.full(network.nodes, -1, dtype=np.int64)
    concentrator_of_node[substations.node] = np.arange(len(substations.node))
    _inherit(concentrator_of_node, network.parent)
    degrees = np.column_stack([grid.buses.longitude_deg, grid.buses.latitude_deg])
    stations = degrees[grid.transformers.lv_bus[substations.transformer]]
    concentrator = concentrator_of_node[point_node]
    town_of, concentrator_town = towns_of_nodes(towns, point_node), towns_of_nodes(towns, substations.node)
    # Customers at medium voltage have no concentrator on their way; they join the nearest one.
    for point in np.flatnonzero((concentrator < 0) | nearest):
        own = np.flatnonzero(concentrator_town == town_of[point])
        concentrator[point] = own[np.argmin(((stations[own] - degrees[point_bus[point]]) ** 2).sum(axis=1))]
    hubs = degrees[network.bus_of_node[network.busbars]]
    hub = hubs[0]
    # Control centres and plants have no coordinates of their own: they are put at stated distances from the first hub.
    retailers = [called("retailer", one.name) for one in scenario.retailers]
    aggregators = [called("aggregator", one.name) for one in scenario.aggregators]
    centres = ["operations", "market", *retailers, *aggregators]
    sites = {name: (hub[0] + 0.05 * k, hub[1] + 0.1 * k) for k, name in enumerate(centres, start=1)}
    sites |= {f"plant {k}": (hub[0] + 0.1 * (k % 8), hub[1] - 0.1 * (1 + k // 8)) for k in range(len(bulk.units.bus))}
    sites |= {
        f"substation {k}": (hub[0] - 0.1 * (1 + k % 6), hub[1] + 0.1 * (k // 6)) for k in range(len(bulk.bus_numbers))
    }
    access = [town.sections["messages.access"] for town in scenario.towns]
    counts = np.bincount(concentrator_town[concentrator], minlength=len(towns)).tolist()
    plan = plan_network(
        degrees[point_bus],
        concentrator,
        stations,
        concentrator_town,
        hubs,
        sites,
        access,
        [town.sections["messages.backhaul"] for town in scenario.towns],
        scenario.sections["messages.wan"],
        queued=has_outages,
        centres=centres if len(towns) > 1 and scenario.towns[0].entry.customers > 0 else None,
        planned=[read_access_plan(given, count) for given, count in zip(access, counts, strict=True)],
    )
    at = plan.sites
    transmission = np.array([at[f"substation {k}"] for k in range(len(bulk.bus_numbers))])
    endpoints = Endpoints(
        gateways=plan.gateways,
        concentrators=plan.concentrators,
        hubs=plan.hubs,
        operations=at["operations"],
        market=at["market"],
        retailers=np.array([at[name] for name in retailers]),
        aggregators=np.array([at[name] for name in aggregators]),
        plants=np.array([at[f"plant {k}"] for k in range(len(bulk.units.bus))]),
        substations=transmission,
        infeeds=transmission[town_bus],
    )
    return plan, endpoints


@kernel
def _inherit(concentrator_of_node, parent):  # type: ignore[no-untyped-def]
    """Nodes without a concentrator (-1) get their parents'; parents come first."""
    for node in range(len(parent)):
        if concentrator_of_node[node] < 0 and parent[node] >= 0:
            concentrator_of_node[node] = concentrator_of_node[parent[node]]

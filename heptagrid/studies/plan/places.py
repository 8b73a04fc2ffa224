"""Meters and the places where sites may stand, from a scenario's networks: a town's, a city's, or an engineer's own feeder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.world import networks_of
from heptagrid.domains.customers.ownership import unit_points
from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.messages.planning.path_loss import has_mast, is_line
from heptagrid.planes.messages.planning.section import Parameters
from heptagrid.planes.messages.planning.siting import Lines, Places
from heptagrid.planes.messages.technology import Technology
from heptagrid.scenario.schema import Scenario
from heptagrid.world.grid import HIGH_VOLTAGE_KV, local_transformers
from heptagrid.world.joined import KM_PER_DEGREE, TownNetwork

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]

_AREA_BITS = 24  # of an id, below the number of the area: twice as many places as an area may have
SPACING = 0.25
"""Of a technology's range, where no more is said."""


@dataclass(frozen=True)
class Surroundings:
    """Meters, substations and all buses of a scenario's networks.

    meter_node, meter_id, meter_names: (meters,). xy_m, degrees, node_id, names: (nodes,) of all towns' nodes, one town after another; ids are the
    same in a part of a city. stations: nodes at the low side of local transformers. buses: nodes below high voltage. parent, length_m: (nodes,)
    of the line above each node, -1 above which is a transformer.
    """

    meter_node: Ints
    meter_id: Ints
    meter_names: Names
    xy_m: Floats
    degrees: Floats
    node_id: Ints
    names: Names
    stations: Ints
    buses: Ints
    parent: Ints
    length_m: Floats


def surroundings(scenario: Scenario) -> Surroundings:
    """Where the meters of a scenario are, and what else is there.

    Raises
    ------
    NetworkError
        If its networks have no coordinates.
    """
    towns, _, _, _ = networks_of(scenario)
    areas = [town.entry.area if town.entry.customers else k for k, town in enumerate(scenario.towns)]
    parts = [_of_town(town, area) for town, area in zip(towns, areas, strict=True)]
    degrees = np.concatenate([part.degrees for part in parts])
    if not np.isfinite(degrees).all() or np.ptp(degrees[np.concatenate([part.meter_node for part in parts])]) == 0.0:
        raise NetworkError(
            f"scenario {scenario.name!r}: its network has no coordinates, so that no site can be placed; add them to its buses"
        )
    return _joined(parts, _flat_m(degrees, degrees[0]))


def _of_town(town: TownNetwork, area: int) -> Surroundings:
    grid, tree, first = town.grid, town.network, town.first_node
    points, _ = unit_points(grid.loads, grid.units)
    lonely = np.flatnonzero(points >= len(grid.loads.bus))
    meter_node = tree.node_of_bus[np.concatenate([grid.loads.bus, grid.units.bus[lonely]])]
    of_bus = np.column_stack([grid.buses.longitude_deg, grid.buses.latitude_deg])[tree.bus_of_node]
    is_low = (tree.transformer_of_node >= 0) & (tree.v_base_kv < 1.0)
    local = tree.node_of_transformer[local_transformers(grid)]
    is_low[local[local >= 0]] = True
    is_there = tree.bus_of_node >= 0
    lead = _lead(tree.bus_of_node, tree.transformer_of_node >= 0)
    is_lead = lead == np.arange(tree.nodes)
    parent = np.where((tree.transformer_of_node >= 0) | (tree.parent < 0), -1, tree.parent + first)
    line_m = np.append(1000.0 * grid.lines.length_km, 0.0)[tree.line_of_node]
    names = np.char.add(f"{town.name}/" if town.name else "", grid.buses.names[tree.bus_of_node])
    meters = np.char.add(
        f"{town.name}/" if town.name else "", np.concatenate([grid.loads.names, grid.units.names[lonely]])
    )
    nodes = np.arange(tree.nodes)
    return Surroundings(
        meter_node=first + meter_node,
        meter_id=(area << _AREA_BITS) + 2 * np.arange(len(meter_node)),
        meter_names=meters,
        xy_m=np.empty((0, 2)),
        degrees=of_bus,
        node_id=(area << _AREA_BITS) + 2 * nodes + 1,
        names=names,
        stations=first + np.flatnonzero(is_low & is_there & is_lead),
        buses=first + np.flatnonzero((tree.v_base_kv < HIGH_VOLTAGE_KV) & is_there),
        parent=np.where(is_lead, parent, first + lead),
        length_m=np.where(is_lead, line_m, 0.0),
    )


def _lead(bus: Ints, is_below: npt.NDArray[np.bool_]) -> Ints:
    """(nodes,) itself, or of a node below a transformer the first at the same bus: phases that are nodes of their own are joined at a busbar."""
    lead = np.arange(len(bus))
    below = np.flatnonzero(is_below & (bus >= 0))
    _, first, which = np.unique(bus[below], return_index=True, return_inverse=True)
    lead[below] = below[first[which]]
    return lead


def _joined(parts: Sequence[Surroundings], xy_m: Floats) -> Surroundings:
    def all_of(name: str) -> npt.NDArray[np.generic]:
        return np.concatenate([getattr(part, name) for part in parts])

    columns = {name: all_of(name) for name in Surroundings.__dataclass_fields__ if name != "xy_m"}
    return Surroundings(xy_m=xy_m, **columns)  # type: ignore[arg-type]


def _flat_m(degrees: Floats, origin: Floats) -> Floats:
    """Metres east and north of an origin, which a part of a city shares with the whole."""
    north = 1000.0 * KM_PER_DEGREE * (degrees - origin)
    return np.ascontiguousarray(north * [np.cos(np.radians(origin[1])), 1.0])


def places_for(around: Surroundings, facts: Technology, given: Parameters) -> tuple[Places, Ints]:
    """What a plan for a technology needs, and the node of each place where a site may stand."""
    at_buses = given.candidates == "buses" or (given.candidates == "own" and not is_line(facts) and not has_mast(facts))
    nodes = around.buses if at_buses and not is_line(facts) else around.stations
    if not is_line(facts):
        nodes = _thinned(around, nodes, given.spacing_m or SPACING * facts.range_m)
    node = np.concatenate([around.meter_node, nodes])
    root, depth_m = _depths(around.parent, around.length_m)
    ids = np.concatenate([around.meter_id, around.node_id[nodes]])
    lines = Lines(around.parent, depth_m, root, node)
    return Places(around.xy_m[node], ids, len(around.meter_node), lines), nodes


def _thinned(around: Surroundings, nodes: Ints, spacing_m: float) -> Ints:
    """The first of the nodes in each square, of each area by itself."""
    square = np.floor(around.xy_m[nodes] / spacing_m).astype(np.int64)
    of = np.column_stack([around.node_id[nodes] >> _AREA_BITS, square])
    return nodes[np.sort(np.unique(of, axis=0, return_index=True)[1])]


def _depths(parent: Ints, length_m: Floats) -> tuple[Ints, Floats]:
    """(nodes,) the node at which each one's line begins, and metres to it; ways twice as long at each turn."""
    up = np.where(parent >= 0, parent, np.arange(len(parent)))
    so_far_m = np.where(parent >= 0, length_m, 0.0)
    while not np.array_equal(further := up[up], up):
        so_far_m, up = so_far_m + so_far_m[up], further
    return up, so_far_m

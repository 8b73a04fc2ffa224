"""Several towns' networks as one: elements, nodes and profiles one town after another, each town's own names behind its name.

Nothing connects them: each keeps its infeed and its busbar, and is solved by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import NetworkError
from heptagrid.world.balanced.radial_network import Tree
from heptagrid.world.grid import Grid, Profiles, local_transformers

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

KM_PER_DEGREE = 111.195  # of a great circle on a sphere of 6371 km

_TABLES = ("buses", "lines", "transformers", "switches", "loads", "units")
_OF_BUSES = ("from_bus", "to_bus", "hv_bus", "lv_bus", "bus")
_OF_PROFILES = ("p_profile", "q_profile", "profile")


@dataclass(frozen=True)
class TownNetwork:
    """One town's own grid and tree, and where its elements begin among all towns'.

    first_node, first_transformer, first_substation: of all towns' nodes, transformers and substations.
    """

    name: str
    grid: Grid
    network: Tree
    first_node: int = 0
    first_transformer: int = 0
    first_substation: int = 0

    @property
    def nodes(self) -> slice:
        """Its nodes among all."""
        return slice(self.first_node, self.first_node + self.network.nodes)

    @property
    def transformers(self) -> slice:
        """Its transformers among all."""
        return slice(self.first_transformer, self.first_transformer + len(self.grid.transformers.names))

    @property
    def substations(self) -> slice:
        """Its substations among all."""
        return slice(self.first_substation, self.first_substation + len(local_transformers(self.grid)))


def placed(towns: Sequence[TownNetwork]) -> tuple[TownNetwork, ...]:
    """The towns with what tells where each one's elements begin."""
    found: list[TownNetwork] = []
    node = transformer = substation = 0
    for town in towns:
        found.append(replace(town, first_node=node, first_transformer=transformer, first_substation=substation))
        node, transformer, substation = (
            one.stop for one in (found[-1].nodes, found[-1].transformers, found[-1].substations)
        )
    return tuple(found)


def towns_of_nodes(towns: Sequence[TownNetwork], node: Ints) -> Ints:
    """(n,) the number of the town in which each of some nodes lies."""
    return np.searchsorted([town.first_node for town in towns], node, side="right") - 1


def moved(grid: Grid, east_km: float, north_km: float) -> Grid:
    """A grid that lies elsewhere."""
    if east_km == 0.0 and north_km == 0.0:
        return grid
    buses = grid.buses
    latitude_deg = buses.latitude_deg + north_km / KM_PER_DEGREE
    per_degree_km = KM_PER_DEGREE * np.cos(np.radians(float(latitude_deg.mean())))
    longitude_deg = buses.longitude_deg + east_km / per_degree_km
    return replace(grid, buses=replace(buses, longitude_deg=longitude_deg, latitude_deg=latitude_deg))


def joined_profiles(tables: Sequence[Profiles]) -> tuple[Profiles, list[int]]:
    """All towns' profiles in one table, and the column at which each town's begin; a table that is several towns' stands there once."""
    different: list[Profiles] = []
    begins: list[int] = []
    for table in tables:
        known = [k for k, one in enumerate(different) if one is table]
        if not known:
            different.append(table)
            known = [len(different) - 1]
        begins.append(sum(len(one.names) for one in different[: known[0]]))
    if len(different) == 1:
        return different[0], begins
    spans = {(one.start_ns, one.end_ns) for one in different}
    if len(spans) > 1:
        raise NetworkError("the towns' profiles do not cover the same time; give all towns profiles of the same year")
    names = np.concatenate([one.names for one in different])
    millionths = np.concatenate([np.asarray(one.millionths) for one in different], axis=1)
    return Profiles(names, millionths, different[0].start_ns), begins


def joined_grid(towns: Sequence[TownNetwork], first_columns: Sequence[int]) -> Grid:
    """All towns' elements; `first_columns`: where each one's profiles begin. The infeed is the first town's; the others keep theirs."""
    if len(towns) == 1:
        return towns[0].grid
    if len({town.grid.frequency_hz for town in towns}) > 1:
        found = ", ".join(f"{town.name} {town.grid.frequency_hz:g} Hz" for town in towns)
        raise NetworkError(
            f"the towns' networks have different frequencies: {found}; they share a transmission network"
        )
    bus = np.cumsum([0, *(len(town.grid.buses.names) for town in towns)])
    stations = [local_transformers(town.grid) + town.first_transformer for town in towns]
    tables = {
        name: _joined_table(
            [getattr(town.grid, name) for town in towns], [town.name for town in towns], bus, first_columns
        )
        for name in _TABLES
    }
    first = towns[0].grid
    return Grid(
        **tables,
        infeed_bus=first.infeed_bus,
        infeed_v_pu=first.infeed_v_pu,
        frequency_hz=first.frequency_hz,
        stations=np.concatenate(stations),
    )


def _joined_table(tables: Sequence[Any], towns: Sequence[str], bus: Ints, first_columns: Sequence[int]) -> Any:
    columns = {}
    for one in fields(tables[0]):
        parts = [getattr(table, one.name) for table in tables]
        if one.name in _OF_BUSES:
            parts = [part + int(offset) for part, offset in zip(parts, bus, strict=False)]
        elif one.name in _OF_PROFILES:
            parts = [part + offset for part, offset in zip(parts, first_columns, strict=True)]
        elif one.name == "names":
            parts = [np.char.add(f"{town}/", part) for part, town in zip(parts, towns, strict=True)]
        columns[one.name] = np.concatenate(parts)
    return type(tables[0])(**columns)


def joined_tree(towns: Sequence[TownNetwork]) -> Tree:
    """All towns' nodes as one forest; feeders are numbered on from town to town."""
    if len(towns) == 1:
        return towns[0].network
    nodes = [town.first_node for town in towns]
    trees = [town.network for town in towns]
    buses = np.cumsum([0, *(len(town.grid.buses.names) for town in towns[:-1])]).tolist()
    lines = np.cumsum([0, *(len(town.grid.lines.names) for town in towns[:-1])]).tolist()
    transformers = [town.first_transformer for town in towns]
    feeders = np.cumsum([0, *(len(tree.feeder_start) - 1 for tree in trees[:-1])]).tolist()

    def join(name: str, offsets: Sequence[int]) -> Ints:
        """A column of numbers of things, -1 for none."""
        parts = (getattr(tree, name) for tree in trees)
        return np.concatenate([np.where(part >= 0, part + by, -1) for part, by in zip(parts, offsets, strict=True)])

    feeder = [np.where(tree.feeder > 0, tree.feeder + by, 0) for tree, by in zip(trees, feeders, strict=True)]
    starts = [tree.feeder_start[:-1] + by for tree, by in zip(trees, nodes, strict=True)]
    return Tree(
        parent=join("parent", nodes),
        feeder=np.concatenate(feeder),
        feeder_start=np.append(np.concatenate(starts), towns[-1].nodes.stop),
        node_of_bus=join("node_of_bus", nodes),
        bus_of_node=join("bus_of_node", buses),
        v_base_kv=np.concatenate([tree.v_base_kv for tree in trees]),
        line_of_node=join("line_of_node", lines),
        transformer_of_node=join("transformer_of_node", transformers),
        node_of_line=join("node_of_line", nodes),
        node_of_transformer=join("node_of_transformer", nodes),
        parallels=np.concatenate([tree.parallels for tree in trees]),
        busbars=np.concatenate([tree.busbars + by for tree, by in zip(trees, nodes, strict=True)]),
    )

"""A planned communication network: its ports and media, the tree of places, and how the tree changes when some of them fail."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import ContractError
from heptagrid.planes.messages.links import CLASS_NAMES, WAN
from heptagrid.planes.messages.planning.mesh import etx_tree
from heptagrid.planes.messages.planning.network_builder import NetworkBuilder
from heptagrid.planes.messages.routing.paths import TreeEdges
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.planes.messages.technology import Technology


@dataclass(frozen=True)
class PlannedNetwork:
    """The network as the message plane needs it.

    wiring: ports and media. edges: the tree of places. group: (places,) access network of a gateway or concentrator, -1
    elsewhere; groups: how many. port_class: (ports,) link class. poor: (places,) out of everyone's good reach.
    meshes: whose members find new parents when one dies. backup: second links of the WAN. areas: None where all hangs together.
    """

    wiring: NetworkBuilder
    edges: TreeEdges
    group: Ints
    groups: int
    port_class: Ints
    poor: npt.NDArray[np.bool_]
    meshes: tuple[Mesh, ...]
    backup: Backup
    areas: Areas | None = None

    @property
    def places(self) -> int:
        return len(self.group)

    def without_areas(self, areas: Ints) -> PlannedNetwork:
        """The same network, on which messages of some areas, numbered from 0, are carried nowhere."""
        assert self.areas is not None
        return replace(self, areas=replace(self.areas, at_rest=np.asarray(areas) + 1))

    def edges_without(self, dead: npt.NDArray[np.bool_], cut: npt.NDArray[np.bool_]) -> TreeEdges:
        """The tree when some places are dead and some places' first links to their parents are cut, (places,) each.

        Members of a mesh choose among the living; who loses the first router of the WAN turns to the second. Who has no
        other way keeps the one that is gone.
        """
        edges = self.edges.copied()
        for mesh in self.meshes:
            if dead[mesh.members].any() and not dead[mesh.members[0]]:
                choose_parents(mesh, ~dead[mesh.members], edges)
        place = self.backup.place
        reroutes = (cut[place] | dead[edges.parent[place]]) & ~dead[self.backup.parent]
        away = place[reroutes]
        edges.parent[away] = self.backup.parent[reroutes]
        edges.up_port[away], edges.down_port[away] = self.backup.up_port[reroutes], self.backup.down_port[reroutes]
        edges.depth[:] = depths(edges.parent)
        return edges


@dataclass(frozen=True)
class Mesh:
    """A mesh: its members' places and ports, the collector first, and what their links depend on."""

    members: Ints
    ports: Ints
    xy_m: Floats
    facts: Technology


@dataclass(frozen=True)
class Backup:
    """Second links of places to the second router of the WAN, or of their area: (links,) that router, places and ports."""

    parent: Ints
    place: Ints
    up_port: Ints
    down_port: Ints


@dataclass(frozen=True)
class Areas:
    """Networks of areas that hang together nowhere: each has routers of its own, and a front end of each control centre.

    shard_of: (places,) the area's number from 1, 0 for what lies in none. front_end: (1 + areas, sites) where the sites, which stand one after another from `first_site`
    on, are met in each area; -1 for those that are not. at_rest: areas, by their numbers, whose messages are not carried.
    """

    shard_of: Ints
    first_site: int
    front_end: Ints
    at_rest: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def ends(self, source: Ints, destination: Ints) -> tuple[Ints, Ints]:
        """Where messages between places (n,) begin and end.

        Raises
        ------
        ContractError
            If one would leave its area for a place that has no front end there.
        """
        at = self.shard_of[source], self.shard_of[destination]
        ends = []
        for place, own, other in ((source, *at), (destination, *at[::-1])):
            site = place - self.first_site
            is_met = (own == 0) & (other > 0) & (site >= 0) & (site < self.front_end.shape[1])
            ends.append(np.where(is_met, self.front_end[other, np.where(is_met, site, 0)], place))
        if min(int(end.min()) for end in ends) < 0 or (self.shard_of[ends[0]] != self.shard_of[ends[1]]).any():
            raise ContractError(
                "a message would go from one area of a city to another; areas meet in control centres only"
            )
        return ends[0], ends[1]


@dataclass(frozen=True)
class Plan:
    """A planned network and where things are in it: gateways, concentrators, hubs of towns, and sites by name.

    town_of: (places,) the town of each, -1 of sites and of the core. access_sites: (towns,) what the access networks stand on:
    concentrators, base stations or gateways. site_links: (towns,) of these, those with a link of the backhaul of their own. line_m: (towns,) length of what must be laid where a technology is a line
    of its own. access, backhaul: of each town.
    """

    topology: PlannedNetwork
    town_of: Ints
    gateways: Ints
    concentrators: Ints
    hubs: Ints
    sites: dict[str, int]
    access_sites: Ints
    site_links: Ints
    line_m: Floats
    access: tuple[Technology, ...]
    backhaul: tuple[Technology, ...]
    wan: Technology

    @property
    def concentrator_town(self) -> Ints:
        """(concentrators,) the town of each."""
        return self.town_of[self.concentrators]

    def met_at(self, site: str) -> Ints:
        """(n,) the places where a site is met: its own, and its front ends in areas."""
        place, areas = self.sites[site], self.topology.areas
        fronts: list[int] = [] if areas is None else areas.front_end[:, place - areas.first_site].tolist()
        return np.array([place, *(one for one in fronts if one >= 0)], dtype=np.int64)

    def places_over(self, name: str) -> Ints:
        """Places whose links to their parents are of a link class, or of a technology: of the first class that has it."""
        edges = self.topology.edges
        places = np.flatnonzero(edges.parent >= 0)
        link_class = self.topology.port_class[edges.up_port[places]]
        for number, used in enumerate((self.access, self.backhaul, (self.wan,) * len(self.hubs))):
            towns = [k for k, one in enumerate(used) if name in (CLASS_NAMES[number], one.name)]
            if towns:
                is_meant = np.isin(self.town_of[places], towns) | (number == WAN)
                return np.asarray(places[(link_class == number) & is_meant])
        return np.asarray(places[:0])

    @property
    def technologies(self) -> tuple[tuple[Technology, ...], ...]:
        """By link class, each that is used once."""
        classes = self.access, self.backhaul, (self.wan,)
        return tuple(tuple({one.name: one for one in used}.values()) for used in classes)


def choose_parents(mesh: Mesh, alive: npt.NDArray[np.bool_], edges: TreeEdges) -> npt.NDArray[np.bool_]:
    """Write the tree of a mesh's living members into `edges`; (members,) which are out of everyone's good reach."""
    tree = etx_tree(mesh.xy_m, mesh.facts.budget, mesh.facts.range_m, alive)
    chosen = np.flatnonzero(tree.parent >= 0)
    up, children = tree.parent[chosen], mesh.members[chosen]
    edges.parent[children] = mesh.members[up]
    edges.up_port[children] = edges.down_peer[children] = mesh.ports[chosen]
    edges.up_peer[children] = edges.down_port[children] = mesh.ports[up]
    edges.loss[children] = tree.error[chosen]
    return tree.is_poor


def depths(parent: Ints) -> Ints:
    """Hops from each place to the root of its tree."""
    depth = np.zeros(len(parent), dtype=np.int64)
    place = parent.copy()
    while (place >= 0).any():
        depth += place >= 0
        place = np.where(place >= 0, parent[np.maximum(place, 0)], -1)
    return depth

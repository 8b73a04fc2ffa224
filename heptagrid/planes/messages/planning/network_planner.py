"""The towns' communication network, planned from coordinates and technologies: places, media, and the tree of paths.

Each town has a hub, and technologies of its own for access and backhaul. A gateway reaches its substation's concentrator
through the access network, or, where a cell covers many substations, a base station; a concentrator reaches its town's
hub through the backhaul; hubs and sites reach the core through the WAN, which all towns share. A message climbs to the
nearest common place and descends. In a mesh, gateways relay for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from heptagrid.contracts.requirements import PRIORITIES
from heptagrid.planes.messages.links import ACCESS, BACKHAUL, WAN, Access, Backhaul, Wan
from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.planning.base_stations import AccessCells, access_cells, flat_m, place_cells
from heptagrid.planes.messages.planning.link_class import LinkClass, class_of
from heptagrid.planes.messages.planning.mesh import WORST_POOR_HOP
from heptagrid.planes.messages.planning.network_builder import NetworkBuilder
from heptagrid.planes.messages.planning.planned_network import (
    Areas,
    Backup,
    Mesh,
    Plan,
    PlannedNetwork,
    choose_parents,
    depths,
)
from heptagrid.planes.messages.planning.planned_sites import PlannedSites
from heptagrid.planes.messages.routing.paths import TreeEdges
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.planes.messages.technologies.lorawan import SPREADING, star_at
from heptagrid.planes.messages.technology import LinkBudget


def plan_network(
    gateway_degrees: Floats,
    gateway_concentrator: Ints,
    concentrator_degrees: Floats,
    concentrator_town: Ints,
    hub_degrees: Floats,
    sites: Mapping[str, tuple[float, float]],
    access: Sequence[Access],
    backhaul: Sequence[Backhaul],
    wan: Wan,
    queued: bool = False,
    centres: Sequence[str] | None = None,
    planned: Sequence[PlannedSites | None] = (),
) -> Plan:
    """Plan the network over coordinates in degrees, (n, 2) longitude and latitude; all towns share the WAN.

    gateway_concentrator: (gateways,) the substation that each belongs to. concentrator_town: (concentrators,) the town of
    each. hub_degrees, access, backhaul: of each town. queued: every link keeps a queue of events, as outages need. planned: of each town the
    sites of its access network, None where they follow from the substations.
    centres: sites that have a front end in each town, whose network then has routers of its own and hangs together with no other's; None: one network for all.
    """
    gateways, concentrators, towns = len(gateway_degrees), len(concentrator_degrees), len(hub_degrees)
    hub = gateways + concentrators
    core = hub + towns + len(sites)
    second = core + 1
    routes = class_of(WAN, wan)
    ends = _Ends(gateway_degrees, gateway_concentrator, concentrator_degrees, concentrator_town)
    sited = planned or (None,) * towns
    found = [ends.town(k, class_of(ACCESS, access[k]), class_of(BACKHAUL, backhaul[k]), sited[k]) for k in range(towns)]
    degrees = np.concatenate(
        [
            gateway_degrees,
            concentrator_degrees,
            hub_degrees,
            np.array([sites[name] for name in sites]).reshape(-1, 2),
            np.repeat(hub_degrees[:1], 2, axis=0),
            *(town.cells.degrees for town in found),
            *(town.trunk_degrees for town in found),
            np.repeat(hub_degrees, 2 + len(centres or ()), axis=0)[: None if centres is not None else 0],
        ]
    )
    build = _Build(flat_m(degrees), queued)
    town_of = np.full(build.places, -1, dtype=np.int64)
    line_m = np.zeros(towns)
    operators: list[list[Ints]] = []
    site_links = np.zeros(towns, dtype=np.int64)
    base = second + 1
    trunk_base = base + sum(len(town.cells.degrees) for town in found)
    for k, town in enumerate(found):
        bases, trunk_bases = base + np.arange(len(town.cells.degrees)), trunk_base + np.arange(len(town.trunk_degrees))
        base, trunk_base = base + len(bases), trunk_base + len(trunk_bases)
        for places in (town.gateways, town.stations, hub + k, bases, trunk_bases):
            town_of[places] = k
        home = bases[town.cells.of_gateway] if len(bases) else town.stations[town.station_of]
        if (given := sited[k]) is not None:
            build.margin_db[town.gateways[given.site >= 0]] = given.margin_db[given.site >= 0]
        line_m[k] += build.attach(town.gateways, home, town.access)
        if (given := sited[k]) is not None:
            build.follow(town.gateways, bases, given)
        trunk = trunk_bases[town.trunk_cell_of] if len(trunk_bases) else np.full(len(town.stations), hub + k)
        line_m[k] += build.attach(town.stations, trunk, town.backhaul)
        # A base station of an operator stands on the operator's network, a gateway of one's own on the backhaul.
        medium = town.access.facts.medium
        if len(bases) and medium is not None and medium.access != "cellular":
            line_m[k] += build.attach(bases, trunk[town.cells.station], town.backhaul)
            site_links[k] = len(bases)
            bases = bases[:0]
        operators.append([bases, trunk_bases])
    areas = None
    if centres is None:
        on_the_wan = np.concatenate([*(each for town in operators for each in town), np.arange(hub, core)])
        build.attach_twice(on_the_wan, core, second, routes)
    else:
        routers = trunk_base + (2 + len(centres)) * np.arange(towns)
        front_end = np.full((1 + towns, len(sites)), -1, dtype=np.int64)
        at = [list(sites).index(name) for name in centres]
        for k, router in enumerate(routers.tolist()):
            front_end[k + 1, at] = router + 2 + np.arange(len(centres))
            town_of[router : router + 2 + len(centres)] = k
            build.attach_twice(
                np.concatenate([*operators[k], [hub + k], front_end[k + 1, at]]), router, router + 1, routes
            )
        build.attach_twice(hub + towns + np.arange(len(sites)), core, second, routes)
        areas = Areas(town_of + 1, hub + towns, front_end)

    group = np.full(build.places, -1, dtype=np.int64)
    group[:gateways] = gateway_concentrator
    group[gateways:hub] = np.arange(concentrators)
    return Plan(
        topology=build.network(group, concentrators, areas),
        town_of=town_of,
        gateways=np.arange(gateways),
        concentrators=gateways + np.arange(concentrators),
        hubs=hub + np.arange(towns),
        sites={name: hub + towns + k for k, name in enumerate(sites)},
        access_sites=np.array([len(town.cells.degrees) or len(town.stations) for town in found]),
        site_links=site_links,
        line_m=line_m,
        access=tuple(town.access.facts for town in found),
        backhaul=tuple(town.backhaul.facts for town in found),
        wan=routes.facts,
    )


@dataclass(frozen=True)
class _Town:
    """What of the network is a town's own.

    gateways, stations: places. station_of: (gateways,) which of its stations each belongs to. cells: base stations of its access
    networks. trunk_degrees, trunk_cell_of: those of its backhaul, (cells, 2), and the cell of each station.
    """

    gateways: Ints
    stations: Ints
    station_of: Ints
    access: LinkClass
    backhaul: LinkClass
    cells: AccessCells
    trunk_degrees: Floats
    trunk_cell_of: Ints


@dataclass(frozen=True)
class _Ends:
    """Gateways and concentrators of all towns: where they are, and whose, as `plan_network` takes them."""

    gateway_degrees: Floats
    gateway_concentrator: Ints
    concentrator_degrees: Floats
    concentrator_town: Ints

    def town(self, number: int, access: LinkClass, backhaul: LinkClass, planned: PlannedSites | None) -> _Town:
        """The town of a number, with its base stations."""
        stations = np.flatnonzero(self.concentrator_town == number)
        gateways = np.flatnonzero(self.concentrator_town[self.gateway_concentrator] == number)
        station_of = np.searchsorted(stations, self.gateway_concentrator[gateways])
        station_degrees = self.concentrator_degrees[stations]
        trunk_cells, trunk_cell_of = place_cells(np.ones(len(stations)), station_degrees, backhaul.facts)
        if planned is None:
            cells = access_cells(self.gateway_degrees[gateways], station_of, station_degrees, access.facts)
        else:
            cells = planned.cells(self.gateway_degrees[gateways], station_degrees)
        return _Town(
            gateways=gateways,
            stations=len(self.gateway_degrees) + stations,
            station_of=station_of,
            access=access,
            backhaul=backhaul,
            cells=cells,
            trunk_degrees=station_degrees[trunk_cells],
            trunk_cell_of=trunk_cell_of,
        )


class _Build:
    """A tree of places in the making."""

    def __init__(self, xy_m: Floats, queued: bool) -> None:
        self.places = len(xy_m)
        self._xy_m = xy_m
        self._wiring = NetworkBuilder(self.places, xy_m)
        self._queued = queued
        self._parent = np.full(self.places, -1, dtype=np.int64)
        self._depth = np.zeros(self.places, dtype=np.int64)  # found at the end
        self._up = np.full((self.places, 2), -1, dtype=np.int64)  # port, peer
        self._down = np.full((self.places, 2), -1, dtype=np.int64)
        self._loss = np.zeros(self.places)
        self.margin_db = np.full(self.places, np.nan)  # of a planned hop above the sensitivity
        self._poor = np.zeros(self.places, dtype=bool)
        self._port_class: list[Ints] = []
        self._meshes: list[Mesh] = []
        self._backups: list[Backup] = []

    def attach(self, children: Ints, parents: Ints, one: LinkClass) -> float:
        """Connect each child with its parent by a technology; the metres of line that must be laid for it."""
        medium = one.facts.medium
        if medium is None:
            return self._by_links(children, parents, one)
        if medium.access == "queue":
            self._by_shared_queue(children, parents, one)
        else:
            by_parent = np.argsort(parents, kind="stable")
            owners, begins = np.unique(parents[by_parent], return_index=True)
            for parent, mine in zip(owners, np.split(children[by_parent], begins)[1:], strict=True):
                if not medium.has_base:
                    self._by_mesh(mine, int(parent), one, medium)
                    continue
                for first in range(0, len(mine), one.facts.members_per_site):
                    self._by_cell(mine[first : first + one.facts.members_per_site], int(parent), one, medium)
        return 0.0

    def follow(self, gateways: Ints, bases: Ints, planned: PlannedSites) -> None:
        """Take the planned hops of the gateways of a mesh that a site serves, in place of those by distance."""
        served = np.flatnonzero(planned.site >= 0)
        mine, following = gateways[served], planned.following[served]
        if not self._meshes:
            return
        port_of = np.full(self.places, -1, dtype=np.int64)
        for mesh in self._meshes:
            port_of[mesh.members] = mesh.ports
        parent = np.where(following >= 0, gateways[np.maximum(following, 0)], bases[planned.site[served]])
        self._parent[mine], self._loss[mine], self._poor[mine] = parent, planned.error[served], False
        self._up[mine] = np.column_stack([port_of[mine], port_of[parent]])
        self._down[mine] = self._up[mine][:, ::-1]

    def attach_twice(self, children: Ints, first: int, second: int, one: LinkClass) -> None:
        """Connect each child with the WAN's first router, and as a reserve with the second, which hangs on the first."""
        self.attach(np.array([second]), np.array([first]), one)
        self.attach(children, np.full(len(children), second), one)
        ports = self._up[children, 0], self._down[children, 0]
        self._backups.append(Backup(np.full(len(children), second), children, *ports))
        self.attach(children, np.full(len(children), first), one)

    def network(self, group: Ints, groups: int, areas: Areas | None) -> PlannedNetwork:
        """What has been built."""
        up_port, up_peer, down_port, down_peer = (np.ascontiguousarray(each) for each in (*self._up.T, *self._down.T))
        edges = TreeEdges(self._parent, depths(self._parent), up_port, up_peer, down_port, down_peer, self._loss)
        classes = np.concatenate(self._port_class)
        return PlannedNetwork(
            wiring=self._wiring,
            edges=edges,
            group=group,
            groups=groups,
            port_class=classes,
            poor=self._poor,
            meshes=tuple(self._meshes),
            backup=Backup(
                *(
                    np.concatenate(each)
                    for each in zip(
                        *((one.parent, one.place, one.up_port, one.down_port) for one in self._backups), strict=True
                    )
                )
            ),
            areas=areas,
        )

    def _by_links(self, children: Ints, parents: Ints, one: LinkClass) -> float:
        far_m = self._distance_m(children, parents)
        far_ns = np.rint(far_m / 1000.0 * one.facts.ns_per_km).astype(np.int64)
        ends = (np.concatenate([children, parents]), np.concatenate([parents, children]))
        ports = self._wiring.links(
            *ends,
            rate_bps=np.repeat([one.rate_bps, one.down_bps], len(children)),
            delay_ns=one.delay_ns + np.tile(far_ns, 2),
            loss=one.loss,
            retries=one.retries,
            link_class=one.number,
            header_bytes=one.facts.header_bytes,
            payload_bytes=one.facts.payload_bytes,
            priorities=1 if one.number == WAN else len(PRIORITIES),
            queue_packets=one.queue_packets,
            queued=self._queued,
            stores=one.number == BACKHAUL,
        )
        self._note(children, parents, one, ports)
        self._up[children, 0], self._down[children, 0] = np.split(ports, 2)
        return float(far_m.sum()) if one.facts.costs.line_capex_eur_per_km > 0.0 else 0.0

    def _by_shared_queue(self, children: Ints, parents: Ints, one: LinkClass) -> None:
        """One link for each parent, which all its children use in both directions."""
        owners, which = np.unique(parents, return_inverse=True)
        farthest_m = np.zeros(len(owners))
        np.maximum.at(farthest_m, which, self._distance_m(children, parents))
        ports = self._wiring.links(
            np.full(len(owners), -1),
            np.full(len(owners), -1),
            rate_bps=np.full(len(owners), one.rate_bps),
            delay_ns=one.delay_ns + np.rint(farthest_m / 1000.0 * one.facts.ns_per_km).astype(np.int64),
            loss=one.loss,
            retries=one.retries,
            link_class=one.number,
            header_bytes=one.facts.header_bytes,
            payload_bytes=one.facts.payload_bytes,
        )
        self._note(children, parents, one, ports)
        self._up[children, 0] = self._down[children, 0] = ports[which]

    def _by_mesh(self, children: Ints, parent: int, one: LinkClass, medium: Medium) -> None:
        """A medium for the parent and its children; paths by expected transmissions."""
        members = np.concatenate([[parent], children])
        ports = self._medium(members, one, medium, None)
        mesh = Mesh(members, ports, self._xy_m[members], one.facts)
        self._meshes.append(mesh)
        ends = (self._up[:, 0], self._up[:, 1], self._down[:, 0], self._down[:, 1])
        edges = TreeEdges(self._parent, self._depth, *ends, self._loss)
        self._poor[children] = choose_parents(mesh, np.ones(len(members), dtype=bool), edges)[1:]
        self._note(children, self._parent[children], one, ports)

    def _by_cell(self, children: Ints, parent: int, one: LinkClass, medium: Medium) -> None:
        """A base station or gateway at the parent."""
        far_m = self._distance_m(children, np.full(len(children), parent))
        ports = self._medium(np.concatenate([[parent], children]), one, medium, far_m)
        self._note(children, np.full(len(children), parent), one, ports)
        self._up[children] = np.column_stack([ports[1:], np.full(len(children), ports[0])])
        self._down[children] = self._up[children][:, ::-1]
        if one.facts.budget is not None:
            margin_db = self._margin_db(children, far_m, one.facts.budget)
            is_class_a = medium.access == "class-a"
            error = np.asarray(star_at(margin_db).frame_error if is_class_a else one.facts.budget.error_at(margin_db))
            self._loss[children] = np.minimum(error, WORST_POOR_HOP)
            self._poor[children] = error > WORST_POOR_HOP

    def _medium(self, members: Ints, one: LinkClass, medium: Medium, far_m: Floats | None) -> Ints:
        settings = _with_frame(medium, one.facts.header_bytes, one.facts.payload_bytes)
        rates = np.full(len(members), one.rate_bps)
        spreading, payload = None, None
        if far_m is not None:
            rates[0] = one.down_bps
            if medium.access == "class-a":
                assert one.facts.budget is not None
                margin_db = self._margin_db(members[1:], far_m, one.facts.budget)
                spreading, payload, _ = star_at(np.concatenate([[one.facts.budget.margin_db(0.0)], margin_db]))
        # A base station has as many places for each of its devices as a device has for itself.
        places = np.full(len(members), one.queue_packets)
        if medium.access == "cellular" and one.queue_packets > 0:
            places[0] *= len(members) - 1
        return self._wiring.medium(
            members,
            settings,
            rate_bps=rates,
            delay_ns=one.delay_ns,
            loss=one.loss,
            retries=one.retries,
            priorities=len(PRIORITIES),
            queue_packets=places,
            link_class=one.number,
            payload_bytes=payload,
            spreading=spreading,
            second_payload_bytes=SPREADING[medium.second_spreading].payload_bytes,
            base=0 if far_m is not None else None,
            stores=(members == members[0]) | (one.number == BACKHAUL),
        )

    def _margin_db(self, children: Ints, far_m: Floats, budget: LinkBudget) -> Floats:
        """Of the hop to the base station, by the plan or by distance."""
        planned = self.margin_db[children]
        return np.asarray(np.where(np.isnan(planned), budget.margin_db(far_m), planned))

    def _note(self, children: Ints, parents: Ints, one: LinkClass, ports: Ints) -> None:
        self._parent[children] = parents
        self._port_class.append(np.full(len(ports), one.number))

    def _distance_m(self, a: Ints, b: Ints) -> Floats:
        return np.asarray(np.hypot(*(self._xy_m[a] - self._xy_m[b]).T))


@lru_cache(maxsize=32)
def _with_frame(medium: Medium, header_bytes: int, payload_bytes: int) -> Medium:
    """A technology's medium with the frame of its facts: the same for all its meshes and cells."""
    return replace(medium, header_bytes=header_bytes, payload_bytes=payload_bytes)

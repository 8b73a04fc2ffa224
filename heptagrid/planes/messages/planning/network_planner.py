"""The town's communication network, planned from coordinates and technologies: places, media, and the tree of paths.

A gateway reaches its substation's concentrator through the access network, or, where a cell covers many substations, a
base station; a concentrator reaches the hub through the backhaul; hub and sites reach the core through the WAN. A
message climbs to the nearest common place and descends. In a mesh, gateways relay for each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from heptagrid.contracts.requirements import PRIORITIES
from heptagrid.planes.messages.links import ACCESS, BACKHAUL, OWN, WAN, Access, Backhaul, Wan
from heptagrid.planes.messages.media import Medium
from heptagrid.planes.messages.planning.base_stations import access_cells, flat_m, place_cells
from heptagrid.planes.messages.planning.mesh import WORST_POOR_HOP
from heptagrid.planes.messages.planning.network_builder import NetworkBuilder
from heptagrid.planes.messages.planning.planned_network import (
    Backup,
    Mesh,
    Plan,
    PlannedNetwork,
    choose_parents,
    depths,
)
from heptagrid.planes.messages.routing.paths import TreeEdges
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.planes.messages.technologies.lorawan import SPREADING, star
from heptagrid.planes.messages.technology import Technology, technology


@dataclass(frozen=True)
class _Class:
    """A link class as it is built: its technology with the scenario's changes."""

    number: int
    facts: Technology
    rate_bps: float
    down_bps: float
    delay_ns: int
    loss: float
    retries: int
    queue_packets: int


def plan_network(
    gateway_degrees: Floats,
    gateway_concentrator: Ints,
    concentrator_degrees: Floats,
    hub_degrees: tuple[float, float],
    sites: Mapping[str, tuple[float, float]],
    access: Access,
    backhaul: Backhaul,
    wan: Wan,
    queued: bool = False,
) -> Plan:
    """Plan the network over coordinates in degrees, (n, 2) longitude and latitude.

    gateway_concentrator: (gateways,) the substation that each belongs to. queued: every link keeps a queue of events, as
    outages need.
    """
    gateways, concentrators = len(gateway_degrees), len(concentrator_degrees)
    hub = gateways + concentrators
    core = hub + 1 + len(sites)
    second = core + 1
    classes = [_class_of(ACCESS, access), _class_of(BACKHAUL, backhaul), _class_of(WAN, wan)]
    sites_of_access = access_cells(gateway_degrees, gateway_concentrator, concentrator_degrees, classes[ACCESS].facts)
    trunk_cells, trunk_cell_of = place_cells(np.ones(concentrators), concentrator_degrees, classes[BACKHAUL].facts)
    bases = second + 1 + np.arange(len(sites_of_access.station))
    trunk_bases = second + 1 + len(bases) + np.arange(len(trunk_cells))
    site_degrees = np.array([sites[name] for name in sites]).reshape(-1, 2)
    hub_row = np.array([hub_degrees])
    degrees = np.concatenate(
        [
            gateway_degrees,
            concentrator_degrees,
            hub_row,
            site_degrees,
            hub_row,
            hub_row,
            sites_of_access.degrees,
            concentrator_degrees[trunk_cells],
        ]
    )
    build = _Build(flat_m(degrees), classes, queued)

    stations = gateways + np.arange(concentrators)
    home = bases[sites_of_access.of_gateway] if len(bases) else gateways + gateway_concentrator
    build.attach(np.arange(gateways), home, ACCESS)
    trunk = trunk_bases[trunk_cell_of] if len(trunk_cells) else np.full(concentrators, hub)
    build.attach(stations, trunk, BACKHAUL)
    # A base station of an operator stands on the operator's network, a gateway of one's own on the backhaul.
    own = classes[ACCESS].facts.medium
    on_wan = [trunk_bases, hub + np.arange(1 + len(sites))]
    if len(bases) and own is not None and own.access == "class-a":
        build.attach(bases, trunk[sites_of_access.station], BACKHAUL)
    else:
        on_wan.insert(0, bases)
    build.attach_twice(np.concatenate(on_wan), core, second)

    group = np.full(build.places, -1, dtype=np.int64)
    group[:gateways] = gateway_concentrator
    group[gateways:hub] = np.arange(concentrators)
    return Plan(
        topology=build.network(group, concentrators),
        gateways=np.arange(gateways),
        concentrators=gateways + np.arange(concentrators),
        hubs=np.array([hub]),
        sites={name: hub + 1 + k for k, name in enumerate(sites)},
        access_sites=len(bases) or concentrators,
        line_m=build.line_m,
        access=classes[ACCESS].facts,
        backhaul=classes[BACKHAUL].facts,
        wan=classes[WAN].facts,
    )


class _Build:
    """A tree of places in the making."""

    def __init__(self, xy_m: Floats, classes: list[_Class], queued: bool) -> None:
        self.places = len(xy_m)
        self._xy_m = xy_m
        self._wiring = NetworkBuilder(self.places, xy_m)
        self._classes = classes
        self._queued = queued
        self._parent = np.full(self.places, -1, dtype=np.int64)
        self._up = np.full((self.places, 2), -1, dtype=np.int64)  # port, peer
        self._down = np.full((self.places, 2), -1, dtype=np.int64)
        self._loss = np.zeros(self.places)
        self._poor = np.zeros(self.places, dtype=bool)
        self._port_class: list[Ints] = []
        self._meshes: list[Mesh] = []
        self._backup = Backup(-1, np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
        self.line_m = 0.0

    def attach(self, children: Ints, parents: Ints, number: int) -> None:
        """Connect each child with its parent by the technology of a link class."""
        one = self._classes[number]
        medium = one.facts.medium
        if medium is None:
            self._by_links(children, parents, one)
        elif medium.access == "queue":
            self._by_shared_queue(children, parents, one)
        else:
            for parent in np.unique(parents):
                mine = children[parents == parent]
                if not medium.has_base:
                    self._by_mesh(mine, int(parent), one, medium)
                    continue
                for first in range(0, len(mine), one.facts.members_per_site):
                    self._by_cell(mine[first : first + one.facts.members_per_site], int(parent), one, medium)

    def attach_twice(self, children: Ints, first: int, second: int) -> None:
        """Connect each child with the WAN's first router, and as a reserve with the second, which hangs on the first."""
        self.attach(np.array([second]), np.array([first]), WAN)
        self.attach(children, np.full(len(children), second), WAN)
        self._backup = Backup(second, children, self._up[children, 0], self._down[children, 0])
        self.attach(children, np.full(len(children), first), WAN)

    def network(self, group: Ints, groups: int) -> PlannedNetwork:
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
            backup=self._backup,
        )

    def _by_links(self, children: Ints, parents: Ints, one: _Class) -> None:
        far_m = self._distance_m(children, parents)
        far_ns = np.rint(far_m / 1000.0 * one.facts.ns_per_km).astype(np.int64)
        if one.number != WAN and one.facts.costs.line_capex_eur_per_km > 0.0:
            self.line_m += float(far_m.sum())
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

    def _by_shared_queue(self, children: Ints, parents: Ints, one: _Class) -> None:
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

    def _by_mesh(self, children: Ints, parent: int, one: _Class, medium: Medium) -> None:
        """A medium for the parent and its children; paths by expected transmissions."""
        members = np.concatenate([[parent], children])
        ports = self._medium(members, one, medium, None)
        mesh = Mesh(members, ports, self._xy_m[members], one.facts)
        self._meshes.append(mesh)
        ends = (self._up[:, 0], self._up[:, 1], self._down[:, 0], self._down[:, 1])
        edges = TreeEdges(self._parent, np.zeros(self.places, dtype=np.int64), *ends, self._loss)
        self._poor[children] = choose_parents(mesh, np.ones(len(members), dtype=bool), edges)[1:]
        self._note(children, self._parent[children], one, ports)

    def _by_cell(self, children: Ints, parent: int, one: _Class, medium: Medium) -> None:
        """A base station or gateway at the parent."""
        far_m = self._distance_m(children, np.full(len(children), parent))
        ports = self._medium(np.concatenate([[parent], children]), one, medium, far_m)
        self._note(children, np.full(len(children), parent), one, ports)
        self._up[children] = np.column_stack([ports[1:], np.full(len(children), ports[0])])
        self._down[children] = self._up[children][:, ::-1]
        if one.facts.budget is not None:
            is_class_a = medium.access == "class-a"
            error = np.asarray(star(far_m).frame_error if is_class_a else one.facts.budget.frame_error(far_m))
            self._loss[children] = np.minimum(error, WORST_POOR_HOP)
            self._poor[children] = error > WORST_POOR_HOP

    def _medium(self, members: Ints, one: _Class, medium: Medium, far_m: Floats | None) -> Ints:
        settings = replace(medium, header_bytes=one.facts.header_bytes, payload_bytes=one.facts.payload_bytes)
        rates = np.full(len(members), one.rate_bps)
        spreading, payload = None, None
        if far_m is not None:
            rates[0] = one.down_bps
            if medium.access == "class-a":
                spreading, payload, _ = star(np.concatenate([[0.0], far_m]))
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

    def _note(self, children: Ints, parents: Ints, one: _Class, ports: Ints) -> None:
        self._parent[children] = parents
        self._port_class.append(np.full(len(ports), one.number))

    def _distance_m(self, a: Ints, b: Ints) -> Floats:
        return np.asarray(np.hypot(*(self._xy_m[a] - self._xy_m[b]).T))


def _class_of(number: int, given: Access | Backhaul | Wan) -> _Class:
    """A technology with the scenario's changes on top."""
    facts = technology(given.technology)
    own = 1.0 if given.rate_bps == 0.0 else given.rate_bps / facts.uplink_bps
    return _Class(
        number=number,
        facts=facts,
        rate_bps=facts.uplink_bps * own,
        down_bps=facts.downlink_bps * own,
        delay_ns=round((facts.delay_s + given.delay_s) * 1e9),
        loss=1.0 - (1.0 - facts.loss) * (1.0 - given.loss),
        retries=facts.retries if given.retries == OWN else given.retries,
        queue_packets=-1 if isinstance(given, Wan) else given.queue_packets,
    )

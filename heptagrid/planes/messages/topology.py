"""The communication network as a tree: endpoints, the places between them, a server per direction.

A gateway hangs on its substation's concentrator through the shared access medium, a concentrator on the
hub through its backhaul link, hub and sites on the core through WAN links. A message climbs to the
nearest common place and descends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.planes.messages.links import ACCESS, BACKHAUL, WAN, Access, Backhaul, Wan
from heptagrid.planes.messages.paths import TreeEdges
from heptagrid.planes.messages.wiring import Wiring

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

EARTH_RADIUS_KM = 6371.0
NS_PER_KM_FIBRE = 4897.0  # speed of light over a group index of 1.468 (ITU-T G.652 fibre, at 1550 nm)
NS_PER_KM_RADIO = 3336.0  # speed of light


@dataclass(frozen=True)
class Topology:
    """Places of a tree and the servers between them.

    parent: (places,) towards the core, -1 for the core itself. up, down: (places,) server from the place
    to its parent and back, -1 for the core. depth: (places,).
    rate_bps, delay_ns, loss, retries, link_class: (servers,).
    group: (places,) access network of a gateway or concentrator, -1 elsewhere. groups: how many there are.
    """

    parent: Ints
    up: Ints
    down: Ints
    depth: Ints
    rate_bps: Floats
    delay_ns: Ints
    loss: Floats
    retries: Ints
    link_class: Ints
    group: Ints
    groups: int

    @property
    def places(self) -> int:
        return len(self.parent)

    @property
    def wiring(self) -> Wiring:
        """A port for every server; one that works in both directions belongs to no place."""
        network = Wiring(self.places)
        count = len(self.rate_bps)
        near, far = np.full(count, -1), np.full(count, -1)
        apart = np.flatnonzero((self.parent >= 0) & (self.up != self.down))
        near[self.up[apart]], far[self.up[apart]] = apart, self.parent[apart]
        near[self.down[apart]], far[self.down[apart]] = self.parent[apart], apart
        network.links(
            *(near, far),
            rate_bps=self.rate_bps,
            delay_ns=self.delay_ns,
            loss=self.loss,
            retries=self.retries,
            link_class=self.link_class,
        )
        return network

    @property
    def edges(self) -> TreeEdges:
        """The hops between a place and its parent."""
        none = np.full(self.places, -1, dtype=np.int64)
        parent, depth = self.parent.astype(np.int64), self.depth.astype(np.int64)
        up, down = self.up.astype(np.int64), self.down.astype(np.int64)
        return TreeEdges(parent, depth, up, none, down, none, np.zeros(self.places))


@dataclass(frozen=True)
class Plan:
    """A planned topology and where things are in it: gateways, concentrators, hub, and sites by name."""

    topology: Topology
    gateways: Ints
    concentrators: Ints
    hub: int
    sites: dict[str, int]
    link_km: Floats


def plan_topology(
    gateway_degrees: Floats,
    gateway_concentrator: Ints,
    concentrator_degrees: Floats,
    hub_degrees: tuple[float, float],
    sites: Mapping[str, tuple[float, float]],
    access: Access,
    backhaul: Backhaul,
    wan: Wan,
) -> Plan:
    """Derive the communication network from coordinates, (n, 2) longitude and latitude in degrees.

    A gateway whose concentrator is -1 (a medium-voltage customer) has a backhaul link of its own.
    Propagation follows the great-circle distance, of an access network the farthest member's.
    """
    gateways, concentrators = len(gateway_degrees), len(concentrator_degrees)
    names = list(sites)
    first_site = gateways + concentrators + 1
    hub, core = first_site - 1, first_site + len(names)
    places = core + 1
    parent = np.full(places, core, dtype=np.int64)
    parent[core] = -1
    own_backhaul = gateway_concentrator < 0
    parent[:gateways] = np.where(own_backhaul, hub, gateways + gateway_concentrator)
    parent[gateways : gateways + concentrators] = hub
    hub_point = np.array([hub_degrees])
    members_km = _km(gateway_degrees, concentrator_degrees[np.maximum(gateway_concentrator, 0)])
    farthest_km = np.zeros(concentrators)
    np.maximum.at(farthest_km, gateway_concentrator[~own_backhaul], members_km[~own_backhaul])
    trunk_places = np.concatenate([np.flatnonzero(own_backhaul), gateways + np.arange(concentrators)])
    trunk_km = np.concatenate([_km(gateway_degrees[own_backhaul], hub_point), _km(concentrator_degrees, hub_point)])
    wan_places = np.concatenate([[hub], first_site + np.arange(len(names))])
    wan_km = np.concatenate([[0.0], _km(np.array([sites[name] for name in names]), hub_point)])

    up = np.full(places, -1, dtype=np.int64)
    down = np.full(places, -1, dtype=np.int64)
    up[:gateways] = down[:gateways] = gateway_concentrator
    trunks, links = len(trunk_places), len(wan_places)
    up[trunk_places] = concentrators + 2 * np.arange(trunks)
    down[trunk_places] = up[trunk_places] + 1
    up[wan_places] = concentrators + 2 * trunks + 2 * np.arange(links)
    down[wan_places] = up[wan_places] + 1
    counts = (concentrators, 2 * trunks, 2 * links)
    kinds = (access, backhaul, wan)
    km = np.concatenate([farthest_km, np.repeat(trunk_km, 2), np.repeat(wan_km, 2)])
    link_class = np.repeat([ACCESS, BACKHAUL, WAN], counts)
    ns_per_km = np.where(link_class == WAN, NS_PER_KM_FIBRE, NS_PER_KM_RADIO)
    fixed_ns = np.repeat([one.delay_s * 1e9 for one in kinds], counts)
    depth = np.zeros(places, dtype=np.int64)
    depth[wan_places] = 1
    depth[trunk_places] = 2
    depth[:gateways] = np.where(own_backhaul, 2, 3)
    group = np.full(places, -1, dtype=np.int64)
    group[:gateways] = gateway_concentrator
    group[gateways : gateways + concentrators] = np.arange(concentrators)
    topology = Topology(
        parent=parent,
        up=up,
        down=down,
        depth=depth,
        rate_bps=np.repeat([one.rate_bps for one in kinds], counts),
        delay_ns=np.rint(fixed_ns + km * ns_per_km).astype(np.int64),
        loss=np.repeat([one.loss for one in kinds], counts),
        retries=np.repeat([one.retries for one in kinds], counts),
        link_class=link_class,
        group=group,
        groups=concentrators,
    )
    return Plan(
        topology=topology,
        gateways=np.arange(gateways),
        concentrators=gateways + np.arange(concentrators),
        hub=hub,
        sites={name: first_site + k for k, name in enumerate(names)},
        link_km=km,
    )


def _km(a: Floats, b: Floats) -> Floats:
    """Great-circle distance (haversine) between points in degrees, (n, 2) each or (1, 2)."""
    lon_a, lat_a, lon_b, lat_b = np.radians(a[:, 0]), np.radians(a[:, 1]), np.radians(b[:, 0]), np.radians(b[:, 1])
    half = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    return np.asarray(2.0 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(half)))

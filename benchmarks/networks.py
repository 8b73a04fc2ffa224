"""Networks that the message plane's benchmarks have in common.

Each comes with what its meters report: one reading each, acknowledged end to end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from heptagrid.contracts.kinds import FACTS
from heptagrid.foundation.domains import Kind
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.planning.mesh import etx_tree
from heptagrid.planes.messages.planning.network_builder import NetworkBuilder
from heptagrid.planes.messages.routing.paths import Paths, TreeEdges, TreeRouter
from heptagrid.planes.messages.tables import Ints, Net
from heptagrid.planes.messages.technology import technology

PER_KM2 = 220.0  # meters: a suburb
CORE_NS = 20_000_000


@dataclass(frozen=True)
class Network:
    """A network, the paths of its readings, and the readings of one round.

    rows: (meters, PENDING) in order of time within the round. mean_depth: hops from a meter to its collector. shard_of: (places,) the area of each.
    """

    net: Net
    paths: Paths
    rows: Ints
    mean_depth: float
    shard_of: Ints

    def round(self, number: int, period_ns: int) -> Ints:
        """The readings of the round of this number; rounds follow one another after `period_ns`."""
        rows = self.rows.copy()
        rows[:, t.ID] += number * len(rows)
        rows[:, t.NUMBER] += number
        rows[:, t.SENT] += number * period_ns
        return rows


def _readings(paths: Paths, ends: Ints, period_ns: int, rng: np.random.Generator) -> Ints:
    """A reading of each meter to its end, (meters,), at a random time within the round, in order of time."""
    meters = len(ends)
    order = rng.permutation(meters)
    to = ends[order]
    rows = np.zeros((meters, t.PENDING), dtype=np.int64)
    rows[:, t.ID] = np.arange(meters)
    rows[:, t.SENT] = np.sort(rng.integers(0, period_ns, meters))
    rows[:, t.SOURCE], rows[:, t.DESTINATION], rows[:, t.KIND] = order, to, Kind.METER_READING
    rows[:, t.BYTES], rows[:, t.PAIR], rows[:, t.GROUP] = FACTS[Kind.METER_READING].wire_bytes, 7 * 3 + 4, -1
    rows[:, t.PATH], rows[:, t.HOPS] = paths.of(order, to)
    rows[:, t.ACK_PATH], rows[:, t.ACK_HOPS] = paths.of(to, order)
    return rows


def _depth(parent: Ints) -> Ints:
    """(places,) hops from each to the top of the tree."""
    depth, place = np.zeros(len(parent), dtype=np.int64), parent.copy()
    while (place >= 0).any():
        depth += place >= 0
        place = np.where(place >= 0, parent[np.maximum(place, 0)], -1)
    return depth


def suburb(
    meters: int,
    *,
    period_ns: int,
    members: int = 500,
    collectors: int = 10,
    cells_of_area: int = 0,
    to_collectors: bool = False,
) -> Network:
    """Meshes, cells and a core, or one for each area of `cells_of_area` cells.

    `members` meters share a collector's Wi-SUN mesh (150 kbit/s), `collectors` of these an LTE cell; the cells reach the
    head end over an operator's core of 20 ms. Readings go to the head end, or no further than their collectors; then there is no core.
    """
    rng = np.random.default_rng(1)
    cells = max(1, meters // (members * collectors))
    meters = cells * members * collectors
    meshes = cells * collectors
    base = meters + meshes + np.arange(cells)
    area = np.arange(cells) // (cells_of_area or cells)
    core = meters + meshes + cells + 2 * np.arange(int(area[-1]) + 1)
    head = core + 1
    places = int(head[-1]) + 1
    xy_m = np.zeros((places, 2))
    side_m = 1000.0 * np.sqrt(members / PER_KM2)
    xy_m[:meters] = rng.uniform(-side_m / 2, side_m / 2, (meters, 2))
    parent = np.full(places, -1)
    up, down = np.full((places, 2), -1), np.full((places, 2), -1)
    loss = np.zeros(places)
    wiring = NetworkBuilder(places, xy_m)
    mesh, cell = technology("wi-sun-150k"), technology("lte")
    assert mesh.medium is not None
    assert cell.medium is not None
    mesh_medium = replace(mesh.medium, header_bytes=mesh.header_bytes, payload_bytes=mesh.payload_bytes)
    cell_medium = replace(cell.medium, header_bytes=cell.header_bytes, payload_bytes=cell.payload_bytes)
    hops = 0
    for k in range(meshes):
        of_mesh = np.concatenate([[meters + k], k * members + np.arange(members)])
        ports = wiring.medium(
            of_mesh,
            mesh_medium,
            rate_bps=mesh.uplink_bps,
            delay_ns=round(mesh.delay_s * 1e9),
            loss=mesh.loss,
            retries=mesh.retries,
        )
        tree = etx_tree(xy_m[of_mesh], mesh.budget, mesh.range_m)
        above = tree.parent[1:]
        hops += int(tree.depth.sum())
        parent[of_mesh[1:]], loss[of_mesh[1:]] = of_mesh[above], tree.error[1:]
        up[of_mesh[1:]] = np.column_stack([ports[1:], ports[above]])
        down[of_mesh[1:]] = up[of_mesh[1:]][:, ::-1]
    for k in range(cells):
        of_cell = np.concatenate([[base[k]], meters + k * collectors + np.arange(collectors)])
        ports = wiring.medium(
            of_cell,
            cell_medium,
            rate_bps=cell.uplink_bps,
            delay_ns=round(cell.delay_s * 1e9),
            loss=cell.loss,
            retries=cell.retries,
            base=0,
        )
        parent[of_cell[1:]] = base[k]
        up[of_cell[1:]] = np.column_stack([ports[1:], np.full(collectors, ports[0])])
        down[of_cell[1:]] = up[of_cell[1:]][:, ::-1]
    ends, above = np.concatenate([base, head]), np.concatenate([core[area], core])
    for table, near, far in ((up, ends, above), (down, above, ends)):
        if to_collectors:
            break
        table[ends, 0] = wiring.links(near, far, rate_bps=np.full(len(ends), 1e9), delay_ns=CORE_NS)
    parent[ends] = above
    columns = (np.ascontiguousarray(each) for each in (*up.T, *down.T))
    paths = Paths(places, TreeRouter(TreeEdges(parent, _depth(parent), *columns, loss)))
    of_meter = np.repeat(area, members * collectors)
    to = meters + np.arange(meters) // members if to_collectors else head[of_meter]
    shard_of = np.concatenate([of_meter, np.repeat(area, collectors), area, np.repeat(np.arange(len(core)), 2)])
    return Network(wiring.net(), paths, _readings(paths, to, period_ns, rng), hops / meters, shard_of)


def tree_of_links(meters: int, *, period_ns: int, members: int = 500, towns: int = 1) -> Network:
    """Plain links, first come, first served: `members` meters share each concentrator's line, and each has a trunk to its town.

    Several towns have nothing to do with each other.
    """
    rng = np.random.default_rng(1)
    lines = max(towns, meters // members // towns * towns)
    meters = lines * members
    near = np.arange(meters, meters + lines)
    line_of, town_of = np.arange(meters) // members, np.arange(lines) * towns // lines
    middles = meters + lines + np.arange(towns)
    heads = middles + towns
    places = int(heads[-1]) + 1
    wiring = NetworkBuilder(places)
    line = wiring.links(
        *(np.full(lines, -1), near), rate_bps=np.full(lines, 50e3), delay_ns=10_000_000, loss=0.02, retries=3
    )
    trunk: Any = {"rate_bps": np.full(lines, 1e6), "delay_ns": 50_000_000, "loss": 0.005, "retries": 2}
    trunks_up, trunks_down = (
        wiring.links(*each, **trunk) for each in ((near, middles[town_of]), (middles[town_of], near))
    )
    top: Any = {"rate_bps": np.full(towns, 1e9), "delay_ns": 2_000_000}
    top_up, top_down = (wiring.links(*each, **top) for each in ((middles, heads), (heads, middles)))
    parent = np.concatenate([near[line_of], middles[town_of], np.full(towns, -1), middles])
    none = np.full(places, -1)
    up = np.concatenate([line[line_of], trunks_up, none[:towns], top_down])
    down = np.concatenate([line[line_of], trunks_down, none[:towns], top_up])
    paths = Paths(places, TreeRouter(TreeEdges(parent, _depth(parent), up, none, down, none, np.zeros(places))))
    shard_of = np.concatenate([town_of[line_of], town_of, np.arange(towns), np.arange(towns)])
    return Network(wiring.net(), paths, _readings(paths, heads[town_of[line_of]], period_ns, rng), 1.0, shard_of)

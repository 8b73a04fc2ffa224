"""Meters that report every 15 minutes, each reading acknowledged end to end, over meshes, cells and a core.

Five hundred meters share a collector's Wi-SUN mesh (150 kbit/s, mean depth about three), ten collectors an LTE cell; cells
reach the head end over an operator's core of 20 ms. Usage: million_meters.py [meters, default 100000] [quarters, default 4].
A day of a million is 96 quarters of 1000000: it prints how long that would take, and says when it was not run whole.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from heptagrid.foundation.domains import Kind
from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.event_queue import fact_table
from heptagrid.planes.messages.kinds import FACTS
from heptagrid.planes.messages.mesh import etx_tree
from heptagrid.planes.messages.paths import Paths, TreeEdges, TreeRouter
from heptagrid.planes.messages.shards import ShardedQueue
from heptagrid.planes.messages.technology import technology
from heptagrid.planes.messages.wiring import Wiring

S = 1_000_000_000
MEMBERS, COLLECTORS = 500, 10  # meters of a mesh, collectors of a cell
PER_KM2 = 220.0  # meters: a suburb
CORE_NS = 20_000_000

meters = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
quarters = int(sys.argv[2]) if len(sys.argv) > 2 else 4
leaves = numba.get_num_threads()
cells = max(1, meters // (MEMBERS * COLLECTORS))
meters = cells * MEMBERS * COLLECTORS
collectors = cells * COLLECTORS
rng = np.random.default_rng(1)

# Places: meters, collectors, base stations, core, head end.
base = meters + collectors + np.arange(cells)
core, head = meters + collectors + cells, meters + collectors + cells + 1
places = head + 1
xy_m = np.zeros((places, 2))
side_m = 1000.0 * np.sqrt(MEMBERS / PER_KM2)
xy_m[:meters] = rng.uniform(-side_m / 2, side_m / 2, (meters, 2))
parent = np.full(places, -1)
up, down = np.full((places, 2), -1), np.full((places, 2), -1)
loss = np.zeros(places)
wiring = Wiring(places, xy_m)
mesh, cell = technology("wi-sun-150k"), technology("lte")
assert mesh.medium is not None
assert cell.medium is not None
mesh_medium = replace(mesh.medium, header_bytes=mesh.header_bytes, payload_bytes=mesh.payload_bytes)
cell_medium = replace(cell.medium, header_bytes=cell.header_bytes, payload_bytes=cell.payload_bytes)
hops = 0
for k in range(collectors):
    members = np.concatenate([[meters + k], k * MEMBERS + np.arange(MEMBERS)])
    ports = wiring.medium(
        *(members, mesh_medium),
        rate_bps=mesh.uplink_bps,
        delay_ns=round(mesh.delay_s * 1e9),
        loss=mesh.loss,
        retries=mesh.retries,
    )
    tree = etx_tree(xy_m[members], mesh.budget, mesh.range_m)
    above = tree.parent[1:]
    hops += int(tree.depth.sum())
    parent[members[1:]], loss[members[1:]] = members[above], tree.error[1:]
    up[members[1:]] = np.column_stack([ports[1:], ports[above]])
    down[members[1:]] = up[members[1:]][:, ::-1]
for k in range(cells):
    members = np.concatenate([[base[k]], meters + k * COLLECTORS + np.arange(COLLECTORS)])
    ports = wiring.medium(
        *(members, cell_medium),
        rate_bps=cell.uplink_bps,
        delay_ns=round(cell.delay_s * 1e9),
        loss=cell.loss,
        retries=cell.retries,
        base=0,
    )
    parent[members[1:]] = base[k]
    up[members[1:]] = np.column_stack([ports[1:], np.full(COLLECTORS, ports[0])])
    down[members[1:]] = up[members[1:]][:, ::-1]
ends = np.concatenate([base, [head]])
for table, near, far in ((up, ends, np.full(len(ends), core)), (down, np.full(len(ends), core), ends)):
    table[ends, 0] = wiring.links(near, far, rate_bps=np.full(len(ends), 1e9), delay_ns=CORE_NS)
parent[ends] = core
depth, place = np.zeros(places, dtype=np.int64), parent.copy()
while (place >= 0).any():
    depth += place >= 0
    place = np.where(place >= 0, parent[np.maximum(place, 0)], -1)

cell_of = np.concatenate(
    [np.arange(meters) // (MEMBERS * COLLECTORS), np.arange(collectors) // COLLECTORS, np.arange(cells)]
)
shard = np.concatenate([1 + cell_of * leaves // cells, [0, 0]])
columns = (np.ascontiguousarray(each) for each in (*up.T, *down.T))
paths = Paths(places, TreeRouter(TreeEdges(parent, depth, *columns, loss)))
queue = ShardedQueue(wiring.net(shard=shard), paths, fact_table(FACTS), 1, leaves + 1, max(4096, meters // leaves // 8))
offset_ns = np.sort(rng.integers(0, 900 * S, meters))
order = rng.permutation(meters)
rows = np.zeros((meters, t.PENDING), dtype=np.int64)
rows[:, t.SOURCE], rows[:, t.DESTINATION], rows[:, t.KIND] = order, head, Kind.METER_READING
rows[:, t.BYTES], rows[:, t.PAIR], rows[:, t.GROUP] = FACTS[Kind.METER_READING].wire_bytes, 7 * 3 + 4, -1
rows[:, t.PATH], rows[:, t.HOPS] = paths.of(order, np.full(meters, head))
rows[:, t.ACK_PATH], rows[:, t.ACK_HOPS] = paths.of(np.full(meters, head), order)
print(f"{meters:,} meters, mean mesh depth {hops / meters:.2f}, {leaves} threads")

seconds = []
for quarter in range(quarters + 1):
    began = time.perf_counter()
    rows[:, t.ID], rows[:, t.NUMBER] = quarter * meters + np.arange(meters), quarter
    rows[:, t.SENT] = quarter * 900 * S + offset_ns
    queue.advance(rows if quarter < quarters else rows[:0], (quarter + 1) * 900 * S - 1)
    if quarter > 0:  # the first compiles
        seconds.append(time.perf_counter() - began)
counts = queue.counts()
took = sum(seconds) / max(1, quarters - 1)
print(
    f"{int(counts.counters[0].sum()):,} messages, {queue.hop_events:,} hop-events, residual {counts.residual}; "
    f"{took:.2f} s a quarter hour, {queue.hop_events / quarters / took / 1e6:.2f} million hop-events/s, "
    f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
)
print(f"a day of these meters: {96 * took:.0f} s" + ("" if quarters >= 96 else " (extrapolated, not run whole)"))

"""A radial network for the sweep solver: one tree of nodes, depth-first, in per unit.

Buses joined by closed couplings are one node; equal parallel transformers are one branch; a line open at
one end hangs as a stub on the other, so that its charging current flows; a line open at both ends is
dropped. Every node but the root has exactly one branch to its parent, stored at the node's position.

Branches are pi-models. Transformers follow the pi-model of power-grid-model and pandapower: the leakage
impedance in series on the low-voltage side, the magnetising admittance in two halves, the off-nominal ratio
as an ideal transformer on the high-voltage side. Clock shifts are left out: they turn all angles
behind a transformer alike and change neither magnitudes nor losses in a radial network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import NetworkError
from heptagrid.world.grid import Grid

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

BASE_KVA = 1000.0
_SHOWN = 6


@dataclass(frozen=True)
class RadialNetwork:
    """A tree of `nodes` nodes, parents before children, feeders one after another.

    parent: (nodes,) position of each node's parent, -1 for the root (node 0).
    feeder: (nodes,) which feeder below the busbar each node belongs to; 0 is the trunk above the feeders.
    feeder_start: (feeders + 1,) first node of each feeder.
    z_pu, shunt_from_pu, shunt_to_pu: (nodes,) complex, of the branch to the parent: series impedance and
    shunt admittances at the parent's and at the node's own end, for one branch (parallels joined).
    node_of_bus: (buses,); bus_of_node: (nodes,) a representative, -1 for the open end of a line.
    v_base_kv: (nodes,).
    line_of_node, transformer_of_node: (nodes,) the element that is the branch above, or -1 (the first of parallels).
    node_of_line, node_of_transformer: the node below each element, -1 if it carries nothing.
    parallels: (nodes,) how many equal transformers the branch above stands for.
    tap_step: (transformers,) ratio change per tap; tap_neutral: (transformers,).
    nominal_ratio: (transformers,) ratio at the neutral tap relative to the nodes' base voltages.
    """

    parent: Ints
    feeder: Ints
    feeder_start: Ints
    z_pu: Complex
    shunt_from_pu: Complex
    shunt_to_pu: Complex
    node_of_bus: Ints
    bus_of_node: Ints
    v_base_kv: Floats
    line_of_node: Ints
    transformer_of_node: Ints
    node_of_line: Ints
    node_of_transformer: Ints
    parallels: Ints
    tap_step: Floats
    tap_neutral: Ints
    nominal_ratio: Floats
    busbar: int

    @property
    def nodes(self) -> int:
        return len(self.parent)


@dataclass
class _Branches:
    """All branches of the grid between merged nodes, before they are ordered."""

    from_node: Ints
    to_node: Ints
    z_pu: Complex
    y_pu: Complex
    line: Ints
    transformer: Ints
    count: Ints


def radial_network(grid: Grid) -> RadialNetwork:
    """Order a grid as a tree fed at its infeed.

    Raises
    ------
    NetworkError
        Naming the elements: for buses without a path to the infeed (an island), and for a loop that is
        neither equal parallel transformers nor a closed coupling.
    """
    merged, count = _merge(grid)
    v_base_kv = np.zeros(count)
    v_base_kv[merged] = grid.buses.vn_kv
    branches, v_base_kv = _branches(grid, merged, v_base_kv)
    branches = _join_parallel_transformers(grid, branches)
    root = int(merged[grid.infeed_bus])
    parent, above, order, busbar = _walk(grid, branches, len(v_base_kv), root, merged)
    return _assemble(grid, branches, merged, v_base_kv, parent, above, order, busbar)


def _merge(grid: Grid) -> tuple[Ints, int]:
    """The node of each bus after joining those with closed couplings, and the number of nodes."""
    leader = np.arange(len(grid.buses.names))

    def find(bus: int) -> int:
        while leader[bus] != bus:
            leader[bus] = leader[leader[bus]]
            bus = leader[bus]
        return bus

    couplings = grid.switches
    for k in np.flatnonzero(couplings.closed):
        a, b = find(int(couplings.from_bus[k])), find(int(couplings.to_bus[k]))
        leader[max(a, b)] = min(a, b)
    roots = np.array([find(bus) for bus in range(len(leader))])
    _, merged = np.unique(roots, return_inverse=True)
    return merged.astype(np.int64), int(merged.max()) + 1


def _branches(grid: Grid, merged: Ints, v_base_kv: Floats) -> tuple[_Branches, Floats]:
    lines, transformers = grid.lines, grid.transformers
    used = np.flatnonzero(lines.from_closed | lines.to_closed)
    from_node, to_node = merged[lines.from_bus[used]], merged[lines.to_bus[used]]
    open_from, open_to = ~lines.from_closed[used], ~lines.to_closed[used]
    stubs = np.flatnonzero(open_from | open_to)
    stub_node = len(v_base_kv) + np.arange(len(stubs))
    v_base_kv = np.concatenate([v_base_kv, v_base_kv[to_node[stubs]]])
    from_node[stubs[open_from[stubs]]] = stub_node[open_from[stubs]]
    to_node[stubs[open_to[stubs]]] = stub_node[open_to[stubs]]
    z_base_ohm = v_base_kv[from_node] ** 2 / (BASE_KVA / 1000.0)
    omega = 2.0 * np.pi * grid.frequency_hz
    line_z = (lines.r_ohm[used] + 1j * lines.x_ohm[used]) / z_base_ohm
    line_y = (lines.g_us[used] * 1e-6 + 1j * omega * lines.c_nf[used] * 1e-9) * z_base_ohm
    hv, lv = merged[transformers.hv_bus], merged[transformers.lv_bus]
    # Impedances on the low-voltage side, referred to the node's own base voltage.
    to_base = (transformers.vn_lv_kv / v_base_kv[lv]) ** 2 * (BASE_KVA / 1000.0) / transformers.sn_mva
    r = transformers.vkr_percent / 100.0
    x = np.sqrt((transformers.vk_percent / 100.0) ** 2 - r**2)
    conductance = transformers.pfe_kw / 1000.0 / transformers.sn_mva
    admittance = transformers.i0_percent / 100.0
    susceptance = np.sqrt(np.maximum(admittance**2 - conductance**2, 0.0))
    nothing = np.full(len(hv), -1)
    return (
        _Branches(
            from_node=np.concatenate([from_node, hv]),
            to_node=np.concatenate([to_node, lv]),
            z_pu=np.concatenate([line_z, (r + 1j * x) * to_base]),
            y_pu=np.concatenate([line_y, (conductance - 1j * susceptance) / to_base]),
            line=np.concatenate([used, nothing]),
            transformer=np.concatenate([np.full(len(used), -1), np.arange(len(hv))]),
            count=np.ones(len(used) + len(hv), dtype=np.int64),
        ),
        v_base_kv,
    )


def _join_parallel_transformers(grid: Grid, branches: _Branches) -> _Branches:
    """Equal transformers between the same two nodes become one branch that stands for all of them."""
    transformers = grid.transformers
    groups: dict[tuple[object, ...], list[int]] = {}
    for k in np.flatnonzero(branches.transformer >= 0):
        t = branches.transformer[k]
        same = tuple(
            float(column[t])
            for column in (
                *(transformers.sn_mva, transformers.vn_hv_kv, transformers.vn_lv_kv, transformers.vk_percent),
                *(transformers.vkr_percent, transformers.pfe_kw, transformers.i0_percent),
                *(transformers.tap_step_percent, transformers.tap_neutral, transformers.tap_pos),
            )
        )
        groups.setdefault((int(branches.from_node[k]), int(branches.to_node[k]), *same), []).append(int(k))
    keep = np.ones(len(branches.count), dtype=bool)
    z_pu, y_pu, count = branches.z_pu.copy(), branches.y_pu.copy(), branches.count.copy()
    for members in groups.values():
        keep[members[1:]] = False
        count[members[0]] = len(members)
        z_pu[members[0]] /= len(members)
        y_pu[members[0]] *= len(members)
    return _Branches(
        branches.from_node[keep],
        branches.to_node[keep],
        z_pu[keep],
        y_pu[keep],
        branches.line[keep],
        branches.transformer[keep],
        count[keep],
    )


def _walk(grid: Grid, branches: _Branches, nodes: int, root: int, merged: Ints) -> tuple[Ints, Ints, Ints, int]:
    """Depth-first from the root: parents, the branch above each node, the order, and the busbar.

    The busbar is the first node with more than one branch below it; each branch below it opens a feeder.
    """
    ends = np.concatenate([branches.from_node, branches.to_node])
    others = np.concatenate([branches.to_node, branches.from_node])
    order = np.argsort(ends, kind="stable")
    start = np.searchsorted(ends[order], np.arange(nodes + 1))
    edge, other = order % len(branches.count), others[order]
    parent = np.full(nodes, -2, dtype=np.int64)
    above = np.full(nodes, -1, dtype=np.int64)
    visited: list[int] = []
    stack = [(root, -1, -1)]
    loops: list[int] = []
    while stack:
        node, upper, branch = stack.pop()
        if parent[node] != -2:
            loops.append(branch)
            continue
        parent[node], above[node] = upper, branch
        visited.append(node)
        for k in range(start[node + 1] - 1, start[node] - 1, -1):
            if edge[k] != branch and parent[other[k]] == -2:
                stack.append((int(other[k]), node, int(edge[k])))
            elif edge[k] != branch and edge[k] not in loops and above[other[k]] != edge[k]:
                loops.append(int(edge[k]))
    if loops:
        raise NetworkError(
            f"the network has a loop closed by {_names(grid, branches, loops)}; the radial solver takes a tree: "
            "open a switch, or make parallel transformers equal"
        )
    if len(visited) < nodes:
        lost = np.flatnonzero((parent == -2)[merged])
        names = ", ".join(grid.buses.names[lost[:_SHOWN]])
        more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        raise NetworkError(
            f"{len(lost)} buses have no path to the infeed {str(grid.buses.names[grid.infeed_bus])!r}: {names}{more}; "
            "close a switch, or take them out"
        )
    below = start[1:] - start[:-1] - (np.arange(nodes) != root)
    busbar = next((node for node in visited if below[node] > 1), root)
    return parent, above, np.array(visited, dtype=np.int64), busbar


def _assemble(
    grid: Grid,
    branches: _Branches,
    merged: Ints,
    v_base_kv: Floats,
    parent: Ints,
    above: Ints,
    order: Ints,
    busbar: int,
) -> RadialNetwork:
    nodes = len(order)
    position = np.empty(nodes, dtype=np.int64)
    position[order] = np.arange(nodes)
    bus_of = np.full(nodes, -1, dtype=np.int64)
    bus_of[merged[::-1]] = np.arange(len(merged))[::-1]
    parents = np.where(order == order[0], -1, position[np.maximum(parent[order], 0)])
    branch = above[order[1:]]

    def of_branch(values: Any, nothing: complex) -> Any:
        column = np.full(nodes, nothing, dtype=values.dtype)
        column[1:] = values[branch]
        return column

    line, transformer = of_branch(branches.line, -1), of_branch(branches.transformer, -1)
    transformers = grid.transformers
    downward = np.ones(nodes, dtype=bool)
    downward[1:] = branches.to_node[branch] == order[1:]
    upside_down = np.flatnonzero((transformer >= 0) & ~downward)
    if len(upside_down):
        names = ", ".join(transformers.names[transformer[upside_down[:_SHOWN]].astype(int)])
        raise NetworkError(f"transformers fed from their low-voltage side are not supported: {names}")
    half = of_branch(branches.y_pu, 0.0) / 2.0
    feeder, feeder_start = _feeders(parents, int(position[busbar]))
    node_of_line = np.full(len(grid.lines.names), -1, dtype=np.int64)
    node_of_transformer = np.full(len(transformers.names), -1, dtype=np.int64)
    below = np.arange(nodes)
    node_of_line[line[line >= 0].astype(int)] = below[line >= 0]
    pairs = {
        (int(merged[transformers.hv_bus[t]]), int(merged[transformers.lv_bus[t]])): k
        for k, t in zip(below[transformer >= 0], transformer[transformer >= 0].astype(int), strict=True)
    }
    for t in range(len(node_of_transformer)):
        node_of_transformer[t] = pairs[int(merged[transformers.hv_bus[t]]), int(merged[transformers.lv_bus[t]])]
    base = v_base_kv[order]
    hv_base = v_base_kv[merged[transformers.hv_bus]]
    lv_base = v_base_kv[merged[transformers.lv_bus]]
    return RadialNetwork(
        parent=parents,
        feeder=feeder,
        feeder_start=feeder_start,
        z_pu=np.asarray(of_branch(branches.z_pu, 0.0), dtype=np.complex128),
        shunt_from_pu=np.asarray(half, dtype=np.complex128),
        shunt_to_pu=np.asarray(half, dtype=np.complex128),
        node_of_bus=position[merged],
        bus_of_node=bus_of[order],
        v_base_kv=base,
        line_of_node=line.astype(np.int64),
        transformer_of_node=transformer.astype(np.int64),
        node_of_line=node_of_line,
        node_of_transformer=node_of_transformer,
        parallels=np.asarray(of_branch(branches.count, 1), dtype=np.int64),
        tap_step=transformers.tap_step_percent / 100.0,
        tap_neutral=transformers.tap_neutral,
        nominal_ratio=(transformers.vn_hv_kv / transformers.vn_lv_kv) / (hv_base / lv_base),
        busbar=int(position[busbar]),
    )


def _feeders(parent: Ints, busbar: int) -> tuple[Ints, Ints]:
    """Feeder of each node and the first node of each feeder; the trunk is the nodes down to the busbar."""
    starts = np.flatnonzero(parent == busbar)
    starts = starts[starts > busbar]
    feeder = np.searchsorted(starts, np.arange(len(parent)), side="right")
    return feeder.astype(np.int64), np.append(starts, len(parent)).astype(np.int64)


def _names(grid: Grid, branches: _Branches, loops: list[int]) -> str:
    shown = []
    for k in loops[:_SHOWN]:
        line, transformer = branches.line[k], branches.transformer[k]
        shown.append(
            f"line {str(grid.lines.names[line])!r}"
            if line >= 0
            else f"transformer {str(grid.transformers.names[transformer])!r}"
        )
    return ", ".join(shown) + (f" and {len(loops) - _SHOWN} more" if len(loops) > _SHOWN else "")

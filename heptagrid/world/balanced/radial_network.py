"""A radial network for the sweep solver: one tree of nodes, depth-first, in per unit.

Buses joined by closed couplings are one node; equal parallel transformers are one branch; a line open at
one end hangs as a stub on the other, so that its charging current flows; a line open at both ends is
dropped. Every node but the root has exactly one branch to its parent, stored at the node's position.

Branches are pi-models. Transformers follow the pi-model of power-grid-model and pandapower: the leakage
impedance in series on the low-voltage side, the magnetising admittance in two halves, the off-nominal ratio
as an ideal transformer on the high-voltage side. Clock shifts are left out: they turn all angles
behind a transformer alike and change neither magnitudes nor losses in a radial network.

Weakly meshed networks are a tree too, with a list of branches that close its loops: the solver makes good for them
by compensation (`heptagrid.planes.power.balanced.compensation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import NetworkError
from heptagrid.world.grid import Grid
from heptagrid.world.grid_checks import violations
from heptagrid.world.spanning_tree import UNREACHED, Adjacency, SpanningTree, depth_first, shortest_paths

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

BASE_KVA = 1000.0
MOST_LOOPS = 64  # more are a meshed network; their matrix is dense, and is multiplied in each iteration
_SHOWN = 6


@dataclass(frozen=True)
class LoopBranches:
    """Branches that close loops over the tree, (loops,) each.

    from_node, to_node: positions in the tree; a transformer's are its high- and its low-voltage side. z_pu: series impedance,
    shunt_pu: admittance at either end, for one branch (parallels joined). line, transformer: the element, or -1.
    """

    from_node: Ints
    to_node: Ints
    z_pu: Complex
    shunt_pu: Complex
    line: Ints
    transformer: Ints
    parallels: Ints

    def __len__(self) -> int:
        return len(self.from_node)


@dataclass(frozen=True)
class Tree:
    """Which node hangs on which: `nodes` nodes, parents before children, feeders one after another.

    parent: (nodes,) position of each node's parent, -1 for a root (node 0, and the first of each further town).
    feeder: (nodes,) which feeder below the busbar each node belongs to; 0 is the trunk above the feeders.
    feeder_start: (feeders + 1,) first node of each feeder. busbars: (towns,) the node of each primary substation's busbar; where there are
    several, each town is a tree of its own, the next town's trunk after the last feeder.
    node_of_bus: (buses,); bus_of_node: (nodes,) a representative, -1 for the open end of a line.
    v_base_kv: (nodes,).
    line_of_node, transformer_of_node: (nodes,) the element that is the branch above, or -1 (the first of parallels).
    node_of_line, node_of_transformer: the node below each element (its to-node in a loop), -1 if it carries nothing.
    parallels: (nodes,) how many equal transformers the branch above stands for.
    """

    parent: Ints
    feeder: Ints
    feeder_start: Ints
    node_of_bus: Ints
    bus_of_node: Ints
    v_base_kv: Floats
    line_of_node: Ints
    transformer_of_node: Ints
    node_of_line: Ints
    node_of_transformer: Ints
    parallels: Ints
    busbars: Ints

    @property
    def nodes(self) -> int:
        return len(self.parent)


@dataclass(frozen=True)
class RadialNetwork(Tree):
    """A tree with one branch above every node but the root, stored at the node's position, and what closes loops over it.

    z_pu, shunt_from_pu, shunt_to_pu: (nodes,) complex, of the branch to the parent: series impedance and
    shunt admittances at the parent's and at the node's own end, for one branch (parallels joined).
    high_node_of_transformer: the node at its high-voltage side. loop_of_transformer: which loop it closes, or -1.
    tap_step: (transformers,) ratio change per tap; tap_neutral: (transformers,).
    nominal_ratio: (transformers,) ratio at the neutral tap relative to the nodes' base voltages.
    loops: nothing in a radial network.
    """

    z_pu: Complex
    shunt_from_pu: Complex
    shunt_to_pu: Complex
    high_node_of_transformer: Ints
    loop_of_transformer: Ints
    tap_step: Floats
    tap_neutral: Ints
    nominal_ratio: Floats
    loops: LoopBranches


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
    of_transformer: Ints


def radial_network(grid: Grid, loops: Literal["refuse", "compensate"] = "refuse") -> RadialNetwork:
    """Order a grid as a tree fed at its infeed.

    loops : with "compensate", up to `MOST_LOOPS` branches may close loops over the tree; see `RadialNetwork.loops`.

    Raises
    ------
    NetworkError
        Naming the elements: for all figures and names that `grid_checks` refuses, for buses without a path to the infeed (an
        island), for a loop (or too many) that is neither equal parallel transformers nor a closed coupling.
    """
    wrong = violations(grid)
    if wrong:
        raise NetworkError("\n  ".join([f"the grid has {len(wrong)} problem{'s' if len(wrong) > 1 else ''}", *wrong]))
    merged, count = _merge(grid)
    v_base_kv = np.zeros(count)
    v_base_kv[merged] = grid.buses.vn_kv
    branches, v_base_kv = _branches(grid, merged, v_base_kv)
    branches = _join_parallel_transformers(grid, branches)
    tree = _tree(grid, branches, len(v_base_kv), int(merged[grid.infeed_bus]), loops)
    _refuse_islands(grid, tree, merged)
    return _assemble(grid, branches, merged, v_base_kv, tree)


def _merge(grid: Grid) -> tuple[Ints, int]:
    """The node of each bus after joining those with closed couplings, and the number of nodes."""
    leader = np.arange(len(grid.buses.names))
    if not grid.switches.closed.any():
        return leader, len(leader)

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
            of_transformer=len(used) + np.arange(len(hv)),
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
    stands_for = np.arange(len(count))
    for members in groups.values():
        stands_for[members] = members[0]
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
        (np.cumsum(keep) - 1)[stands_for[branches.of_transformer]],
    )


def _tree(
    grid: Grid, branches: _Branches, nodes: int, root: int, loops: Literal["refuse", "compensate"]
) -> SpanningTree:
    adjacency = Adjacency(branches.from_node, branches.to_node, nodes)
    tree = depth_first(adjacency, root, np.ones(len(branches.count), dtype=np.bool_))
    if not len(tree.loops):
        return tree
    if loops == "refuse":
        raise NetworkError(
            f"the network has a loop closed by {_names(grid, branches, tree.loops)}; the radial solver takes a tree: "
            "open a switch, or make parallel transformers equal"
        )
    if len(tree.loops) > MOST_LOOPS:
        raise NetworkError(
            f"the network has {len(tree.loops)} loops, and the sweeps compensate for {MOST_LOOPS} at most; "
            "a solver for meshed networks takes it"
        )
    usable = shortest_paths(adjacency, root, np.abs(branches.z_pu), one_way=branches.transformer >= 0)
    shallow = depth_first(adjacency, root, usable)
    feeds_upwards = len(shallow.order) < len(tree.order)
    return tree if feeds_upwards else shallow


def _refuse_islands(grid: Grid, tree: SpanningTree, merged: Ints) -> None:
    is_lost = (tree.parent == UNREACHED)[merged]
    if not is_lost.any():
        return
    infeed = str(grid.buses.names[grid.infeed_bus])
    loads = grid.loads.names[is_lost[grid.loads.bus]]
    with_loads = f" (with load {_listed(loads)})" if len(loads) else ""
    raise NetworkError(
        f"{int(is_lost.sum())} buses have no path to the infeed {infeed!r}: {_listed(grid.buses.names[is_lost])}{with_loads}; "
        "close a switch, or take them out"
    )


def _assemble(grid: Grid, branches: _Branches, merged: Ints, v_base_kv: Floats, tree: SpanningTree) -> RadialNetwork:
    order, nodes = tree.order, len(tree.order)
    position = np.full(len(v_base_kv), -1, dtype=np.int64)
    position[order] = np.arange(nodes)
    bus_of = np.full(len(v_base_kv), -1, dtype=np.int64)
    bus_of[merged[::-1]] = np.arange(len(merged))[::-1]
    parents = np.where(order == order[0], -1, position[np.maximum(tree.parent[order], 0)])
    branch = tree.above[order[1:]]

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
    heads = np.flatnonzero(parents == int(position[tree.busbar]))
    feeder, feeder_start = feeders_below(heads[heads > int(position[tree.busbar])], nodes)
    loops = LoopBranches(
        position[branches.from_node[tree.loops]],
        position[branches.to_node[tree.loops]],
        branches.z_pu[tree.loops],
        branches.y_pu[tree.loops] / 2.0,
        branches.line[tree.loops],
        branches.transformer[tree.loops],
        branches.count[tree.loops],
    )
    node_of_branch = np.full(len(branches.count), -1, dtype=np.int64)
    node_of_branch[branch] = np.arange(1, nodes)
    node_of_branch[tree.loops] = loops.to_node
    loop_of_branch = np.full(len(branches.count), -1, dtype=np.int64)
    loop_of_branch[tree.loops] = np.arange(len(loops))
    node_of_line = np.full(len(grid.lines.names), -1, dtype=np.int64)
    is_line = branches.line >= 0
    node_of_line[branches.line[is_line]] = node_of_branch[is_line]
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
        node_of_transformer=node_of_branch[branches.of_transformer],
        high_node_of_transformer=position[merged[transformers.hv_bus]],
        loop_of_transformer=loop_of_branch[branches.of_transformer],
        parallels=np.asarray(of_branch(branches.count, 1), dtype=np.int64),
        tap_step=transformers.tap_step_percent / 100.0,
        tap_neutral=transformers.tap_neutral,
        nominal_ratio=(transformers.vn_hv_kv / transformers.vn_lv_kv) / (hv_base / lv_base),
        busbars=position[[tree.busbar]],
        loops=loops,
    )


def feeders_below(heads: Ints, nodes: int) -> tuple[Ints, Ints]:
    """Feeder of each node and the first node of each feeder, from the nodes at which they begin.

    What comes before the first is the trunk.
    """
    feeder = np.searchsorted(heads, np.arange(nodes), side="right")
    return feeder.astype(np.int64), np.append(heads, nodes).astype(np.int64)


def _names(grid: Grid, branches: _Branches, loops: Ints) -> str:
    shown = []
    for k in loops[:_SHOWN]:
        line, transformer = branches.line[k], branches.transformer[k]
        shown.append(
            f"line {str(grid.lines.names[line])!r}"
            if line >= 0
            else f"transformer {str(grid.transformers.names[transformer])!r}"
        )
    return ", ".join(shown) + (f" and {len(loops) - _SHOWN} more" if len(loops) > _SHOWN else "")


def _listed(names: npt.NDArray[np.str_]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")

"""Balanced networks that are trees, or nearly: taken to the sweeps of the radial solver, and back.

In a tree, ideal transformers and phase shifts need no equations: with the voltages of all buses below one counted on a base
that is turned and stretched by its ratio, every branch is a plain pi-model. A branch that closes a loop may have no ratio left then; if it has, or if
anything else is beyond the sweeps, `why_not` says what.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from heptagrid.planes.power.balanced.radial import RadialSolver
from heptagrid.world.balanced.network import BalancedNetwork, BusKind
from heptagrid.world.balanced.radial_network import BASE_KVA, MOST_LOOPS, LoopBranches, RadialNetwork, feeders_below
from heptagrid.world.grid import Buses, BusSwitches, Grid, Lines, Loads, Transformers, Units
from heptagrid.world.spanning_tree import Adjacency, SpanningTree, depth_first, shortest_paths

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
T = TypeVar("T")

_TOLERANCE_PU = 1e-12
_SAME_RATIO = 1e-12


class Sweeps:
    """A balanced network for the sweeps. why_not: what they cannot take, empty if nothing."""

    def __init__(self, network: BalancedNetwork, kind: Ints, on: Bools) -> None:
        """kind: (buses,) as it is solved, of BusKind. on: (branches,) those that conduct."""
        self._network, self._on = network, np.flatnonzero(on)
        self._live = kind != BusKind.ISOLATED
        self.loops = len(self._on) - int(self._live.sum()) + 1
        self._slack = np.flatnonzero(kind == BusKind.SLACK)
        self.why_not = self._why_not(kind)
        if not self.why_not:
            self._tree = self._grow()
            self._base = self._bases()
            if (np.abs(self._loop_ratio() - 1.0) > _SAME_RATIO).any():
                self.why_not = "transformers in its loops do not match"

    def _why_not(self, kind: Ints) -> str:
        buses, branches = self._network.buses, self._network.branches
        if len(self._slack) != 1:
            return "it has several sources"
        if (kind == BusKind.PV).any():
            return "generators hold the voltage of other buses than the source"
        if (branches.from_bus == branches.to_bus)[self._on].any():
            return "it has branches whose ends closed switches join"
        if self.loops > MOST_LOOPS:
            return f"it has {self.loops} loops"
        if ((buses.current_p_mw != 0.0) | (buses.current_q_mvar != 0.0))[self._live].any():
            return "it has loads of constant current"
        if (branches.z_pu != branches.z_back_pu)[self._on].any():
            return "it has impedances that differ by direction"
        return ""

    def _grow(self) -> SpanningTree:
        branches, on = self._network.branches, self._on
        adjacency = Adjacency(branches.from_bus[on], branches.to_bus[on], len(self._live))
        every = np.ones(len(on), dtype=np.bool_)
        root = int(self._slack[0])
        if self.loops:
            every = shortest_paths(adjacency, root, np.abs(branches.z_pu[on]), np.zeros(len(on), dtype=np.bool_))
        return depth_first(adjacency, root, every)

    def _bases(self) -> Complex:
        """(buses,) what their voltages are multiplied by for the sweeps."""
        branches, tree = self._network.branches, self._tree
        base = np.ones(len(self._live), dtype=np.complex128)
        for bus in tree.order[1:].tolist():
            branch = self._on[tree.above[bus]]
            ratio = branches.ratio[branch]
            up = base[tree.parent[bus]]
            base[bus] = up * ratio if branches.to_bus[branch] == bus else up / ratio
        return base

    def _loop_ratio(self) -> Complex:
        branches, loops = self._network.branches, self._on[self._tree.loops]
        return np.asarray(
            branches.ratio[loops] * self._base[branches.from_bus[loops]] / self._base[branches.to_bus[loops]]
        )

    def solve(self, power_mva: Complex, magnitude: float, angle: float) -> tuple[Complex, int, bool]:
        """Voltages (buses,), iterations, and whether they converged, for what is fed in at each bus, (buses,)."""
        tree = self._tree
        network = self._radial()
        solver = RadialSolver(network, _grid_of_nothing(), _TOLERANCE_PU)
        drawn = -1e3 * power_mva[tree.order]
        flow = solver.solve(
            np.ascontiguousarray(drawn.real), np.ascontiguousarray(drawn.imag), magnitude, np.empty(0, dtype=np.int64)
        )
        v = np.full(len(self._live), complex(np.nan, np.nan))
        v[tree.order] = (flow.v_re + 1j * flow.v_im) * np.exp(1j * angle) / self._base[tree.order]
        return v, flow.iterations, not len(flow.held)

    def _radial(self) -> RadialNetwork:
        """The tree in per unit of the sweeps, without transformers."""
        network, tree, order = self._network, self._tree, self._tree.order
        buses, branches = network.buses, network.branches
        nodes = len(order)
        position = np.full(len(self._live), -1, dtype=np.int64)
        position[order] = np.arange(nodes)
        parent = np.where(np.arange(nodes) == 0, -1, position[np.maximum(tree.parent[order], 0)])
        scale = network.base_mva / (BASE_KVA / 1000.0)
        # The inside of a branch is on the base of its `to` end.
        stretch = np.abs(self._base[branches.to_bus]) ** 2
        z_pu = branches.z_pu * stretch / scale
        y_from, y_to = branches.y_from_pu / stretch * scale, branches.y_to_pu / stretch * scale
        shunt = (buses.shunt_p_mw - 1j * buses.shunt_q_mvar) / (BASE_KVA / 1000.0) / np.abs(self._base) ** 2
        own = shunt[order].astype(np.complex128)
        loops, above = self._on[tree.loops], self._on[tree.above[order[1:]]]
        np.add.at(own, position[branches.from_bus[loops]], y_from[loops])
        np.add.at(own, position[branches.to_bus[loops]], y_to[loops])
        downward = branches.to_bus[above] == order[1:]
        upper = np.append(0.0, np.where(downward, y_from[above], y_to[above])).astype(np.complex128)
        own[1:] += np.where(downward, y_to[above], y_from[above])
        heads = np.flatnonzero(parent == int(position[tree.busbar]))
        feeder, feeder_start = feeders_below(heads[heads > int(position[tree.busbar])], nodes)
        nothing, nowhere = np.empty(0), np.empty(0, dtype=np.int64)
        none = np.full(nodes, -1, dtype=np.int64)
        return RadialNetwork(
            parent=parent,
            feeder=feeder,
            feeder_start=feeder_start,
            node_of_bus=position,
            bus_of_node=order,
            v_base_kv=buses.v_base_kv[order],
            line_of_node=none,
            transformer_of_node=none,
            node_of_line=nowhere,
            node_of_transformer=nowhere,
            parallels=np.ones(nodes, dtype=np.int64),
            busbars=position[[tree.busbar]],
            z_pu=np.append(0.0, z_pu[above]).astype(np.complex128),
            shunt_from_pu=upper,
            shunt_to_pu=own,
            high_node_of_transformer=nowhere,
            loop_of_transformer=nowhere,
            tap_step=nothing,
            tap_neutral=nowhere,
            nominal_ratio=nothing,
            loops=LoopBranches(
                from_node=position[branches.from_bus[loops]],
                to_node=position[branches.to_bus[loops]],
                z_pu=z_pu[loops].astype(np.complex128),
                shunt_pu=np.zeros(len(loops), dtype=np.complex128),
                line=np.full(len(loops), -1, dtype=np.int64),
                transformer=np.full(len(loops), -1, dtype=np.int64),
                parallels=np.ones(len(loops), dtype=np.int64),
            ),
        )


def _grid_of_nothing() -> Grid:
    """What the sweeps look transformers' ratings up in."""

    def empty(table: type[T]) -> T:
        return table(*(np.empty(0) for _ in fields(table)))  # type: ignore[arg-type]

    return Grid(empty(Buses), empty(Lines), empty(Transformers), empty(BusSwitches), empty(Loads), empty(Units), 0, 1.0)

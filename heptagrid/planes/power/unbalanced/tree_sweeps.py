"""The linear part of a radial circuit, or nearly radial one, eliminated leaf to root; and the sweeps over it.

Lines that close loops are cut; their currents follow from the voltages at the cuts (compensation, Shirmohammadi and others 1988), exactly
within one iteration.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.unbalanced import sweep
from heptagrid.planes.power.unbalanced.blocks import GroupTree, tree_of
from heptagrid.planes.power.unbalanced.draws import CircuitModels, PhaseCircuits
from heptagrid.planes.power.unbalanced.elimination import (
    GroupMatrices,
    Legs,
    LinearLegs,
    PassCells,
    Steps,
    TreeArrays,
    eliminate,
    reduce_chains,
    steps_of,
)
from heptagrid.planes.power.unbalanced.network import Network
from heptagrid.planes.power.unbalanced.sweep import Downward, Passes
from heptagrid.world.circuit.circuit import Complex, Floats

MOST_LOOPS = 8


class TreeSweeps:
    """Solves V and I(V) by sweeps. Raises tree.NotATree."""

    def __init__(self, network: Network, circuits: PhaseCircuits, v_base_v: Floats) -> None:
        tree = self._tree = tree_of(network, MOST_LOOPS)
        self._network = network
        loops = len(tree.loops.from_conductor)
        self.shape = f"radial but for {loops} conductors that close loops" if loops else "the circuit is radial"
        ground = self._ground = len(tree.node)
        legs = self._legs = _legs(tree, circuits, network.nodes)
        injects = np.diff(legs.leg_at) > 0
        ends = np.concatenate([tree.loops.from_conductor, tree.loops.to_conductor])
        injects[np.searchsorted(tree.conductor_at, ends, side="right") - 1] = True
        self._steps, self._filled, self._end_of = steps_of(tree, injects)
        self._leg_models = CircuitModels(
            legs.from_conductor.astype(np.int32),
            legs.to_conductor.astype(np.int32),
            circuits.model[legs.circuit],
            circuits.limits_v[legs.circuit],
            circuits.shape[legs.circuit],
        )
        size, above = np.diff(tree.conductor_at), np.diff(tree.up_at)
        inner_at = np.concatenate([[0], np.cumsum(4 * size * above)])
        inner = int(inner_at[-1])
        self._matrices = GroupMatrices(
            inner_at, n=np.zeros(inner), k=np.zeros(4 * int(tree.shunt_at[-1])), m=np.zeros(inner)
        )
        steps, filled = self._steps, self._filled
        self._cells = PassCells(
            down=np.zeros(int(steps.down_cells.sum())),
            up=np.zeros(int((4 * steps.size * steps.above).sum())),
            filled=np.zeros(int(filled.down_cells.sum())),
        )
        self._steps_down = _downward(steps, self._cells.down)
        self._filled_down = _downward(filled, self._cells.filled)
        self._filled_at = np.full(tree.groups, -1)
        self._filled_at[filled.group] = np.cumsum(filled.down_cells) - filled.down_cells
        weight = np.zeros(ground + 1)
        in_network = tree.node >= 0
        weight[:-1][in_network] = 1.0 / v_base_v[tree.node[in_network]] ** 2
        self._weight = weight
        self._v = np.zeros(2 * (ground + 1))
        self._v[: 2 * len(tree.emf_v)] = tree.emf_v.view(np.float64)
        self._now, self._after = np.zeros_like(self._v), np.zeros_like(self._v)
        self._loop_a = np.zeros(2 * len(tree.loops.from_conductor))
        self._passes = Passes(self._v, self._now, self._after, self._loop_a)
        self._leg_s = np.zeros((len(legs.circuit), 4))

    def move(self, network: Network) -> None:
        """Take the same network with other taps or capacitor steps, see `Network.moved`; to be linearised again."""
        self._network = network
        self._tree = self._tree.moved(network)

    def feed(self, network: Network) -> None:
        """Take the same network with other voltages of its sources; what is linearised stays so."""
        emf_v = network.circuit.sources.emf_v
        self._network = network
        self._tree = replace(self._tree, emf_v=emf_v)
        self._v[: 2 * len(emf_v)] = emf_v.view(np.float64)

    def linearise(self, linear_s: Floats) -> None:
        """Eliminate with linear_s (circuits, 4) as the devices' linear parts."""
        tree, legs, steps = self._tree, self._legs, self._steps
        self._leg_s = linear_s[legs.circuit]
        arrays = TreeArrays(
            tree.conductor_at,
            tree.parent,
            tree.up_at,
            tree.up,
            tree.is_series,
            tree.block_at,
            tree.block,
            tree.shunt_at,
            tree.shunt_s,
        )
        linear = LinearLegs(legs.leg_at, legs.from_conductor, legs.to_conductor, self._leg_s, self._ground)
        failed = eliminate(arrays, linear, self._matrices)
        if failed >= 0:
            circuit = self._network.circuit
            node = int(tree.node[tree.conductor_at[failed]])
            bus = circuit.buses.names[circuit.nodes.bus[node]]
            raise NetworkError(
                f"{circuit.name}: the admittances at bus {bus} have no inverse; a part of the circuit floats"
            )
        reduce_chains(arrays, self._matrices, steps.group, self._end_of, self._filled_at, self._cells)
        self._loops = self._close_loops()

    def start(self) -> Complex:
        """(nodes,) voltages with the linear parts of the devices alone."""
        self._loop_a[:] = 0.0
        self._sweep(_no_legs(self._leg_models), np.zeros((0, 2)), 0.0, 2)
        return self._voltages(2)

    def iterate(self, p_w: Floats, q_var: Floats, v: Complex, tolerance_pu: float, most: int) -> tuple[int, float]:
        """Solve in place of v (nodes,); p_w, q_var: (circuits,). Iterations (most + 1: none found), and the last change in per unit."""
        tree = self._tree
        first = len(tree.emf_v)
        self._v.view(np.complex128)[first:-1] = v[tree.node[first:]]
        power = np.stack([p_w, q_var], axis=1)[self._legs.circuit]
        iterations, change = self._sweep(self._leg_models, power, tolerance_pu, most)
        v[:] = self._voltages(min(iterations, most))
        return iterations, change

    def _sweep(self, legs: CircuitModels, power: Floats, tolerance_pu: float, most: int) -> tuple[int, float]:
        iterations, change = sweep.solve(
            self._steps_down,
            self._cells.up,
            legs,
            self._leg_s,
            power,
            self._weight,
            self._loops,
            self._passes,
            tolerance_pu,
            most,
        )
        return int(iterations), float(change)

    def _voltages(self, iterations: int) -> Complex:
        """(nodes,) after the sweeps' last iteration, with the groups that they leave out."""
        tree = self._tree
        sweep.down(self._filled_down, self._weight, self._v, self._now if iterations % 2 else self._after)
        out = np.zeros(self._network.nodes, dtype=np.complex128)
        first = len(tree.emf_v)
        out[tree.node[first:]] = self._v.view(np.complex128)[first:-1]
        return out

    def _close_loops(self) -> sweep.CutLoops:
        """What `sweep.solve` needs of the loops: with the voltages that a unit of each one's current makes at all the cuts."""
        ends = self._tree.loops
        count = 2 * len(ends.from_conductor)
        z = np.zeros((count, count))
        z[0::2, 0::2] = z[1::2, 1::2] = ends.z_ohm.real
        z[1::2, 0::2], z[0::2, 1::2] = ends.z_ohm.imag, -ends.z_ohm.imag
        open_loops = sweep.CutLoops(ends.from_conductor, ends.to_conductor, z, np.zeros_like(z), np.zeros(count))
        seen = np.zeros((count, count))
        if count:
            for j in range(count):
                v = np.zeros_like(self._v)
                unit = np.zeros(count)
                unit[j] = 1.0
                sweep.solve(
                    self._steps_down,
                    self._cells.up,
                    _no_legs(self._leg_models),
                    self._leg_s,
                    np.zeros((0, 2)),
                    self._weight,
                    open_loops,
                    Passes(v, np.zeros_like(v), np.zeros_like(v), unit),
                    np.inf,
                    1,
                )
                pairs = v.reshape(-1, 2)
                seen[:, j] = (pairs[ends.from_conductor] - pairs[ends.to_conductor]).ravel()
            inverse = np.linalg.inv(z - seen)
        else:
            inverse = np.zeros_like(z)
        return open_loops._replace(inverse=np.asarray(inverse, dtype=np.float64))


def _legs(tree: GroupTree, circuits: PhaseCircuits, nodes: int) -> Legs:
    """Phase circuits by group; those at dead nodes, or between two grounded ends, left out."""
    ground = len(tree.node)
    conductor = np.full(nodes + 1, ground)  # the last is the ground; dead nodes are as good as that
    conductor[tree.node[tree.node >= 0]] = np.flatnonzero(tree.node >= 0)
    ends = conductor[circuits.from_node], conductor[circuits.to_node]
    inside = np.flatnonzero(np.minimum(*ends) < ground)
    group = np.searchsorted(tree.conductor_at, np.minimum(*ends)[inside], side="right") - 1
    order = np.argsort(group, kind="stable")
    chosen = inside[order]
    leg_at = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=tree.groups))])
    return Legs(chosen, leg_at, ends[0][chosen], ends[1][chosen])


def _downward(steps: Steps, cells: Floats) -> Downward:
    return Downward(steps.size, steps.above, steps.first, steps.injecting_first, steps.injecting, steps.up, cells)


def _no_legs(legs: CircuitModels) -> CircuitModels:
    return CircuitModels(legs.from_node[:0], legs.to_node[:0], legs.model[:0], legs.limits_v[:0], legs.shape[:0])

"""Power flow of radial networks by forward and backward sweeps (Shirmohammadi and others 1988).

Single-phase equivalent, constant-power loads, pi-model branches. Loops are closed by compensation. One pass down the tree renews the
voltages from the branch currents and, at once, the currents that the nodes draw at these voltages; one
pass up the tree adds the currents. Voltages and currents stay in place between calls, so the next step
starts warm.

A feeder that does not converge is held: its nodes keep the voltages and its head the current of its last
converged solution, and the rest is solved around it. The flow says which feeders are held.

Nodes may be switched off: nothing flows to them, their branches take neither charging nor no-load current, and
their voltage is 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.balanced.compensation import Compensation
from heptagrid.planes.power.balanced.radial_sweeps import (
    NetDraws,
    RatedTransformers,
    SweepState,
    SweptBranches,
    evaluate,
    sweep,
)
from heptagrid.planes.power.convergence import MOST_ITERATIONS
from heptagrid.world.balanced.radial_network import BASE_KVA, RadialNetwork
from heptagrid.world.grid import Grid

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Complex = npt.NDArray[np.complex128]

TOLERANCE_PU = 1e-8


@dataclass
class RadialFlow:
    """One solution; the arrays are the solver's own and are overwritten by the next solve.

    v_pu: (nodes,) magnitudes, 0 at nodes that are switched off. v_re, v_im: (nodes,). current_re, current_im: (nodes,) per unit, through the
    series impedance of the branch above each node, on the node's side of a transformer.
    losses_kw: series and no-load losses, from currents and voltages. infeed_p_kw, infeed_q_kvar: drawn from above.
    transformer_loading_pct, transformer_p_kw: (transformers,) greatest of both sides' currents against the
    rated current; active power at the low-voltage terminals.
    held: feeders that did not converge, as numbered in `network.feeder`; loops hold feeders together.
    loop_current: (loops,) complex, per unit, through the series impedance of the branches that close loops.
    """

    v_pu: Floats
    v_re: Floats
    v_im: Floats
    current_re: Floats
    current_im: Floats
    losses_kw: float
    infeed_p_kw: float
    infeed_q_kvar: float
    transformer_loading_pct: Floats
    transformer_p_kw: Floats
    iterations: int
    held: Ints
    loop_current: Complex
    hunting: tuple[str, ...] = ()  # its tap changers are the distribution domain's

    @property
    def terminal_v_pu(self) -> Floats:
        """(nodes,) voltages where something may hang: at every node."""
        return self.v_pu


class RadialSolver:
    """Solves one network again and again.

    Divergence raises nothing: see `RadialFlow.held`. NetworkError is raised for transformers joined to one branch at different
    taps, and for a loop without impedance.
    """

    def __init__(self, network: RadialNetwork, grid: Grid, tolerance_pu: float = TOLERANCE_PU) -> None:
        nodes, transformers = network.nodes, grid.transformers
        self.network = network
        self.tolerance_pu = tolerance_pu
        self._parent = network.parent.astype(np.int32)
        self._z = np.ascontiguousarray(np.stack([network.z_pu.real, network.z_pu.imag], axis=1))
        self._inverse_ratio = np.ones(nodes)
        self._shunt = np.zeros((nodes, 2))
        self._is_off = np.zeros(nodes, dtype=np.bool_)
        self._branches = SweptBranches(self._parent, self._z, self._shunt, self._inverse_ratio, network.feeder_start)
        self._taps: Ints | None = None
        self._state = SweepState(
            v=np.zeros((nodes, 2)),
            current=np.zeros((nodes, 2)),
            drawn=np.zeros((nodes, 2)),
            moved=np.zeros(len(network.feeder_start) - 1),
        )
        self._state.v[:, 0] = 1.0
        self._magnitude = np.ones(nodes)
        self._loops = Compensation(network)
        self._good_v, self._good_current = self._state.v.copy(), self._state.current.copy()
        self._good_loop_current = self._loops.current.copy()
        low, high = network.node_of_transformer, network.high_node_of_transformer
        rated_a = transformers.sn_mva * 1000.0 / np.sqrt(3.0)
        base_a = BASE_KVA / np.sqrt(3.0) / network.v_base_kv
        in_loop = network.loop_of_transformer
        parallels = network.parallels[low]
        parallels[in_loop >= 0] = network.loops.parallels[in_loop[in_loop >= 0]]
        self._transformers = RatedTransformers(
            low_node=low,
            high_node=high,
            loop=in_loop,
            inverse_ratio=np.ones(len(rated_a)),
            shunt_pu=np.zeros(len(rated_a), dtype=np.complex128),
            parallels=parallels,
            low_pu_to_pct=100.0 * base_a[low] / (rated_a / transformers.vn_lv_kv),
            high_pu_to_pct=100.0 * base_a[high] / (rated_a / transformers.vn_hv_kv),
        )
        self._loading_pct = np.zeros(len(rated_a))
        self._transformer_p_kw = np.zeros(len(rated_a))

    def solve(self, p_kw: Floats, q_kvar: Floats, infeed_v_pu: float, taps: Ints) -> RadialFlow:
        """Solve for net draws (nodes,) in kW and kvar, the infeed's voltage, and the taps (transformers,)."""
        network = self.network
        if self._taps is None or not np.array_equal(taps, self._taps):
            self._set_taps(taps)
        active = np.ones(len(network.feeder_start) - 1, dtype=np.bool_)
        draws = NetDraws(p_kw, q_kvar, 1.0 / BASE_KVA, infeed_v_pu)
        iterations, converged = self._sweep(draws, active)
        held = np.empty(0, dtype=np.int64)
        if not converged:
            held = self._hold(draws, active)
        loops = self._loops
        losses_pu, p_pu, q_pu = evaluate(
            self._branches,
            self._state,
            loops.current,
            network.loops.z_pu,
            self._is_off,
            self._transformers,
            BASE_KVA,
            self._magnitude,
            self._loading_pct,
            self._transformer_p_kw,
        )
        return RadialFlow(
            v_pu=self._magnitude,
            v_re=self._state.v[:, 0],
            v_im=self._state.v[:, 1],
            current_re=self._state.current[:, 0],
            current_im=self._state.current[:, 1],
            losses_kw=losses_pu * BASE_KVA,
            infeed_p_kw=p_pu * BASE_KVA,
            infeed_q_kvar=q_pu * BASE_KVA,
            transformer_loading_pct=self._loading_pct,
            transformer_p_kw=self._transformer_p_kw,
            iterations=iterations,
            held=held,
            loop_current=loops.current,
        )

    def switch_off(self, is_off: npt.NDArray[np.bool_]) -> None:
        """From the next solve on these nodes (nodes,) are cut off; with a node all below it, and none draws anything.

        A branch that closes a loop opens with either of its ends.
        """
        if np.array_equal(is_off, self._is_off):
            return
        self._is_off = is_off.copy()
        if self._taps is not None:
            self._set_taps(self._taps)

    def _sweep(self, draws: NetDraws, active: npt.NDArray[np.bool_]) -> tuple[int, bool]:
        """Sweep the active feeders to a solution: iterations, and whether it was found."""
        iterations, converged = sweep(
            self._branches,
            draws,
            self._state,
            self._loops.break_points,
            active,
            self.tolerance_pu,
            MOST_ITERATIONS,
        )
        return int(iterations), bool(converged)

    def _hold(self, draws: NetDraws, active: npt.NDArray[np.bool_]) -> Ints:
        """Hold the feeders that do not converge by themselves, and solve the rest around them.

        Each feeder (with those that loops tie to it) is tried alone, the others held at their last solution, so that
        one that collapses does not make its neighbours count as collapsed.
        """
        group = self._loops.held_together
        for one in np.unique(group):
            alone = group == one
            self._fall_back()
            self._close_loops(alone)
            active[alone] = self._sweep(draws, alone)[1]
        self._fall_back()
        self._close_loops(active)
        if not self._sweep(draws, active)[1]:
            active[:] = False
            self._fall_back()
        self._close_loops(np.ones_like(active))
        return np.flatnonzero(~active) + 1

    def _fall_back(self) -> None:
        state = self._state
        state.v[:], state.current[:] = self._good_v, self._good_current
        self._loops.current[:] = self._good_loop_current

    def remember(self) -> None:
        """Take the present solution as the one to fall back on; call after a solve that held no feeder."""
        self._good_v[:], self._good_current[:] = self._state.v, self._state.current
        self._good_loop_current[:] = self._loops.current

    def _close_loops(self, active: npt.NDArray[np.bool_]) -> None:
        """Close the loops whose ends are both in the trunk or in active feeders, and supplied."""
        branches, feeder = self.network.loops, self.network.feeder
        if len(branches):
            live = np.append(True, active)[feeder] & ~self._is_off
            self._loops.close(live[branches.from_node] & live[branches.to_node])

    def _set_taps(self, taps: Ints) -> None:
        network, branches = self.network, self.network.loops
        node, in_loop = network.node_of_transformer, network.loop_of_transformer
        inverse = 1.0 / (network.nominal_ratio * (1.0 + (taps - network.tap_neutral) * network.tap_step))
        of_loops = np.ones(len(branches))
        self._inverse_ratio[node[in_loop < 0]] = inverse[in_loop < 0]
        of_loops[in_loop[in_loop >= 0]] = inverse[in_loop >= 0]
        windings = self._transformers
        windings.inverse_ratio[:] = self._inverse_ratio[node]
        windings.inverse_ratio[in_loop >= 0] = of_loops[in_loop[in_loop >= 0]]
        if (windings.inverse_ratio != inverse).any():
            raise NetworkError("parallel transformers stand at different taps; they must move together")
        is_off = self._is_off
        own = np.where(is_off, 0.0, network.shunt_to_pu)
        of_loop = np.where(is_off[branches.from_node] | is_off[branches.to_node], 0.0, branches.shunt_pu)
        windings.shunt_pu[:] = own[node]
        windings.shunt_pu[in_loop >= 0] = of_loop[in_loop[in_loop >= 0]]
        shunt = own.copy()
        upper = np.where(is_off[1:], 0.0, network.shunt_from_pu[1:]) * self._inverse_ratio[1:] ** 2
        np.add.at(shunt, network.parent[1:], upper)
        np.add.at(shunt, branches.from_node, of_loop * of_loops**2)
        np.add.at(shunt, branches.to_node, of_loop)
        self._shunt[:, 0], self._shunt[:, 1] = shunt.real, shunt.imag
        self._loops.set_ratios(self._inverse_ratio, of_loops)
        self._loops.current[is_off[branches.from_node] | is_off[branches.to_node]] = 0.0
        self._close_loops(np.ones(len(network.feeder_start) - 1, dtype=np.bool_))
        self._taps = taps.copy()

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
from numba import prange

from heptagrid.foundation.errors import NetworkError
from heptagrid.foundation.kernel import kernel
from heptagrid.planes.power.batch import AnyDraws, BatchFlow, solve_steps
from heptagrid.planes.power.compensation import Compensation, close_loops
from heptagrid.planes.power.stopping import LOOK_EVERY, MOST_ITERATIONS, is_close, is_stuck
from heptagrid.world.grid import Grid
from heptagrid.world.network import BASE_KVA, RadialNetwork

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Complex = npt.NDArray[np.complex128]

TOLERANCE_PU = 1e-8


@dataclass
class Flow:
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

    @property
    def terminal_v_pu(self) -> Floats:
        """(nodes,) voltages where something may hang: at every node."""
        return self.v_pu


class RadialSolver:
    """Solves one network again and again.

    Divergence raises nothing: see `Flow.held`. NetworkError is raised for transformers joined to one branch at different
    taps, and for a loop without impedance. With `parallel` the feeders of one solution are spread over the threads; the result is
    the same to the last bit.
    """

    def __init__(
        self, network: RadialNetwork, grid: Grid, tolerance_pu: float = TOLERANCE_PU, *, parallel: bool = False
    ) -> None:
        nodes, transformers = network.nodes, grid.transformers
        self.network = network
        self.tolerance_pu = tolerance_pu
        self._sweep_kernel = _sweep_in_threads if parallel else _sweep
        self._parent = network.parent.astype(np.int32)
        self._z = np.ascontiguousarray(np.stack([network.z_pu.real, network.z_pu.imag], axis=1))
        self._inverse_ratio = np.ones(nodes)
        self._shunt = np.zeros((nodes, 2))
        self._is_off = np.zeros(nodes, dtype=np.bool_)
        self._taps: Ints | None = None
        self._v = np.zeros((nodes, 2))
        self._v[:, 0] = 1.0
        self._current = np.zeros((nodes, 2))
        self._drawn = np.zeros((nodes, 2))
        self._magnitude = np.ones(nodes)
        self._moved = np.zeros(len(network.feeder_start) - 1)
        self._loops = Compensation(network)
        self._trial = np.zeros(len(self._loops.nodes), dtype=np.complex128)
        self.remember()
        low, high = network.node_of_transformer, network.high_node_of_transformer
        rated_a = transformers.sn_mva * 1000.0 / np.sqrt(3.0)
        base_a = BASE_KVA / np.sqrt(3.0) / network.v_base_kv
        self._low_pu_to_pct = 100.0 * base_a[low] / (rated_a / transformers.vn_lv_kv)
        self._high_pu_to_pct = 100.0 * base_a[high] / (rated_a / transformers.vn_hv_kv)
        in_loop = network.loop_of_transformer
        self._parallels = network.parallels[low]
        self._parallels[in_loop >= 0] = network.loops.parallels[in_loop[in_loop >= 0]]
        self._transformer_shunt = np.zeros(len(rated_a), dtype=np.complex128)
        self._transformer_inverse_ratio = np.ones(len(rated_a))
        self._loading_pct = np.zeros(len(rated_a))
        self._transformer_p_kw = np.zeros(len(rated_a))

    def solve(self, p_kw: Floats, q_kvar: Floats, infeed_v_pu: float, taps: Ints) -> Flow:
        """Solve for net draws (nodes,) in kW and kvar, the infeed's voltage, and the taps (transformers,)."""
        network = self.network
        if self._taps is None or not np.array_equal(taps, self._taps):
            self._set_taps(taps)
        active = np.ones(len(network.feeder_start) - 1, dtype=np.bool_)
        iterations, converged = self._sweep(p_kw, q_kvar, infeed_v_pu, active)
        held = np.empty(0, dtype=np.int64)
        if not converged:
            held = self._hold(p_kw, q_kvar, infeed_v_pu, active)
        loops = self._loops
        losses_pu, p_pu, q_pu = _evaluate(
            *(self._v, self._current, loops.current, self._z, network.loops.z_pu, self._shunt, self._is_off),
            *(network.node_of_transformer, network.high_node_of_transformer, network.loop_of_transformer),
            *(self._transformer_inverse_ratio, self._transformer_shunt, self._parallels),
            *(self._low_pu_to_pct, self._high_pu_to_pct, BASE_KVA),
            *(self._magnitude, self._loading_pct, self._transformer_p_kw),
        )
        return Flow(
            v_pu=self._magnitude,
            v_re=self._v[:, 0],
            v_im=self._v[:, 1],
            current_re=self._current[:, 0],
            current_im=self._current[:, 1],
            losses_kw=losses_pu * BASE_KVA,
            infeed_p_kw=p_pu * BASE_KVA,
            infeed_q_kvar=q_pu * BASE_KVA,
            transformer_loading_pct=self._loading_pct,
            transformer_p_kw=self._transformer_p_kw,
            iterations=iterations,
            held=held,
            loop_current=loops.current,
        )

    def solve_batch(
        self, draws: AnyDraws, infeed_v_pu: float | Floats, taps: Ints, *, keep_voltages: bool = True
    ) -> BatchFlow:
        """Solve many steps with the taps (transformers,) held, on all of numba's threads; warm from step to step.

        Nothing is carried over from or to `solve`, and no feeder is held: a step that does not converge is marked.

        Parameters
        ----------
        draws : step by step, or as shares of profiles.
        infeed_v_pu : one for all steps, or (steps,).
        keep_voltages : whether `BatchFlow.v_pu` is wanted.

        Raises
        ------
        NetworkError
            For a network with loops.
        """
        if self._taps is None or not np.array_equal(taps, self._taps):
            self._set_taps(taps)
        arrays = (self._parent, self._z, self._shunt, self._inverse_ratio)
        return solve_steps(self.network, arrays, draws, infeed_v_pu, self.tolerance_pu, keep_voltages)

    def switch_off(self, is_off: npt.NDArray[np.bool_]) -> None:
        """From the next solve on these nodes (nodes,) are cut off; with a node all below it, and none draws anything.

        A branch that closes a loop opens with either of its ends.
        """
        if np.array_equal(is_off, self._is_off):
            return
        self._is_off = is_off.copy()
        if self._taps is not None:
            self._set_taps(self._taps)

    def _sweep(
        self, p_kw: Floats, q_kvar: Floats, infeed_v_pu: float, active: npt.NDArray[np.bool_]
    ) -> tuple[int, bool]:
        """Sweep the active feeders to a solution: iterations, and whether it was found."""
        loops, branches = self._loops, self.network.loops
        iterations, converged = self._sweep_kernel(
            *(p_kw, q_kvar, 1.0 / BASE_KVA, infeed_v_pu, self._parent, self._z, self._shunt, self._inverse_ratio),
            *(self.network.feeder_start, active, self._v, self._current, self._drawn, self._moved),
            *(branches.from_node, branches.to_node, loops.nodes, loops.above, loops.ends, loops.inverse_ratio),
            *(loops.admittance, loops.is_closed, loops.current, self._trial),
            *(self.tolerance_pu, MOST_ITERATIONS),
        )
        return int(iterations), bool(converged)

    def _hold(self, p_kw: Floats, q_kvar: Floats, infeed_v_pu: float, active: npt.NDArray[np.bool_]) -> Ints:
        """Hold the feeders that do not converge by themselves, and solve the rest around them.

        Each feeder (with those that loops tie to it) is tried alone, the others held at their last solution, so that
        one that collapses does not draw its neighbours into the verdict.
        """
        group = self._loops.held_together
        for one in np.unique(group):
            alone = group == one
            self._fall_back()
            self._close_loops(alone)
            active[alone] = self._sweep(p_kw, q_kvar, infeed_v_pu, alone)[1]
        self._fall_back()
        self._close_loops(active)
        if not self._sweep(p_kw, q_kvar, infeed_v_pu, active)[1]:
            active[:] = False
            self._fall_back()
        self._close_loops(np.ones_like(active))
        return np.flatnonzero(~active) + 1

    def _fall_back(self) -> None:
        self._v[:], self._current[:], self._loops.current[:] = self._good_v, self._good_current, self._good_loop_current

    def remember(self) -> None:
        """Take the present solution as the one to fall back on; call after a solve that held no feeder."""
        self._good_v, self._good_current = self._v.copy(), self._current.copy()
        self._good_loop_current = self._loops.current.copy()

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
        self._transformer_inverse_ratio = self._inverse_ratio[node]
        self._transformer_inverse_ratio[in_loop >= 0] = of_loops[in_loop[in_loop >= 0]]
        if (self._transformer_inverse_ratio != inverse).any():
            raise NetworkError("parallel transformers stand at different taps; they must move together")
        is_off = self._is_off
        own = np.where(is_off, 0.0, network.shunt_to_pu)
        of_loop = np.where(is_off[branches.from_node] | is_off[branches.to_node], 0.0, branches.shunt_pu)
        self._transformer_shunt = own[node]
        self._transformer_shunt[in_loop >= 0] = of_loop[in_loop[in_loop >= 0]]
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


@kernel
def _down(first, last, p, q, scale, parent, z, shunt, inverse_ratio, v, current, drawn):  # type: ignore[no-untyped-def]
    """Renew the voltages of nodes first..last and what they draw; the greatest squared change of voltage."""
    worst = 0.0
    for k in range(first, last):
        up = parent[k]
        ratio = inverse_ratio[k]
        i_re, i_im = current[k, 0], current[k, 1]
        z_re, z_im = z[k, 0], z[k, 1]
        re = v[up, 0] * ratio - z_re * i_re + z_im * i_im
        im = v[up, 1] * ratio - z_re * i_im - z_im * i_re
        change = (re - v[k, 0]) ** 2 + (im - v[k, 1]) ** 2
        worst = worst if change <= worst else change  # a NaN stays
        v[k, 0], v[k, 1] = re, im
        over = scale / (re * re + im * im)
        p_over, q_over = p[k] * over, q[k] * over
        g, b = shunt[k, 0] + p_over, shunt[k, 1] - q_over
        drawn[k, 0] = g * re - b * im
        drawn[k, 1] = g * im + b * re
    return worst


@kernel
def _up(first, last, parent, inverse_ratio, current, drawn):  # type: ignore[no-untyped-def]
    """Add the currents of nodes last..first to their parents'."""
    for k in range(last - 1, first - 1, -1):
        i_re, i_im = drawn[k, 0], drawn[k, 1]
        current[k, 0], current[k, 1] = i_re, i_im
        up = parent[k]
        drawn[up, 0] += i_re * inverse_ratio[k]
        drawn[up, 1] += i_im * inverse_ratio[k]


def _sweeps(  # type: ignore[no-untyped-def]
    p, q, scale, infeed_v_pu, parent, z, shunt, inverse_ratio, start, active, v, current, drawn, moved,
    loop_from, loop_to, loop_nodes, loop_above, loop_ends, loop_inverse_ratio,
    loop_admittance, loop_is_closed, loop_current, trial, tolerance, most,
):  # fmt: skip
    feeders = active.shape[0]
    loops = loop_from.shape[0]
    trunk = start[0]
    v[0, 0], v[0, 1] = infeed_v_pu, 0.0
    limit = tolerance * tolerance
    change = before = looked_at = np.inf
    for iteration in range(1, most + 1):
        over = scale / (infeed_v_pu * infeed_v_pu)
        drawn[0, 0] = (shunt[0, 0] + p[0] * over) * infeed_v_pu
        drawn[0, 1] = (shunt[0, 1] - q[0] * over) * infeed_v_pu
        change_before, before = before, change
        change = _down(1, trunk, p, q, scale, parent, z, shunt, inverse_ratio, v, current, drawn)
        for f in prange(feeders):
            if active[f]:
                first, last = start[f], start[f + 1]
                moved[f] = _down(first, last, p, q, scale, parent, z, shunt, inverse_ratio, v, current, drawn)
                _up(first + 1, last, parent, inverse_ratio, current, drawn)
                current[first, 0], current[first, 1] = drawn[first, 0], drawn[first, 1]
        for i in range(loops):
            if not loop_is_closed[i]:  # it keeps its current, and this side of it draws on
                drawn[loop_from[i], 0] += loop_current[i].real * loop_inverse_ratio[i]
                drawn[loop_from[i], 1] += loop_current[i].imag * loop_inverse_ratio[i]
                drawn[loop_to[i], 0] -= loop_current[i].real
                drawn[loop_to[i], 1] -= loop_current[i].imag
        for f in range(feeders - 1, -1, -1):
            if active[f] and not moved[f] <= change:
                change = moved[f]  # a NaN stays
            head = start[f]
            drawn[parent[head], 0] += current[head, 0] * inverse_ratio[head]
            drawn[parent[head], 1] += current[head, 1] * inverse_ratio[head]
        _up(1, trunk, parent, inverse_ratio, current, drawn)
        current[0, 0], current[0, 1] = drawn[0, 0], drawn[0, 1]
        if loops > 0:
            close_loops(
                infeed_v_pu, loop_nodes, loop_above, loop_ends, loop_inverse_ratio, loop_admittance, loop_is_closed,
                z, inverse_ratio, current, loop_current, trial,
            )  # fmt: skip
        if is_close(iteration, change, before, change_before, limit):
            return iteration, True
        if iteration % LOOK_EVERY == 0:
            if is_stuck(iteration, change, looked_at):
                return iteration, False
            looked_at = change
    return most, False


_sweep = kernel(_sweeps)
_sweep_in_threads = kernel(parallel=True)(_sweeps)


@kernel
def _evaluate(  # type: ignore[no-untyped-def]
    v, current, loop_current, z, loop_z, shunt, is_off, low_node, high_node, loop, inverse_ratio, y, parallels,
    low_to_pct, high_to_pct, base_kva, magnitude, loading_pct, transformer_p_kw,
):  # fmt: skip
    losses = 0.0
    for k in range(v.shape[0]):
        square = v[k, 0] ** 2 + v[k, 1] ** 2
        magnitude[k] = 0.0 if is_off[k] else np.sqrt(square)
        losses += square * shunt[k, 0]
        if k > 0:
            losses += (current[k, 0] ** 2 + current[k, 1] ** 2) * z[k, 0]
    for i in range(loop_current.shape[0]):
        losses += (loop_current[i].real ** 2 + loop_current[i].imag ** 2) * loop_z[i].real
    for t in range(low_node.shape[0]):
        k, up = low_node[t], high_node[t]
        y_re, y_im = y[t].real, y[t].imag
        i_re, i_im = current[k, 0], current[k, 1]
        if loop[t] >= 0:
            i_re, i_im = loop_current[loop[t]].real, loop_current[loop[t]].imag
        low_re = i_re - (y_re * v[k, 0] - y_im * v[k, 1])
        low_im = i_im - (y_re * v[k, 1] + y_im * v[k, 0])
        inside_re, inside_im = v[up, 0] * inverse_ratio[t], v[up, 1] * inverse_ratio[t]
        high_re = (i_re + y_re * inside_re - y_im * inside_im) * inverse_ratio[t]
        high_im = (i_im + y_re * inside_im + y_im * inside_re) * inverse_ratio[t]
        low = np.sqrt(low_re**2 + low_im**2) * low_to_pct[t]
        high = np.sqrt(high_re**2 + high_im**2) * high_to_pct[t]
        loading_pct[t] = max(low, high) / parallels[t]
        transformer_p_kw[t] = (v[k, 0] * low_re + v[k, 1] * low_im) * base_kva / parallels[t]
    p = v[0, 0] * current[0, 0] + v[0, 1] * current[0, 1]
    q = v[0, 1] * current[0, 0] - v[0, 0] * current[0, 1]
    return losses, p, q

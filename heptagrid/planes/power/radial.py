"""Power flow of radial networks by forward and backward sweeps (Shirmohammadi and others 1988).

Single-phase equivalent, constant-power loads, pi-model branches. One pass down the tree renews the
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
from heptagrid.foundation.kernel import kernel
from heptagrid.world.grid import Grid
from heptagrid.world.network import BASE_KVA, RadialNetwork

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TOLERANCE_PU = 1e-8
MOST_ITERATIONS = 60
_STEADY = 0.09  # of squared changes: a factor below 0.3 an iteration, as in any network that is not near collapse


@dataclass
class Flow:
    """One solution; the arrays are the solver's own and are overwritten by the next solve.

    v_pu: (nodes,) magnitudes, 0 at nodes that are switched off. v_re, v_im: (nodes,). current_re, current_im: (nodes,) per unit, through the
    series impedance of the branch above each node, on the node's side of a transformer.
    losses_kw: series and no-load losses, from currents and voltages. infeed_p_kw, infeed_q_kvar: drawn from above.
    transformer_loading_pct, transformer_p_kw: (transformers,) greatest of both sides' currents against the
    rated current; active power at the low-voltage terminals.
    held: feeders that did not converge, as numbered in `network.feeder`.
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


class RadialSolver:
    """Solves one network again and again.

    Divergence raises nothing: see `Flow.held`. Parallel transformers at different taps raise NetworkError.
    """

    def __init__(self, network: RadialNetwork, grid: Grid, tolerance_pu: float = TOLERANCE_PU) -> None:
        nodes = network.nodes
        self.network = network
        self.tolerance_pu = tolerance_pu
        self._parent = network.parent.astype(np.int32)
        self._z = np.ascontiguousarray(np.stack([network.z_pu.real, network.z_pu.imag], axis=1))
        self._inverse_ratio = np.ones(nodes)
        self._shunt = np.zeros((nodes, 2))
        self._shunt_to = network.shunt_to_pu
        self._is_off = np.zeros(nodes, dtype=np.bool_)
        self._taps: Ints | None = None
        self._v = np.zeros((nodes, 2))
        self._v[:, 0] = 1.0
        self._current = np.zeros((nodes, 2))
        self._drawn = np.zeros((nodes, 2))
        self._magnitude = np.ones(nodes)
        self._good_v = self._v.copy()
        self._good_current = self._current.copy()
        self._transformer_node = network.node_of_transformer
        rated_a = grid.transformers.sn_mva * 1000.0 / np.sqrt(3.0)
        low_base_a = BASE_KVA / np.sqrt(3.0) / network.v_base_kv[network.node_of_transformer]
        self._low_pu_to_pct = 100.0 * low_base_a / (rated_a / grid.transformers.vn_lv_kv)
        high_node = network.parent[network.node_of_transformer]
        high_base_a = BASE_KVA / np.sqrt(3.0) / network.v_base_kv[high_node]
        self._high_pu_to_pct = 100.0 * high_base_a / (rated_a / grid.transformers.vn_hv_kv)
        self._loading_pct = np.zeros(len(rated_a))
        self._transformer_p_kw = np.zeros(len(rated_a))

    def solve(self, p_kw: Floats, q_kvar: Floats, infeed_v_pu: float, taps: Ints) -> Flow:
        """Solve for net draws (nodes,) in kW and kvar, the infeed's voltage, and the taps (transformers,)."""
        network = self.network
        if self._taps is None or not np.array_equal(taps, self._taps):
            self._set_taps(taps)
        active = np.ones(len(network.feeder_start) - 1, dtype=np.bool_)
        iterations = self._sweep(p_kw, q_kvar, infeed_v_pu, active)
        held = np.empty(0, dtype=np.int64)
        if iterations > MOST_ITERATIONS:
            held = self._hold(p_kw, q_kvar, infeed_v_pu, active)
        losses_pu, p_pu, q_pu = _evaluate(
            *(self._v, self._current, self._drawn, self._z, self._shunt, self._inverse_ratio),
            *(self._parent, self._transformer_node, self._shunt_to, network.parallels, self._is_off),
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
        )

    def switch_off(self, is_off: npt.NDArray[np.bool_]) -> None:
        """From the next solve on these nodes (nodes,) are cut off; with a node all below it, and none draws anything."""
        if np.array_equal(is_off, self._is_off):
            return
        self._is_off = is_off.copy()
        self._shunt_to = np.where(is_off, 0.0, self.network.shunt_to_pu)
        if self._taps is not None:
            self._set_taps(self._taps)

    def _sweep(self, p_kw: Floats, q_kvar: Floats, infeed_v_pu: float, active: npt.NDArray[np.bool_]) -> int:
        return int(
            _sweep(
                *(p_kw, q_kvar, 1.0 / BASE_KVA, infeed_v_pu, self._parent, self._z, self._shunt, self._inverse_ratio),
                *(self.network.feeder_start, active, self._v, self._current, self._drawn),
                *(self.tolerance_pu, MOST_ITERATIONS),
            )
        )

    def _hold(self, p_kw: Floats, q_kvar: Floats, infeed_v_pu: float, active: npt.NDArray[np.bool_]) -> Ints:
        """Hold the feeders that do not converge by themselves, and solve the rest around them.

        Each feeder is tried alone, the others held at their last solution, so that one that collapses does
        not draw its neighbours into the verdict.
        """
        for feeder in range(len(active)):
            alone = np.zeros_like(active)
            alone[feeder] = True
            self._fall_back()
            active[feeder] = self._sweep(p_kw, q_kvar, infeed_v_pu, alone) <= MOST_ITERATIONS
        self._fall_back()
        if self._sweep(p_kw, q_kvar, infeed_v_pu, active) > MOST_ITERATIONS:
            active[:] = False
            self._fall_back()
        return np.flatnonzero(~active) + 1

    def _fall_back(self) -> None:
        self._v[:], self._current[:] = self._good_v, self._good_current

    def remember(self) -> None:
        """Take the present solution as the one to fall back on; call after a solve that held no feeder."""
        self._good_v[:], self._good_current[:] = self._v, self._current

    def _set_taps(self, taps: Ints) -> None:
        network = self.network
        node = network.node_of_transformer
        ratio = network.nominal_ratio * (1.0 + (taps - network.tap_neutral) * network.tap_step)
        self._inverse_ratio[node] = 1.0 / ratio
        if (self._inverse_ratio[node] != 1.0 / ratio).any():
            raise NetworkError("parallel transformers stand at different taps; they must move together")
        shunt = self._shunt_to.copy()
        upper = np.where(self._is_off[1:], 0.0, network.shunt_from_pu[1:]) * self._inverse_ratio[1:] ** 2
        np.add.at(shunt, network.parent[1:], upper)
        self._shunt[:, 0], self._shunt[:, 1] = shunt.real, shunt.imag
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


@kernel
def _sweep(  # type: ignore[no-untyped-def]
    p, q, scale, infeed_v_pu, parent, z, shunt, inverse_ratio, start, active, v, current, drawn, tolerance, most
):
    feeders = active.shape[0]
    trunk = start[0]
    v[0, 0], v[0, 1] = infeed_v_pu, 0.0
    limit = tolerance * tolerance
    change = np.inf
    for iteration in range(1, most + 1):
        over = scale / (infeed_v_pu * infeed_v_pu)
        drawn[0, 0] = (shunt[0, 0] + p[0] * over) * infeed_v_pu
        drawn[0, 1] = (shunt[0, 1] - q[0] * over) * infeed_v_pu
        before = change
        change = _down(1, trunk, p, q, scale, parent, z, shunt, inverse_ratio, v, current, drawn)
        for f in range(feeders):
            if active[f]:
                moved = _down(start[f], start[f + 1], p, q, scale, parent, z, shunt, inverse_ratio, v, current, drawn)
                change = moved if not moved <= change else change  # a NaN stays
        for f in range(feeders - 1, -1, -1):
            if active[f]:
                _up(start[f], start[f + 1], parent, inverse_ratio, current, drawn)
            else:
                head = start[f]
                up = parent[head]
                drawn[up, 0] += current[head, 0] * inverse_ratio[head]
                drawn[up, 1] += current[head, 1] * inverse_ratio[head]
        _up(1, trunk, parent, inverse_ratio, current, drawn)
        current[0, 0], current[0, 1] = drawn[0, 0], drawn[0, 1]
        # The first pass down still sees the currents of the call before, so it proves nothing. From then on the
        # changes shrink by a steady factor, so the error left is the change times factor / (1 - factor); it is
        # held to half the tolerance.
        if iteration > 1 and change <= limit:
            return iteration
        if iteration > 2 and change < _STEADY * before:
            factor = np.sqrt(change / before)
            if change * (factor / (1.0 - factor)) ** 2 <= 0.25 * limit:
                return iteration
    return most + 1


@kernel
def _evaluate(  # type: ignore[no-untyped-def]
    v, current, drawn, z, shunt, inverse_ratio, parent, transformer_node, shunt_to, parallels, is_off,
    low_to_pct, high_to_pct, base_kva, magnitude, loading_pct, transformer_p_kw,
):  # fmt: skip
    losses = 0.0
    for k in range(v.shape[0]):
        square = v[k, 0] ** 2 + v[k, 1] ** 2
        magnitude[k] = 0.0 if is_off[k] else np.sqrt(square)
        losses += square * shunt[k, 0]
        if k > 0:
            losses += (current[k, 0] ** 2 + current[k, 1] ** 2) * z[k, 0]
    for t in range(transformer_node.shape[0]):
        k = transformer_node[t]
        up = parent[k]
        y_re, y_im = shunt_to[k].real, shunt_to[k].imag
        low_re = current[k, 0] - (y_re * v[k, 0] - y_im * v[k, 1])
        low_im = current[k, 1] - (y_re * v[k, 1] + y_im * v[k, 0])
        inside_re, inside_im = v[up, 0] * inverse_ratio[k], v[up, 1] * inverse_ratio[k]
        high_re = (current[k, 0] + y_re * inside_re - y_im * inside_im) * inverse_ratio[k]
        high_im = (current[k, 1] + y_re * inside_im + y_im * inside_re) * inverse_ratio[k]
        low = np.sqrt(low_re**2 + low_im**2) * low_to_pct[t]
        high = np.sqrt(high_re**2 + high_im**2) * high_to_pct[t]
        loading_pct[t] = max(low, high) / parallels[k]
        transformer_p_kw[t] = (v[k, 0] * low_re + v[k, 1] * low_im) * base_kva / parallels[k]
    p = v[0, 0] * current[0, 0] + v[0, 1] * current[0, 1]
    q = v[0, 1] * current[0, 0] - v[0, 0] * current[0, 1]
    return losses, p, q

"""The sweeps over a radial network as kernels: a pass down renews voltages, a pass up adds currents, then losses and loadings.

Per unit; columns 0 and 1 of an array are real and imaginary parts. See `heptagrid.planes.power.balanced.radial`, which calls them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.array_shapes import line, rows
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.power.balanced.compensation import close_loops
from heptagrid.planes.power.convergence import LOOK_EVERY, is_close, is_stuck

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class SweptBranches(NamedTuple):
    """The tree in its order, and of each node the branch above it; per unit, z and shunt (nodes, 2).

    feeder_start: (feeders + 1,) the first node of each feeder; the trunk stands before the first.
    """

    parent: npt.NDArray[np.int32]
    z: Floats
    shunt: Floats
    inverse_ratio: Floats
    feeder_start: Ints


class NetDraws(NamedTuple):
    """Net draws (nodes,), how much per unit one kW is, and the voltage at the root."""

    p_kw: Floats
    q_kvar: Floats
    pu_per_kw: float
    infeed_v_pu: float


class SweepState(NamedTuple):
    """Voltages, currents of the branches above and currents drawn, (nodes, 2) each; (feeders,) greatest squared change of voltage."""

    v: Floats
    current: Floats
    drawn: Floats
    moved: Floats


class RatedTransformers(NamedTuple):
    """Transformers, (transformers,): both nodes, the loop that one closes or -1, and what turns per unit into shares of the rated current."""

    low_node: Ints
    high_node: Ints
    loop: Ints
    inverse_ratio: Floats
    shunt_pu: npt.NDArray[np.complex128]
    parallels: Ints
    low_pu_to_pct: Floats
    high_pu_to_pct: Floats


@kernel(allocates=False)
def _down(first, last, branches, draws, state):  # type: ignore[no-untyped-def]
    """Renew the voltages of nodes first..last and what they draw; the greatest squared change of voltage."""
    worst = 0.0
    scale = draws.pu_per_kw
    p, q, parent = line(draws.p_kw), line(draws.q_kvar), line(branches.parent)
    inverse_ratio, z, shunt = line(branches.inverse_ratio), rows(branches.z, 2), rows(branches.shunt, 2)
    v, current, drawn = rows(state.v, 2), rows(state.current, 2), rows(state.drawn, 2)
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


@kernel(allocates=False)
def _up(first, last, branches, state):  # type: ignore[no-untyped-def]
    """Add the currents of nodes last..first to their parents'."""
    parent, inverse_ratio = line(branches.parent), line(branches.inverse_ratio)
    current, drawn = rows(state.current, 2), rows(state.drawn, 2)
    for k in range(last - 1, first - 1, -1):
        i_re, i_im = drawn[k, 0], drawn[k, 1]
        current[k, 0], current[k, 1] = i_re, i_im
        up = parent[k]
        drawn[up, 0] += i_re * inverse_ratio[k]
        drawn[up, 1] += i_im * inverse_ratio[k]


@kernel(allocates=False)
def sweep(branches, draws, state, loops, active, tolerance, most):  # type: ignore[no-untyped-def]
    """branches: `SweptBranches`; draws: `NetDraws`; state: `SweepState`, from which it starts; loops: `BreakPoints`; active: (feeders,)."""
    parent, inverse_ratio, shunt, start = branches.parent, branches.inverse_ratio, branches.shunt, branches.feeder_start
    v, current, drawn, moved = state.v, state.current, state.drawn, state.moved
    p, q, infeed_v_pu = draws.p_kw, draws.q_kvar, draws.infeed_v_pu
    feeders = active.shape[0]
    count = loops.from_node.shape[0]
    trunk = start[0]
    v[0, 0], v[0, 1] = infeed_v_pu, 0.0
    limit = tolerance * tolerance
    change = before = looked_at = np.inf
    for iteration in range(1, most + 1):
        over = draws.pu_per_kw / (infeed_v_pu * infeed_v_pu)
        drawn[0, 0] = (shunt[0, 0] + p[0] * over) * infeed_v_pu
        drawn[0, 1] = (shunt[0, 1] - q[0] * over) * infeed_v_pu
        change_before, before = before, change
        change = _down(1, trunk, branches, draws, state)
        for f in range(feeders):
            if active[f]:
                first, last = start[f], start[f + 1]
                moved[f] = _down(first, last, branches, draws, state)
                _up(first + 1, last, branches, state)
                current[first, 0], current[first, 1] = drawn[first, 0], drawn[first, 1]
        for i in range(count):
            if not loops.is_closed[i]:  # it keeps its current, and this side of it draws on
                drawn[loops.from_node[i], 0] += loops.current[i].real * loops.inverse_ratio[i]
                drawn[loops.from_node[i], 1] += loops.current[i].imag * loops.inverse_ratio[i]
                drawn[loops.to_node[i], 0] -= loops.current[i].real
                drawn[loops.to_node[i], 1] -= loops.current[i].imag
        for f in range(feeders - 1, -1, -1):
            if active[f] and not moved[f] <= change:
                change = moved[f]  # a NaN stays
            head = start[f]
            drawn[parent[head], 0] += current[head, 0] * inverse_ratio[head]
            drawn[parent[head], 1] += current[head, 1] * inverse_ratio[head]
        _up(1, trunk, branches, state)
        current[0, 0], current[0, 1] = drawn[0, 0], drawn[0, 1]
        if count > 0:
            close_loops(infeed_v_pu, loops, branches.z, inverse_ratio, current)
        if is_close(iteration, change, before, change_before, limit):
            return iteration, True
        if iteration % LOOK_EVERY == 0:
            if is_stuck(iteration, change, looked_at):
                return iteration, False
            looked_at = change
    return most, False


@kernel(allocates=False)
def evaluate(  # type: ignore[no-untyped-def]
    branches, state, loop_current, loop_z, is_off, transformers, base_kva, magnitude, loading_pct, transformer_p_kw
):
    """Losses, and active and reactive power at the root, per unit; the last three, (nodes,) and (transformers,), are filled in.

    transformers: `RatedTransformers`. loop_current, loop_z: (loops,).
    """
    v, current, z, shunt = state.v, state.current, branches.z, branches.shunt
    losses = 0.0
    for k in range(v.shape[0]):
        square = v[k, 0] ** 2 + v[k, 1] ** 2
        magnitude[k] = 0.0 if is_off[k] else np.sqrt(square)
        losses += square * shunt[k, 0]
        if k > 0:
            losses += (current[k, 0] ** 2 + current[k, 1] ** 2) * z[k, 0]
    for i in range(loop_current.shape[0]):
        losses += (loop_current[i].real ** 2 + loop_current[i].imag ** 2) * loop_z[i].real
    for t in range(transformers.low_node.shape[0]):
        k, up, ratio = transformers.low_node[t], transformers.high_node[t], transformers.inverse_ratio[t]
        y_re, y_im = transformers.shunt_pu[t].real, transformers.shunt_pu[t].imag
        i_re, i_im = current[k, 0], current[k, 1]
        loop = transformers.loop[t]
        if loop >= 0:
            i_re, i_im = loop_current[loop].real, loop_current[loop].imag
        low_re = i_re - (y_re * v[k, 0] - y_im * v[k, 1])
        low_im = i_im - (y_re * v[k, 1] + y_im * v[k, 0])
        inside_re, inside_im = v[up, 0] * ratio, v[up, 1] * ratio
        high_re = (i_re + y_re * inside_re - y_im * inside_im) * ratio
        high_im = (i_im + y_re * inside_im + y_im * inside_re) * ratio
        low = np.sqrt(low_re**2 + low_im**2) * transformers.low_pu_to_pct[t]
        high = np.sqrt(high_re**2 + high_im**2) * transformers.high_pu_to_pct[t]
        loading_pct[t] = max(low, high) / transformers.parallels[t]
        transformer_p_kw[t] = (v[k, 0] * low_re + v[k, 1] * low_im) * base_kva / transformers.parallels[t]
    p = v[0, 0] * current[0, 0] + v[0, 1] * current[0, 1]
    q = v[0, 1] * current[0, 0] - v[0, 0] * current[0, 1]
    return losses, p, q

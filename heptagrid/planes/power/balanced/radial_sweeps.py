"""The sweeps over a radial network as kernels: a pass down renews voltages, a pass up adds currents, then losses and loadings.

Per unit; columns 0 and 1 of an array are real and imaginary parts. See `heptagrid.planes.power.balanced.radial`, which calls them.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from heptagrid.foundation.compiled.array_shapes import line, rows
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.power.balanced.compensation import close_loops
from heptagrid.planes.power.balanced.radial_inverters import feed
from heptagrid.planes.power.convergence import LOOK_EVERY, is_close, is_stuck


@kernel
def _down(first, last, p, q, scale, parent, z, shunt, inverse_ratio, v, current, drawn):  # type: ignore[no-untyped-def]
    """Renew the voltages of nodes first..last and what they draw; the greatest squared change of voltage."""
    worst = 0.0
    p, q, parent, inverse_ratio = line(p), line(q), line(parent), line(inverse_ratio)
    z, shunt, v, current, drawn = rows(z, 2), rows(shunt, 2), rows(v, 2), rows(current, 2), rows(drawn, 2)
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
    parent, inverse_ratio, current, drawn = line(parent), line(inverse_ratio), rows(current, 2), rows(drawn, 2)
    for k in range(last - 1, first - 1, -1):
        i_re, i_im = drawn[k, 0], drawn[k, 1]
        current[k, 0], current[k, 1] = i_re, i_im
        up = parent[k]
        drawn[up, 0] += i_re * inverse_ratio[k]
        drawn[up, 1] += i_im * inverse_ratio[k]


def _sweeps(  # type: ignore[no-untyped-def]
    p, q, scale, infeed_v_pu, parent, z, shunt, inverse_ratio, start, active, v, current, drawn, moved,
    loop_from, loop_to, loop_nodes, loop_above, loop_ends, loop_inverse_ratio,
    loop_admittance, loop_is_closed, loop_current, trial, tolerance, most, feeding,
):  # fmt: skip
    feeders = active.shape[0]
    loops = loop_from.shape[0]
    trunk = start[0]
    v[0, 0], v[0, 1] = infeed_v_pu, 0.0
    limit = tolerance * tolerance
    change = before = looked_at = gap = np.inf
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
        if feeding is not None:
            if iteration % 2 == 0:  # what they feed now shows in the voltages after the next pass up
                gap = feed(feeding, v)
            if not gap <= change:
                change = gap  # a NaN stays
        if is_close(iteration, change, before, change_before, limit):
            return iteration, True
        if iteration % LOOK_EVERY == 0:
            if is_stuck(iteration, change, looked_at):
                return iteration, False
            looked_at = change
    return most, False


sweep = kernel(_sweeps)
sweep_in_threads = kernel(parallel=True)(_sweeps)


@kernel
def evaluate(  # type: ignore[no-untyped-def]
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

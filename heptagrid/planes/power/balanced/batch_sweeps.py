"""The sweeps of a batch as kernels: each pass goes over `LANES` steps abreast, piece by piece; see `heptagrid.planes.power.balanced.batch`.

Rows of the state are nodes, columns lanes. A node's branch current and what the node draws share one place: the pass down takes the one and
leaves the other, the pass up adds.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from heptagrid.foundation.compiled.array_shapes import line, rows
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.compiled.simd import LANES, greater, load, root, splat, store
from heptagrid.planes.power.convergence import LOOK_EVERY, is_close, is_stuck

STATE = 6  # what a node draws, its voltage, its current: two of each
_SETTLED = 1.0 / 16.0  # of the squared tolerance: a piece with a quarter of it left to move has no more to say


@kernel
def count_below(parent, size):  # type: ignore[no-untyped-def]
    for k in range(parent.shape[0] - 1, 0, -1):
        size[parent[k]] += size[k]


@kernel
def _fill(  # type: ignore[no-untyped-def]
    at, scale, dense_p, dense_q, start, rated_p, rated_q, p_column, q_column, profiles, p, q
):
    """What the nodes draw in the steps that the lanes are at, per unit."""
    if start.shape[0] == 0:
        for k in range(p.shape[0]):
            for j in range(LANES):
                p[k, j] = dense_p[at[j], k] * scale
                q[k, j] = dense_q[at[j], k] * scale
        return
    factor = np.empty((profiles.shape[1], LANES))
    for j in range(LANES):
        factor[:, j] = profiles[at[j]] * scale
    nodes = p.shape[0]
    start, p_column, q_column = line(start), line(p_column), line(q_column)
    rated_p, rated_q = line(rated_p), line(rated_q)
    p, q, factor = rows(p, LANES), rows(q, LANES), rows(factor, LANES)
    for k in range(nodes):
        p[k] = 0.0
        q[k] = 0.0
        for e in range(start[k], start[k + 1]):
            for j in range(LANES):
                p[k, j] += rated_p[e] * factor[p_column[e], j]
                q[k, j] += rated_q[e] * factor[q_column[e], j]


@kernel
def _down(k, parent, z, shunt, inverse_ratio, p, q, v_re, v_im, i_re, i_im, change):  # type: ignore[no-untyped-def]
    """Renew a node's voltages from its branch's currents, and leave in their place what it draws at these voltages."""
    up = parent[k]
    ratio, z_re, z_im = splat(inverse_ratio[k]), splat(z[k, 0]), splat(z[k, 1])
    a_re, a_im = load(i_re, k), load(i_im, k)
    re = load(v_re, up) * ratio - z_re * a_re + z_im * a_im
    im = load(v_im, up) * ratio - z_re * a_im - z_im * a_re
    moved_re, moved_im = re - load(v_re, k), im - load(v_im, k)
    over = splat(1.0) / (re * re + im * im)
    g, b = splat(shunt[k, 0]) + load(p, k) * over, splat(shunt[k, 1]) - load(q, k) * over
    store(v_re, k, re)
    store(v_im, k, im)
    store(i_re, k, g * re - b * im)
    store(i_im, k, g * im + b * re)
    return greater(change, moved_re * moved_re + moved_im * moved_im)


@kernel
def _up(k, parent, inverse_ratio, i_re, i_im):  # type: ignore[no-untyped-def]
    up, ratio = parent[k], splat(inverse_ratio[k])
    store(i_re, up, load(i_re, up) + load(i_re, k) * ratio)
    store(i_im, up, load(i_im, up) + load(i_im, k) * ratio)


@kernel
def _is_settled(piece, up, v_re, v_im, seen_re, seen_im, moved, moved_before, limit):  # type: ignore[no-untyped-def]
    """Whether what is left to move in a piece is below the limit, and the voltage above it has moved by less since."""
    for j in range(LANES):
        shift = (v_re[up, j] - seen_re[piece, j]) ** 2 + (v_im[up, j] - seen_im[piece, j]) ** 2
        last, before = moved[piece, j], moved_before[piece, j]
        if not shift <= limit or not (last < before or last == 0.0):
            return False
        factor = np.sqrt(last / before) if last > 0.0 else 0.0
        if not last * (factor / (1.0 - factor)) ** 2 <= limit:
            return False
    return True


@kernel
def _pass(  # type: ignore[no-untyped-def]
    infeed, parent, z, shunt, inverse_ratio, first, last, trunk, p, q, v_re, v_im, i_re, i_im,
    seen_re, seen_im, moved, moved_before, settled, change,
):  # fmt: skip
    """One pass down and up the tree; pieces that are settled keep their currents."""
    pieces, trunks = first.shape[0], trunk.shape[0]
    parent, inverse_ratio, first, last, trunk = line(parent), line(inverse_ratio), line(first), line(last), line(trunk)
    z, shunt = rows(z, 2), rows(shunt, 2)
    for j in range(LANES):
        over = 1.0 / (infeed[j] * infeed[j])
        i_re[0, j] = (shunt[0, 0] + p[0, j] * over) * infeed[j]
        i_im[0, j] = (shunt[0, 1] - q[0, j] * over) * infeed[j]
    worst = splat(0.0)
    for t in range(trunks):
        worst = _down(trunk[t], parent, z, shunt, inverse_ratio, p, q, v_re, v_im, i_re, i_im, worst)
    for piece in range(pieces):
        head = first[piece]
        up = parent[head]
        if settled < 0.0 or not _is_settled(piece, up, v_re, v_im, seen_re, seen_im, moved, moved_before, settled):
            worst_here = splat(0.0)
            for k in range(head, last[piece]):
                worst_here = _down(k, parent, z, shunt, inverse_ratio, p, q, v_re, v_im, i_re, i_im, worst_here)
            for k in range(last[piece] - 1, head, -1):
                _up(k, parent, inverse_ratio, i_re, i_im)
            store(seen_re, piece, load(v_re, up))
            store(seen_im, piece, load(v_im, up))
            store(moved_before, piece, load(moved, piece))
            store(moved, piece, worst_here)
            worst = greater(worst, worst_here)
        _up(head, parent, inverse_ratio, i_re, i_im)
    for t in range(trunks - 1, -1, -1):
        _up(trunk[t], parent, inverse_ratio, i_re, i_im)
    store(change, 0, worst)


@kernel
def _solve_tile(  # type: ignore[no-untyped-def]
    infeed, parent, z, shunt, inverse_ratio, first, last, trunk, tolerance, most, p, q, v_re, v_im, i_re, i_im, done
):
    """Sweep until each lane is close or shrinks no more; done: (lanes,) which are close."""
    limit = tolerance * tolerance
    change, before = np.full(LANES, np.inf), np.full(LANES, np.inf)
    change_before, looked_at = before.copy(), before.copy()
    passed = np.empty((1, LANES))
    pieces = first.shape[0]
    seen_re, seen_im = np.zeros((pieces, LANES)), np.zeros((pieces, LANES))
    moved, moved_before = np.full((pieces, LANES), np.inf), np.full((pieces, LANES), np.inf)
    given_up = np.zeros(LANES, dtype=np.bool_)
    v_re[0] = infeed
    v_im[0] = 0.0
    done[:] = False
    for iteration in range(1, most + 1):
        change_before[:] = before
        before[:] = change
        # The first pass still sees the currents of the tile before; near collapse a small change says little.
        settled = _SETTLED * limit if 3 < iteration < LOOK_EVERY else -1.0
        _pass(
            infeed, parent, z, shunt, inverse_ratio, first, last, trunk, p, q, v_re, v_im, i_re, i_im,
            seen_re, seen_im, moved, moved_before, settled, passed,
        )  # fmt: skip
        change[:] = passed[0]
        open_lanes = 0
        for j in range(LANES):
            done[j] = done[j] or is_close(iteration, change[j], before[j], change_before[j], limit)
            if iteration % LOOK_EVERY == 0:
                given_up[j] = given_up[j] or is_stuck(iteration, change[j], looked_at[j])
                looked_at[j] = change[j]
            open_lanes += not (done[j] or given_up[j])
        if open_lanes == 0:
            return iteration
    return most


@kernel
def _flatten(lane, infeed, v_re, v_im, i_re, i_im):  # type: ignore[no-untyped-def]
    """Start a lane afresh, from the infeed's voltage everywhere."""
    for k in range(v_re.shape[0]):
        v_re[k, lane], v_im[k, lane] = infeed[lane], 0.0
        i_re[k, lane] = i_im[k, lane] = 0.0


@kernel
def _note(  # type: ignore[no-untyped-def]
    at, is_new, z, shunt, v_re, v_im, i_re, i_im, done, v_pu, least, greatest, losses
):
    """Losses of each lane, voltages of new steps if they are kept, and each node's extremes over the lanes that are done."""
    lost = splat(0.0)
    row = np.empty((1, LANES))
    keeps = v_pu.shape[0] > 0
    for k in range(v_re.shape[0]):
        re, im, a_re, a_im = load(v_re, k), load(v_im, k), load(i_re, k), load(i_im, k)
        square = re * re + im * im
        lost = lost + square * splat(shunt[k, 0]) + (a_re * a_re + a_im * a_im) * splat(z[k, 0])
        store(row, 0, root(square))
        low, high = least[k], greatest[k]
        for j in range(LANES):
            if done[j]:
                low, high = min(low, row[0, j]), max(high, row[0, j])
            if keeps and is_new[j]:
                v_pu[at[j], k] = row[0, j]
        least[k], greatest[k] = low, high
    store(losses, 0, lost)


@kernel(parallel=True)
def solve_chunks(  # type: ignore[no-untyped-def]
    chunks, steps, dense_p, dense_q, start, rated_p, rated_q, p_column, q_column, profiles, scale, infeed_v_pu,
    parent, z, shunt, inverse_ratio, first, last, trunk, tolerance, most,
    state, v_pu, least, greatest, totals, converged, iterations,
):  # fmt: skip
    """Solve all steps. Each lane of a chunk goes through steps that follow one another; what is left of the last one repeats its last step.

    state: (workers, STATE, nodes, LANES), where each worker has what the nodes draw, their voltages and currents.
    """
    workers = state.shape[0]
    for w in prange(workers):
        least[w] = np.inf
        greatest[w] = 0.0
        for c in range(w * chunks // workers, (w + 1) * chunks // workers):
            _solve_chunk(
                c, chunks, steps, dense_p, dense_q, start, rated_p, rated_q, p_column, q_column, profiles, scale,
                infeed_v_pu, parent, z, shunt, inverse_ratio, first, last, trunk, tolerance, most,
                state[w], v_pu, least[w], greatest[w], totals, converged, iterations,
            )  # fmt: skip


@kernel
def _solve_chunk(  # type: ignore[no-untyped-def]
    c, chunks, steps, dense_p, dense_q, start, rated_p, rated_q, p_column, q_column, profiles, scale,
    infeed_v_pu, parent, z, shunt, inverse_ratio, first, last, trunk, tolerance, most,
    state, v_pu, least, greatest, totals, converged, iterations,
):  # fmt: skip
    tiles = -(-steps // LANES)
    p, q, v_re, v_im, i_re, i_im = state[0], state[1], state[2], state[3], state[4], state[5]
    infeed, losses, done = np.ones(LANES), np.zeros((1, LANES)), np.zeros(LANES, dtype=np.bool_)
    at, is_new = np.zeros(LANES, dtype=np.int64), np.zeros(LANES, dtype=np.bool_)
    from_step, to_step = c * tiles // chunks * LANES, min((c + 1) * tiles // chunks * LANES, steps)
    each = -(-(to_step - from_step) // LANES)
    for t in range(each):
        for j in range(LANES):
            at[j] = from_step + j * each + t
            is_new[j] = at[j] < to_step
            at[j] = min(at[j], to_step - 1)
            infeed[j] = infeed_v_pu[at[j]]
            if not done[j]:  # the first tile, or none to start from
                _flatten(j, infeed, v_re, v_im, i_re, i_im)
        _fill(at, scale, dense_p, dense_q, start, rated_p, rated_q, p_column, q_column, profiles, p, q)
        count = _solve_tile(
            infeed, parent, z, shunt, inverse_ratio, first, last, trunk, tolerance, most,
            p, q, v_re, v_im, i_re, i_im, done,
        )  # fmt: skip
        _note(at, is_new, z, shunt, v_re, v_im, i_re, i_im, done, v_pu, least, greatest, losses)
        for j in range(LANES):
            if is_new[j]:
                s = at[j]
                iterations[s], converged[s] = count, done[j]
                totals[0, s] = losses[0, j]
                totals[1, s] = infeed[j] * i_re[0, j]
                totals[2, s] = -infeed[j] * i_im[0, j]

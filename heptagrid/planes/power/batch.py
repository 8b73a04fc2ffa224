"""Many states of one radial network at once: the sweeps over eight steps abreast, chunks of steps over the threads.

Each node's arithmetic is done for `LANES` consecutive steps together, which fills the processor's vector units and spreads the
cost of walking the tree. The tree is cut into pieces that stay in a core's cache: each is swept down and up while it is
there, unless nothing moves in it any more, below a trunk of the nodes that are left. Within a chunk, each tile of steps starts from the voltages of the one before. Chunks
depend on the number of steps alone, so the result is the same to the last bit for any number of threads.

Source of the method: as `heptagrid.planes.power.radial`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from numba import prange

from heptagrid.foundation.errors import NetworkError
from heptagrid.foundation.kernel import kernel
from heptagrid.foundation.lanes import LANES, greater, load, splat, store
from heptagrid.planes.power.stopping import LOOK_EVERY, MOST_ITERATIONS, is_close, is_stuck
from heptagrid.world.network import BASE_KVA, RadialNetwork

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MOST_CHUNKS = 16
PIECE_NODES = 1024  # a piece and its state, 0.4 MiB
_SETTLED = 1.0 / 256.0  # of the squared tolerance: a piece that moves by a sixteenth of it has no more to say


@dataclass(frozen=True)
class Shares:
    """Draws as ratings times profiles, so that a city's day need not be held: element e draws p_kw[e] * profiles[:, p_column[e]].

    node: (elements,) where each stands. p_kw, q_kvar: (elements,) what it draws where its profile is 1. p_column, q_column:
    (elements,) which profiles it follows. profiles: (steps, columns).
    """

    node: Ints
    p_kw: Floats
    q_kvar: Floats
    p_column: Ints
    q_column: Ints
    profiles: Floats


@dataclass(frozen=True)
class Draws:
    """Draws step by step, (steps, nodes) each."""

    p_kw: Floats
    q_kvar: Floats


AnyDraws: TypeAlias = Draws | Shares


@dataclass(frozen=True)
class BatchFlow:
    """What came of all steps.

    v_pu: (steps, nodes) magnitudes, or (0, 0) if they were not asked for. least_v_pu, greatest_v_pu: (nodes,) over the steps that
    converged. losses_kw, infeed_p_kw, infeed_q_kvar: (steps,). converged: (steps,); where it is false, the step's figures are NaN.
    iterations: (steps,) sweeps of the tile that the step was in.
    """

    v_pu: Floats
    least_v_pu: Floats
    greatest_v_pu: Floats
    losses_kw: Floats
    infeed_p_kw: Floats
    infeed_q_kvar: Floats
    converged: Bools
    iterations: Ints


@dataclass(frozen=True)
class Pieces:
    """The tree cut up: subtrees of at most so many nodes, first[i] to last[i] - 1, and the trunk above them."""

    first: Ints
    last: Ints
    trunk: Ints


def pieces_of(parent: Ints, most: int = PIECE_NODES) -> Pieces:
    """The greatest subtrees of at most `most` nodes; parent: (nodes,) in depth-first order."""
    size = np.ones(len(parent), dtype=np.int64)
    _count_below(parent, size)
    is_trunk = size > most
    is_trunk[0] = True
    first = np.flatnonzero(~is_trunk & is_trunk[np.maximum(parent, 0)])
    return Pieces(first, first + size[first], np.flatnonzero(is_trunk)[1:])


def solve_steps(
    network: RadialNetwork,
    arrays: tuple[npt.NDArray[np.int32], Floats, Floats, Floats],
    draws: AnyDraws,
    infeed_v_pu: float | Floats,
    tolerance_pu: float,
    keep_voltages: bool,
) -> BatchFlow:
    """Solve all steps; `arrays` are the parents, impedances, shunts and inverse ratios of the branches above the nodes."""
    if len(network.loops):
        raise NetworkError("a batch takes a tree; a network with loops is solved step by step")
    steps = len(draws.p_kw) if isinstance(draws, Draws) else len(draws.profiles)
    tiles = -(-steps // LANES)
    chunks = min(tiles, MOST_CHUNKS)
    pieces = pieces_of(network.parent)
    infeed = np.empty(steps)
    infeed[:] = infeed_v_pu
    v_pu = np.empty((steps, network.nodes) if keep_voltages else (0, 0))
    squares = np.empty((2, chunks, network.nodes))
    totals = np.empty((3, steps))
    converged, iterations = np.zeros(steps, dtype=np.bool_), np.zeros(steps, dtype=np.int64)
    _solve_chunks(
        *(chunks, steps, *_as_arrays(draws, network.nodes), 1.0 / BASE_KVA, infeed, *arrays),
        *(pieces.first, pieces.last, pieces.trunk, tolerance_pu, MOST_ITERATIONS),
        *(v_pu, squares[0], squares[1], totals, converged, iterations),
    )
    totals *= BASE_KVA
    totals[:, ~converged] = np.nan
    if keep_voltages:
        v_pu[~converged] = np.nan
    return BatchFlow(
        *(v_pu, np.sqrt(squares[0].min(axis=0)), np.sqrt(squares[1].max(axis=0)), totals[0], totals[1], totals[2]),
        converged=converged,
        iterations=iterations,
    )


def _as_arrays(draws: AnyDraws, nodes: int) -> tuple[Floats, Floats, Ints, Floats, Floats, Ints, Ints, Floats]:
    """Dense p and q, then elements by node (CSR), their ratings and columns, and the profiles; what is not there is empty."""
    nothing, no_rows, no_table = np.empty(0), np.empty(0, dtype=np.int64), np.empty((0, 0))
    if isinstance(draws, Draws):
        return draws.p_kw, draws.q_kvar, no_rows, nothing, nothing, no_rows, no_rows, no_table
    order = np.argsort(draws.node, kind="stable")
    start = np.searchsorted(draws.node[order], np.arange(nodes + 1))
    rated = draws.p_kw[order], draws.q_kvar[order]
    return no_table, no_table, start, *rated, draws.p_column[order], draws.q_column[order], draws.profiles


@kernel
def _count_below(parent, size):  # type: ignore[no-untyped-def]
    for k in range(parent.shape[0] - 1, 0, -1):
        size[parent[k]] += size[k]


@kernel
def _fill(  # type: ignore[no-untyped-def]
    step, steps, scale, dense_p, dense_q, start, rated_p, rated_q, p_column, q_column, profiles, p, q
):
    """What the nodes draw in a tile's steps, per unit; lanes beyond the last step repeat it."""
    if start.shape[0] == 0:
        for k in range(p.shape[0]):
            for j in range(LANES):
                s = min(step + j, steps - 1)
                p[k, j] = dense_p[s, k] * scale
                q[k, j] = dense_q[s, k] * scale
        return
    factor = np.empty((profiles.shape[1], LANES))
    for j in range(LANES):
        factor[:, j] = profiles[min(step + j, steps - 1)] * scale
    for k in range(p.shape[0]):
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
def _is_settled(piece, up, v_re, v_im, seen_re, seen_im, moved, limit):  # type: ignore[no-untyped-def]
    """Whether a piece hardly moved when it was last swept, and the voltage above it hardly since."""
    for j in range(LANES):
        shift = (v_re[up, j] - seen_re[piece, j]) ** 2 + (v_im[up, j] - seen_im[piece, j]) ** 2
        if not (moved[piece, j] <= limit and shift <= limit):
            return False
    return True


@kernel
def _pass(  # type: ignore[no-untyped-def]
    infeed, parent, z, shunt, inverse_ratio, first, last, trunk, p, q, v_re, v_im, i_re, i_im,
    seen_re, seen_im, moved, settled, change,
):  # fmt: skip
    """One pass down and up the tree; pieces that are settled keep their currents."""
    for j in range(LANES):
        over = 1.0 / (infeed[j] * infeed[j])
        i_re[0, j] = (shunt[0, 0] + p[0, j] * over) * infeed[j]
        i_im[0, j] = (shunt[0, 1] - q[0, j] * over) * infeed[j]
    worst = splat(0.0)
    for t in range(trunk.shape[0]):
        worst = _down(trunk[t], parent, z, shunt, inverse_ratio, p, q, v_re, v_im, i_re, i_im, worst)
    for piece in range(first.shape[0]):
        head = first[piece]
        up = parent[head]
        if settled < 0.0 or not _is_settled(piece, up, v_re, v_im, seen_re, seen_im, moved, settled):
            worst_here = splat(0.0)
            for k in range(head, last[piece]):
                worst_here = _down(k, parent, z, shunt, inverse_ratio, p, q, v_re, v_im, i_re, i_im, worst_here)
            for k in range(last[piece] - 1, head, -1):
                _up(k, parent, inverse_ratio, i_re, i_im)
            store(seen_re, piece, load(v_re, up))
            store(seen_im, piece, load(v_im, up))
            store(moved, piece, worst_here)
            worst = greater(worst, worst_here)
        _up(head, parent, inverse_ratio, i_re, i_im)
    for t in range(trunk.shape[0] - 1, -1, -1):
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
    seen_re, seen_im, moved = np.zeros((pieces, LANES)), np.zeros((pieces, LANES)), np.full((pieces, LANES), np.inf)
    given_up = np.zeros(LANES, dtype=np.bool_)
    v_re[0] = infeed
    v_im[0] = 0.0
    done[:] = False
    for iteration in range(1, most + 1):
        change_before[:] = before
        before[:] = change
        # The first pass still sees the currents of the tile before; near collapse a small change says little.
        settled = _SETTLED * limit if 2 < iteration < LOOK_EVERY else -1.0
        _pass(
            infeed, parent, z, shunt, inverse_ratio, first, last, trunk, p, q, v_re, v_im, i_re, i_im,
            seen_re, seen_im, moved, settled, passed,
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
    step, keep, z, shunt, v_re, v_im, i_re, i_im, done, v_pu, least, greatest, losses
):
    """Losses of each lane, voltages if they are kept, and each node's extremes over the lanes that are done, as squares."""
    lost = splat(0.0)
    row = np.empty((1, LANES))
    for k in range(v_re.shape[0]):
        re, im, a_re, a_im = load(v_re, k), load(v_im, k), load(i_re, k), load(i_im, k)
        square = re * re + im * im
        lost = lost + square * splat(shunt[k, 0]) + (a_re * a_re + a_im * a_im) * splat(z[k, 0])
        store(row, 0, square)
        low, high = least[k], greatest[k]
        for j in range(LANES):
            if done[j]:
                low, high = min(low, row[0, j]), max(high, row[0, j])
        least[k], greatest[k] = low, high
        for j in range(keep):
            v_pu[step + j, k] = np.sqrt(row[0, j])
    store(losses, 0, lost)


@kernel(parallel=True)
def _solve_chunks(  # type: ignore[no-untyped-def]
    chunks, steps, dense_p, dense_q, start, rated_p, rated_q, p_column, q_column, profiles, scale, infeed_v_pu,
    parent, z, shunt, inverse_ratio, first, last, trunk, tolerance, most,
    v_pu, least, greatest, totals, converged, iterations,
):  # fmt: skip
    nodes = parent.shape[0]
    tiles = -(-steps // LANES)
    for c in prange(chunks):
        p, q = np.empty((nodes, LANES)), np.empty((nodes, LANES))
        v_re, v_im = np.empty((nodes, LANES)), np.empty((nodes, LANES))
        i_re, i_im = np.empty((nodes, LANES)), np.empty((nodes, LANES))
        infeed, losses, done = np.ones(LANES), np.zeros((1, LANES)), np.zeros(LANES, dtype=np.bool_)
        least[c] = np.inf
        greatest[c] = 0.0
        for tile in range(c * tiles // chunks, (c + 1) * tiles // chunks):
            step = tile * LANES
            _fill(step, steps, scale, dense_p, dense_q, start, rated_p, rated_q, p_column, q_column, profiles, p, q)
            for j in range(LANES):
                infeed[j] = infeed_v_pu[min(step + j, steps - 1)]
                if not done[j]:  # the first tile, or none to start from
                    _flatten(j, infeed, v_re, v_im, i_re, i_im)
            count = _solve_tile(
                infeed, parent, z, shunt, inverse_ratio, first, last, trunk, tolerance, most,
                p, q, v_re, v_im, i_re, i_im, done,
            )  # fmt: skip
            count_of_lanes = min(LANES, steps - step)
            keep = count_of_lanes if v_pu.shape[0] > 0 else 0
            _note(step, keep, z, shunt, v_re, v_im, i_re, i_im, done, v_pu, least[c], greatest[c], losses)
            for j in range(count_of_lanes):
                s = step + j
                iterations[s], converged[s] = count, done[j]
                totals[0, s] = losses[0, j]
                totals[1, s] = infeed[j] * i_re[0, j]
                totals[2, s] = -infeed[j] * i_im[0, j]

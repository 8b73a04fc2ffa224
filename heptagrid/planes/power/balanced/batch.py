"""Many states of one radial network at once: the sweeps over eight steps abreast, chunks of steps over the threads.

Each node's arithmetic is done for `LANES` steps together, which fills the processor's vector units and spreads the
cost of walking the tree. The tree is cut into pieces that stay in a core's cache: each is swept down and up while it is
there, unless nothing moves in it any more, below a trunk of the nodes that are left. Within a chunk, each lane goes through steps
that follow one another, and starts from the voltages of the one before. Chunks depend on the number of steps alone, so the result is the same to the last bit for any
number of threads.

Source of the method: as `heptagrid.planes.power.balanced.radial`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.simd import LANES
from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.power.balanced.batch_sweeps import STATE, count_below, solve_chunks
from heptagrid.planes.power.convergence import MOST_ITERATIONS
from heptagrid.world.balanced.radial_network import BASE_KVA, RadialNetwork

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LEAST_CHUNKS, MOST_CHUNKS = 8, 16  # as far as there are steps; each starts cold once
PIECE_NODES = 1024  # a piece and its state, 0.4 MiB


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
    converged (inf and 0 if none did), 0 at nodes that are switched off. losses_kw, infeed_p_kw, infeed_q_kvar: (steps,). converged: (steps,); where it is false, the step's figures are NaN.
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
    count_below(parent, size)
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
    _check(draws, network.nodes)
    steps = len(draws.p_kw) if isinstance(draws, Draws) else len(draws.profiles)
    tiles = -(-steps // LANES)
    chunks = max(1, min(tiles, MOST_CHUNKS, max(LEAST_CHUNKS, tiles // 4)))
    pieces = pieces_of(network.parent)
    infeed = np.empty(steps)
    infeed[:] = infeed_v_pu
    v_pu = np.empty((steps, network.nodes) if keep_voltages else (0, 0))
    workers = min(chunks, numba.get_num_threads())
    # From here, and not from the kernel: numpy asks for large pages.
    state = np.empty((workers, STATE, network.nodes, LANES))
    extremes = np.empty((2, workers, network.nodes))
    totals = np.empty((3, steps))
    converged, iterations = np.zeros(steps, dtype=np.bool_), np.zeros(steps, dtype=np.int64)
    solve_chunks(
        *(chunks, steps, *_as_arrays(draws, network.nodes), 1.0 / BASE_KVA, infeed, *arrays),
        *(pieces.first, pieces.last, pieces.trunk, tolerance_pu, MOST_ITERATIONS),
        *(state, v_pu, extremes[0], extremes[1], totals, converged, iterations),
    )
    totals *= BASE_KVA
    totals[:, ~converged] = np.nan
    if keep_voltages:
        v_pu[~converged] = np.nan
    return BatchFlow(
        *(v_pu, extremes[0].min(axis=0), extremes[1].max(axis=0), totals[0], totals[1], totals[2]),
        converged=converged,
        iterations=iterations,
    )


def _check(draws: AnyDraws, nodes: int) -> None:
    if isinstance(draws, Draws):
        if draws.p_kw.shape != draws.q_kvar.shape or draws.p_kw.shape[1:] != (nodes,):
            raise NetworkError(
                f"draws of shapes {draws.p_kw.shape} and {draws.q_kvar.shape} for {nodes} nodes; (steps, {nodes}) is expected"
            )
        return
    for what, at, most in (
        ("node", draws.node, nodes),
        ("p_column", draws.p_column, draws.profiles.shape[1]),
        ("q_column", draws.q_column, draws.profiles.shape[1]),
    ):
        wrong = at[(at < 0) | (at >= most)]
        if len(wrong):
            raise NetworkError(f"an element's {what} is {wrong[0]}; there are {most}, counted from 0")


def _as_arrays(draws: AnyDraws, nodes: int) -> tuple[Floats, Floats, Ints, Floats, Floats, Ints, Ints, Floats]:
    """Dense p and q, then elements by node (CSR), their ratings and columns, and the profiles; what is not there is empty."""
    nothing, no_rows, no_table = np.empty(0), np.empty(0, dtype=np.int64), np.empty((0, 0))
    if isinstance(draws, Draws):
        return draws.p_kw, draws.q_kvar, no_rows, nothing, nothing, no_rows, no_rows, no_table
    order = np.argsort(draws.node, kind="stable")
    start = np.searchsorted(draws.node[order], np.arange(nodes + 1))
    rated = draws.p_kw[order], draws.q_kvar[order]
    return no_table, no_table, start, *rated, draws.p_column[order], draws.q_column[order], draws.profiles

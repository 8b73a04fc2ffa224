"""Many steps of a radial circuit in compiled loops: the draws follow shapes, taps and capacitors stay.

As nothing else links the steps, they are solved in the order of their total draw, level by level: around a level's mean the devices'
linear parts nearly fit, and each step starts near its solution. Within a level a fixed number of blocks is solved in parallel, so that the
result is the same for any number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.sums import weighted_sum
from heptagrid.planes.power.unbalanced import sweep
from heptagrid.world.circuit.circuit import Complex, Floats, Ints

LEVEL_STEPS = 180  # an elimination costs about as much as a hundred iterations
BLOCKS = 4


@dataclass(frozen=True)
class Draws:
    """What the devices draw in each step: their rated power times their shape, p_shape and q_shape (steps, shapes).

    shape: (devices,) which of the shapes is theirs; scale: (devices,) a factor of its own.
    """

    p_shape: Floats
    q_shape: Floats
    shape: Ints
    scale: Floats


@dataclass(frozen=True)
class Series:
    """v_pu: (steps, nodes) magnitudes to ground on the buses' base voltages. sources_kva: (steps, sources). iterations: (steps,)."""

    v_pu: npt.NDArray[np.float32]
    sources_kva: Complex
    iterations: Ints


def levels(draws: Draws, p_kw: Floats) -> list[Ints]:
    """Steps of similar total draw; p_kw: (devices,) what the shapes multiply."""
    of_shape = np.bincount(draws.shape, np.abs(p_kw), draws.p_shape.shape[1])
    order = np.argsort(weighted_sum(of_shape, draws.p_shape), kind="stable")
    return np.array_split(order, max(1, round(len(order) / LEVEL_STEPS)))


@kernel(parallel=True)
def march(  # type: ignore[no-untyped-def]
    which, p_shape, q_shape, leg_shape, rated, steps, cells, legs, leg_s, weight, loops, filled, filled_cells, start,
    node, watched, tolerance, most, v_pu, watched_v, iterations,
):  # fmt: skip
    """Solve the steps `which`; one without solution has 0 iterations. rated: (legs, 2) W and var. start: the voltages to start from.

    watched: (conductors,) whose complex voltages are wanted in watched_v (steps, watched).
    """
    for block in numba.prange(BLOCKS):
        v, power = start.copy(), np.empty_like(rated)
        now, after = np.zeros_like(start), np.zeros_like(start)
        loop_a = np.zeros(2 * loops[0].shape[0])
        own_loops = (loops[0], loops[1], loops[2], loops[3], np.zeros_like(loop_a))
        size, above, first, injecting_first, injecting, up = filled
        for at in range(block * which.shape[0] // BLOCKS, (block + 1) * which.shape[0] // BLOCKS):
            t = which[at]
            for leg in range(rated.shape[0]):
                power[leg, 0] = rated[leg, 0] * p_shape[t, leg_shape[leg]]
                power[leg, 1] = rated[leg, 1] * q_shape[t, leg_shape[leg]]
            needed, _ = sweep.solve(
                steps, cells, legs, leg_s, power, weight, own_loops, v, now, after, loop_a, tolerance, most
            )
            if needed > most:
                iterations[t] = 0
                v[:] = start
                loop_a[:] = 0.0
                continue
            iterations[t] = needed
            current = now if needed % 2 else after
            sweep.down(size, above, first, injecting_first, injecting, up, filled_cells, weight, v, current)
            for c in range(node.shape[0]):
                if node[c] >= 0:
                    v_pu[t, node[c]] = np.sqrt((v[2 * c] ** 2 + v[2 * c + 1] ** 2) * weight[c])
            for w in range(watched.shape[0]):
                watched_v[t, w] = complex(v[2 * watched[w]], v[2 * watched[w] + 1])

"""Open rings between the substations of an area: sectors around the primary substation, out on one side and back on the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.world.city.draws import Draws

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FEWEST, MOST = 8, 14
"""Substations in a ring: assumption, as in SimBench's medium-voltage networks."""
DETOUR = 1.3
"""How much longer a cable is than the straight way: assumption, that of streets."""
BUSBAR = -1


@dataclass(frozen=True)
class Rings:
    """Cables of the rings. upper, lower: (n,) substations at their ends, `BUSBAR` for the primary substation's; length_m. behind: (n,) substations fed through each. is_open: those at which a ring stands open."""

    upper: Ints
    lower: Ints
    length_m: Floats
    behind: Ints
    is_open: npt.NDArray[np.bool_]


def rings(draws: Draws, x_m: Floats, y_m: Floats) -> Rings:
    """Lay rings through substations, (n,) metres from the primary one."""
    count = len(x_m)
    by_angle = np.argsort(np.arctan2(y_m, x_m), kind="stable")
    sizes = FEWEST + np.floor(draws.uniform(count // FEWEST + 1) * (MOST - FEWEST + 1)).astype(np.int64)
    ring = np.searchsorted(np.cumsum(sizes), np.arange(count), side="right")
    if count > FEWEST:  # what is left over is no ring of its own
        ring[ring == ring[-1]] -= int((ring == ring[-1]).sum() < FEWEST and ring[-1] > 0)
    within = np.arange(count) - np.searchsorted(ring, ring)
    half = (within >= np.bincount(ring)[ring] / 2.0).astype(np.int64)
    order = np.lexsort((np.hypot(x_m, y_m)[by_angle], half, ring))
    station, feeder = by_angle[order], (2 * ring + half)[order]
    is_first = np.append(True, np.diff(feeder) > 0)
    upper = np.where(is_first, BUSBAR, np.roll(station, 1))
    last = np.append(np.flatnonzero(is_first)[1:], count) - 1
    behind = last[np.cumsum(is_first) - 1] - np.arange(count) + 1
    ends, of_ring = station[last], feeder[last] // 2
    pairs = np.flatnonzero(np.diff(of_ring) == 0)
    from_x, from_y = (np.where(upper == BUSBAR, 0.0, one[np.maximum(upper, 0)]) for one in (x_m, y_m))
    length_m = np.hypot(x_m[station] - from_x, y_m[station] - from_y)
    between_m = np.hypot(x_m[ends[pairs]] - x_m[ends[pairs + 1]], y_m[ends[pairs]] - y_m[ends[pairs + 1]])
    return Rings(
        np.concatenate([upper, ends[pairs]]),
        np.concatenate([station, ends[pairs + 1]]),
        DETOUR * np.maximum(np.concatenate([length_m, between_m]), 1.0),
        np.concatenate([behind, np.zeros(len(pairs), dtype=np.int64)]),
        np.concatenate([np.zeros(count, dtype=np.bool_), np.ones(len(pairs), dtype=np.bool_)]),
    )

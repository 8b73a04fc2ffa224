"""Small fleets as a market's cases: thermal units at one bus, in blocks, as published examples describe them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from heptagrid.world.commitment_case import (
    CommitmentCase,
    CommittedUnits,
    Reserves,
    Reservoirs,
    Sources,
    Storages,
)

FREE = 10_000
"""Hours after which no minimum time binds."""
_PIECES = 60  # of a quadratic cost


def units_of(
    p_max: Sequence[float],
    p_min: Sequence[float],
    cost_1: Sequence[float],
    cost_2: Sequence[float] | None = None,
    *,
    on_h: Sequence[int] | None = None,
    **given: Sequence[float],
) -> CommittedUnits:
    """Units with `cost_0`, `start`, `min_up_h` and `min_down_h` where they are given; quadratic costs in pieces."""
    count = len(p_max)
    high, low, slope = (np.array(one, dtype=float) for one in (p_max, p_min, cost_1))
    bent = np.zeros(count) if cost_2 is None else np.array(cost_2, dtype=float)
    pieces = 1 if cost_2 is None else _PIECES
    none = [0.0] * count
    edges = low[:, np.newaxis] + (high - low)[:, np.newaxis] * np.linspace(0.0, 1.0, pieces + 1)
    cost_0, start = (np.array(given.get(name, none), dtype=float) for name in ("cost_0", "start"))
    up, down = (np.maximum(np.array(given.get(name, none)), 1).astype(np.int64) for name in ("min_up_h", "min_down_h"))
    return CommittedUnits(
        names=np.array([f"unit {k}" for k in range(count)]),
        bus=np.zeros(count, dtype=np.int64),
        p_min_mw=low,
        p_max_mw=high,
        block_mw=np.diff(edges, axis=1),
        block_cost=slope[:, np.newaxis] + bent[:, np.newaxis] * (edges[:, 1:] + edges[:, :-1]),
        no_load=cost_0 + slope * low + bent * low**2,
        starts=start[:, np.newaxis],
        cold_after_h=np.zeros((count, 1)),
        min_up_h=up,
        min_down_h=down,
        ramp_mw_per_h=np.full(count, 1e6),
        on_h=np.array([FREE] * count if on_h is None else on_h, dtype=np.int64),
        before_mw=np.full(count, np.nan),
    )


def case_of(units: CommittedUnits, load_mw: Sequence[float]) -> CommitmentCase:
    """The units alone, at one bus, without reserves; a MWh that is not served costs 4,000."""
    load = np.array(load_mw, dtype=float)[:, np.newaxis]
    return CommitmentCase(
        name="a small fleet",
        bus_names=np.array(["1"]),
        load_mw=load,
        units=units,
        sources=Sources.none(len(load)),
        storages=Storages.none(),
        reservoirs=Reservoirs.none(len(load)),
        reserves=Reserves.none(len(load), len(units), 0),
        network=None,
        unserved_cost=4000.0,
    )

"""What a schedule of units costs, and how a case goes on from where another's schedule has ended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from heptagrid.world.commitment_case import CommitmentCase, CommittedUnits

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def unit_costs(units: CommittedUnits, on: Bools, unit_mw: Floats) -> Floats:
    """(periods, units) what each unit's schedule costs: at the minimum, in its blocks, for its starts by how long it was off, and its stops."""
    above = unit_mw - np.where(on, units.p_min_mw, 0.0)
    below = np.concatenate([np.zeros((len(units), 1)), np.cumsum(units.block_mw, axis=1)[:, :-1]], axis=1)
    in_block = np.clip(above[:, :, np.newaxis] - below, 0.0, units.block_mw)
    switching = start_costs(units, on) + stop_costs(units, on)
    return np.asarray((in_block * units.block_cost).sum(axis=2) + on * units.no_load + switching)


def start_costs(units: CommittedUnits, on: Bools) -> Floats:
    """(periods, units) what starts cost; on: (periods, units)."""
    cost = np.zeros(on.shape)
    hours = units.on_h
    for period, now in enumerate(on):
        begins = now & (hours <= 0)
        heat = (-hours[:, np.newaxis] >= np.ceil(units.cold_after_h)).sum(axis=1) - 1
        cost[period, begins] = units.starts[begins, np.maximum(heat[begins], 0)]
        hours = _later(hours, now)
    return cost


def stop_costs(units: CommittedUnits, on: Bools) -> Floats:
    """(periods, units) what stops cost; on: (periods, units)."""
    was_on = np.vstack([units.on_h > 0, on[:-1]])
    return np.where(was_on & ~on, units.cost_of_stop, 0.0)


def hours_on_or_off(units: CommittedUnits, on: Bools) -> Ints:
    """(units,) for how many hours each has been on at the end of a schedule, below 0 off."""
    hours = units.on_h
    for now in on:
        hours = _later(hours, now)
    return hours


def _later(hours: Ints, now: Bools) -> Ints:
    return np.where(now, np.where(hours > 0, hours + 1, 1), np.where(hours <= 0, hours - 1, -1))


def carried_on(
    case: CommitmentCase, before: CommitmentCase, on: Bools, unit_mw: Floats, content_mwh: Floats, reservoir_mwh: Floats
) -> CommitmentCase:
    """A case that begins as another's schedule ends, (periods, each): who is on and since when, what each gave, what is stored."""
    return replace(
        case,
        units=replace(case.units, on_h=hours_on_or_off(before.units, on), before_mw=unit_mw[-1].copy()),
        storages=replace(case.storages, begin_mwh=content_mwh[-1].copy()),
        reservoirs=replace(case.reservoirs, begin_mwh=reservoir_mwh[-1].copy()),
    )

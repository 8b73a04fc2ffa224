"""Units that are on or off, as columns and rows: blocks of output, starts by how cold the unit is, minimum times, ramps.

The three-variable formulation (on, starts, stops) with output counted above the minimum: Morales-España, Latorre and Ramos, IEEE Trans. Power
Systems 28 (2013) 4897; minimum times as Rajan and Takriti, IBM Research Report RC23628 (2005); starts by temperature as in Knueven, Ostrowski and
Watson, INFORMS Journal on Computing 32 (2020) 857.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.formulations.program import INFINITE, Program
from heptagrid.world.commitment_case import CommittedUnits

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class UnitColumns:
    """The columns of units, (periods, units): whether each is on, starts, stops, and its output above the minimum."""

    on: Ints
    starts: Ints
    stops: Ints
    above: Ints


def add_units(program: Program, units: CommittedUnits, periods: int, hours: float = 1.0) -> UnitColumns:
    """Add units over `periods` periods of `hours` each; their costs are in the objective."""
    shape = (periods, len(units))
    must_be_on, must_be_off = _bound_to(units, periods)
    on = program.columns(
        np.where(must_be_on, 1.0, 0.0), np.where(must_be_off, 0.0, 1.0), units.no_load * hours, is_integer=True
    )
    starts = program.columns(np.zeros(shape), 1.0, units.starts[:, -1])
    stops = program.columns(np.zeros(shape), 1.0)
    above = program.columns(np.zeros(shape), units.p_max_mw - units.p_min_mw)
    columns = UnitColumns(on, starts, stops, above)
    _switching(program, units, columns)
    _minimum_times(program, units, columns)
    _blocks(program, units, columns, hours)
    _limits(program, units, columns)
    _ramps(program, units, columns, hours)
    _start_costs(program, units, columns)
    return columns


def _bound_to(units: CommittedUnits, periods: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """(periods, units) who must still be on, or off, for the minimum time of what it did before."""
    period = np.arange(periods)[:, np.newaxis]
    must_be_on = (units.on_h > 0) & (period < units.min_up_h - units.on_h)
    must_be_off = (units.on_h <= 0) & (period < units.min_down_h + units.on_h)
    return must_be_on, must_be_off


def _switching(program: Program, units: CommittedUnits, columns: UnitColumns) -> None:
    """on(t) - on(t - 1) = starts(t) - stops(t)."""
    was_on = np.where(units.on_h > 0, 1.0, 0.0)
    bound = np.zeros(columns.on.shape)
    bound[0] = was_on
    row = program.rows(bound, bound)
    program.put(row, columns.on, 1.0)
    program.put(row[1:], columns.on[:-1], -1.0)
    program.put(row, columns.starts, -1.0)
    program.put(row, columns.stops, 1.0)


def _minimum_times(program: Program, units: CommittedUnits, columns: UnitColumns) -> None:
    periods = len(columns.on)
    for switched, least_h, sign, bound in (
        (columns.starts, units.min_up_h, -1.0, 0.0),
        (columns.stops, units.min_down_h, 1.0, 1.0),
    ):
        row = program.rows(-INFINITE, np.full(columns.on.shape, bound))
        program.put(row, columns.on, sign)
        for back in range(min(int(least_h.max(initial=0)), periods)):
            counts = least_h > back
            program.put(row[back:periods][:, counts], switched[: periods - back][:, counts], 1.0)


def _blocks(program: Program, units: CommittedUnits, columns: UnitColumns, hours: float) -> None:
    """Output above the minimum is what its blocks give together; a block gives nothing while the unit is off."""
    periods = len(columns.on)
    has_blocks = units.block_mw > 0.0
    row = program.rows(np.zeros(columns.on.shape), 0.0)
    program.put(row, columns.above, -1.0)
    for block in range(units.block_mw.shape[1]):
        which = np.flatnonzero(has_blocks[:, block])
        size_mw = units.block_mw[which, block]
        given = program.columns(
            0.0, np.broadcast_to(size_mw, (periods, len(which))), units.block_cost[which, block] * hours
        )
        program.put(row[:, which], given, 1.0)
        limit = program.rows(-INFINITE, np.zeros(given.shape))
        program.put(limit, given, 1.0)
        program.put(limit, columns.on[:, which], -size_mw)


def _limits(program: Program, units: CommittedUnits, columns: UnitColumns) -> None:
    """A unit gives nothing while off, and when it starts or before it stops no more than its ramp allows."""
    room_mw = units.p_max_mw - units.p_min_mw
    row = program.rows(-INFINITE, np.zeros(columns.on.shape))
    program.put(row, columns.above, 1.0)
    program.put(row, columns.on, -room_mw)
    lost_mw = np.maximum(room_mw - units.ramp_mw_per_h, 0.0)
    long_on = units.min_up_h > 1
    program.put(row, columns.starts, lost_mw)
    program.put(row[:-1][:, long_on], columns.stops[1:][:, long_on], lost_mw[long_on])
    short = ~long_on & (lost_mw > 0.0)
    if short.any():  # it may start and stop in one period, so that each limit is a row of its own
        row = program.rows(-INFINITE, np.zeros((len(columns.on) - 1, int(short.sum()))))
        program.put(row, columns.above[:-1][:, short], 1.0)
        program.put(row, columns.on[:-1][:, short], -room_mw[short])
        program.put(row, columns.stops[1:][:, short], lost_mw[short])


def _ramps(program: Program, units: CommittedUnits, columns: UnitColumns, hours: float) -> None:
    """Output above the minimum changes by the ramp at most from one period to the next."""
    step_mw = units.ramp_mw_per_h * hours
    binds = step_mw < units.p_max_mw - units.p_min_mw
    if not binds.any():
        return
    above = columns.above[:, binds]
    limit_mw = np.broadcast_to(step_mw[binds], above.shape).copy()
    low, high = -limit_mw, limit_mw.copy()
    before_mw = np.where(units.on_h > 0, units.before_mw - units.p_min_mw, 0.0)[binds]
    is_known = np.isfinite(before_mw)
    low[0] = np.where(is_known, low[0] + before_mw, -INFINITE)
    high[0] = np.where(is_known, high[0] + before_mw, INFINITE)
    row = program.rows(low, high)
    program.put(row, above, 1.0)
    program.put(row[1:], above[:-1], -1.0)


def _start_costs(program: Program, units: CommittedUnits, columns: UnitColumns) -> None:
    """A start costs as much as a cold one, less what is saved by one that comes soon enough after a stop."""
    periods = len(columns.on)
    heats = units.starts.shape[1]
    for heat in range(heats - 1):
        saving = units.starts[:, heat + 1] - units.starts[:, heat]
        until_h = np.ceil(units.cold_after_h[:, heat + 1]).astype(np.int64)
        which = np.flatnonzero((saving > 0.0) & (until_h > units.min_down_h))
        if not len(which):
            continue
        # In this heat or a hotter one: what a colder heat would cost more is saved once for each heat that is still there.
        warm = program.columns(np.zeros((periods, len(which))), 1.0, -saving[which])
        row = program.rows(-INFINITE, np.zeros((periods, len(which))))
        program.put(row, warm, 1.0)
        program.put(row, columns.starts[:, which], -1.0)
        row = program.rows(-INFINITE, _stopped_before(units, which, until_h[which], periods))
        program.put(row, warm, 1.0)
        for back in range(1, int(until_h[which].max())):
            counts = (until_h[which] > back) & (back >= units.min_down_h[which])
            if back < periods and counts.any():
                program.put(row[back:][:, counts], columns.stops[: periods - back][:, which[counts]], -1.0)


def _stopped_before(units: CommittedUnits, which: Ints, until_h: Ints, periods: int) -> Floats:
    """(periods, which) 1 where a unit that was off at the beginning would still be warm at a start."""
    off_h = np.where(units.on_h[which] <= 0, -units.on_h[which], periods + 10**6)
    return np.where(off_h + np.arange(periods)[:, np.newaxis] < until_h, 1.0, 0.0)

"""Units that are on or off, as columns and rows: blocks of output, starts by how cold the unit is, minimum times, ramps.

The three-variable formulation (on, starts, stops) with output counted above the minimum: Morales-España, Latorre and Ramos, IEEE Trans. Power
Systems 28 (2013) 4897; minimum times as Rajan and Takriti, IBM Research Report RC23628 (2005); starts by temperature as in Knueven, Ostrowski and
Watson, INFORMS Journal on Computing 32 (2020) 857.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.formulations.program import INFINITE, Program
from heptagrid.world.commitment_case import CommittedUnits

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_OVER_MW = 1e-6  # by which a unit may have given more than it may before a stop


@dataclass(frozen=True)
class CommittedColumns:
    """The columns of units, (periods, units): whether each is on, starts, stops, and its output above the minimum.

    ceilings: rows (periods or fewer, n) with the units (n,) whose output above the minimum each bounds from above. costed: further columns that cost or save
    something, (periods, n), with their units (n,).
    """

    on: Ints
    starts: Ints
    stops: Ints
    above: Ints
    ceilings: tuple[tuple[Ints, Ints], ...] = ()
    costed: tuple[tuple[Ints, Ints], ...] = ()


def add_units(program: Program, units: CommittedUnits, periods: int, hours: float = 1.0) -> CommittedColumns:
    """Add units over `periods` periods of `hours` each; their costs are in the objective."""
    shape = (periods, len(units))
    must_be_on, must_be_off = _bound_to(units, periods)
    on = program.columns(
        np.where(must_be_on, 1.0, 0.0), np.where(must_be_off, 0.0, 1.0), units.no_load * hours, is_integer=True
    )
    starts = program.columns(np.zeros(shape), 1.0, units.starts[:, -1])
    may_stop = np.ones(shape)
    # Who gave too much before cannot stop at once.
    may_stop[0] = np.where(
        (units.on_h > 0) & (units.before_mw > units.p_min_mw + units.stop_room_mw + _OVER_MW), 0.0, 1.0
    )
    stops = program.columns(np.zeros(shape), may_stop, units.cost_of_stop)
    above = program.columns(np.zeros(shape), units.room_mw)
    columns = CommittedColumns(on, starts, stops, above)
    _switching(program, units, columns)
    _minimum_times(program, units, columns)
    costed = (*_blocks(program, units, columns, hours), *_start_costs(program, units, columns))
    ceilings = (*_limits(program, units, columns), *_ramps(program, units, columns, hours))
    return replace(columns, ceilings=ceilings, costed=costed)


def _bound_to(units: CommittedUnits, periods: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """(periods, units) who must still be on, or off, for the minimum time of what it did before."""
    period = np.arange(periods)[:, np.newaxis]
    must_be_on = (units.on_h > 0) & (period < units.min_up_h - units.on_h)
    must_be_off = (units.on_h <= 0) & (period < units.min_down_h + units.on_h)
    return must_be_on | (units.is_always_on & ~must_be_off), must_be_off


def _switching(program: Program, units: CommittedUnits, columns: CommittedColumns) -> None:
    """on(t) - on(t - 1) = starts(t) - stops(t)."""
    was_on = np.where(units.on_h > 0, 1.0, 0.0)
    bound = np.zeros(columns.on.shape)
    bound[0] = was_on
    row = program.rows(bound, bound)
    program.put(row, columns.on, 1.0)
    program.put(row[1:], columns.on[:-1], -1.0)
    program.put(row, columns.starts, -1.0)
    program.put(row, columns.stops, 1.0)


def _minimum_times(program: Program, units: CommittedUnits, columns: CommittedColumns) -> None:
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


def _blocks(
    program: Program, units: CommittedUnits, columns: CommittedColumns, hours: float
) -> list[tuple[Ints, Ints]]:
    """Output above the minimum is what its blocks give together; the blocks' columns and their units.

    A block gives nothing while the unit is off, and no more of it than lies below the limits of starts and stops.
    """
    periods = len(columns.on)
    row = program.rows(np.zeros(columns.on.shape), 0.0)
    program.put(row, columns.above, -1.0)
    below_mw, found = np.zeros(len(units)), []
    for block_mw, cost in zip(units.block_mw.T, units.block_cost.T, strict=True):
        which = np.flatnonzero(block_mw > 0.0)
        size_mw = block_mw[which]
        given = program.columns(0.0, np.broadcast_to(size_mw, (periods, len(which))), cost[which] * hours)
        program.put(row[:, which], given, 1.0)
        at_start_mw = np.clip(units.start_room_mw - below_mw, 0.0, block_mw)[which]
        at_stop_mw = np.clip(units.stop_room_mw - below_mw, 0.0, block_mw)[which]
        _below(program, units, columns, given, which, size_mw, size_mw - at_start_mw, size_mw - at_stop_mw)
        below_mw = below_mw + block_mw
        found.append((given, which))
    return found


def _below(
    program: Program,
    units: CommittedUnits,
    columns: CommittedColumns,
    given: Ints,
    which: Ints,
    most_mw: Floats,
    lost_at_start_mw: Floats,
    lost_at_stop_mw: Floats,
) -> list[tuple[Ints, Ints]]:
    """What units give is bounded while on, and by less when they start or before they stop; the rows and their units.

    A unit that may start and stop in one period loses the larger of both, in two rows: Gentile, Morales-España and Ramos, EURO Journal on Computational
    Optimization 5 (2017) 177 (source not read).
    """
    row = program.rows(-INFINITE, np.zeros(given.shape))
    program.put(row, given, 1.0)
    program.put(row, columns.on[:, which], -most_mw)
    program.put(row, columns.starts[:, which], lost_at_start_mw)
    is_long = units.min_up_h[which] > 1
    at_stop_mw = np.where(is_long, lost_at_stop_mw, np.maximum(lost_at_stop_mw - lost_at_start_mw, 0.0))
    program.put(row[:-1], columns.stops[1:, which], at_stop_mw)
    found = [(row, which)]
    short = np.flatnonzero(~is_long & (lost_at_stop_mw > 0.0))
    if len(short) and len(given) > 1:
        units_short = which[short]
        row = program.rows(-INFINITE, np.zeros((len(given) - 1, len(short))))
        program.put(row, given[:-1, short], 1.0)
        program.put(row, columns.on[:-1, units_short], -most_mw[short])
        program.put(row, columns.stops[1:, units_short], lost_at_stop_mw[short])
        program.put(row, columns.starts[:-1, units_short], np.maximum(lost_at_start_mw - lost_at_stop_mw, 0.0)[short])
        found.append((row, units_short))
    return found


def _limits(program: Program, units: CommittedUnits, columns: CommittedColumns) -> list[tuple[Ints, Ints]]:
    """A unit gives nothing while off, and when it starts or before it stops no more than the limits of these; the rows and their units."""
    everybody, room_mw = np.arange(len(units)), units.room_mw
    lost_mw = room_mw - units.start_room_mw, room_mw - units.stop_room_mw
    return _below(program, units, columns, columns.above, everybody, room_mw, lost_mw[0], lost_mw[1])


def _ramps(program: Program, units: CommittedUnits, columns: CommittedColumns, hours: float) -> list[tuple[Ints, Ints]]:
    """Output above the minimum changes by the ramp at most from one period to the next, starts and stops apart; the rows upwards and their units.

    Source: Damci-Kurt, Küçükyavuz, Rajan and Atamtürk, Mathematical Programming 158 (2016) 175, as in Knueven, Ostrowski and Watson (2020).
    """
    before_mw = np.where(units.on_h > 0, units.before_mw - units.p_min_mw, 0.0)
    is_known = np.isfinite(before_mw)
    found = []
    for step_mw, switched_mw, switched, sign in (
        (units.ramp_mw_per_h * hours, units.start_room_mw, columns.starts, 1.0),
        (units.down_mw_per_h * hours, units.stop_room_mw, columns.stops, -1.0),
    ):
        which = np.flatnonzero(step_mw < units.room_mw)
        if not len(which):
            continue
        step, extra = step_mw[which], (switched_mw - step_mw)[which]
        high = np.zeros((len(columns.on), len(which)))
        high[0] = np.where(is_known, sign * before_mw, INFINITE)[which]
        if sign < 0.0:
            high[0] += np.where(units.on_h[which] > 0, step, 0.0)
        row = program.rows(-INFINITE, high)
        program.put(row, columns.above[:, which], sign)
        program.put(row[1:], columns.above[:-1, which], -sign)
        program.put(row, switched[:, which], -extra)
        if sign > 0.0:
            program.put(row, columns.on[:, which], -step)
            found.append((row, which))
        else:
            program.put(row[1:], columns.on[:-1, which], -step)
    return found


def _start_costs(program: Program, units: CommittedUnits, columns: CommittedColumns) -> list[tuple[Ints, Ints]]:
    """A start costs as much as a cold one, less what is saved by one that comes soon enough after a stop: the columns of that and their units."""
    periods, found = len(columns.on), []
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
        found.append((warm, which))
    return found


def _stopped_before(units: CommittedUnits, which: Ints, until_h: Ints, periods: int) -> Floats:
    """(periods, which) 1 where a unit that was off at the beginning would still be warm at a start."""
    off_h = np.where(units.on_h[which] <= 0, -units.on_h[which], periods + 10**6)
    return np.where(off_h + np.arange(periods)[:, np.newaxis] < until_h, 1.0, 0.0)

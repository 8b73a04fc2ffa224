"""What a schedule costs at least in which a unit is on, or off, in an hour: by the prices of the relaxed program, unit by unit.

At prices of energy each unit has a cheapest day of its own, found over its stretches on and off; what all of these cost together, with the rest of the
program, is a bound below every schedule (Lagrangian relaxation: Muckstadt and Koenig, Operations Research 25 (1977) 387; source not read), and a unit that is
told what to do in an hour lifts it by what its own day becomes dearer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.formulations.program import Program, Solution
from heptagrid.planes.money.formulations.thermal_units import CommittedColumns
from heptagrid.world.commitment_case import CommitmentCase, CommittedUnits

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LeastCosts:
    """Below which no schedule can cost: any; with a unit on in an hour, and with it off, (periods, units) each; -inf of units that are not looked at."""

    any: float
    on: Floats
    off: Floats


def least_costs(
    case: CommitmentCase, program: Program, columns: CommittedColumns, relaxed: Solution, price: Floats
) -> LeastCosts:
    """Of the relaxed program's solution and its prices, (periods, buses), which are all that its units have in common but for reservoirs and reserves.

    Units with a reservoir are not looked at. Ramps, and limits of starts and stops, are left out, so that a day may be too cheap here but never too dear.
    """
    units = case.units
    assert relaxed.objective is not None
    at_bus = price[:, units.bus]
    earned = np.minimum(units.block_cost - at_bus[:, :, np.newaxis], 0.0)
    an_hour_on = units.no_load - at_bus * units.p_min_mw + (units.block_mw * earned).sum(axis=2)
    days = _Days(units, an_hour_on)
    is_free = np.ones(len(units), dtype=np.bool_)
    is_free[case.reservoirs.unit] = False
    in_part = _costs_in_part(units, program, columns, relaxed.x, at_bus)
    bound = relaxed.objective + float((days.least - in_part)[is_free].sum())
    on, off = days.told()
    return LeastCosts(
        any=max(relaxed.objective, bound),
        on=np.where(is_free, bound + on - days.least, -np.inf),
        off=np.where(is_free, bound + off - days.least, -np.inf),
    )


def _costs_in_part(
    units: CommittedUnits, program: Program, columns: CommittedColumns, x: Floats, price: Floats
) -> Floats:
    """(units,) what the relaxed program's units cost, less what they earn at the prices."""
    cost = np.zeros(len(units))
    everybody = np.arange(len(units))
    own = [(one, everybody) for one in (columns.on, columns.starts, columns.stops)]
    for which, owners in (*own, *columns.costed):
        _, _, each = program.bounds_of(which)
        np.add.at(cost, owners, (each * x[which]).sum(axis=0))
    given_mw = units.p_min_mw * x[columns.on] + x[columns.above]
    return np.asarray(cost - (price * given_mw).sum(axis=0))


class _Days:
    """Each unit's cheapest day: over stretches on, [begin, end), and stretches off between them, as two tables of costs that grow forwards and backwards."""

    def __init__(self, units: CommittedUnits, an_hour_on: Floats) -> None:
        """an_hour_on: (periods, units) what an hour on costs less what it earns."""
        self._periods, count = an_hour_on.shape
        self._units = units
        self._until = np.vstack([np.zeros(count), np.cumsum(an_hour_on, axis=0)])
        last = self._periods
        shape = (last + 1, count)
        # The least up to a start, or a stop, at the beginning of an hour; at the last, for having been off, or on, until the end.
        self._to_start, self._to_stop = np.full(shape, np.inf), np.full(shape, np.inf)
        for hour in range(last + 1):
            starts = [self._to_stop[then] + self._off(then, hour) for then in range(hour)]
            stops = [self._to_start[then] + self._on(then, hour) for then in range(hour)]
            self._to_start[hour] = np.minimum.reduce([self._first_off(hour), *starts])
            self._to_stop[hour] = np.minimum.reduce([self._first_on(hour), *stops])
        # The least from there on.
        self._from_start, self._from_stop = np.full(shape, np.inf), np.full(shape, np.inf)
        self._from_start[last] = self._from_stop[last] = 0.0
        for hour in range(last - 1, -1, -1):
            later = range(hour + 1, last + 1)
            self._from_start[hour] = np.minimum.reduce([self._on(hour, end) + self._from_stop[end] for end in later])
            self._from_stop[hour] = np.minimum.reduce([self._off(hour, end) + self._from_start[end] for end in later])
        self.least = np.minimum(self._to_start[last], self._to_stop[last])

    def told(self) -> tuple[Floats, Floats]:
        """(periods, units) the cheapest day with the unit on in an hour, and with it off."""
        shape = (self._periods, len(self._units))
        on, off = np.full(shape, np.inf), np.full(shape, np.inf)
        for end in range(1, self._periods + 1):
            whole = self._first_on(end) + self._from_stop[end], self._first_off(end) + self._from_start[end]
            on[:end], off[:end] = np.minimum(on[:end], whole[0]), np.minimum(off[:end], whole[1])
            for begin in range(end):
                part = slice(begin, end)
                is_on = self._to_start[begin] + self._on(begin, end) + self._from_stop[end]
                is_off = self._to_stop[begin] + self._off(begin, end) + self._from_start[end]
                on[part], off[part] = np.minimum(on[part], is_on), np.minimum(off[part], is_off)
        return on, off

    def _on(self, begin: int, end: int) -> Floats:
        """(units,) a stretch on, with the stop at its end; inf if it may not be."""
        return self._stretch_on(begin, end, np.full(len(self._units), end - begin))

    def _first_on(self, end: int) -> Floats:
        """(units,) on from the beginning, as before."""
        units = self._units
        return np.where(units.on_h > 0, self._stretch_on(0, end, units.on_h + end), np.inf)

    def _stretch_on(self, begin: int, end: int, on_h: npt.NDArray[np.int64]) -> Floats:
        units, is_last = self._units, end == self._periods
        may_end = is_last | ((on_h >= units.min_up_h) & ~units.is_always_on)
        cost = self._until[end] - self._until[begin] + (0.0 if is_last else units.cost_of_stop)
        return np.where(may_end, cost, np.inf)

    def _off(self, begin: int, end: int) -> Floats:
        """(units,) a stretch off, with the start at its end; inf if it may not be."""
        return self._stretch_off(end, np.full(len(self._units), end - begin))

    def _first_off(self, end: int) -> Floats:
        """(units,) off from the beginning, as before."""
        units = self._units
        return np.where(units.on_h <= 0, self._stretch_off(end, end - units.on_h), np.inf)

    def _stretch_off(self, end: int, off_h: npt.NDArray[np.int64]) -> Floats:
        units = self._units
        if end == self._periods:
            return np.zeros(len(units))
        heat = (np.ceil(units.cold_after_h) <= off_h[:, np.newaxis]).sum(axis=1) - 1
        cost = units.starts[np.arange(len(units)), np.maximum(heat, 0)]
        return np.where(off_h >= units.min_down_h, cost, np.inf)

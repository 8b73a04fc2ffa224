"""Which units are on in a day, found in a second or two: from the linear relaxation to whole units, then unit after unit to the better.

The relaxation, in which a unit may be on in part, gives a bound below which no schedule can cost, with the branches' limits. What it has on
in part is rounded (`diving`). Then units are switched for the hours in which, at the prices found, that would earn most, where the day becomes cheaper by it: off where
prices do not cover their costs (unit decommitment: Li, Johnson and Svoboda, IEEE Trans. Power Systems 12 (1997) 1658), on where they would more than
cover them. `heptagrid clear` searches a tree to a gap that one chooses.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.sums import weighted_sum
from heptagrid.planes.money.formulations.branch_limits import BranchLimits
from heptagrid.planes.money.formulations.day import DayColumns, add_day, require_reserves
from heptagrid.planes.money.formulations.program import Program, Solution
from heptagrid.planes.money.markets.diving import dive
from heptagrid.planes.money.markets.schedule import unit_costs
from heptagrid.planes.money.markets.unit_commitment import bus_prices
from heptagrid.world.commitment_case import CommitmentCase

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_TRIES = 40  # schedules that are tried with a unit switched
_IN_VAIN = 8  # of them one after the other, after which no more are
_LIMIT_ROUNDS = 60  # solutions in which limits that are broken are added
_LEAST = 1.0  # that a switch must promise to be tried, in the case's money


@dataclass(frozen=True)
class Committed:
    """on: (periods, units). cost: of the cheapest outputs then, what is unserved or short included. bound: below which no schedule can cost.

    reservoir_mwh: (reservoirs,) what is in them at the end.
    """

    on: Bools
    cost: float
    bound: float
    reservoir_mwh: Floats

    @property
    def gap(self) -> float:
        """By how much the cost may lie above the least, as a part of it."""
        return max(self.cost - self.bound, 0.0) / max(abs(self.cost), 1e-9)


def search(case: CommitmentCase) -> Committed:
    """Commit the units of a case, with its network's limits and its reserves."""
    found = _Search(case)
    relaxed = found.solved()
    dived = found.dive(relaxed)
    best = found.improve(dived)
    assert best.objective is not None and relaxed.objective is not None
    contents = best.x[found.columns.reservoir]
    return Committed(
        on=best.x[found.columns.units.on] > 0.5,
        cost=best.objective,
        bound=relaxed.objective,
        reservoir_mwh=contents[-1] if contents.size else np.empty(0),
    )


class _Search:
    """The relaxed program of a case, whose units are switched on and off by their bounds."""

    def __init__(self, case: CommitmentCase) -> None:
        self.case, self.program = case, Program()
        self.columns: DayColumns = add_day(self.program, case)
        if len(case.reserves):
            require_reserves(self.program, case, self.columns)
        network = case.network
        self._grid = BranchLimits(case, network, self.columns, False) if network is not None else None
        self.program.relax_integers()
        low, high, _ = self.program.bounds_of(self.columns.units.on)
        self._low, self._high = low, high

    def solved(self) -> Solution:
        """Solve, and again with the limits that are broken until none is."""
        for _ in range(_LIMIT_ROUNDS):
            found = self.program.solve()
            if self._grid is None or not found.has_point or self._grid.add_broken(self.program, found.x) == 0:
                break
        return found

    def dive(self, relaxed: Solution) -> Solution:
        """Round what is on in part until every unit is on or off."""
        return dive(relaxed, self.columns.units.on, self._low, self._high, self._with)

    def _with(self, low: Floats, high: Floats) -> Solution:
        self.program.change_columns(self.columns.units.on, low, high)
        return self.solved()

    def improve(self, found: Solution) -> Solution:
        """Switch units for some hours, off or on, where that makes the day cheaper; the most promising first."""
        refused: set[tuple[int, int, int]] = set()
        best = found
        for _ in range(_TRIES):
            on = best.x[self.columns.units.on] > 0.5
            switches = [one for one in self._switches(best, on) if one[1:] not in refused]
            if not switches or len(refused) >= _IN_VAIN:
                break
            _, unit, first, last = max(switches)
            trial = on.astype(np.float64)
            trial[first:last, unit] = 1.0 - trial[first:last, unit]
            self.program.change_columns(self.columns.units.on, trial, trial)
            tried = self.solved()
            assert best.objective is not None
            if tried.objective is not None and tried.objective < best.objective - 1e-6:
                best, refused = tried, set()
            else:
                refused.add((unit, first, last))
        return best

    def _switches(self, found: Solution, on: Bools) -> list[tuple[float, int, int, int]]:
        """What might be earned by switching a unit: amount, unit, first hour, and the hour after the last; within its bounds.

        Of each stretch in which a unit is on, or off, the whole and the part in which it would earn most.
        """
        units, columns = self.case.units, self.columns
        unit_mw = np.where(on, units.p_min_mw, 0.0) + found.x[columns.units.above]
        price = bus_prices(self.case, columns, self._grid, found)[:, units.bus]
        lacking = unit_costs(units, on, unit_mw) - price * unit_mw
        start = units.starts[:, 0]
        switches = []
        for unit in np.flatnonzero(~units.is_always_on).tolist():
            worth = np.where(on[:, unit], lacking[:, unit], self._profit(unit, price[:, unit]))
            for first, last in _stretches(on[:, unit]):
                is_on = bool(on[first, unit])
                whole = float(worth[first:last].sum()) - (0.0 if is_on else start[unit])
                low, high = _best_part(worth[first:last])
                inner = float(worth[first + low : first + high].sum()) - start[unit]
                for amount, begin, end in ((whole, first, last), (inner, first + low, first + high)):
                    may = self._high[begin:end, unit].all() if not is_on else not self._low[begin:end, unit].any()
                    if amount > _LEAST and end > begin and may:
                        switches.append((amount, unit, begin, end))
        return switches

    def _profit(self, unit: int, price: Floats) -> Floats:
        """(periods,) what a unit would earn by being on: its blocks that prices cover, and its least output."""
        units = self.case.units
        above = weighted_sum(units.block_mw[unit], np.maximum(price[:, np.newaxis] - units.block_cost[unit], 0.0))
        return np.asarray(above + price * units.p_min_mw[unit] - units.no_load[unit])


def _stretches(on: Bools) -> list[tuple[int, int]]:
    """Where a unit is on, or off, at a stretch: first hour, and the hour after the last."""
    edges = np.concatenate([[0], np.flatnonzero(on[1:] != on[:-1]) + 1, [len(on)]]).tolist()
    return list(pairwise(edges))


def _best_part(worth: Floats) -> tuple[int, int]:
    """The contiguous part of greatest sum: first, and after the last."""
    best, here, begin, found = -np.inf, 0.0, 0, (0, 0)
    for k, one in enumerate(worth.tolist()):
        if here <= 0.0:
            here, begin = 0.0, k
        here += one
        if here > best:
            best, found = here, (begin, k + 1)
    return found

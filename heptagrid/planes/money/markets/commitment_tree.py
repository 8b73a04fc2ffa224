"""The search for whole units near the relaxed program's prices: in a narrow box first, in wider ones from there, with a bound that holds for all schedules.

A box leaves open what a schedule below a target may do, by `least_costs`; the rest is fixed. So a schedule lies in the box or costs more than the target, and the lesser of the
target and of the search's bound is a bound. A narrow box is searched soon, and a good schedule to begin with is what makes the search of a wider one short:
the first is found by rounding in the narrowest box (`diving`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.formulations.program import Program, Solution
from heptagrid.planes.money.markets.diving import dive
from heptagrid.planes.money.markets.least_costs import LeastCosts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SHARE = 0.95  # of the gap that is asked for is left to the search; the limits that it does not know yet take the rest
LEAST_GAP = 1e-4  # below which what rounding leaves of prices could decide what is fixed
_BOXES = (1.0, 5.0, np.inf)  # gaps above the first bound that boxes reach at most, one after the other
_IN_A_NARROW = 1.5  # gaps to which a box is searched that is too narrow for the proof
_SEARCH = {
    "mip_heuristic_run_feasibility_jump": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_root_reduced_cost": False,
    "mip_allow_restart": False,
}
"""HiGHS searches its tree alone: its searches within the search take longer than the tree once there is a schedule to begin with."""


class Tree:
    """The search of a program whose relaxation is solved: of which units are on, (periods, units)."""

    def __init__(
        self, program: Program, on: Ints, least: LeastCosts, settle: Callable[[], Solution], gap: float
    ) -> None:
        """settle: solves the program as it is, and again with the limits that are broken until none is. gap: to which schedules are sought."""
        self._program, self._on, self._least, self._settle = program, on, least, settle
        self._gap = gap
        self._low, self._high, _ = program.bounds_of(on)

    def search(self, start: Solution | None, most_nodes: int | None) -> Solution:
        """The cheapest schedule found, as its bound proves it; `start`: one that is known."""
        base, wanted = self._least.any, SHARE * self._gap
        found, bound, seconds, nodes = start, base, 0.0, 0
        for reach in _BOXES:
            target = base * (1.0 + reach * self._gap)
            if found is None:
                found = self._rounded(target)
                seconds += found.seconds
            known = found if found.has_point else None
            proof = np.inf if known is None else _cost(known) * (1.0 - wanted)
            target = min(target, proof)
            self._within(target, known)
            tried = self._program.solve(
                gap=wanted if target == proof else _IN_A_NARROW * self._gap,
                most_nodes=most_nodes,
                start=None if known is None else known.x,
                **_SEARCH,
            )
            seconds, nodes = seconds + tried.seconds, nodes + tried.nodes
            if tried.bound is not None:
                bound, found = max(bound, min(tried.bound, target)), tried
            if found.has_point and bound >= _cost(found) * (1.0 - wanted):
                break
        assert found is not None
        return replace(found, bound=bound if found.has_point else None, seconds=seconds, nodes=nodes)

    def _bounds(self, target: float) -> tuple[Floats, Floats]:
        """Between which units are on in schedules that cost no more than the target."""
        low = np.where((self._least.off > target) & (self._high > 0.5), 1.0, self._low)
        high = np.where((self._least.on > target) & (self._low < 0.5), 0.0, self._high)
        return low, high

    def _within(self, target: float, start: Solution | None) -> None:
        """Units are whole, and in the box, in which `start` is too."""
        low, high = self._bounds(target)
        if start is not None:
            is_on = np.rint(start.x[self._on])
            low, high = np.minimum(low, is_on), np.maximum(high, is_on)
        self._program.restore_integers()
        self._program.change_columns(self._on, low, high)

    def _rounded(self, target: float) -> Solution:
        """A schedule of the box, by rounding what the relaxed program has on in part; without a point if none is found."""
        low, high = self._bounds(target)
        seconds = 0.0

        def solved_within(low: Floats, high: Floats) -> Solution:
            nonlocal seconds
            self._program.change_columns(self._on, low, high)
            solved = self._settle()
            seconds += solved.seconds
            return solved

        self._program.relax_integers()
        found = solved_within(low, high)
        if found.has_point:
            found = dive(found, self._on, low, high, solved_within)
        return replace(found, seconds=seconds)


def _cost(found: Solution) -> float:
    return np.inf if found.objective is None else found.objective

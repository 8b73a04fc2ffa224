"""Losses of a network in a day's program of flows without losses: a column for the losses of each period, no less than what its flows lose.

What a branch loses is its resistance times the square of its flow, at 1 pu. All that a period loses is taken out at the ends of the branches that lose it, in shares that
a program keeps (loss distribution factors). What the flows lose is convex in what buses feed in, so that a tangent at any point lies nowhere above it; its slopes
there are the loss factors. Tangents are added where a program's losses lie below those of its own flows. Source: Litvinov, Zheng, Rosenwald and
Shamsollahi, "Marginal loss modeling in LMP calculation", IEEE Trans. Power Systems 19 (2004) 880 (abstract read); tangents as Kelley (1960).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.money.formulations.branch_limits import BranchLimits
from heptagrid.planes.money.formulations.day import DayColumns, injections
from heptagrid.planes.money.formulations.program import INFINITE, Program, Solution
from heptagrid.world.commitment_case import BranchNetwork, CommitmentCase

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Point = tuple[int, Floats]
"""A period, and what each bus feeds in, (buses,)."""

TOLERANCE = 1e-4  # of the losses of a period's flows, by which its own may differ
_COARSE = 0.01  # the same where nothing is gained by more
_WORTHLESS = 1e-8  # of a period's cost: nothing, even of small losses at ordinary prices
_LEAST_MW = 1e-5  # below which they need not be nearer


def shares_of_load(load_mw: Floats) -> Floats:
    """(periods, buses) shares by load, to begin with; evenly, where there is none."""
    taken = np.maximum(load_mw, 0.0)
    total = taken.sum(axis=1, keepdims=True)
    return np.where(total > 0.0, taken / np.where(total > 0.0, total, 1.0), 1.0 / load_mw.shape[1])


class LossTangents:
    """The losses of a program: what its flows lose, and the tangents that hold its column of losses above that.

    points: at which there are tangents, of any program with this case.
    """

    def __init__(
        self,
        case: CommitmentCase,
        network: BranchNetwork,
        columns: DayColumns,
        grid: BranchLimits,
        tolerance: float = TOLERANCE,
    ) -> None:
        """Set up; tolerance: of the losses of a period's flows, by which its own may differ.

        Raises
        ------
        NetworkError
            If the network's resistances are not known.
        """
        if len(network.loss_mw_per_mw2) != len(network.from_bus):
            raise NetworkError(f"{case.name}: losses need the resistances of its branches; --losses off")
        self._case, self._network, self._columns, self._grid = case, network, columns, grid
        self._tolerance = tolerance
        self.points: list[Point] = []
        self._rows: list[tuple[int, int, Floats]] = []  # row, period, loss factors

    def lost_mw(self, flow_mw: Floats) -> Floats:
        """(periods, branches) what flows, (periods, branches), lose."""
        return np.asarray(self._network.loss_mw_per_mw2 * flow_mw**2)

    def add(self, program: Program, points: Iterable[Point]) -> None:
        """Add tangents."""
        load_mw, column_of = self._case.load_mw, self._columns.losses
        for period, fed_in_mw in points:
            flow = self._grid.factors @ fed_in_mw
            lost = self._network.loss_mw_per_mw2 * flow
            factors = (2.0 * lost) @ self._grid.factors
            # losses >= at the point + factors (fed in - there): twice what is lost there is what the factors make of it
            bound = -float(lost @ flow) - float(factors @ load_mw[period])
            row = program.rows(bound, INFINITE)
            program.put(row, column_of[period], 1.0)
            for column, bus, value in injections(self._case, self._columns):
                program.put(row, column[period], -factors[bus] * np.broadcast_to(value, column.shape)[period])
            self.points.append((period, fed_in_mw))
            self._rows.append((int(row), period, factors))

    def add_missing(self, program: Program, found: Solution) -> int:
        """Add tangents where a linear program's losses lie below those of its flows; how many.

        Where a MWh is worth next to nothing, many dispatches are equally cheap, and losses need not be so near. Where they lie above, for energy is worth less
        than nothing and is lost in vain, they are held at those of the flows, which counts too.
        """
        fed_in = self._grid.fed_in_mw(found.x)
        true = self.lost_mw(fed_in @ self._grid.factors.T).sum(axis=1)
        own = found.x[self._columns.losses]
        slack = np.maximum(self._tolerance * true, _LEAST_MW)
        assert found.objective is not None
        without_worth = (true - own) * self._worth(found) <= _WORTHLESS * abs(found.objective) / len(true)
        below = np.flatnonzero(own < true - np.where(without_worth, np.maximum(slack, _COARSE * true), slack))
        above = np.flatnonzero(own > true + slack)
        self.add(program, [(int(t), fed_in[t]) for t in below])
        if len(above):
            program.change_columns(self._columns.losses[above], np.zeros(len(above)), true[above])
        return len(below) + len(above)

    def _worth(self, found: Solution) -> Floats:
        """(periods,) what a MWh less that is lost would save."""
        worth = np.zeros(len(self._columns.losses))
        for row, period, _ in self._known_to(found):
            worth[period] += found.dual[row]
        return worth

    def _known_to(self, found: Solution) -> list[tuple[int, int, Floats]]:
        """The tangents that a solution knew."""
        return [one for one in self._rows if one[0] < len(found.dual)]

    def residual_mw(self, x: Floats) -> float:
        """By how much the losses of a period differ at most from those of its flows."""
        true = self.lost_mw(self._grid.flows_mw(x)).sum(axis=1)
        return float(np.abs(true - x[self._columns.losses]).max())

    def shares(self, x: Floats) -> Floats:
        """(periods, buses) which part of a point's losses lies at each bus: half of a branch's at either end."""
        each = self.lost_mw(self._grid.flows_mw(x))
        at_bus = np.zeros(self._case.load_mw.shape)
        for ends in (self._network.from_bus, self._network.to_bus):
            np.add.at(at_bus.T, ends, 0.5 * each.T)
        total = at_bus.sum(axis=1, keepdims=True)
        return np.where(total > 0.0, at_bus / np.where(total > 0.0, total, 1.0), self._columns.loss_share)

    def prices(self, priced: Solution) -> Floats:
        """(periods, buses) what a MWh more at a bus costs for the losses that it causes; 0 at the reference of the flows."""
        price = np.zeros(self._case.load_mw.shape)
        for row, period, factors in self._known_to(priced):
            price[period] -= priced.dual[row] * factors
        return price

"""The program of an hour on a network: limits of branches and tangents of costs are added as they are needed, and its arrays certify the answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack

from heptagrid.planes.money.formulations.active_set import optimum_near
from heptagrid.planes.money.formulations.hour_losses import HourLosses
from heptagrid.planes.money.formulations.network import AngleNetwork, NetworkColumns, put_limits, put_network
from heptagrid.planes.money.formulations.program import Program, Solution
from heptagrid.planes.money.formulations.units import UnitColumns, UnitCosts, put_first_cuts, put_tangents, put_units
from heptagrid.world.market_case import Bools, Floats

OVER_MW = 1e-6  # a flow beyond its limit by less is at it


class ColumnCosts:
    """Costs of all columns of the program: of units, and none of angles and direct-current lines."""

    def __init__(self, costs: UnitCosts) -> None:
        self._costs = costs
        self._count = len(costs.units.names)

    def value(self, x: Floats) -> Floats:
        """What each column costs, (columns,)."""
        return self._with_others(self._costs.value(x[: self._count]), x)

    def slopes(self, x: Floats) -> tuple[Floats, Floats]:
        """What one MW less saves and one more costs, (columns,) each."""
        below, above = self._costs.slopes(x[: self._count])
        return self._with_others(below, x), self._with_others(above, x)

    def bend(self, x: Floats) -> Floats:
        """How fast the slopes rise, (columns,)."""
        return self._with_others(self._costs.bend(x[: self._count]), x)

    def best_output(self, price: Floats, low: Floats, high: Floats) -> Floats:
        """Where within bounds a column gains most at a price, (columns,)."""
        best = np.where(price > 0.0, high, low)
        units = slice(self._count)
        best[units] = self._costs.best_output(price[units], low[units], high[units])
        return best

    def _with_others(self, of_units: Floats, x: Floats) -> Floats:
        return np.concatenate([of_units, np.zeros(len(x) - self._count)])


class Hour:
    """The program of an hour, with limits and tangents added as they are needed, and all of its arrays for the certificate."""

    def __init__(self, network: AngleNetwork, losses: HourLosses | None = None) -> None:
        case = network.case
        units, lines = case.units, case.direct_lines
        self.network = network
        self.unit_costs = UnitCosts(units)
        self.costs = ColumnCosts(self.unit_costs)
        self.program = Program()
        self.units: UnitColumns = put_units(self.program, self.unit_costs)
        self.columns: NetworkColumns = put_network(self.program, network, self.units.output, case.load_mw)
        self.losses = losses
        self.lost = self.program.columns(np.zeros(0 if losses is None else losses.islands), self._most_mw)
        place = csr_matrix((len(network.island), 0)) if losses is None else losses.place()
        entries = place.tocoo()
        self.program.put(self.columns.balance[entries.row], self.lost[entries.col], entries.data)
        put_first_cuts(self.program, self.unit_costs, self.units)
        angle_low, angle_high = network.angle_bounds()
        nothing = np.zeros(len(self.lost))
        self.low = np.concatenate([units.low_mw, angle_low, lines.low_mw, nothing])
        self.high = np.concatenate([units.high_mw, angle_high, lines.high_mw, nothing + self._most_mw])
        needed, (limit_low, limit_high) = network.needed_mw(case.load_mw), network.limits_mw()
        self.row_low, self.row_high = np.concatenate([needed, limit_low]), np.concatenate([needed, limit_high])
        flows = network.flow_matrix()
        branches, count = flows.shape[0], len(units.names)
        sides = csr_matrix((branches, count)), flows, csr_matrix((branches, len(lines.names) + len(self.lost)))
        self.matrix: Any = vstack([hstack([network.balance_matrix(), place]), hstack(sides)]).tocsr()
        self.number = np.concatenate([self.units.output, self.columns.angle, self.columns.direct, self.lost])
        self.loss_rows: list[int] = []
        self.limit_row = np.full(branches, -1)
        self.is_bent = bool(len(self.units.bent))

    @property
    def _most_mw(self) -> float:
        return 0.0 if self.losses is None else self.losses.most_mw

    def _angles(self, x: Floats) -> Floats:
        units = len(self.units.output)
        return x[units : units + len(self.columns.angle)]

    def add_losses(self, x: Floats) -> bool:
        """Add tangents of losses where these lie below those of the flows; whether there was one."""
        losses = self.losses
        if losses is None:
            return False
        angle, lost = self._angles(x), x[len(x) - len(self.lost) :]
        short = np.flatnonzero(losses.is_short(angle, lost)).tolist()
        first = len(self.units.output)
        for island in short:
            slope, at_rest = losses.tangent(angle, island)
            row = self.program.rows(at_rest, np.inf)
            self.program.put(row, self.columns.angle, -slope)
            self.program.put(row, self.lost[island], 1.0)
            self.loss_rows.append(int(row))
            whole = np.zeros(self.matrix.shape[1])
            whole[first : first + len(slope)] = -slope
            whole[len(x) - len(self.lost) + island] = 1.0
            self.matrix = vstack([self.matrix, csr_matrix(whole)]).tocsr()
            self.row_low, self.row_high = np.append(self.row_low, at_rest), np.append(self.row_high, np.inf)
        return bool(short)

    def limit(self, branch: Any) -> None:
        """Add the limits of branches."""
        self.limit_row[branch] = put_limits(self.program, self.network, self.columns, (), branch)

    def point(self, found: Solution) -> tuple[Floats, Floats]:
        """Quantities and prices of a solution; the prices of limits that it does not have are zero."""
        dual, has = np.zeros(len(self.row_low)), np.flatnonzero(self.limit_row >= 0)
        buses = len(self.columns.balance)
        dual[:buses] = found.dual[self.columns.balance]
        dual[buses + has] = found.dual[self.limit_row[has]]
        dual[len(dual) - len(self.loss_rows) :] = found.dual[self.loss_rows]
        return found.x[self.number], dual

    def beyond(self, x: Floats) -> Bools:
        """(branches,) whose flow is beyond limits that the program has not got yet."""
        buses = len(self.columns.balance)
        branches = slice(buses, buses + len(self.limit_row))
        row, low, high = (one[branches] for one in (self.matrix @ x, self.row_low, self.row_high))
        return np.asarray(((row > high + OVER_MW) | (row < low - OVER_MW)) & (self.limit_row < 0))

    def exact(self, x: Floats, dual: Floats) -> tuple[Floats, Floats] | None:
        """The optimum, from a point near it; None if what binds there is not found. Limits that the program has not got yet count too."""
        return optimum_near(self.matrix, x, dual, self.low, self.high, self.row_low, self.row_high, self.costs)

    def tangents(self, x: Floats, usd: Floats | None, least: float) -> int:
        """Add tangents at a point where the program's cost `usd` (bent,) is below the true one by `least` or more, at all if None; how many."""
        p_mw = np.clip(x, self.low, self.high)[: len(self.units.output)]
        bent = self.units.bent
        where = np.ones(len(bent), dtype=np.bool_) if usd is None else self.unit_costs.value(p_mw)[bent] - usd > least
        put_tangents(self.program, self.unit_costs, self.units, p_mw, where)
        return int(where.sum())

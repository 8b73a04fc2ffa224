"""A linear or mixed-integer program in the making, and its solution by HiGHS.

Least cost' x with low <= x <= high and low <= A x <= high. Columns and rows are added in blocks of any shape and known by their numbers; rows may
be added to a program that has been solved, which then goes on from its last basis. Source of the solver: Huangfu and Hall, "Parallelizing the
dual revised simplex method", Mathematical Programming Computation 10 (2018).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

INFINITE = np.inf
OPTIMAL, INFEASIBLE, UNBOUNDED, STOPPED = "optimal", "infeasible", "unbounded", "stopped"


@dataclass(frozen=True)
class Solution:
    """What a program came to.

    status: `optimal` (within the gap that was asked for), `infeasible`, `unbounded`, or `stopped` at a limit. objective: None without a
    solution that satisfies all rows. bound: below which no solution can lie. gap: (objective - bound) / |objective|; 0 of a linear program.
    x: (columns,); dual: (rows,) what one more of a row's bound would change; reduced_cost: (columns,), likewise; the latter two of linear
    programs only, else empty.
    """

    status: str
    objective: float | None
    bound: float | None
    gap: float | None
    x: Floats
    dual: Floats
    reduced_cost: Floats
    seconds: float
    nodes: int

    @property
    def has_point(self) -> bool:
        """Whether there is a point that satisfies all rows."""
        return self.objective is not None


class Program:
    """A program in the making."""

    def __init__(self) -> None:
        self.columns_count = self.rows_count = 0
        self._column_parts: list[tuple[Floats, Floats, Floats, bool]] = []  # low, high, cost, is_integer
        self._row_parts: list[tuple[Floats, Floats]] = []
        self._entries: list[tuple[Ints, Ints, Floats]] = []  # rows, columns, values
        self._solver: Any = None
        self._passed_rows = 0
        self._has_integers = False

    def columns(
        self, low: npt.ArrayLike, high: npt.ArrayLike, cost: npt.ArrayLike = 0.0, *, is_integer: bool = False
    ) -> Ints:
        """Add columns with these bounds and costs, broadcast against one another; their numbers, of that shape.

        Raises
        ------
        ValueError
            After the first `solve`.
        """
        if self._solver is not None:
            raise ValueError("columns are added before the first solve")
        lows, highs, costs = np.broadcast_arrays(*(np.asarray(one, dtype=np.float64) for one in (low, high, cost)))
        first = self.columns_count
        self.columns_count += lows.size
        self._column_parts.append((lows.ravel(), highs.ravel(), costs.ravel(), is_integer))
        self._has_integers |= is_integer
        return np.arange(first, self.columns_count).reshape(lows.shape)

    def rows(self, low: npt.ArrayLike, high: npt.ArrayLike) -> Ints:
        """Add rows with these bounds, broadcast against one another; their numbers, of that shape."""
        lows, highs = np.broadcast_arrays(*(np.asarray(one, dtype=np.float64) for one in (low, high)))
        first = self.rows_count
        self.rows_count += lows.size
        self._row_parts.append((lows.ravel(), highs.ravel()))
        return np.arange(first, self.rows_count).reshape(lows.shape)

    def put(self, rows: npt.ArrayLike, columns: npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Put coefficients, broadcast against one another; several for one row and column are added up. Of rows not solved yet."""
        row, column = np.broadcast_arrays(np.asarray(rows, dtype=np.int64), np.asarray(columns, dtype=np.int64))
        value = np.broadcast_to(np.asarray(values, dtype=np.float64), row.shape)
        self._entries.append((row.ravel(), column.ravel(), value.ravel()))

    def change_columns(self, columns: Ints, low: npt.ArrayLike, high: npt.ArrayLike) -> None:
        """Give columns other bounds, broadcast against `columns`; before or after a solve."""
        which = np.asarray(columns, dtype=np.int64).ravel()
        lows, highs = (np.ascontiguousarray(np.broadcast_to(one, np.shape(columns))).ravel() for one in (low, high))
        self._ready()
        self._solver.changeColsBounds(
            len(which), which.astype(np.int32), lows.astype(np.float64), highs.astype(np.float64)
        )

    def change_costs(self, columns: Ints, cost: npt.ArrayLike) -> None:
        """Give columns other costs, broadcast against `columns`; before or after a solve."""
        which = np.asarray(columns, dtype=np.int64).ravel()
        costs = np.ascontiguousarray(np.broadcast_to(cost, np.shape(columns)), dtype=np.float64).ravel()
        self._ready()
        self._solver.changeColsCost(len(which), which.astype(np.int32), costs)

    def bounds_of(self, columns: Ints) -> tuple[Floats, Floats, Floats]:
        """Bounds and costs of columns as they were added, shaped as `columns`."""
        low, high, cost, _ = self._column_table()
        return low[columns], high[columns], cost[columns]

    def fix_integers(self, x: Floats) -> None:
        """From now on the integers keep their values in `x`, and the program is linear: its duals are prices."""
        low, high, which = self._integer_columns()
        value = np.clip(np.rint(x[which]), low, high)
        self.relax_integers()
        self._solver.changeColsBounds(len(which), which.astype(np.int32), value, value)

    def relax_integers(self) -> None:
        """From now on integers may be any number between their bounds."""
        self._mark_integers(is_integer=False)

    def restore_integers(self) -> None:
        """From now on integers are integers again, between their own bounds."""
        low, high, which = self._integer_columns()
        self._solver.changeColsBounds(len(which), which.astype(np.int32), low, high)
        self._mark_integers(is_integer=True)

    def _mark_integers(self, *, is_integer: bool) -> None:
        _, _, which = self._integer_columns()
        kinds = np.full(len(which), 1 if is_integer else 0, dtype=np.uint8)
        self._solver.changeColsIntegrality(len(which), which.astype(np.int32), kinds)
        self._has_integers = is_integer and len(which) > 0

    def _integer_columns(self) -> tuple[Floats, Floats, Ints]:
        self._ready()
        low, high, _, is_integer = self._column_table()
        which = np.flatnonzero(is_integer)
        return low[which], high[which], which

    def solve(
        self, *, gap: float = 0.0, most_nodes: int | None = None, start: Floats | None = None, **options: Any
    ) -> Solution:
        """Solve with one thread and a fixed seed, so that the same program has the same answer everywhere.

        Parameters
        ----------
        gap : of a mixed-integer program, relative, at which to stop.
        most_nodes : of its search tree at which to stop; there is no limit of time, for the answer would hang on the machine.
        start : (columns,) a point from which a mixed-integer search may begin.
        options : of HiGHS, by name.
        """
        self._ready()
        self._pass_rows()
        solver = self._solver
        solver.setOptionValue("mip_rel_gap", float(gap))
        if most_nodes is not None:
            solver.setOptionValue("mip_max_nodes", int(most_nodes))
        for name, value in options.items():
            solver.setOptionValue(name, value)
        if start is not None:
            self._begin_at(start)
        began = time.perf_counter()
        solver.run()
        return self._solution(time.perf_counter() - began)

    def _begin_at(self, point: Floats) -> None:
        from highspy import HighsSolution

        begin = HighsSolution()
        begin.col_value = point.tolist()
        self._solver.setSolution(begin)

    def _solution(self, seconds: float) -> Solution:
        from highspy import HighsModelStatus, SolutionStatus

        solver = self._solver
        names = {
            HighsModelStatus.kOptimal: OPTIMAL,
            HighsModelStatus.kInfeasible: INFEASIBLE,
            HighsModelStatus.kUnbounded: UNBOUNDED,
            HighsModelStatus.kUnboundedOrInfeasible: INFEASIBLE,
        }
        status = names.get(solver.getModelStatus(), STOPPED)
        info = solver.getInfo()
        has_point = (
            status in (OPTIMAL, STOPPED) and info.primal_solution_status == SolutionStatus.kSolutionStatusFeasible
        )
        found = solver.getSolution()
        empty = np.empty(0)
        objective = float(info.objective_function_value) if has_point else None
        bound = objective
        if self._has_integers and has_point:
            bound = float(info.mip_dual_bound)
        elif status == STOPPED:
            bound = None
        gap = None
        if objective is not None and bound is not None:
            gap = abs(objective - bound) / max(abs(objective), 1e-9)
        is_linear = status == OPTIMAL and not self._has_integers
        return Solution(
            status=status,
            objective=objective,
            bound=bound,
            gap=gap,
            x=np.array(found.col_value) if has_point else empty,
            dual=np.array(found.row_dual) if is_linear else empty,
            reduced_cost=np.array(found.col_dual) if is_linear else empty,
            seconds=seconds,
            nodes=int(info.mip_node_count) if self._has_integers else 0,
        )

    def _column_table(self) -> tuple[Floats, Floats, Floats, npt.NDArray[np.bool_]]:
        parts = self._column_parts
        low, high, cost = (np.concatenate([part[k] for part in parts]) if parts else np.empty(0) for k in range(3))
        is_integer = [np.full(len(part[0]), part[3]) for part in parts]
        return low, high, cost, np.concatenate(is_integer) if parts else np.empty(0, dtype=np.bool_)

    def _ready(self) -> None:
        """Hand the columns to the solver, once."""
        if self._solver is not None:
            return
        import highspy

        class Quiet(highspy.Highs):
            def enableCallbacks(self) -> None:
                """Callbacks come with a banner on standard output."""

        solver: Any = Quiet()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.setOptionValue("random_seed", 0)
        low, high, cost, is_integer = self._column_table()
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(low), 0
        lp.col_lower_, lp.col_upper_, lp.col_cost_ = low, high, cost
        lp.row_lower_ = lp.row_upper_ = np.empty(0)
        lp.a_matrix_.start_, lp.a_matrix_.index_ = np.zeros(len(low) + 1, dtype=np.int32), np.empty(0, dtype=np.int32)
        lp.a_matrix_.value_ = np.empty(0)
        if is_integer.any():
            kinds = [highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger]
            lp.integrality_ = [kinds[int(one)] for one in is_integer]
        solver.passModel(lp)
        self._solver = solver

    def _pass_rows(self) -> None:
        """Hand the rows that are new to the solver."""
        from scipy.sparse import coo_matrix

        new = self.rows_count - self._passed_rows
        if new == 0:
            return
        low, high = (np.concatenate([part[k] for part in self._row_parts]) for k in range(2))
        row, column, value = (
            np.concatenate([part[k] for part in self._entries]) if self._entries else np.empty(0) for k in range(3)
        )
        shape = (new, self.columns_count)
        matrix = coo_matrix((value, (row.astype(np.int64) - self._passed_rows, column.astype(np.int64))), shape).tocsr()
        self._solver.addRows(
            new,
            low,
            high,
            matrix.nnz,
            matrix.indptr[:-1].astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data,
        )
        self._passed_rows = self.rows_count
        self._row_parts, self._entries = [], []

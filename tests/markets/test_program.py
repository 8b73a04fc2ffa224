"""Linear and mixed-integer programs: what HiGHS finds is optimal by laws that do not ask it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.planes.money.formulations.program import INFEASIBLE, OPTIMAL, UNBOUNDED, Program


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_a_solution_satisfies_its_rows_and_strong_duality(seed: int) -> None:
    """A point inside makes it feasible; the dual's value, from duals and reduced costs alone, equals the cost."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(2, 12), rng.integers(1, 8)
    inside, a = rng.uniform(0.0, 5.0, n), rng.normal(size=(m, n)) * (rng.random((m, n)) < 0.6)
    low, high = inside - rng.uniform(0.0, 2.0, n), inside + rng.uniform(0.0, 2.0, n)
    row_low, row_high = a @ inside - rng.uniform(0.0, 1.0, m), a @ inside + rng.uniform(0.0, 1.0, m)
    cost = rng.normal(size=n)
    program = Program()
    x, rows = program.columns(low, high, cost), program.rows(row_low, row_high)
    program.put(rows[:, np.newaxis], x[np.newaxis, :], a)
    found = program.solve()
    assert found.status == OPTIMAL
    assert found.objective == pytest.approx(cost @ found.x)
    assert (found.x >= low - 1e-6).all()
    assert (a @ found.x >= row_low - 1e-6).all()
    assert (a @ found.x <= row_high + 1e-6).all()
    np.testing.assert_allclose(cost - a.T @ found.dual, found.reduced_cost, atol=1e-6)
    value = np.where(found.dual > 0, row_low, row_high) @ found.dual
    value += np.where(found.reduced_cost > 0, low, high) @ found.reduced_cost
    assert value == pytest.approx(found.objective, abs=1e-5)


def test_rows_added_later_bind() -> None:
    program = Program()
    x = program.columns(0.0, 10.0, [1.0, 2.0, 3.0])
    program.put(program.rows(15.0, 15.0), x, 1.0)
    assert program.solve().objective == 20.0
    program.put(program.rows(-np.inf, 4.0), x[0], 1.0)
    found = program.solve()
    assert found.x.tolist() == [4.0, 10.0, 1.0]
    assert found.dual.tolist() == [3.0, -2.0]


def test_with_its_integers_fixed_a_program_has_prices() -> None:
    """By hand: both units must run for 60 MW; the second, at 30 a MWh, is the marginal one."""
    program = Program()
    on = program.columns(0.0, 1.0, [100.0, 10.0], is_integer=True)
    given_mw = program.columns(0.0, 50.0, [1.0, 30.0])
    limit = program.rows(-np.inf, np.zeros(2))
    program.put(limit, given_mw, 1.0)
    program.put(limit, on, -50.0)
    balance = program.rows(60.0, 60.0)
    program.put(balance, given_mw, 1.0)
    found = program.solve()
    assert (found.status, found.objective, found.gap) == (OPTIMAL, 460.0, 0.0)
    assert not len(found.dual)
    program.fix_integers(found.x)
    priced = program.solve()
    assert priced.objective == 460.0
    assert priced.dual[balance] == 30.0


def test_what_has_no_solution_has_no_cost() -> None:
    program = Program()
    program.put(program.rows(2.0, 3.0), program.columns(0.0, 1.0, 1.0), 1.0)
    found = program.solve()
    assert (found.status, found.objective, found.bound, len(found.x)) == (INFEASIBLE, None, None, 0)
    unbounded = Program()
    unbounded.put(unbounded.rows(-np.inf, np.inf), unbounded.columns(-np.inf, np.inf, 1.0), 1.0)
    assert unbounded.solve().status == UNBOUNDED
    assert unbounded.solve().objective is None


def test_the_solver_writes_nothing_to_standard_output() -> None:
    code = (
        "from heptagrid.planes.money.formulations.program import Program; p = Program(); x = p.columns(0.0, 1.0, 1.0); "
        "p.put(p.rows(0.5, 1.0), x, 1.0); p.solve()"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert said.stdout == b""

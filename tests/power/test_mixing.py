"""Anderson mixing: linear fixed points in as many steps as there are unknowns, and plain steps where memory misleads."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.planes.power.anderson_acceleration import Mixing


def steps_to(matrix: np.ndarray, offset: np.ndarray, mixed: bool, most: int = 500) -> int:
    """Until x = matrix x + offset holds to 1e-10."""
    x, mixing = np.zeros(len(offset)), Mixing()
    for count in range(1, most + 1):
        step = matrix @ x + offset - x
        if np.abs(step).max() < 1e-10:
            return count
        x = mixing.next(x, step) if mixed else x + step
    return most + 1


@pytest.mark.parametrize("factor", [0.95, -0.95])
def test_slow_iterations_become_quick(factor: float) -> None:
    rng = np.random.default_rng(1)
    basis = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    matrix = basis @ np.diag(factor * np.array([1.0, 0.9, 0.5, 0.2, 0.1])) @ basis.T
    offset = rng.standard_normal(5)
    assert steps_to(matrix, offset, mixed=False) > 300
    assert steps_to(matrix, offset, mixed=True) < 20


def test_a_step_that_makes_it_worse_is_followed_by_a_plain_one() -> None:
    mixing = Mixing()
    mixing.next(np.zeros(2), np.array([1.0, 0.0]))
    mixing.next(np.ones(2), np.array([0.1, 0.1]))
    x, step = np.array([5.0, 5.0]), np.array([3.0, -3.0])
    np.testing.assert_array_equal(mixing.next(x, step), x + step)


def test_the_same_steps_give_the_same_path() -> None:
    rng = np.random.default_rng(2)
    xs, steps = rng.standard_normal((10, 4)), rng.standard_normal((10, 4)) * np.linspace(1.0, 0.1, 10)[:, np.newaxis]
    paths = []
    for _ in range(2):
        mixing = Mixing()
        paths.append([mixing.next(x, step).tobytes() for x, step in zip(xs, steps, strict=True)])
    assert paths[0] == paths[1]

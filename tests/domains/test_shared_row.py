"""A shared row holds what was put into it, and leaves the array that others keep as it was."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.foundation.shared_row import SharedRow


@pytest.mark.parametrize("most", [3, 60])
@pytest.mark.parametrize("is_shared", [True, False])
def test_what_was_put_into_a_row_is_found_and_its_base_is_left_alone(most: int, is_shared: bool) -> None:
    random, points = np.random.default_rng(most), 100
    base = random.random(points, np.float32) if is_shared else np.zeros(points, dtype=np.float32)
    expected, row = base.copy(), SharedRow(points)
    row.take(np.arange(5), base[:5], base if is_shared else None)
    for k in range(12):
        some = random.choice(points, random.integers(1, most), replace=False)
        values = random.random(len(some), np.float32) if k % 3 else base[some]
        expected[some] = values
        before = base.copy()
        row.put(some, values)
        asked = random.integers(0, points, 30)
        assert np.array_equal(row.at(asked), expected[asked]) and np.array_equal(row.all(), expected)
        assert np.array_equal(base, before)


def test_a_row_of_few_values_takes_what_these_take() -> None:
    values = np.zeros(10_000, dtype=np.float32)
    values[[7, 4000]] = 1.5, 2.5
    row = SharedRow.of(values)
    assert np.array_equal(row.all(), values) and row.at(np.array([4000, 0, 7])).tolist() == [2.5, 0.0, 1.5]
    assert row.nbytes < 100

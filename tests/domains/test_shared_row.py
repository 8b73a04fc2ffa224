"""A shared row holds what was put into it, and leaves the array that others keep as it was."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.foundation.quarter_rows import QuarterRows
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


def test_rows_of_a_day_are_read_as_the_array_that_they_stand_for() -> None:
    random, quarters, points = np.random.default_rng(5), 7, 300
    whole = random.random((quarters, points), np.float32)
    rows = QuarterRows([SharedRow(points, one) for one in whole.copy()], points)
    later = rows.copy()
    slots, some = random.integers(0, quarters, 40), random.permutation(points)[:40]
    later[slots, some] = np.float32(2.0) * whole[slots, some]
    changed = whole.copy()
    changed[slots, some] *= np.float32(2.0)
    for found, expected in ((rows, whole), (later, changed)):
        assert np.array_equal(np.asarray(found), expected) and found.shape == expected.shape
        assert np.array_equal(found[slots, some], expected[slots, some])
        assert np.array_equal(found[:, some], expected[:, some]) and np.array_equal(found[2:5, 7], expected[2:5, 7])
        assert np.array_equal(found[..., 50:90], expected[..., 50:90]) and np.array_equal(found[3], expected[3])
        assert np.array_equal(found.sum(axis=1, dtype=np.float64), expected.sum(axis=1, dtype=np.float64))
        assert np.array_equal(np.asarray(found[1:3]), expected[1:3])


def test_a_status_that_nearly_all_have_leaves_nothing() -> None:
    unread = np.full(10_000, 254, dtype=np.uint8)
    row = SharedRow(len(unread), unread, np.uint8)
    row.fill(np.arange(1, 10_000), 0)
    kept = SharedRow.of(row.all())
    later = kept.snapshot()
    later.fill(np.array([0, 7]), 3)
    assert kept.all().dtype == np.uint8 and np.flatnonzero(kept.all()).tolist() == [0] and kept.nbytes < 100
    assert QuarterRows([later, kept], 10_000, np.uint8)[:, np.array([0, 7, 8])].tolist() == [[3, 3, 0], [254, 0, 0]]
    assert (unread == 254).all()

"""What devices moved is told as of a day's end, whatever came by then."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from heptagrid.domains.operations.moved_registers import MovedRegisters

MIDNIGHT = 960


def test_readings_of_the_new_day_do_not_count_for_the_old_one() -> None:
    registers = MovedRegisters(2)
    registers.receive(MIDNIGHT - 1, np.array([0, 1]), np.array([4.0, 7.0]), np.array([11, 12]))
    registers.receive(MIDNIGHT, np.array([0]), np.array([5.0]), np.array([13]))
    moved_kwh, asked_by = registers.until(MIDNIGHT)
    assert moved_kwh.tolist() == [4.0, 7.0] and asked_by.tolist() == [11, 12]
    assert registers.until(MIDNIGHT + 1)[0].tolist() == [5.0, 7.0]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2)), max_size=60), st.integers(33, 41))
def test_any_order_of_arrival_tells_the_last_register_before_a_time(
    arrivals: list[tuple[int, int]], until: int
) -> None:
    """Against a table of all readings; a register grows, so that its value names its quarter hour."""
    registers, table = MovedRegisters(3), np.full((41, 3), np.nan)
    for quarter, meter in sorted(arrivals, key=lambda one: one[0] // 4):  # late by up to three quarter hours
        registers.receive(quarter, np.array([meter]), np.array([float(quarter + 1)]), np.array([quarter]))
        table[quarter, meter] = quarter + 1
    moved_kwh, _ = registers.until(until)
    for meter in range(3):
        known = table[:until, meter]
        known = known[~np.isnan(known)]
        assert moved_kwh[meter] == (known[-1] if len(known) else 0.0)

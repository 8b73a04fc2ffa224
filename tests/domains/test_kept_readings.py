"""What meters keep: registers follow from energies to the last bit, and what is kept of a few meters is found again."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.domains.customers.kept_readings import NOBODY, KeptEnergies, Moved
from heptagrid.domains.operations.meter_store import _Messages


@pytest.mark.parametrize("quarters", [3, 40])
def test_registers_are_the_sums_of_what_was_counted_to_the_last_bit(quarters: int) -> None:
    random, points = np.random.default_rng(quarters), 50
    kept, registers, ends = KeptEnergies(points, 24), (np.zeros(points), np.zeros(points)), {}
    for quarter in range(quarters):
        energies = random.random(points), random.random(points) * 1e-3
        for register, energy in zip(registers, energies, strict=True):
            register += energy
        kept.close(quarter, *energies)
        ends[quarter] = registers[0].copy(), registers[1].copy()
    meters = np.array([3, 17, 41])
    running = kept.registers(meters)
    for quarter in sorted(kept.by_quarter):
        some = meters[quarter % 2 :]
        for found, expected in zip(running.at(quarter, some), ends[quarter], strict=True):
            assert np.array_equal(found, expected[some])
    assert len(kept.by_quarter) == min(quarters, 24)


def test_what_devices_moved_is_found_again() -> None:
    kwh, asked_by = np.zeros(20), np.full(20, NOBODY)
    kwh[[2, 9]], asked_by[[2, 15]] = (1.5, -0.25), (7, 8)
    moved = Moved.of(kwh, asked_by)
    meters = np.array([0, 2, 9, 14, 15, 19])
    found_kwh, found_by = moved.at(meters)
    assert np.array_equal(found_kwh, kwh[meters]) and np.array_equal(found_by, asked_by[meters])
    nothing = Moved.of(np.zeros(5), np.full(5, NOBODY)).at(np.arange(5))
    assert not nothing[0].any() and (nothing[1] == NOBODY).all()


@pytest.mark.parametrize("most", [3, 60])
def test_messages_of_a_few_meters_or_of_all_are_found_again(most: int) -> None:
    random, count = np.random.default_rng(most), 100
    expected, messages = np.full(count, -1), _Messages(count)
    for _ in range(12):
        meters = random.choice(count, random.integers(1, most), replace=False)
        words = random.integers(0, 1000, len(meters))
        expected[meters] = words
        messages.note(meters, words)
        asked = random.integers(0, count, 30)
        assert np.array_equal(messages.at(asked), expected[asked])

"""What meters keep: registers follow from energies to the last bit, and what is kept of a few meters is found again."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.domains.customers.kept_readings import NOBODY, KeptEnergies, Moved


@pytest.mark.parametrize("quarters", [3, 40])
def test_registers_are_the_sums_of_what_was_counted_to_the_last_bit(quarters: int) -> None:
    random, points = np.random.default_rng(quarters), 50
    kept, registers, ends = KeptEnergies(points, 24), (np.zeros(points), np.zeros(points)), {}
    for quarter in range(quarters):
        energies = (
            random.random(points, np.float32),
            np.where(random.random(points) < 0.1, np.float32(1e-3), np.float32(0.0)),
        )
        for register, energy in zip(registers, energies, strict=True):
            register += energy
        kept.close(quarter, *energies)
        ends[quarter] = registers[0].copy(), registers[1].copy()
    meters = np.array([3, 17, 41])
    running = kept.registers(meters)
    for quarter in sorted(kept):
        some = meters[quarter % 2 :]
        for found, expected in zip(running.at(quarter, some), ends[quarter], strict=True):
            assert np.array_equal(found, expected[some])
    assert len(kept) == min(quarters, 24)


def test_what_devices_moved_is_found_again() -> None:
    kwh, asked_by = np.zeros(20), np.full(20, NOBODY)
    kwh[[2, 9]], asked_by[[2, 15]] = (1.5, -0.25), (7, 8)
    moved = Moved.of(kwh, asked_by)
    meters = np.array([0, 2, 9, 14, 15, 19])
    found_kwh, found_by = moved.at(meters)
    assert np.array_equal(found_kwh, kwh[meters]) and np.array_equal(found_by, asked_by[meters])
    for k in range(6):  # at first little has changed, then much, and what there was is gone
        kwh[k], asked_by[2 * k] = k % 2, NOBODY if k % 2 else k
        moved = Moved.of(kwh, asked_by, moved)
        found_kwh, found_by = moved.at(np.arange(20))
        assert np.array_equal(found_kwh, kwh) and np.array_equal(found_by, asked_by)
    nothing = Moved.of(np.zeros(5), np.full(5, NOBODY)).at(np.arange(5))
    assert not nothing[0].any() and (nothing[1] == NOBODY).all()

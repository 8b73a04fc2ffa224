"""Rows of waves that were sent before are those of a wave that is met for the first time."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.planes.messages import tables as t
from heptagrid.planes.messages.familiar_waves import REMEMBERED, Common, Familiar, FamiliarWaves
from heptagrid.planes.messages.waiting_waves import WaitingFamiliar, WaitingRows

READINGS = Common(kind=0, size_bytes=196, pair=25, priority=3, is_spared=False)


class Maker:
    """Fills rows, and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, sources: np.ndarray, destinations: np.ndarray, common: Common) -> np.ndarray:
        self.calls += 1
        rows = np.zeros((len(sources), t.PENDING), dtype=np.int64)
        rows[:, t.SOURCE], rows[:, t.DESTINATION], rows[:, t.BYTES] = sources, destinations, common.size_bytes
        return rows


def sent(wave: Familiar, first_id: int, sent_ns: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The rows of a wave that leaves at these times."""
    return WaitingFamiliar(wave, first_id, sent_ns, numbers).rows()


def by_time(sources: np.ndarray, first_id: int, sent_ns: np.ndarray) -> np.ndarray:
    """Index, source and time of each message, by time and index."""
    rows = np.column_stack([first_id + np.arange(len(sources)), sources, sent_ns])
    return rows[np.argsort(sent_ns, kind="stable")]


@pytest.mark.parametrize("case", range(20))
def test_rows_come_by_time_and_index_whatever_times_came_before(case: int) -> None:
    rng = np.random.default_rng(case)
    waves = FamiliarWaves(Maker())
    sources, destinations = rng.integers(0, 5, 40), np.full(40, 9)
    numbers = np.zeros(10, dtype=np.int64)
    offsets_ns = rng.integers(0, 30, 40)  # some leave together
    for first_id, sent_ns in (
        (0, offsets_ns),
        (40, 100 + offsets_ns),
        (80, rng.integers(200, 900, 40)),
        (120, np.arange(40)),
    ):
        rows = sent(waves.of(sources, destinations, READINGS), first_id, sent_ns, numbers)
        np.testing.assert_array_equal(rows[:, [t.ID, t.SOURCE, t.SENT]], by_time(sources, first_id, sent_ns))
        for source in range(5):  # each counts its own messages in the order in which they leave
            own = rows[rows[:, t.SOURCE] == source, t.NUMBER]
            assert own.tolist() == [*range(numbers[source] - len(own), numbers[source])]


def test_a_wave_is_made_once_and_anew_when_paths_have_changed() -> None:
    make = Maker()
    waves = FamiliarWaves(make)
    here, there = np.arange(3), np.full(3, 9)
    first = sent(waves.of(here, there, READINGS), 0, np.zeros(3, dtype=np.int64), np.zeros(10, dtype=np.int64))
    first[:] = -1  # what is done to the rows of one sending is not done to the next
    again = sent(waves.of(here, there, READINGS), 3, np.zeros(3, dtype=np.int64), np.zeros(10, dtype=np.int64))
    assert (make.calls, again[:, t.SOURCE].tolist()) == (1, [0, 1, 2])
    waves.forget()
    waves.of(here, there, READINGS)
    assert make.calls == 2


def test_waves_that_differ_in_anything_are_told_apart() -> None:
    make = Maker()
    waves = FamiliarWaves(make)
    here, there = np.arange(3), np.full(3, 9)
    for common in (READINGS, READINGS._replace(size_bytes=40), READINGS._replace(is_spared=True)):
        rows = sent(waves.of(here, there, common), 0, np.zeros(3, dtype=np.int64), np.zeros(10, dtype=np.int64))
        assert (rows[:, t.BYTES] == common.size_bytes).all()
    waves.of(there, here, READINGS)
    waves.of(here[:2], there[:2], READINGS)
    assert make.calls == 5


def test_the_wave_that_was_not_sent_for_longest_is_forgotten() -> None:
    make = Maker()
    waves = FamiliarWaves(make)
    there = np.array([9])
    for source in range(REMEMBERED):
        waves.of(np.array([source]), there, READINGS)
    waves.of(np.array([0]), there, READINGS)
    waves.of(np.array([REMEMBERED]), there, READINGS)
    before = make.calls
    waves.of(np.array([0]), there, READINGS)
    assert make.calls == before
    waves.of(np.array([1]), there, READINGS)
    assert make.calls == before + 1


def test_a_wave_leaves_in_parts_as_it_would_leave_whole() -> None:
    rng = np.random.default_rng(1)
    wave = FamiliarWaves(Maker()).of(rng.integers(0, 5, 40), np.full(40, 9), READINGS)
    sent_ns = rng.integers(0, 30, 40)
    numbers = np.zeros((2, 10), dtype=np.int64)
    whole = sent(wave, 7, sent_ns, numbers[0])
    for waiting in (WaitingFamiliar(wave, 7, sent_ns, numbers[1]), WaitingRows(whole)):
        parts, rest = [], waiting
        for until_ns in range(30):
            assert rest.least_id == whole[whole[:, t.SENT] >= until_ns, t.ID].min()
            count = rest.due(until_ns)
            parts.append(rest.rows(count))
            assert (parts[-1][:, t.SENT] == until_ns).all()
            rest = rest.after(count)
            if rest is None:
                break
        np.testing.assert_array_equal(np.concatenate(parts), whole)
        assert rest is None

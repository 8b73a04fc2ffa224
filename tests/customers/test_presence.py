"""Homes that draw what their people do: energy is each customer's own, people sleep at night, and nothing depends on the step, the order or a break."""

from __future__ import annotations

import pickle
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from heptagrid.domains.customers.ownership import are_households
from heptagrid.domains.customers.presence import appliances, occupants
from heptagrid.domains.customers.presence.homes import PresenceHomes, homes_of
from heptagrid.foundation.time import NS_PER_QUARTER, to_ns
from heptagrid.importers.extract import read_grid, read_profiles
from heptagrid.importers.weather import read_weather

ZONE = ZoneInfo("Europe/Berlin")


def quarter_of(*moment: int) -> int:
    return to_ns(datetime(*moment, tzinfo=ZONE)) // NS_PER_QUARTER


def homes(count: int, town_folder: Path, seed: int = 1, first: int = 0) -> PresenceHomes:
    """Homes of 2,500 kWh a year each."""
    ids = np.arange(first, first + count, dtype=np.int64)
    rows = np.arange(count, dtype=np.int64)
    return PresenceHomes(ids, rows, np.full(count, 2500.0), np.full(count, 0.1), read_weather(town_folder), ZONE, seed)


def drawn(one: PresenceHomes, first: int, quarters: int) -> np.ndarray:
    """(homes, minutes) in kW."""
    count = len(one.row)
    weights, p_kw, q_kvar = np.zeros((count, 15), dtype=np.float32), np.zeros(count), np.zeros(count)
    minutes = []
    for quarter in range(first, first + quarters):
        one.advance(quarter, p_kw, q_kvar, weights)
        minutes.append(p_kw[:, np.newaxis] * weights)
    return np.concatenate(minutes, axis=1)


def test_energy_of_a_year_is_the_customers_own(town_folder: Path) -> None:
    """Of 1,500 homes on fifteen days, spread over the year and the week: to 2 %, for the days left out."""
    one, first = homes(1500, town_folder), quarter_of(2016, 1, 1)
    days = range(0, 365, 26)
    kwh = sum(drawn(one, first + 96 * day, 96).sum(dtype=np.float64) / 60.0 for day in days)
    assert kwh / len(days) * 365.25 == pytest.approx(1500 * 2500.0, rel=0.02)


def test_people_sleep_at_night_and_work_by_day() -> None:
    """Beside the German time use survey of 2022 (Sozialbericht 2024, chapter 5.5.1): at 3:30 hardly anybody is up, at 22:30 about half are in bed or wash, half of them here."""
    mean = occupants.mean_presence()
    people = np.tensordot([0.45, 0.22, 0.33], mean, axes=1).mean(axis=0)  # about the kinds in the town's homes
    assert people[14] < 0.03
    assert 0.4 < people[90] < 0.65
    assert mean[occupants.AWAY - 1, 1, 44] < 0.25 < mean[occupants.HOME - 1, 1, 44]
    assert mean[occupants.AWAY - 1, 5, 44] > 0.6


def test_a_start_waits_for_the_run_before_it_and_none_is_lost(town_folder: Path) -> None:
    """So energy is linear in how often appliances start: what homes draw that need four times as much is four times as much, to what chance does on a day."""
    ids, kvar, weather = np.arange(800, dtype=np.int64), np.zeros(800), read_weather(town_folder)
    first = quarter_of(2016, 1, 27)
    few, many = (PresenceHomes(ids, ids, np.full(800, kwh), kvar, weather, ZONE, 1) for kwh in (1200.0, 4800.0))
    many.people, many.kind, many.kinds, many.owned = few.people, few.kind, few.kinds, few.owned
    many.scale = 4.0 * few.scale
    assert drawn(many, first, 96).sum() == pytest.approx(4.0 * drawn(few, first, 96).sum(), rel=0.03)


def test_minutes_are_the_same_whole_and_resumed_and_by_whom_they_are_asked(town_folder: Path) -> None:
    """A home's minutes are a function of seed and id: a subset has the same, and so has a state that was put away and taken up again."""
    first = quarter_of(2016, 1, 27, 17)
    whole = drawn(homes(60, town_folder), first, 24)
    some = drawn(homes(20, town_folder, first=30), first, 24)
    assert np.array_equal(whole[30:50], some)
    begun = homes(60, town_folder)
    before = drawn(begun, first, 10)
    after = drawn(pickle.loads(pickle.dumps(begun)), first + 10, 14)
    assert np.array_equal(whole, np.concatenate([before, after], axis=1))
    assert not np.array_equal(whole, drawn(homes(60, town_folder, seed=2), first, 24))


def test_a_jump_in_time_finds_what_is_running(town_folder: Path) -> None:
    """Runs that began before the first quarter hour asked for go on in it."""
    first = quarter_of(2016, 1, 27, 18)
    whole = drawn(homes(200, town_folder), first - 8, 24)[:, 8 * 15 :]
    late = drawn(homes(200, town_folder), first, 16)
    assert np.mean(np.isclose(whole, late)) > 0.999


def test_homes_do_not_coincide_as_their_profiles_do(town_folder: Path) -> None:
    """Two winter days by minutes: the sum of many homes peaks far below the sum of their peaks, less so the fewer they are."""
    kw = drawn(homes(400, town_folder), quarter_of(2016, 1, 26), 192).astype(np.float64)
    coincidence = {
        n: float(np.mean([part.sum(axis=0).max() / part.max(axis=1).sum() for part in np.split(kw, 400 // n)]))
        for n in (1, 10, 100, 400)
    }
    assert coincidence[1] == 1.0 and 0.25 < coincidence[10] < 0.6
    assert coincidence[10] > 1.4 * coincidence[100] > 1.4 * coincidence[400] > 0.1


def test_the_towns_homes_keep_their_energy_and_take_little_memory(town_folder: Path) -> None:
    """Of the town's profiles; homes are not more than 64 bytes each besides the minutes that every customer has."""
    grid, profiles = read_grid(town_folder), read_profiles(town_folder)
    one = homes_of(grid.loads, profiles, are_households(grid.loads), read_weather(town_folder), ZONE, 1)
    columns, which = np.unique(grid.loads.p_profile[one.row], return_inverse=True)
    mean = profiles.millionths[:, columns].mean(axis=0)[which] * 1e-6
    expected = (one.kinds.kwh[one.kind, -2:].sum(axis=1) + _of_owned(one)) * one.scale
    assert expected == pytest.approx(grid.loads.p_kw[one.row] * mean * 24.0 * 365.25, rel=1e-5)
    assert one.bytes_per_home <= 64.0
    persons = one.kinds.persons[one.kind]
    assert 1.6 < persons.mean() < 2.3


def _of_owned(one: PresenceHomes) -> np.ndarray:
    kwh = np.zeros(len(one.row))
    cold = np.array(appliances.COLD_KW) * appliances.COLD_DUTY * 24.0 * 365.25
    for place in range(len(appliances.APPLIANCES) + 2):
        has = (one.owned >> place & 1).astype(bool)
        of_kind = one.kinds.kwh[one.kind, place] if place < len(appliances.APPLIANCES) else cold[place - 12]
        kwh += np.where(has, of_kind, 0.0)
    return kwh

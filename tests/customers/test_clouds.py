"""Clouds over photovoltaic units: an hour's energy stays the profile's, units beside one another go together, those apart do not, and a sum is smooth."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import heptagrid
from heptagrid.domains.customers.local_units import LocalUnits
from heptagrid.foundation.errors import NetworkError, ScenarioError
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_MINUTE, Step
from heptagrid.validate.clouds import INDEX, SPEED_M_PER_S, clouds_over
from heptagrid.validate.registry import all_cases, choose
from heptagrid.validate.rows import run_cases
from heptagrid.world.clouds.clearness import REACH, clear_sky, distribution
from heptagrid.world.clouds.units import Clouds
from heptagrid.world.grid import Buses, Profiles

NOON = 24 * 3 + 12
RNG = np.random.default_rng(7)
EAST_M, NORTH_M = RNG.uniform(0.0, 10_000.0, (2, 50))


def a_step(begin_min: float, minutes: float) -> Step:
    start_ns, day_ns = NOON * NS_PER_HOUR + round(begin_min * NS_PER_MINUTE), 72 * NS_PER_HOUR
    return Step(
        start_ns, start_ns + round(minutes * NS_PER_MINUTE), date(1970, 1, 4), day_ns, day_ns + 24 * NS_PER_HOUR, 0
    )


@settings(max_examples=25, deadline=None)
@given(st.floats(0.02, 1.0), st.integers(0, 2**31), st.integers(24, 24 * 27))
def test_each_units_energy_in_an_hour_is_the_profiles(index: float, seed: int, hour: int) -> None:
    clouds = clouds_over(EAST_M, NORTH_M, index, seed)
    found = clouds.in_hour(hour).astype(np.float64)
    expected = 1e-6 * clouds.profiles.millionths[4 * hour : 4 * hour + 4].mean()
    np.testing.assert_allclose(found.mean(axis=1), expected, rtol=1e-6)
    assert found.min() >= 0.0 and found.max() <= 1.0


def test_what_a_unit_gives_depends_on_its_place_and_on_no_other_unit() -> None:
    whole = clouds_over(EAST_M, NORTH_M).in_hour(NOON)
    some = clouds_over(EAST_M[10:20], NORTH_M[10:20]).in_hour(NOON)
    np.testing.assert_array_equal(whole[10:20], some)
    assert len(np.unique(whole, axis=0)) == len(whole)


def test_clouds_move_with_the_wind() -> None:
    """What passed over one place passes later over the next one along the wind: of the field's own course, without what the hour's energy asks for."""
    from heptagrid.world.clouds.field import Wind, mean_between, strip

    wind = Wind.of(1, 3, SPEED_M_PER_S)
    assert wind.along_m(np.array([wind.east]), np.array([wind.north])) == pytest.approx(1.0)
    part = strip(1, 3, (0.0, 20_000.0), (0.0, 0.0))
    place, later_s = 12_000.0, 300.0
    here = [mean_between(part, 0.0, place - 600.0 * (k + 1), place - 600.0 * k) for k in range(10)]
    moved = place + SPEED_M_PER_S * later_s  # in the wind's frame this lies where the first lay 300 s ago
    there = [mean_between(part, 0.0, moved - 3000.0 - 600.0 * (k + 1), moved - 3000.0 - 600.0 * k) for k in range(10)]
    np.testing.assert_allclose(there, here)


def test_neighbours_vary_together_and_a_sum_is_smooth() -> None:
    near = clouds_over(np.array([0.0, 100.0]), np.array([0.0, 0.0])).in_hour(NOON)
    assert np.corrcoef(near)[0, 1] > 0.95
    city = clouds_over(*RNG.uniform(0.0, 20_000.0, (2, 300))).in_hour(NOON).astype(np.float64)
    changes = np.diff(city, axis=1)
    assert np.diff(city.mean(axis=0)).std() < 0.2 * changes.std()


def test_a_distribution_has_the_mean_and_about_the_spread_that_are_asked_for() -> None:
    """Of the index by standard normal numbers; the published equations keep the mean, and the spread to a quarter of it for indices above 0.6."""
    z = np.linspace(-REACH, REACH, 65)
    weights = np.exp(-0.5 * z**2) / np.exp(-0.5 * z**2).sum()
    for index in (0.2, 0.5, 0.7, 0.8, 0.9):
        for deviation in (0.05, 0.1, 0.2):
            values = distribution(index, deviation)
            assert (np.diff(values) >= 0.0).all() and values.min() >= 0.0
            assert (weights * values).sum() == pytest.approx(index, abs=0.01)
            if index > 0.6:
                spread = np.sqrt((weights * (values - index) ** 2).sum())
                assert spread == pytest.approx(deviation, rel=0.25)


def test_the_clear_sky_is_the_best_of_a_fortnight_at_each_time_of_day() -> None:
    relative = RNG.uniform(0.0, 1.0, (40 * 96, 2))
    clear = clear_sky(relative)
    assert (clear >= relative).all()
    at = 20 * 96 + 50
    assert clear[at, 1] == relative[5 * 96 + 50 : 35 * 96 + 51 : 96, 1].max()


def test_steps_of_any_length_see_the_same_minutes() -> None:
    clouds = clouds_over(EAST_M, NORTH_M)
    units = len(EAST_M)
    profile, point, kw = np.zeros(units, dtype=np.int64), np.arange(units), np.full(units, 5.0)

    def fed_in(begin_min: float, minutes: float) -> np.ndarray:
        p_kw = np.zeros(units)
        LocalUnits(clouds.profiles, kw, profile, point, units, clouds).advance(a_step(begin_min, minutes), p_kw)
        return -p_kw

    minutes = clouds.in_hour(NOON).astype(np.float64)
    np.testing.assert_allclose(fed_in(30.0, 1.0), 5.0 * minutes[:, 30], rtol=1e-12)
    np.testing.assert_allclose(fed_in(30.0, 5.0), 5.0 * minutes[:, 30:35].mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(fed_in(30.5, 0.25), fed_in(30.0, 1.0), rtol=1e-12)


def test_units_that_are_no_photovoltaics_follow_their_profiles() -> None:
    sun = clouds_over(EAST_M[:2], NORTH_M[:2]).profiles
    both = Profiles(np.array(["WP4", "PV"]), np.repeat(sun.millionths, 2, axis=1), 0)
    buses = Buses(np.array(["a", "b"]), np.ones(2), np.array([0.0, 0.1]), np.zeros(2))
    clouds = Clouds.over(both, np.array([0, 1]), np.arange(2), buses, 1, SPEED_M_PER_S)
    assert clouds.solar.tolist() == [1]
    p_kw = np.zeros(2)
    LocalUnits(both, np.ones(2), np.array([0, 1]), np.arange(2), 2, clouds).advance(a_step(7.0, 1.0), p_kw)
    assert -p_kw[0] == pytest.approx(INDEX) and abs(-p_kw[1] - INDEX) > 1e-3


def test_a_network_without_places_is_refused_with_a_remedy() -> None:
    clouds = clouds_over(EAST_M[:2], NORTH_M[:2])
    nowhere = Buses(np.array(["a", "b"]), np.ones(2), np.zeros(2), np.zeros(2))
    for buses in (nowhere, replace(nowhere, longitude_deg=np.array([np.nan, 1.0]))):
        with pytest.raises(NetworkError, match=r'weather\.clouds.*have no places.*weather\.clouds = "none"'):
            Clouds.over(clouds.profiles, np.zeros(2, dtype=np.int64), np.arange(2), buses, 1, SPEED_M_PER_S)
    with pytest.raises(ScenarioError, match=r"weather\.clouds"):
        heptagrid.load("town", ['weather.clouds="many"'])


@pytest.mark.long
def test_correlations_by_distance_are_compared_with_published_curves() -> None:
    rows = run_cases(choose(["cloud-correlation"], all_cases()))
    assert len(rows) == 9 and all(row.kind == "band" for row in rows)
    assert sum(row.verdict == "pass" for row in rows) >= 5, [(row.quantity, row.ours) for row in rows]

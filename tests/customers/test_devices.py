"""Devices: energy is kept, people stay the same, plans are followed only when they arrived."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.optimize import minimize

from heptagrid.assembly.span import Phase, Span
from heptagrid.domains.customers import batteries, demand, heat_pumps, vehicles
from heptagrid.domains.customers.device import Surroundings, device_classes
from heptagrid.domains.customers.thermal.linear_step import stepped_by_size
from heptagrid.foundation.time import NS_PER_QUARTER, Step
from heptagrid.importers.extract import read_grid, read_profiles
from heptagrid.importers.weather import read_weather
from heptagrid.world.plan_levels import Lines, draw_line, level_of, levels_of
from heptagrid.world.water_filling import fill
from heptagrid.world.weather import Weather

ZONE = ZoneInfo("Europe/Berlin")
DAY = date(2016, 1, 27)


def steps(step_s: int, days: int = 1) -> list[Step]:
    span = Span(DAY, days, step_s, step_s, ZONE)
    return [step for phase, step in span.steps() if phase is Phase.COUNTED]


def surroundings(town: Path | None = None, seed: int = 1) -> Surroundings:
    """Those of a device: the weather of `town`, or a year at 0 C without sun."""
    calm = np.zeros(8760, dtype=np.float32)
    return Surroundings(Weather(calm, calm) if town is None else read_weather(town), ZONE, seed)


@pytest.mark.parametrize("step_s", [1, 20, 60, 150, 300, 900])
def test_the_quarter_hours_energy_is_kept_whatever_the_step(town_folder: Path, step_s: int) -> None:
    grid, profiles = read_grid(town_folder), read_profiles(town_folder)
    some = np.arange(0, 8772, 97)
    loads = grid.loads
    base = demand.BaseDemand(
        *(demand.Parameters(), profiles, some, loads.p_kw[some], loads.q_kvar[some]),
        *(loads.p_profile[some], loads.q_profile[some], 1),
    )
    first = steps(step_s)[: 900 // step_s]
    energy = np.zeros(len(some))
    p_kw, q_kvar = np.zeros(len(some)), np.zeros(len(some))
    for step in first:
        base.advance(step, p_kw, q_kvar)
        energy += p_kw * step.dt_s / 3600.0
    expected = loads.p_kw[some] * profiles.at(first[0].start_ns)[loads.p_profile[some]] / 4.0
    assert np.allclose(energy, expected, rtol=1e-6)


def test_a_subset_keeps_its_people(town_folder: Path) -> None:
    profiles = read_profiles(town_folder)
    zero = np.zeros(10, dtype=np.int64)
    all_of_them = demand.BaseDemand(
        demand.Parameters(), profiles, np.arange(10), np.ones(10), np.ones(10), zero, zero, 1
    )
    some = demand.BaseDemand(
        demand.Parameters(), profiles, np.array([7, 3]), np.ones(2), np.ones(2), zero[:2], zero[:2], 1
    )
    p_all, p_some = np.zeros(10), np.zeros(2)
    step = steps(60)[5]
    all_of_them.advance(step, p_all, np.zeros(10))
    some.advance(step, p_some, np.zeros(2))
    assert p_some.tolist() == p_all[[7, 3]].tolist()


@pytest.mark.parametrize("step_s", [60, 300, 900])
def test_weights_that_are_drawn_ahead_are_those_of_their_quarter_hour(town_folder: Path, step_s: int) -> None:
    profiles, ids, zero = read_profiles(town_folder), np.arange(40), np.zeros(40, dtype=np.int64)
    alone, ahead = (
        demand.BaseDemand(demand.Parameters(), profiles, ids, np.ones(40), np.ones(40), zero, zero, 1) for _ in range(2)
    )
    p_alone, p_ahead = np.zeros(40), np.zeros(40)
    for k, step in enumerate(steps(step_s)[:48]):
        for draw in ahead.ahead(step) if k % 11 else ():
            if k % 7:  # else no thread had time for it
                draw()
        alone.advance(step, p_alone, np.zeros(40))
        ahead.advance(step, p_ahead, np.zeros(40))
        assert p_ahead.tolist() == p_alone.tolist()


def drive(count: int, step_s: int, plan: np.ndarray | None = None, seed: int = 1) -> vehicles.Vehicles:
    ids = np.arange(count, dtype=np.int64)
    fleet = vehicles.Vehicles(vehicles.Parameters(), ids, surroundings(seed=seed))
    p_kw = np.zeros(count)
    for step in steps(step_s, 2):
        if plan is not None and step.starts_quarter and step.quarter % 48 == 0:
            fleet.plans.steered[:] = fleet.plans.row_of(step.index, step.quarter, plan, 96)
        before, driven, losses = fleet.stored_kwh, fleet.used_kwh, fleet.losses_kwh
        p_kw[:] = 0.0
        fleet.advance(step, p_kw)
        used = fleet.used_kwh - driven + fleet.losses_kwh - losses
        assert p_kw.sum() * step.dt_s / 3600.0 == pytest.approx(used + fleet.stored_kwh - before, abs=1e-9)
    return fleet


def test_vehicles_keep_energy_and_leave_full_with_and_without_a_plan() -> None:
    rng = np.random.default_rng(3)
    for plan in (None, rng.uniform(0.0, 10.0, 96)):
        fleet = drive(300, 300, plan)
        assert fleet.shortfall_kwh == 0.0
        assert fleet.content_kwh.min() > 0.0
    conventional, steered = drive(300, 300), drive(300, 300, np.linspace(10.0, 0.0, 96))
    assert steered.used_kwh == pytest.approx(conventional.used_kwh), "the same trips"
    assert conventional.moved.kwh.sum() == 0.0
    assert steered.moved.kwh.sum() > 0.0


def test_halving_the_step_keeps_arrivals() -> None:
    coarse, fine = drive(200, 300), drive(200, 60)
    assert fine.used_kwh == pytest.approx(coarse.used_kwh)


def test_larger_shares_add_owners_without_changing_those_there_were(town_folder: Path) -> None:
    from heptagrid.domains.customers import gateways
    from heptagrid.domains.customers.ownership import ownership
    from heptagrid.foundation.registry import registered_tariffs

    grid = read_grid(town_folder)
    others: dict[str, object] = {name: one.section() for name, one in device_classes().items()}
    others |= {"gateways": gateways.Parameters()}
    others |= {f"tariffs.{one.name}": one.parameters() for one in registered_tariffs() if one.parameters is not None}
    few, many = (
        ownership(grid.loads, grid.units, others | {"vehicles": vehicles.Parameters(share)}, 1) for share in (0.1, 0.3)
    )
    assert set(few.devices["vehicles"]) < set(many.devices["vehicles"])
    assert few.devices["heat_pumps"].tolist() == many.devices["heat_pumps"].tolist()


def test_filling_is_the_optimum() -> None:
    rng = np.random.default_rng(1)
    for _ in range(10):
        signal = rng.uniform(0.0, 8.0, 12)
        need, p_max, slot_h = rng.uniform(0.5, 10.0), 4.0, 0.25  # a slot is a quarter hour
        level = fill(signal, 0, 12, 1.0, need, 1, p_max, slot_h)
        ours = np.clip(level - signal, 0.0, p_max)
        assert ours.sum() * slot_h == pytest.approx(need, abs=1e-6)
        best = minimize(
            lambda p, s=signal: s @ p + 0.5 * p @ p,
            np.full(12, need / slot_h / 12),
            bounds=[(0.0, p_max)] * 12,
            constraints={"type": "eq", "fun": lambda p, n=need: p.sum() / 4.0 - n},
            method="SLSQP",
        )
        assert signal @ ours + 0.5 * ours @ ours == pytest.approx(best.fun, rel=1e-5)


def energy_at(level: float, signal: np.ndarray, first_share: float, sign: int) -> float:
    """Energy in kWh that slots of a quarter hour spend at a level with 3 kW at most, summed from the first to the last."""
    total = 0.0
    for k, each in enumerate(signal.tolist()):
        total += min(max(sign * (level - each), 0.0), 3.0) * (first_share if k == 0 else 1.0)
    return total * 0.25


@given(st.lists(st.floats(0, 20), min_size=2, max_size=20), st.floats(0.01, 5), st.sampled_from([1, -1]))
@settings(max_examples=60, deadline=None)
def test_filling_spends_what_it_is_given_up_to_what_fits(signal: list[float], need: float, sign: int) -> None:
    values = np.array(signal)
    level = fill(values, 0, len(values), 1.0, need, sign, 3.0, 0.25)
    spent = energy_at(level, values, 1.0, sign)
    assert spent == pytest.approx(min(need, 3.0 * 0.25 * len(values)), abs=1e-5)


@given(
    st.lists(st.floats(0, 20), min_size=1, max_size=20),
    st.floats(0.01, 5),
    st.floats(0.1, 1.0),
    st.sampled_from([1, -1]),
)
@settings(max_examples=200, deadline=None)
def test_slots_that_take_nothing_change_no_bit_of_a_level(
    signal: list[float], need: float, first_share: float, sign: int
) -> None:
    values = np.array(signal)
    low, high = (values.min(), values.max() + 3.0) if sign > 0 else (values.min() - 3.0, values.max())
    for _ in range(48):
        middle = 0.5 * (low + high)
        if (energy_at(middle, values, first_share, sign) >= need) == (sign > 0):
            high = middle
        else:
            low = middle
        if high - low < 1e-8:
            break
    assert fill(values, 0, len(values), first_share, need, sign, 3.0, 0.25) == (high if sign > 0 else low)


def test_the_houses_step_is_the_matrix_exponential() -> None:
    one = heat_pumps.Parameters()
    air, mass = one.air_kwh_per_k * 3.6e6, one.mass_kwh_per_k * 3.6e6
    system = np.array(
        [
            [-(one.loss_w_per_k + one.mass_w_per_k) / air, one.mass_w_per_k / air],
            [one.mass_w_per_k / mass, -one.mass_w_per_k / mass],
        ]
    )
    for dt_s in (1.0, 60.0, 900.0):
        matrix, by_heat, by_outside = stepped_by_size(
            one.loss_w_per_k, one.mass_w_per_k, air, mass, np.array([1.0, 2.0]), dt_s
        )
        assert np.allclose(matrix[0], expm(system * dt_s), rtol=1e-10)
        forced = np.linalg.solve(system, (expm(system * dt_s) - np.eye(2)) @ np.array([1.0 / air, 0.0]))
        assert np.allclose(by_heat[0], forced, rtol=1e-6)
        assert np.allclose(by_heat[1], forced / 2.0, rtol=1e-6)
        assert np.allclose(matrix[0].sum(axis=1) + by_outside[0], 1.0), "a house at outdoor temperature stays there"


def test_the_performance_is_the_published_regression() -> None:
    # Ruhnau et al. 2019, air source, lift 35 K: 6.08 - 0.09 * 35 + 0.0005 * 35^2 = 3.5425, field factor 0.85.
    assert heat_pumps.performance(2.5) == pytest.approx(0.85 * 3.5425)


def heated(step_s: int, town: Path, flex: bool) -> heat_pumps.HeatPumps:
    ids = np.arange(50, dtype=np.int64)
    houses = heat_pumps.HeatPumps(heat_pumps.Parameters(), ids, surroundings(town))
    for step in steps(step_s):
        if flex and step.starts_day:
            houses.plans.steered[:] = houses.plans.row_of(1, step.quarter, np.sin(np.arange(96) / 6.0), 96)
        houses.advance(step, np.zeros(50))
    return houses


def test_houses_stay_warm_and_halving_the_step_changes_little(town_folder: Path) -> None:
    coarse, fine = heated(120, town_folder, False), heated(60, town_folder, False)
    assert fine.cold_minutes == 0.0
    assert fine.used_kwh == pytest.approx(coarse.used_kwh, rel=0.01)
    steered = heated(60, town_folder, True)
    assert steered.cold_minutes == 0.0
    assert steered.moved.kwh.sum() > 0.0


@given(st.lists(st.floats(-6, 6), min_size=1, max_size=12), st.booleans())
@settings(max_examples=40, deadline=None)
def test_batteries_keep_energy_and_never_feed_in(net: list[float], planned: bool) -> None:
    store = batteries.Batteries(batteries.Parameters(), np.array([0]), surroundings())
    start = steps(900)[0].quarter
    if planned:
        store.plans.steered[:] = store.plans.row_of(1, start, np.cos(np.arange(96) / 8.0) * 3.0 + 3.0, 96)
    for step, draw in zip(steps(900), net, strict=False):
        before, losses = store.stored_kwh, store.losses_kwh
        p_kw = np.array([draw])
        store.advance(step, p_kw)
        moved = p_kw[0] - draw
        assert moved * 0.25 == pytest.approx(store.stored_kwh - before + store.losses_kwh - losses, abs=1e-9)
        assert p_kw[0] >= min(draw, 0.0) - 1e-9, "what flows back is local surplus at most"
        assert -1e-9 <= store.content_kwh[0] <= 9.0 + 1e-9


def test_a_plan_that_has_lapsed_is_not_followed() -> None:
    ids = np.arange(40, dtype=np.int64)
    fleet = vehicles.Vehicles(vehicles.Parameters(), ids, surroundings())
    fleet.content_kwh[:] = 30.0
    step = steps(900)[0]
    fleet.plans.steered[:] = fleet.plans.row_of(1, step.quarter - 5, np.linspace(9.0, 0.0, 96), 5)
    p_kw = np.zeros(40)
    fleet.advance(step, p_kw)
    assert np.allclose(p_kw, 11.0), "at home at midnight, and charging at once"
    assert step.start_ns % NS_PER_QUARTER == 0


@given(
    st.lists(st.one_of(st.floats(-1e4, 1e4), st.sampled_from([0.0, 1.0, 4.0, 7.5])), min_size=1, max_size=104),
    st.lists(st.one_of(st.floats(1e-9, 60.0), st.integers(0, 200)), min_size=1, max_size=8),
    st.floats(0.5, 8.0),
    st.sampled_from([1, -1]),
)
@settings(max_examples=300, deadline=None)
def test_levels_of_devices_that_share_a_plan_are_those_of_each_alone(
    signal: list[float], needs: list[float], p_max: float, sign: int
) -> None:
    """To the last bit, also where whole slots are just filled: a whole number stands for so many of them."""
    values = np.array(signal)
    first = len(values) // 3
    lines = Lines.of(2, len(values))
    draw_line(lines, 1, values, first, len(values), p_max)
    for need in needs:
        need_kwh = need * p_max * 0.25 if isinstance(need, int) else need
        expected = fill(values, first, len(values), 1.0, need_kwh, sign, p_max, 0.25)
        assert level_of(lines, 1, values, need_kwh, sign, p_max, 0.25) == expected
        other_kwh = need_kwh + p_max / 3.0
        both = levels_of(lines, 1, values, *((need_kwh, other_kwh) if sign > 0 else (other_kwh, need_kwh)), p_max, 0.25)
        other = fill(values, first, len(values), 1.0, other_kwh, -sign, p_max, 0.25)
        assert both == ((expected, other) if sign > 0 else (other, expected))

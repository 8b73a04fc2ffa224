"""What is paid for as flexibility: energy that a device drew less, on request, than by itself, netted by the quarter hour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from heptagrid.domains.customers import batteries, heat_pumps, vehicles
from tests.customers.test_devices import steps, surroundings

STEPS_S = (60, 300, 900)  # what is paid is settled by the quarter hour, so it is the same at every step


def charged(signal: np.ndarray, content_kwh: float, step_s: int = 900) -> vehicles.Vehicles:
    """One vehicle, at home from midnight to four at least, under one plan from midnight on."""
    fleet = vehicles.Vehicles(vehicles.Parameters(), np.array([0]), surroundings())
    fleet.content_kwh[:] = fleet.baseline_kwh[:] = content_kwh
    fleet.plans.steered[:] = fleet.plans.row_of(1, steps(step_s)[0].quarter, signal, 96)
    for step in steps(step_s)[: 16 * 900 // step_s]:
        fleet.advance(step, np.zeros(1))
    return fleet


def test_a_vehicle_that_charges_when_it_would_have_anyway_has_moved_nothing() -> None:
    """From 50.1 to 60 kWh it draws 9.9 kWh / 0.9 = 11 kWh: an hour at full power, in the plan's only cheap hour."""
    fleet = charged(np.where(np.arange(96) < 4, 0.0, 100.0), 50.1)
    assert fleet.moved.kwh[0] == pytest.approx(0.0, abs=1e-6)
    assert fleet.content_kwh[0] == pytest.approx(60.0)


def test_a_vehicle_that_waits_has_moved_what_it_would_have_charged_meanwhile() -> None:
    """From 49 to 60 kWh it draws 11 kWh / 0.9 = 12.222 kWh; by itself at once, under the plan after two hours or more."""
    fleet = charged(np.where(np.arange(96) < 8, 100.0, 0.0), 49.0)
    assert fleet.moved.kwh[0] == pytest.approx(11.0 / 0.9)


@pytest.mark.parametrize("step_s", STEPS_S)
def test_a_vehicle_that_charges_slowly_has_moved_the_difference(step_s: int) -> None:
    """Over three hours it draws 12.222 kWh / 3 h = 4.074 kW; by itself 11 kW in the first hour and 1.222 kWh in the next quarter.

    In that quarter hour it draws 6.926 kW less for 6 min 40 s, then 4.074 kW more: 1.222 kWh - 1.019 kWh = 0.204 kWh less in all.
    """
    fleet = charged(np.where(np.arange(96) < 12, 0.0, 100.0), 49.0, step_s)
    slow_kwh = 11.0 / 0.9 / 12.0
    assert fleet.moved.kwh[0] == pytest.approx(4 * (2.75 - slow_kwh) + (11.0 / 0.9 - 11.0 - slow_kwh))


def test_a_heat_pump_has_moved_what_the_same_house_would_have_drawn_more(town_folder: Path) -> None:
    ids, around = np.arange(20, dtype=np.int64), surroundings(town_folder)
    free, steered = (heat_pumps.HeatPumps(heat_pumps.Parameters(), ids, around) for _ in range(2))
    moved_kwh, less_kwh = np.zeros(20), np.zeros(20)
    for step in steps(300):
        if step.starts_day:
            steered.plans.steered[:] = steered.plans.row_of(1, step.quarter, np.sin(np.arange(96) / 6.0), 96)
        by_itself_kw, drawn_kw = np.zeros(20), np.zeros(20)
        free.advance(step, by_itself_kw)
        steered.advance(step, drawn_kw)
        less_kwh += (by_itself_kw - drawn_kw) * step.dt_s / 3600.0
        if step.ends_quarter:
            moved_kwh += np.maximum(less_kwh, 0.0)
            less_kwh[:] = 0.0
    assert steered.moved.kwh == pytest.approx(moved_kwh)
    assert 0.0 < moved_kwh.sum() < steered.used_kwh / 4.0, "a small part of what it draws"
    assert free.moved.kwh.sum() == 0.0


def test_a_battery_has_moved_what_it_gave_beyond_self_consumption() -> None:
    free, steered = (batteries.Batteries(batteries.Parameters(), np.array([0]), surroundings()) for _ in range(2))
    net_kw = 2.0 * np.sin(np.arange(96) / 7.0)
    moved_kwh = 0.0
    for step, draw in zip(steps(900), net_kw, strict=True):
        if step.starts_day:
            signal = 3.0 + 3.0 * np.cos(np.arange(96) / 8.0)
            steered.plans.steered[:] = steered.plans.row_of(1, step.quarter, signal, 96)
        alone, planned = np.array([draw]), np.array([draw])
        free.advance(step, alone)
        steered.advance(step, planned)
        moved_kwh += max(float(alone[0] - planned[0]), 0.0) * 0.25
    assert steered.moved.kwh[0] == pytest.approx(moved_kwh)
    assert moved_kwh > 0.0
    assert free.moved.kwh[0] == 0.0


@pytest.mark.parametrize("step_s", STEPS_S)
def test_a_battery_that_gives_the_same_energy_later_in_the_quarter_hour_has_moved_only_the_rest(step_s: int) -> None:
    """Its owner draws 3 kW. Alone it gives 3 kW for five minutes, 0.25 kWh, and is empty. Under the plan it has saved
    0.375 kWh for this quarter hour and gives 1.5 kW throughout: 0.125 kWh more, though it gave 0.25 kWh more in the last ten minutes.
    """
    battery = batteries.Batteries(batteries.Parameters(), np.array([0]), surroundings())
    efficiency = battery.parameters.one_way_efficiency
    battery.baseline_kwh[:], battery.content_kwh[:] = 0.25 / efficiency, 0.375 / efficiency
    signal = np.where(np.arange(96) == 0, 10.0, 0.0)
    battery.plans.steered[:] = battery.plans.row_of(1, steps(step_s)[0].quarter, signal, 96)
    for step in steps(step_s)[: 900 // step_s]:
        battery.advance(step, np.full(1, 3.0))
    assert battery.content_kwh[0] == pytest.approx(0.0, abs=1e-6)
    assert battery.moved.kwh[0] == pytest.approx(0.125)

"""What is paid for as flexibility: energy that a device drew less, on request, than by itself at the same time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from heptagrid.domains.customers import batteries, heat_pumps, vehicles
from heptagrid.importers.weather import read_weather
from tests.customers.test_devices import ZONE, steps


def charged(signal: np.ndarray, content_kwh: float) -> vehicles.Vehicles:
    """One vehicle, at home from midnight to four at least, under one plan from midnight on."""
    fleet = vehicles.Vehicles(vehicles.Parameters(), np.array([0]), np.array([0]), ZONE, 1)
    fleet.content_kwh[:] = fleet.baseline_kwh[:] = content_kwh
    fleet.plans.steered[:] = fleet.plans.row_of(1, steps(900)[0].quarter, signal, 96)
    for step in steps(900)[:16]:
        fleet.advance(step, np.zeros(1))
    return fleet


def test_a_vehicle_that_charges_when_it_would_have_anyway_has_moved_nothing() -> None:
    """From 50.1 to 60 kWh it draws 9.9 kWh / 0.9 = 11 kWh: an hour at full power, in the plan's only cheap hour."""
    fleet = charged(np.where(np.arange(96) < 4, 0.0, 100.0), 50.1)
    assert fleet.moved_kwh[0] == pytest.approx(0.0, abs=1e-6)
    assert fleet.content_kwh[0] == pytest.approx(60.0)


def test_a_vehicle_that_waits_has_moved_what_it_would_have_charged_meanwhile() -> None:
    """From 49 to 60 kWh it draws 11 kWh / 0.9 = 12.222 kWh; by itself at once, under the plan after two hours or more."""
    fleet = charged(np.where(np.arange(96) < 8, 100.0, 0.0), 49.0)
    assert fleet.moved_kwh[0] == pytest.approx(11.0 / 0.9)


def test_a_vehicle_that_charges_slowly_has_moved_the_difference() -> None:
    """Over three hours it draws 12.222 kWh / 3 h = 4.074 kW; by itself 11 kW in the first hour and 1.222 kWh in the next quarter."""
    fleet = charged(np.where(np.arange(96) < 12, 0.0, 100.0), 49.0)
    slow_kwh = 11.0 / 0.9 / 12.0
    assert fleet.moved_kwh[0] == pytest.approx(4 * (2.75 - slow_kwh) + (11.0 / 0.9 - 11.0 - slow_kwh))


def test_a_heat_pump_has_moved_what_the_same_house_would_have_drawn_more(town_folder: Path) -> None:
    ids, weather = np.arange(20, dtype=np.int64), read_weather(town_folder)
    free, steered = (heat_pumps.HeatPumps(heat_pumps.Parameters(), ids, ids, weather, 1) for _ in range(2))
    moved_kwh = np.zeros(20)
    for step in steps(300):
        if step.starts_day:
            steered.plans.steered[:] = steered.plans.row_of(1, step.quarter, np.sin(np.arange(96) / 6.0), 96)
        by_itself_kw, drawn_kw = np.zeros(20), np.zeros(20)
        free.advance(step, by_itself_kw)
        steered.advance(step, drawn_kw)
        moved_kwh += np.maximum(by_itself_kw - drawn_kw, 0.0) * step.dt_s / 3600.0
    assert steered.moved_kwh == pytest.approx(moved_kwh)
    assert 0.0 < moved_kwh.sum() < steered.used_kwh / 4.0, "a small part of what it draws"
    assert free.moved_kwh.sum() == 0.0


def test_a_battery_has_moved_what_it_gave_beyond_self_consumption() -> None:
    free, steered = (batteries.Batteries(batteries.Parameters(), np.array([0])) for _ in range(2))
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
    assert steered.moved_kwh[0] == pytest.approx(moved_kwh)
    assert moved_kwh > 0.0
    assert free.moved_kwh[0] == 0.0

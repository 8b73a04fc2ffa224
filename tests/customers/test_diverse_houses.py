"""Diverse houses of heat pumps: each steps exactly, they spread, warm up at their own hours, and do not all peak at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy.linalg import expm

from heptagrid.assembly.span import Phase, Span
from heptagrid.domains.customers.device import Surroundings
from heptagrid.domains.customers.heat_pumps import DIVERSE, HeatPumps, Parameters
from heptagrid.domains.customers.thermal.linear_step import stepped_by_size, stepped_each
from heptagrid.importers.weather import read_weather

ZONE = ZoneInfo("Europe/Berlin")
AIR, MASS = 0.5 * 3.6e6, 9.0 * 3.6e6


def coldest_day(town_folder: Path, parameters: Parameters, count: int = 300) -> tuple[HeatPumps, np.ndarray]:
    """The pumps, and what each drew in the steps of the coldest day of the town's year, (steps, pumps)."""
    pumps = HeatPumps(parameters, np.arange(count, dtype=np.int64), Surroundings(read_weather(town_folder), ZONE, 1))
    drawn = []
    for phase, step in Span(date(2015, 1, 4), 1, 300, 300, ZONE).steps():
        p_kw = np.zeros(count)
        pumps.advance(step, p_kw)
        if phase is Phase.COUNTED:
            drawn.append(p_kw)
    return pumps, np.array(drawn)


def test_each_house_steps_as_the_matrix_exponential_says() -> None:
    loss, exchange = np.array([180.0, 90.0, 400.0]), np.array([900.0, 300.0, 2000.0])
    air, mass = np.array([AIR, 0.5 * AIR, 2.0 * AIR]), np.array([MASS, 0.3 * MASS, 4.0 * MASS])
    found = stepped_each(loss, exchange, air, mass, 60.0)
    for k in range(3):
        system = np.zeros((4, 4))
        system[0] = [-(loss[k] + exchange[k]) / air[k], exchange[k] / air[k], 1.0 / air[k], loss[k] / air[k]]
        system[1, :2] = exchange[k] / mass[k], -exchange[k] / mass[k]
        whole = expm(60.0 * system)
        assert found.matrix[k] == pytest.approx(whole[:2, :2], rel=1e-10)
        assert found.by_heat[k] == pytest.approx(whole[:2, 2], rel=1e-8)
        assert found.by_outside[k] == pytest.approx(whole[:2, 3], rel=1e-8)


def test_houses_of_one_shape_step_alike_by_either_way() -> None:
    size = np.array([0.7, 1.0, 1.6])
    one = stepped_by_size(180.0, 900.0, AIR, MASS, size, 900.0)
    other = stepped_each(180.0 * size, 900.0 * size, AIR * size, MASS * size, 900.0)
    assert one.matrix == pytest.approx(other.matrix, rel=1e-9)
    assert one.by_heat == pytest.approx(other.by_heat, rel=1e-9)
    assert one.by_outside == pytest.approx(other.by_outside, rel=1e-8)


def test_diverse_pumps_do_not_peak_together(town_folder: Path) -> None:
    """Alike ones all peak in one step; diverse ones differ, rest more at night, and use about the same."""
    _, alike = coldest_day(town_folder, Parameters())
    pumps, diverse = coldest_day(town_folder, Parameters(houses=DIVERSE))
    for kw, low, high in ((alike, 0.999, 1.0), (diverse, 0.5, 0.95)):
        assert low <= kw.sum(axis=1).max() / kw.max(axis=0).sum() <= high + 1e-12
    assert diverse.mean() == pytest.approx(alike.mean(), rel=0.15)
    night, peak = slice(0, 60), diverse.mean(axis=1).max()
    assert diverse[night].mean() / peak < 0.75 * alike[night].mean() / alike.mean(axis=1).max()
    assert np.all(diverse >= 0.0) and np.all(diverse <= pumps.most_kw * (1.0 + 1e-12))


def test_spreads_of_nothing_leave_houses_alike_but_for_their_hours(town_folder: Path) -> None:
    none = dict.fromkeys(("loss_spread", "mass_spread", "performance_spread", "strength_spread", "set_back_k"), 0.0)
    pumps, _ = coldest_day(town_folder, Parameters(houses=DIVERSE, set_spread_k=0.0, **none), 20)
    assert np.ptp(pumps.set_c) == 0.0
    assert np.ptp(pumps.most_kw / pumps._size) < 1e-12

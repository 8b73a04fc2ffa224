"""Electric water heaters: heat is kept, people draw the same at any step, and two layers are what a plain simulation gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from heptagrid.assembly.span import Phase, Span
from heptagrid.domains.customers.device import Surroundings
from heptagrid.domains.customers.hot_water import BY_HOUR, HotWater, Parameters
from heptagrid.domains.customers.thermal.tank import tank_of, through
from heptagrid.foundation.time import NS_PER_HOUR, Step
from heptagrid.world.weather import Weather

ZONE = ZoneInfo("Europe/Berlin")
OWNED = Parameters(share=1.0)


def steps(step_s: int) -> list[Step]:
    span = Span(date(2016, 1, 27), 1, step_s, step_s, ZONE)
    return [step for phase, step in span.steps() if phase is Phase.COUNTED]


def heaters(count: int, parameters: Parameters = OWNED) -> HotWater:
    calm = np.zeros(8760, dtype=np.float32)
    return HotWater(parameters, np.arange(count, dtype=np.int64), Surroundings(Weather(calm, calm), ZONE, 1))


def run(device: HotWater, over: list[Step]) -> np.ndarray:
    """Power of all in each step, in kW."""
    drawn = []
    for step in over:
        device.advance(step, np.zeros(len(device.owner)))
        drawn.append(device.total_kw)
    return np.array(drawn)


@pytest.mark.parametrize("step_s", [60, 900])
def test_what_heaters_draw_is_used_lost_or_held(step_s: int) -> None:
    """Over a day in which the price moves set-points, to 1e-9; and people use the same water at any step."""
    device = heaters(500)
    over = steps(step_s)
    signal = np.concatenate([np.zeros(48), np.full(24, 4.0), np.zeros(32)])
    device.plans.steered[:] = device.plans.row_of(1, over[0].quarter, signal, 96)
    held_kwh = device.stored_kwh
    drawn_kwh = run(device, over).sum() * step_s / 3600.0
    kept_kwh = device.used_kwh + device.losses_kwh + device.stored_kwh - held_kwh
    assert drawn_kwh == pytest.approx(kept_kwh, rel=1e-9)
    expected_kwh = 500 * OWNED.use_l * 4180.0 * (OWNED.use_c - OWNED.inlet_c) / 3.6e6
    assert device.used_kwh == pytest.approx(expected_kwh, rel=0.05)
    assert device.short_l < 0.01 * 500 * OWNED.use_l
    assert device.moved.kwh.sum() > 0.0


def test_a_layered_tank_is_that_of_a_plain_simulation() -> None:
    """Euler steps of 0.05 s of the same equations: a bath that empties most of the tank, and the hours after it."""
    tank = tank_of(150.0 * 4180.0, 2.0, 3000.0, 10.0, 20.0, 5.0, 60.0)
    hot_c, part, is_on = 60.0, 1.0, False
    euler = [60.0, 1.0, False]
    for minute in range(240):
        flow = 700.0 if minute < 10 else (0.0 if minute < 200 else 20.0)
        filled = through(hot_c, part, is_on, flow, 60.0, True, tank)
        hot_c, part, is_on = filled.hot_c, filled.part, filled.is_on
        for _ in range(1200):
            euler = _euler(euler, flow, 0.05)
        if minute in (9, 60, 199, 239):
            assert part == pytest.approx(euler[1], abs=2e-3)
            assert hot_c == pytest.approx(euler[0], abs=0.02)


def _euler(state: list[float], flow: float, dt_s: float) -> list[float]:
    hot_c, part, is_on = state
    heat, loss, power = 150.0 * 4180.0, 2.0, 3000.0
    above = hot_c - 10.0
    if part < 1.0 or (flow > 0.0 and power - loss * (hot_c - 20.0) - flow * above < 0.0):
        given = power - loss * (10.0 - 20.0) - loss * above * part - flow * above
        return [hot_c, min(part + given / (heat * above) * dt_s, 1.0), True]
    is_on = hot_c < 57.5 or (bool(is_on) and hot_c < 62.5)
    return [hot_c + (power * is_on - loss * (hot_c - 20.0) - flow * above) / heat * dt_s, 1.0, is_on]


def test_an_order_is_taken_back_when_the_water_is_cold() -> None:
    device = heaters(300, replace(OWNED, tank_l=80.0))
    over = steps(60)
    device.orders.place(
        over[0].start_ns, over[0].start_ns + 18 * NS_PER_HOUR, np.arange(300), np.zeros(300), is_power=True
    )
    drawn_kw = run(device, over[: 18 * 60])
    assert drawn_kw[:60].max() == 0.0 < drawn_kw[-60:].mean()
    assert 100 < device.overrides.sum() <= 300
    assert BY_HOUR.sum() == pytest.approx(1.0)

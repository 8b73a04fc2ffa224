"""The aggregator's plan as limits of a real charger."""

from __future__ import annotations

import numpy as np
import pytest

from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_QUARTER
from heptagrid.live.protocols.ocpp.profiles import instant_ns
from heptagrid.live.protocols.ocpp.steering import Plan, constant, planned
from heptagrid.world.water_filling import fill

NOW = instant_ns("2016-07-04T18:00:00Z")
FIRST = NOW // NS_PER_QUARTER
SIGNAL = 6.0 + 6.0 * np.sin(np.arange(104) / 12.0)


def test_it_is_what_a_simulated_vehicle_would_draw() -> None:
    limit = planned(Plan(FIRST, SIGNAL, 48), NOW, NOW + 12 * NS_PER_HOUR, 20.0, 11.0)
    assert limit is not None
    level = fill(SIGNAL, 0, 48, 1.0, 20.0, 1, 11.0, 0.25)
    expected = np.clip(level - SIGNAL[:48], 0.0, 11.0)
    found = np.array([_at(limit.begin_ns, limit.kw, NOW + k * NS_PER_QUARTER) for k in range(48)])
    np.testing.assert_allclose(found, expected, atol=0.051)
    assert found.sum() * 0.25 == pytest.approx(20.0, abs=0.3)


def test_it_lapses_with_the_plan() -> None:
    plan = Plan(FIRST, SIGNAL, 5)
    limit = planned(plan, NOW + 20 * NS_PER_MINUTE, NOW + 12 * NS_PER_HOUR, 20.0, 11.0)
    assert limit is not None
    assert limit.begin_ns[0] == NOW + 20 * NS_PER_MINUTE
    assert limit.until_ns == NOW + 75 * NS_PER_MINUTE
    assert planned(plan, NOW + 75 * NS_PER_MINUTE, NOW + 12 * NS_PER_HOUR, 20.0, 11.0) is None
    assert planned(plan, NOW - 1, NOW + 12 * NS_PER_HOUR, 20.0, 11.0) is None


def test_more_than_can_be_charged_is_charged_at_full_power() -> None:
    limit = planned(Plan(FIRST, SIGNAL, 5), NOW, NOW + NS_PER_HOUR, 60.0, 11.0)
    assert limit is not None
    assert limit.kw[0] == 11.0


def test_a_constant_limit_holds_from_now_on() -> None:
    limit = constant(4.14, NOW, NOW + NS_PER_HOUR)
    assert (limit.begin_ns, limit.kw) == ((NOW,), (4.14,))


def _at(begins: tuple[int, ...], kw: tuple[float, ...], ns: int) -> float:
    return [value for begin, value in zip(begins, kw, strict=True) if begin <= ns][-1]

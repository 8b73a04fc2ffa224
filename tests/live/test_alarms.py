"""Alarms go through the states of ISA-18.2, and none disappears."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from heptagrid.foundation.errors import UsageError
from heptagrid.live.alarms import Alarm, Alarms
from heptagrid.live.state import State
from heptagrid.scenario.schema import Scenario
from tests.live.harness import live_grid


@pytest.fixture(scope="module")
def found(lane: Scenario) -> tuple[Alarms, State]:
    """The alarms of a lane without any, and a state of it in which all is well."""

    async def drive() -> tuple[Alarms, State]:
        async with live_grid(lane) as harness:
            await harness.advance(60.0)
            return Alarms(harness.run.world), harness.run.grid.state

    alarms, state = asyncio.run(drive())
    return alarms, replace(state, point_v_pu=np.ones_like(state.point_v_pu), branch_pct=0.0 * state.branch_pct)


@contextmanager
def fresh(alarms: Alarms) -> Iterator[Alarms]:
    """The same without any."""
    one = Alarms.__new__(Alarms)
    vars(one).update(vars(alarms))
    one.start_anew()
    yield one


def only(alarms: Alarms) -> Alarm:
    (one,) = alarms.all()
    return one


def with_voltage(state: State, v_pu: float, at_ns: int) -> State:
    v = state.point_v_pu.copy()
    v[2] = v_pu
    return replace(state, point_v_pu=v, at_ns=state.at_ns + at_ns)


def test_an_alarm_is_raised_acknowledged_and_cleared(found: tuple[Alarms, State]) -> None:
    with fresh(found[0]) as alarms:
        state = found[1]
        alarms.look(state, 0.0, {})
        assert alarms.all() == []
        alarms.look(with_voltage(state, 0.88, 1), 0.0, {})
        assert only(alarms).state == "active"
        assert only(alarms).value == 0.88
        alarms.acknowledge(only(alarms).id, state.at_ns + 2)
        assert only(alarms).state == "acknowledged"
        alarms.look(with_voltage(state, 0.902, 3), 0.0, {})
        assert only(alarms).state == "acknowledged", "within the deadband it holds"
        assert only(alarms).value == 0.88, "what it was at worst stays"
        alarms.look(with_voltage(state, 0.91, 4), 0.0, {})
        assert only(alarms).state == "cleared"
        assert only(alarms).cleared_ns == state.at_ns + 4


def test_what_clears_by_itself_still_wants_somebody(found: tuple[Alarms, State]) -> None:
    with fresh(found[0]) as alarms:
        alarms.look(with_voltage(found[1], 1.12, 1), 0.0, {})
        alarms.look(found[1], 0.0, {})
        assert only(alarms).state == "returned"
        alarms.acknowledge(None, 5)
        assert only(alarms).state == "cleared"


def test_raised_again_it_wants_acknowledgement_again(found: tuple[Alarms, State]) -> None:
    with fresh(found[0]) as alarms:
        for k in range(3):
            alarms.look(with_voltage(found[1], 0.85, 10 * k), 0.0, {})
            alarms.acknowledge(None, 10 * k + 1)
            alarms.look(with_voltage(found[1], 1.0, 10 * k + 2), 0.0, {})
        alarms.look(with_voltage(found[1], 0.85, 40), 0.0, {})
        assert only(alarms).state == "active"
        assert only(alarms).times == 4


def test_a_silenced_alarm_is_told_apart(found: tuple[Alarms, State]) -> None:
    with fresh(found[0]) as alarms:
        alarms.look(with_voltage(found[1], 0.85, 1), 0.0, {})
        alarms.silence(only(alarms).id, 5.0)
        assert only(alarms).state == "silenced" and only(alarms).is_active
        alarms.silence(only(alarms).id, 0.0)
        assert only(alarms).state == "active"
        with pytest.raises(UsageError):
            alarms.silence(77, 1.0)


def test_lost_supply_is_urgent_and_counts_customers(found: tuple[Alarms, State]) -> None:
    with fresh(found[0]) as alarms:
        supplied = found[1].point_is_supplied.copy()
        supplied[:5] = False
        alarms.look(replace(found[1], point_is_supplied=supplied), 0.0, {})
        assert [one.kind for one in alarms.all()] == ["supply"] * len(alarms.all())
        assert sum(one.value for one in alarms.all()) == 5
        assert all(one.priority == 1 for one in alarms.all())


def test_overload_lag_frequency_loss_and_refusals_are_watched(found: tuple[Alarms, State]) -> None:
    with fresh(found[0]) as alarms:
        state = found[1]
        lost, delivered = np.zeros((7, 7)), np.zeros((7, 7))
        lost[3, 4], delivered[3, 4] = 0.1, 0.9
        bad = replace(
            state,
            transformer_pct=state.transformer_pct + 120.0,
            frequency_hz=49.7,
            traffic=replace(state.traffic, lost_per_s=lost, delivered_per_s=delivered),
        )
        alarms.look(bad, 3.5, {"refused: order": 2, "malformed": 7})
        assert {one.kind for one in alarms.all()} == {
            *("transformer overload", "frequency", "messages lost", "lag", "refused"),
        }
        assert alarms.counts() == {"active": len(alarms.all())}
        alarms.look(state, 0.0, {"refused: order": 2, "malformed": 7})
        assert {one.kind for one in alarms.all() if one.is_active} == {"refused"}, "an event stays for a minute"

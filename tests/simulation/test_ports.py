"""The ports of a simulation: its clock, and what carries its messages, can be others than the modelled ones."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import numpy as np
import pytest

from heptagrid import Simulation
from heptagrid.contracts.protection import METERING
from heptagrid.foundation.clock import WallClock
from heptagrid.foundation.contract import Contract, Wave, each
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.transport import Listener
from heptagrid.recording.arm_result import ArmResult
from heptagrid.scenario.schema import Scenario
from tests.transports import ImmediateTransport, LossyTransport


def result_of(simulation: Simulation) -> ArmResult:
    simulation.begin()
    while simulation.step():
        pass
    return simulation.finish()


def test_an_arm_runs_over_a_transport_that_delivers_at_once(lane: Scenario) -> None:
    result = result_of(Simulation(lane, "smart", transport_over=ImmediateTransport))
    assert result.messages is not None and result.messages.residual == 0
    assert result.messages.lost.sum() == 0 and result.messages.counters.sum() > 0
    assert result.metering["estimated"] == 0, "every read arrives"


def test_a_transport_that_loses_half_costs_reads_and_never_a_balance(lane: Scenario) -> None:
    result = result_of(Simulation(lane, "smart", transport_over=LossyTransport))
    assert result.messages is not None and result.messages.residual == 0
    assert 0.4 < result.metering["estimated"] + result.metering["settled"] < result.metering["expected"]
    assert result.money.sum == 0


@dataclass(frozen=True)
class Rumour:
    said: np.ndarray = each("")


RUMOUR = Contract(Rumour, Kind.ALARM, "rumour", Domain.CUSTOMERS, Domain.OPERATIONS, "at midnight", METERING)


class Refusals(Listener):
    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def refused(self, wave: Wave, reason: str) -> None:
        self.heard.append((wave.topic, reason))


def test_a_message_that_policy_refuses_is_logged_and_the_run_goes_on(
    lane: Scenario, caplog: pytest.LogCaptureFixture
) -> None:
    simulation, refusals = Simulation(lane, "smart"), Refusals()
    simulation.begin()
    simulation.grid.transport.listen(refusals)
    rumour = RUMOUR.wave(Rumour(np.zeros(3)), simulation.world.endpoints.gateways[:3], 0, simulation.span.warm_up_ns)
    with caplog.at_level(logging.WARNING):
        assert simulation.grid.transport.send(rumour) == simulation.grid.transport.send(rumour) == -1
    assert [topic for topic, _ in refusals.heard] == ["rumour", "rumour"]
    assert len(caplog.records) == 1, "each contract is logged once"
    assert simulation.grid.transport.refused == {RUMOUR.name: 6}
    while simulation.step():
        pass
    result = simulation.finish()
    assert result.messages is not None and result.messages.residual == 0
    assert result.refused == {RUMOUR.name: 6}


def test_a_wall_clock_paces_the_steps_and_catches_up(lane: Scenario) -> None:
    clock = WallClock(speed=900.0 * 20.0)  # a quarter hour in 50 ms
    simulation = Simulation(lane, "smart", clock=clock)
    simulation.begin()
    simulation.step()
    began = time.monotonic()
    time.sleep(0.08)
    for _ in range(12):
        simulation.step()
    took_s, step = time.monotonic() - began, simulation.last_step
    assert step is not None
    expected_s = 12 * (step.end_ns - step.start_ns) / 1e9 / clock.speed
    assert took_s >= expected_s - 0.01, "never early"
    assert took_s < expected_s + 5.0 and clock.lag_s < 5.0

"""A run with people instead of profiles and diverse houses: the same to the last bit on one thread and two, whole and resumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from heptagrid import Simulation
from heptagrid.recording.arm_result import ArmResult
from heptagrid.scenario.load import revised
from heptagrid.scenario.schema import Scenario
from tests.simulation.test_checkpoint import differences, to_the_end

pytestmark = pytest.mark.long


@pytest.fixture
def peopled(lane: Scenario) -> Scenario:
    return revised(lane, ["customers.homes=presence", "heat_pumps.houses=diverse", "heat_pumps.share=0.5"])


def run(scenario: Scenario, threads: int) -> ArmResult:
    simulation = Simulation(scenario, "smart", threads=threads)
    simulation.begin()
    return to_the_end(simulation)


def test_two_threads_and_a_resumed_run_come_to_the_same_last_bit(
    lane: Scenario, peopled: Scenario, tmp_path: Path
) -> None:
    one, two = run(peopled, 1), run(peopled, 2)
    assert differences(one, two) == []
    assert differences(one, run(lane, 1)) != []
    simulation = Simulation(peopled, "smart", threads=1)
    simulation.begin()
    for _ in range(330):
        simulation.step()
    simulation.save(tmp_path / "saved")
    restored = Simulation.restore(tmp_path / "saved", scenario=peopled)
    assert differences(one, to_the_end(restored)) == []

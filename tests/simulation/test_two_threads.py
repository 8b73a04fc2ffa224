"""An arm on two threads, whose messages travel beside devices, power and sensors, comes to what it comes to on one."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heptagrid import Simulation
from heptagrid.domains.operations.firmware import Rollout
from heptagrid.domains.operations.meter_store import MeterStore, Reads
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_S, Step
from heptagrid.planes.messages.kernel.ahead import Ahead
from heptagrid.scale.jobs import threads_of_job
from heptagrid.scenario.load import revised
from heptagrid.scenario.schema import Scenario
from heptagrid.world.endpoints import Endpoints
from tests.simulation.test_checkpoint import differences, to_the_end

pytestmark = pytest.mark.long


@pytest.mark.parametrize("arm", ["smart", "conventional"])
def test_two_threads_come_to_the_same_last_bit(lane: Scenario, arm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    start = Ahead.__init__

    def counted(self: Ahead, *arguments: Any) -> None:
        begun.append(1)
        start(self, *arguments)

    monkeypatch.setattr(Ahead, "__init__", counted)
    results = []
    for threads in (1, 2):
        simulation = Simulation(lane, arm, threads=threads)
        simulation.begin()
        results.append(to_the_end(simulation))
        closing = 12
        assert len(begun) == (0 if threads == 1 else simulation.span.all_steps - closing)
    assert differences(*results) == []


def test_reads_are_stored_while_messages_travel(lane: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = Simulation(revised(lane, ["run.step_s=300"]), threads=2)
    simulation.begin()
    plane = simulation.grid.transport.plane  # type: ignore[attr-defined]
    store, beside = MeterStore.receive, []

    def noted(self: MeterStore, quarter: int, reads: Reads, *whole: Any) -> Any:
        beside.append(plane._ahead is not None)
        return store(self, quarter, reads, *whole)

    monkeypatch.setattr(MeterStore, "receive", noted)
    for _ in range(200):
        simulation.step()
    assert len(beside) > 50
    assert sum(beside) > 0.5 * len(beside), "the others are asked for at the end of a quarter hour"


def test_each_arm_gets_its_share_and_a_second_thread_for_its_messages() -> None:
    assert [threads_of_job(1, jobs) for jobs in (1, 2, 9)] == [1, 1, 1]
    assert [threads_of_job(2, jobs) for jobs in (1, 2, 9)] == [2, 2, 1]
    assert [threads_of_job(8, jobs) for jobs in (1, 2, 3, 8, 9)] == [8, 4, 2, 2, 1]


def test_a_roll_out_announces_the_steps_in_which_it_sends() -> None:
    nobody = np.empty(0, dtype=np.int64)
    gateways = np.arange(7, dtype=np.int64)
    at = Endpoints(gateways, nobody, *range(7, 12), nobody, nobody, nobody)
    rollout = Rollout(0, NS_PER_HOUR + NS_PER_S, 90 * NS_PER_S, 4500, 1000, gateways[1:5], at)
    sent: list[Any] = []

    class Outbox:
        def send(self, wave: Any) -> None:
            sent.append(wave)

    announced = []
    for minute in range(120):
        step = Step(
            minute * 60 * NS_PER_S, (minute + 1) * 60 * NS_PER_S, date(2016, 1, 27), 0, 86400 * NS_PER_S, minute
        )
        before = len(sent)
        rollout.work(step, Outbox())
        announced.append(rollout.may_send_within(step))
        assert announced[-1] or len(sent) == before
    assert len(sent) >= 5
    assert 5 <= sum(announced) <= 10


def test_an_arm_loads_neither_the_compiler_nor_linear_algebra(lane: Scenario, lane_file: Path) -> None:
    text = (
        "import sys; from heptagrid import Simulation; from heptagrid.scenario.load import load\n"
        f"one = Simulation(load({str(lane_file)!r})); one.begin()\n"
        "while one.step(): pass\n"
        "one.finish(); print(*sys.modules)"
    )
    words = [sys.executable, "-c", text]
    subprocess.run(words, check=True, capture_output=True)  # compiles what is not compiled yet
    loaded = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    assert "heptagrid.assembly.transport" in loaded
    assert {"scipy.linalg", "numba.np.linalg"} & set(loaded) == set(), "a kernel names what loads it"

"""A simulation in a user's hands: step by step, looked at, changed on the way; the same to the last bit as a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import heptagrid
from heptagrid import Simulation
from heptagrid.assembly.span import Phase
from heptagrid.foundation.errors import UsageError
from heptagrid.scenario.schema import Scenario
from tests.conftest import LANE

pytestmark = pytest.mark.long


def test_one_steps_through_a_day_and_looks_at_it(lane: Scenario) -> None:
    simulation = Simulation(lane, "smart")
    simulation.begin()
    phases: list[Phase] = []
    infeed_kw: list[float] = []
    while simulation.step():
        phases.append(simulation.phase)
        flow = simulation.grid.distribution.flow
        if simulation.phase is Phase.COUNTED and flow is not None:
            infeed_kw.append(flow.infeed_p_kw)
    result = simulation.finish()
    assert len(phases) == simulation.steps_done == simulation.span.all_steps
    assert [phase for k, phase in enumerate(phases) if k == 0 or phases[k - 1] is not phase] == list(Phase)
    assert result.steps == len(infeed_kw) == 96
    assert result.extremes.peak_kw == max(infeed_kw)
    assert result.energy.imported - result.energy.exported == pytest.approx(sum(infeed_kw) / 4.0, rel=1e-12)
    assert not simulation.step()


def test_it_is_the_run_to_the_last_bit(lane: Scenario, tmp_path: Path) -> None:
    run = heptagrid.run(feeder=LANE, step_s=900, single="smart", threads=1, out=tmp_path / "run")
    simulation = Simulation(lane, "smart")
    simulation.begin()
    while simulation.step():
        pass
    result = simulation.finish()
    arm: dict[str, Any] = run.summary["arms"]["smart"]
    assert arm["loading"]["primary_peak_kw"] == result.extremes.peak_kw
    assert arm["energy_mwh"]["residual"] == result.energy.residual / 1e3
    assert arm["bills"]["mean_bill_eur"] == pytest.approx(np.mean(result.bills_eur), rel=1e-12)


def test_what_one_changes_the_next_steps_find(lane: Scenario) -> None:
    """In one of two alike days all set their thermostats three degrees higher: the heat pumps run, and the feeder carries it."""
    as_it_is, warmer = Simulation(lane, "conventional"), Simulation(lane, "conventional")
    drawn_kwh = []
    for simulation in (as_it_is, warmer):
        simulation.begin()
        for _ in range(20):
            simulation.step()
        if simulation is warmer:
            simulation.grid.customers.devices["heat_pumps"].set_c += 3.0
        kwh = np.zeros(2)
        for _ in range(8):
            simulation.step()
            flow = simulation.grid.distribution.flow
            assert flow is not None
            kwh += 0.25 * np.array([simulation.grid.customers.devices["heat_pumps"].total_kw, flow.infeed_p_kw])
        drawn_kwh.append(kwh)
    more = drawn_kwh[1] - drawn_kwh[0]
    assert more[0] > 0.1
    assert more[1] == pytest.approx(more[0], rel=0.1)  # but for losses


def test_one_that_is_left_early_says_so_and_keeps_what_there_is(lane: Scenario) -> None:
    simulation = Simulation(lane, "conventional")
    simulation.begin()
    while simulation.phase is not Phase.COUNTED or simulation.recorder.result.steps < 8:
        simulation.step()
    result = simulation.finish()
    assert simulation.last_step is not None
    assert result.stopped_ns == simulation.last_step.end_ns
    assert result.steps == 8
    assert abs(result.energy.residual) < 1e-6 * result.energy.imported


def test_what_is_called_too_early_or_by_a_wrong_name_is_named(lane: Scenario) -> None:
    with pytest.raises(UsageError, match=r"call begin\(\) before step"):
        Simulation(lane, "smart").step()
    with pytest.raises(UsageError, match="no arm 'smrt'; the arms are conventional, smart"):
        Simulation(lane, "smrt")


def test_the_example_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulation.md").read_text(encoding="utf-8")
    example = page.partition("```python\n")[2].partition("```")[0]
    exec(example, {})
    peak_kw, energy_kwh, messages = map(float, capsys.readouterr().out.split())
    assert peak_kw > 10_000.0
    assert (abs(energy_kwh) < 0.1, messages) == (True, 0.0)

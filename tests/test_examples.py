"""The examples run as they stand, say what they are about, and use the public interface only."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

import heptagrid
from heptagrid import Run, Simulation

pytestmark = pytest.mark.long

EXAMPLES = Path(__file__).parents[1] / "examples"


def said_by(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str
) -> str:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [name, *words])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    assert not list(folder.iterdir()), "an example leaves nothing behind"
    return capsys.readouterr().out


def test_half_a_degree_less_draws_less(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = said_by("step_by_hand.py", capsys, monkeypatch, tmp_path)
    numbers = re.search(
        r"day: (\d+) kW as it is, (\d+) kW half a degree cooler\nenergy of the day: (.+) MWh less", said
    )
    assert numbers is not None, said
    as_it_is_kw, cooler_kw, less_mwh = map(float, numbers.groups())
    assert 0.0 < as_it_is_kw - cooler_kw < 500.0
    assert 0.1 < less_mwh < 5.0


def test_the_tables_of_a_run_answer_questions(
    day: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = said_by("town_tables.py", capsys, monkeypatch, tmp_path, str(day.folder))
    assert f"by {day.summary['difference']['primary_peak_kw']:.0f} kW" in said
    assert "meter_reading" in said and "change_eur" in said


def test_priority_is_worth_most_of_a_second_to_the_readings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = said_by("carry_a_network.py", capsys, monkeypatch, tmp_path)
    alike_ms, first_ms = (float(one) for one in re.findall(r"reading ┆ [\d.]+ +┆ ([\d.]+)", said))
    assert alike_ms > 500.0
    assert first_ms < 25.0


def test_the_street_carries_some_vehicles_but_not_any_number(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = said_by("flow_on_a_feeder.py", capsys, monkeypatch, tmp_path)
    v_pu = [float(one) for one in re.findall(r"charging: ([\d.]+) pu", said)]
    assert 3 < len(v_pu) < 10
    assert min(v_pu[:-1]) >= 0.9 > v_pu[-1]


@pytest.mark.parametrize(("name", "served"), [("electrified", True), ("blackout", False), ("two_companies", False)])
def test_a_scenario_runs(name: str, served: bool) -> None:
    scenario = heptagrid.load(EXAMPLES / f"{name}.toml", ["run.step_s=900"])
    assert scenario.name == name
    simulation = Simulation(scenario, "conventional")
    simulation.begin()
    while simulation.step():
        pass
    result = simulation.finish()
    assert result.extremes.peak_kw > 10_000.0
    assert (result.extremes.peak_kw > 18_000.0) == served, "with the vehicles and heat pumps of tomorrow"


def test_every_example_is_on_the_page_and_uses_the_public_interface_only() -> None:
    page = (EXAMPLES.parent / "docs/examples.md").read_text(encoding="utf-8")
    for path in EXAMPLES.iterdir():
        assert f"../examples/{path.name})" in page, path
        if path.suffix == ".py":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"from heptagrid|import heptagrid\.", text), path
            assert f"python examples/{path.name}" in text, "the first lines say how to run it"

"""A city in a scenario: its areas are towns, with settings of their own where a table gives them, and a run of it conserves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import heptagrid
from heptagrid.cli import main
from heptagrid.foundation.errors import ScenarioError
from heptagrid.scenario.load import load, rebuilt, revised, tables_of_parts


def test_its_areas_are_towns() -> None:
    scenario = load("city", ["city.customers=30000"])
    assert [town.name for town in scenario.towns] == [f"area-{k + 1}" for k in range(len(scenario.towns))]
    assert sum(town.entry.customers for town in scenario.towns) == 30_000
    fewer = revised(scenario, ["city.customers=12000"])
    assert sum(town.entry.customers for town in fewer.towns) == 12_000
    assert revised(fewer, ["city.customers=30000"]).towns == scenario.towns


def test_an_area_may_have_its_own_technology(tmp_path: Path) -> None:
    text = '[city]\ncustomers = 30000\n[towns.area-2.messages.access]\ntechnology = "nb-iot"\n'
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    towns = load(tmp_path / "mine.toml").towns
    assert [town.sections["messages.access"].technology == "nb-iot" for town in towns] == [
        number == 1 for number in range(len(towns))
    ]


def test_towns_beside_a_city_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[city]\ncustomers = 9000\n[towns.west]\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="towns or a city"):
        load(tmp_path / "mine.toml")


def test_what_a_manifest_holds_makes_the_same_city() -> None:
    scenario = load("city", ["city.customers=26000", "city.seed=3"])
    tables = {name: dict(vars(one)) for name, one in scenario.sections.items()} | tables_of_parts(scenario)
    tables["run"] = {"start": str(scenario.start), "zone": scenario.zone.key, "days": 1, "step_s": 60, "seed": 1}
    again = rebuilt("city", {town.name: town.folder for town in scenario.towns}, scenario.bulk_folder, tables, ())
    assert [town.entry.customers for town in again.towns] == [town.entry.customers for town in scenario.towns]


def test_inspect_sets_its_figures_beside_published_ones() -> None:
    told = CliRunner().invoke(main, ["inspect", "city", "--customers", "3000", "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.output)
    assert found["customers"] == 3000
    by_name = {one["name"]: one for one in found["figures"]}
    assert by_name["of it at low voltage"]["value"] == pytest.approx(14.0, abs=6.0)
    assert CliRunner().invoke(main, ["inspect", "town"]).exit_code == 2


@pytest.mark.long
def test_a_run_of_a_small_city_conserves(tmp_path: Path) -> None:
    settings = ["city.customers=1500", "vehicles.share=0.3"]
    run = heptagrid.run("city", settings=settings, step_s=900, threads=1, out=tmp_path / "run")
    assert run.summary["customers"] == 1500
    for arm in ("conventional", "smart"):
        found = run.summary["arms"][arm]
        assert abs(found["energy_mwh"]["residual"]) < 1e-6 and found["messages"]["residual"] == 0
        assert found["money_eur"]["sum"] == 0.0

"""Towns and companies in a scenario: what may be said of them, and what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from heptagrid.foundation.errors import ScenarioError
from heptagrid.recording.manifest import data_fingerprints
from heptagrid.scenario.load import load, rebuilt, revised, tables_of_parts
from heptagrid.scenario.template import template

TOWNS = "[towns.east]\n[towns.west]\neast_km = -20.0\n"


def written(folder: Path, text: str) -> Path:
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    return folder / "mine.toml"


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ScenarioError) as refused:
        load(written(folder, text))
    return refused.value.violations


def test_a_scenario_without_any_has_one_of_each() -> None:
    scenario = load("town")
    assert [len(each) for each in (scenario.towns, scenario.retailers, scenario.aggregators)] == [1, 1, 1]
    assert scenario.towns[0].sections is scenario.sections
    assert tables_of_parts(scenario) == {}


def test_a_town_has_the_scenarios_settings_but_for_its_own(tmp_path: Path) -> None:
    text = f'[messages.access]\nloss = 0.1\n{TOWNS}[towns.west.messages.access]\ntechnology = "nb-iot"\n'
    east, west = load(written(tmp_path, text)).towns
    technologies = [town.sections["messages.access"].technology for town in (east, west)]
    assert technologies[0] != technologies[1] == "nb-iot"
    assert [town.sections["messages.access"].loss for town in (east, west)] == [0.1, 0.1]
    assert west.sections["vehicles"] is east.sections["vehicles"]


def test_settings_on_top_reach_a_town_and_what_it_leaves_to_the_scenario() -> None:
    scenario = load("two-towns", ["towns.west.bus=105", "messages.access.loss=0.2", "retailers.greenpower.share=0.1"])
    assert [town.entry.bus for town in scenario.towns] == [109, 105]
    assert [town.sections["messages.access"].loss for town in scenario.towns] == [0.2, 0.2]
    assert scenario.retailers[1].entry.share == 0.1


def test_a_revised_scenario_keeps_its_towns_and_companies() -> None:
    scenario = load("two-towns")
    again = revised(scenario, ["run.seed=3"])
    assert tables_of_parts(again) == tables_of_parts(scenario)
    assert [town.folder for town in again.towns] == [town.folder for town in scenario.towns]
    assert again.towns[1].sections["messages.access"] == scenario.towns[1].sections["messages.access"]


def test_a_scenario_is_rebuilt_from_what_a_manifest_holds() -> None:
    scenario = load("two-towns")
    networks = {town.name: town.folder for town in scenario.towns}
    again = rebuilt("two-towns", networks, scenario.bulk_folder, {"run": {}} | tables_of_parts(scenario), ())
    assert [town.sections["messages.access"] for town in again.towns] == [
        town.sections["messages.access"] for town in scenario.towns
    ]
    assert [one.entry for one in again.retailers] == [one.entry for one in scenario.retailers]
    assert [town.entry.bus for town in again.towns] == [109, 106]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[towns]\n", "[towns]: give each a name, such as [towns.west]"),
        ("[towns.West]\n", "[towns.West]: a name has up to 31 letters"),
        ("[towns.west]\nbus = -1\n", "towns.west.bus = -1: must lie"),
        ("[towns.west]\nbuss = 9\n", "towns.west.buss: there is no such key; did you mean towns.west.bus?"),
        ('[towns.west]\nnetwork = "nowhere"\n', "network = 'nowhere': there is no folder of that name"),
        (
            "[towns.west.vehicles]\nshare = 0.5\n",
            "[towns.west.vehicles]: here one can set [towns.west.messages.access] and",
        ),
        (
            "[towns.west.messages.access]\nloss = 2.0\n",
            "towns.west.messages.access.loss = 2.0: must lie",
        ),
        (f'{TOWNS}[retailers.a]\ntowns = ["wets"]\n', "there is no town 'wets'; did you mean 'west'?"),
        (f'{TOWNS}[retailers.a]\ntowns = ["west"]\n', "[retailers]: none of them serves town 'east'"),
        (f"{TOWNS}[aggregators.a]\nshare = 0.0\n", "[aggregators]: none of them serves town 'east'"),
        ("[retailers.a.aggregator]\nvalid_s = 900\n", "[retailers.a.aggregator]: here one can set"),
        ("[retailers.a]\nshare = -1.0\n", "retailers.a.share = -1.0: must lie"),
        ("[retailers]\nshare = 1.0\n", "[retailers]: give each a name"),
        ("[[towns]]\nbus = 9\n", "towns: give each a name, such as [towns.west]"),
    ],
)
def test_what_is_wrong_is_named_with_the_remedy(tmp_path: Path, text: str, words: str) -> None:
    assert any(words in one for one in problems(tmp_path, text)), problems(tmp_path, text)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            'kind = "cut"\nwhere = "hub"',
            "there is no such place; write a substation's number or name, hub east, hub west",
        ),
        ('kind = "cut"\nwhere = "hub west"', ""),
        ('kind = "cut"\nwhere = "retailer greenpower"', ""),
        ('kind = "blackout"\nwhere = "west"', ""),
        ('kind = "blackout"\nwhere = "wets"', "there is no such place; did you mean 'west'?"),
        ('kind = "jam"\nwhere = "nb-iot"', ""),
        ('kind = "jam"\nwhere = "access"', ""),
    ],
)
def test_events_know_the_places_of_several_towns(tmp_path: Path, event: str, words: str) -> None:
    import heptagrid.scenario.load as module

    text = (module.DATA / "two-towns.toml").read_text(encoding="utf-8")
    whole = f"{text}\n[[events]]\nbegin = 3600.0\nduration_s = 60.0\n{event}\n"
    if words:
        assert any(words in one for one in problems(tmp_path, whole)), problems(tmp_path, whole)
    else:
        assert len(load(written(tmp_path, whole)).events) == 1


def test_the_examples_of_a_new_scenario_can_be_taken_in_use(tmp_path: Path) -> None:
    lines = template("mine").splitlines()
    begin = next(k for k, line in enumerate(lines) if line.startswith("# Several towns"))
    end = next(k for k, line in enumerate(lines) if line.startswith("# Events"))
    used = [line[1:] for line in lines[begin:end] if line.startswith("#") and not line.startswith(("# ", "#  "))]
    scenario = load(written(tmp_path, "\n".join(used)))
    assert [one.name for one in (*scenario.towns, *scenario.retailers, *scenario.aggregators)] == ["north"] * 3


def test_no_town_has_the_name_of_all_of_them(tmp_path: Path) -> None:
    found = problems(tmp_path, "[towns.all]\n[towns.west]\n")
    assert found == ["[towns.all]: all means every town; give this one another name"]


def test_a_towns_files_are_told_from_the_bulk_systems_of_its_name(tmp_path: Path) -> None:
    found = data_fingerprints(load(written(tmp_path, "[towns.rts-gmlc]\n[towns.west]\n")))
    assert {"rts-gmlc/grid.npz", "rts-gmlc/units.csv", "west/grid.npz"} <= set(found)

"""A scenario is checked as a whole: nothing that is wrong hides another thing that is wrong."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptagrid.foundation.errors import ScenarioError
from heptagrid.foundation.parameters import declarations, parameter
from heptagrid.foundation.registry import all_sections
from heptagrid.scenario.checks import Checks
from heptagrid.scenario.load import load, revised
from heptagrid.scenario.template import template
from heptagrid.scenario.words import allowed, span

DECLARED = {
    f"{section}.{name}": (default, one)
    for section, kind in all_sections().items()
    for name, _, default, one in declarations(kind)
}
NUMBERS = {key: one for key, (default, one) in DECLARED.items() if type(default) in (int, float)}


def violations(folder: Path, text: str, *settings: str) -> list[str]:
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(file, settings)
    return caught.value.violations


def test_a_wrong_key_hides_no_other(tmp_path: Path) -> None:
    text = """
    name = 3
    network = "nowhere"
    typical_days = "nowhere.csv"
    [run]
    days = 400
    start = "2015-06-01"
    zone = "Mars/Olympus"
    step_s = 70
    seed = "one"
    [vehicles]
    share = 1.5
    """
    found = violations(tmp_path, text, "heat_pumps.sahre=0.5")
    keys = ["name", "network", "typical_days", "run.days", "run.start", "run.zone", "run.step_s", "run.seed"]
    keys += ["vehicles.share", "heat_pumps.sahre"]
    assert {one.split()[0].rstrip(":") for one in found} == set(keys)
    assert len(found) == len(keys), "each once"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed = 4", "did you mean run.seed or city.seed?"),
        ("vehicles = 3", "this is a section; write [vehicles]"),
        ("nmae = 'x'", "did you mean name?"),
        ("[messages]\nloss = 0.1", "did you mean [messages.access] or [messages.backhaul] or [messages.wan]?"),
        ("[tarifs]", "did you mean [tariffs]?"),
        ("[vehicles]\ncapacity_kwh = 9.0", "vehicles.capacity_kwh: there is no such key; did you mean"),
        ("[run]\nstep_s = true", "a whole number in s is expected"),
        ("[batteries]\npower_kw = '5 kW'", "a number in kW is expected"),
        ("[batteries]\npower_kw = inf", "must lie from 0.1 to 100 in kW"),
    ],
)
def test_a_violation_says_what_to_write(tmp_path: Path, text: str, words: str) -> None:
    (found,) = violations(tmp_path, text)
    assert words in found


def test_a_setting_without_its_section_is_told_the_full_key(tmp_path: Path) -> None:
    assert "such as run.seed=3" in violations(tmp_path, "", "seed=3")[0]


@given(key=st.sampled_from(sorted(NUMBERS)), beyond=st.floats(1e-3, 1e3))
def test_no_number_outside_its_range_is_taken(key: str, beyond: float) -> None:
    for bound, value in ((NUMBERS[key].low, -beyond), (NUMBERS[key].high, beyond)):
        if bound is not None:
            whole = isinstance(DECLARED[key][0], int)
            outside = int(bound + value + (1 if value > 0 else -1)) if whole else bound + value * max(1.0, abs(bound))
            with pytest.raises(ScenarioError, match=key):
                load("town", [f"{key}={outside}"])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("2015-06-01,366", "line 2: 2015-06-01 lies outside the data"),
        ("2016-06-01,300\n2016-06-02,nan", "line 3: weight nan"),
        ("2016-06-01,-3", "line 2: weight -3"),
        ("2016-06-01,1\n2016-06-01,2", "line 3: 2016-06-01 stands there twice"),
        ("June,1", "line 2: the columns date and weight are expected"),
        ("2016-06-01", "line 2: the columns date and weight are expected"),
        ("", "there is no day in it"),
    ],
)
def test_typical_days_are_checked_before_they_run(tmp_path: Path, rows: str, words: str) -> None:
    (tmp_path / "days.csv").write_text(f"date,weight\n{rows}\n", encoding="utf-8")
    (found,) = violations(tmp_path, 'typical_days = "days.csv"')
    assert words in found


def test_typical_days_of_ones_own_replace_the_built_in_ones(tmp_path: Path) -> None:
    (tmp_path / "days.csv").write_text("date,weight\n2016-06-01,360\n2016-12-31,6\n", encoding="utf-8")
    (tmp_path / "mine.toml").write_text('typical_days = "days.csv"\n', encoding="utf-8")
    assert load(tmp_path / "mine.toml").typical_days == ((date(2016, 6, 1), 360.0), (date(2016, 12, 31), 6.0))


def test_a_network_beside_the_file_is_found_first(tmp_path: Path, town_folder: Path) -> None:
    (tmp_path / "town").mkdir()
    shutil.copy(town_folder / "grid.npz", tmp_path / "town")
    (tmp_path / "mine.toml").write_text("", encoding="utf-8")
    scenario = load(tmp_path / "mine.toml")
    assert scenario.folder == tmp_path / "town"
    assert scenario.typical_days == (), "and its typical days are its own"


def test_a_folder_named_like_a_built_in_scenario_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "town").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load("town").name == "town"


def test_a_loaded_scenario_is_checked_again_when_revised() -> None:
    scenario = replace(load("town", ["vehicles.share=0.4"]), seed=5)
    changed = revised(scenario, ["run.start=2016-07-04", "run.days=2", "heat_pumps.share=0.1"])
    assert (changed.start, changed.days, changed.seed) == (date(2016, 7, 4), 2, 5)
    assert changed.sections["vehicles"].share == 0.4
    assert changed.sections["heat_pumps"].share == 0.1
    assert changed.sections["run"].start == "2016-07-04", "what a manifest writes down"
    assert changed.typical_days == scenario.typical_days
    assert revised(scenario, []).sections["vehicles"] == scenario.sections["vehicles"]
    with pytest.raises(ScenarioError) as caught:
        revised(replace(scenario, step_s=70), ["run.start=2017-01-01", "vehicles.share=2"])
    assert len(caught.value.violations) == 3


def test_names_with_quotes_and_accents_survive_a_new_scenario(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(template('Zürich "West" 🏔'), encoding="utf-8")
    assert load(file).name == 'Zürich "West" 🏔'


@dataclass(frozen=True)
class Plugged:
    """What another package might declare."""

    shares: tuple[float, ...] = parameter((0.5, 0.5), info="of each kind", low=0.0, high=1.0, source="assumption: even")
    power_kw: float = parameter(1.0, info="power", unit="kW", low=0.0, source="assumption: one")
    offset_k: float = parameter(0.0, info="offset", unit="K", source="assumption: none")
    mode: str = parameter("on", info="mode", choices=("on", "off"), source="assumption: on")
    active: bool = parameter(True, info="whether", source="assumption: yes")


def test_lists_choices_switches_and_open_ranges_are_checked() -> None:
    checks = Checks()
    checks.sections = {"plugged": Plugged}
    good = {"shares": [0, 0.25], "power_kw": 1_000_000, "offset_k": -5, "mode": "off", "active": False}
    assert Plugged(**checks.section("plugged", good)) == Plugged((0.0, 0.25), 1e6, -5.0, "off", False)
    assert checks.violations == []
    bad = {"shares": [0.5, 1.5], "power_kw": -1, "offset_k": float("inf"), "mode": "of", "active": 1}
    assert Plugged(**checks.section("plugged", bad)).mode == "on"
    assert [one.split(" (")[0] for one in checks.violations] == [
        "plugged.shares[1] = 1.5: must lie from 0 to 1",
        "plugged.power_kw = -1.0: must be at least 0 in kW",
        "plugged.offset_k = inf: must be finite in K",
        "plugged.mode = 'of': must be one of on, off; did you mean 'off'?",
        "plugged.active = 1: true or false is expected, such as True",
    ]


def test_ranges_read_as_words() -> None:
    found = {name: (span(one), allowed(one)) for name, _, _, one in declarations(Plugged)}
    assert found["power_kw"] == ("at least 0", "be at least 0 in kW")
    assert found["offset_k"] == ("", "be finite in K")
    assert found["shares"] == ("0 to 1", "lie from 0 to 1")

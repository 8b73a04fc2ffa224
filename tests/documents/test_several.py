"""The scenario on the page of several towns and companies is one, and what the page says of it holds."""

from __future__ import annotations

from pathlib import Path

from heptagrid.scenario.load import load
from heptagrid.scenario.towns import OWN_SECTIONS
from tests.documents.pages import DOCS, blocks

PAGE = DOCS / "several.md"


def test_the_scenario_loads_and_sets_what_the_page_says(tmp_path: Path) -> None:
    (text,) = blocks(PAGE, "toml")
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    scenario = load(file)
    assert [town.name for town in scenario.towns] == ["east", "west"]
    assert [town.sections["messages.access"].technology for town in scenario.towns] == ["wi-sun-50k", "nb-iot"]
    assert [one.sections["tariffs"].margin_ct_per_kwh for one in scenario.retailers] == [2.0, 1.0]
    assert [one.serves("west") for one in scenario.aggregators] == [False, True]


def test_the_page_names_every_table_that_may_stand_below_a_name() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for what, sections in OWN_SECTIONS.items():
        listed = ", ".join(f"`{one}`" for one in sections)
        assert f"| `[{what}.NAME. ...]` | {listed} |" in text

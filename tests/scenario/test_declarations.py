"""Every built-in number explains itself, and the pages made from the declarations are up to date."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import heptagrid
from heptagrid.contracts.kinds import FACTS
from heptagrid.foundation.parameters import declarations
from heptagrid.foundation.registry import all_sections, protocol_sections
from heptagrid.scenario.load import builtin_scenarios, load
from heptagrid.scenario.template import template

ROOT = Path(heptagrid.__file__).parents[1]
PROTOCOLS = {name: kind() for name, kind in protocol_sections().items()}


def test_every_parameter_names_its_source_and_lies_in_its_range() -> None:
    sections = all_sections()
    assert len(sections) >= 20
    for section, kind in sections.items():
        for name, _, default, one in declarations(kind):
            assert len(one.source) >= 5, (section, name)
            assert one.info, (section, name)
            if isinstance(default, float) and name != "share":
                assert one.low is not None, (section, name)
                assert one.high is not None, (section, name)
                assert one.low <= default <= one.high, (section, name)


def test_every_kind_of_message_names_its_source() -> None:
    assert all(len(facts.source) > 10 for facts in FACTS.values())


def test_a_new_scenario_loads_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(template("mine"), encoding="utf-8")
    assert load(file).sections == load("town").sections | PROTOCOLS


def test_every_line_of_a_new_scenario_can_be_taken_in_use(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    lines = template("mine").splitlines()
    used = [
        line[2:] if line.startswith("# ") and " = " in line and not line.startswith("#  ") else line for line in lines
    ]
    used = [line for line in used if not line.startswith("typical_days")]
    file.write_text("\n".join(used), encoding="utf-8")
    assert load(file).sections == load("town").sections | PROTOCOLS


def test_protocols_are_loaded_where_one_is_set() -> None:
    text = "import sys; from heptagrid.scenario.load import load; found = load('town', [{}]); print('heptagrid.live.grid' in sys.modules, *found.sections)"
    setting = "'live.modbus.unit_id=7'"
    for given, is_loaded in (("", False), (setting, True)):
        words = subprocess.run([sys.executable, "-c", text.format(given)], capture_output=True, text=True, check=True)
        loaded, *sections = words.stdout.split()
        assert loaded == str(is_loaded)
        assert ("live.modbus" in sections) == is_loaded


def test_settings_win_over_the_file() -> None:
    scenario = load("town", ["vehicles.share=0.5", "messages.access.rate_bps=9600", "run.seed=7"])
    assert scenario.sections["vehicles"].share == 0.5
    assert scenario.sections["messages.access"].rate_bps == 9600.0
    assert scenario.seed == 7


@pytest.mark.parametrize("name", list(builtin_scenarios()))
def test_built_in_scenarios_load(name: str) -> None:
    assert load(name).name == name


def test_typical_days_stand_for_a_year() -> None:
    days = load("town").typical_days
    assert len(days) == 12
    assert sum(weight for _, weight in days) == 366


def test_the_reference_page_is_up_to_date() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from reference_page import reference  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    assert (ROOT / "docs/reference/parameters.md").read_text(encoding="utf-8") == reference(), "run `make docs`"

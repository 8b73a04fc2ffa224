"""The weather file of a scenario: where it lies, and whether it can be read."""

from __future__ import annotations

from pathlib import Path

from heptagrid.foundation.errors import FileError
from heptagrid.importers.epw import read_epw
from heptagrid.scenario.checks import Checks, Tables

SECTION, FILE = "weather", "file"


def find_weather_file(tables: Tables, folder: Path) -> None:
    """Write where the file lies into the tables: beside the scenario, or where the command is given."""
    given = tables.get(SECTION, {}).get(FILE)
    if not isinstance(given, str) or not given:
        return
    beside = folder / given
    tables[SECTION] |= {FILE: str((beside if beside.is_file() else Path(given)).resolve())}


def check_weather_file(checks: Checks, sections: dict[str, object]) -> None:
    """Add what is wrong with the file to the violations of `checks`."""
    path = str(getattr(sections[SECTION], FILE))
    if not path:
        return
    try:
        read_epw(path)
    except FileError as problem:
        checks.violations += [f"{SECTION}.{FILE} = {path!r}: {one}" for one in problem.violations]

"""The files of a scenario's monthly rates: where they lie, and whether each is a rate."""

from __future__ import annotations

from pathlib import Path

from heptagrid.foundation.errors import FileError
from heptagrid.planes.money.tariffs.monthly_rate import FILE, NAME, read_rate_file
from heptagrid.planes.money.tariffs.tariff import SECTION
from heptagrid.scenario.checks import Checks, Tables

_SECTION = SECTION + NAME


def find_rate_files(tables: Tables, folder: Path) -> None:
    """Write where the file lies into the tables: beside the scenario, or where the command is given."""
    given = tables.get(_SECTION, {}).get(FILE)
    if not isinstance(given, str) or not given:
        return
    beside = folder / given
    tables[_SECTION] |= {FILE: str((beside if beside.is_file() else Path(given)).resolve())}


def check_rate_files(checks: Checks, sections: dict[str, object]) -> None:
    """Add what is wrong with the file to the violations of `checks`."""
    path = str(getattr(sections[_SECTION], FILE))
    if not path:
        return
    try:
        read_rate_file(path)
    except FileError as problem:
        checks.violations += [f"{_SECTION}.{FILE} = {path!r}: {one}" for one in problem.violations]

"""The files of a scenario's monthly rates: where they lie, and whether each is a rate that a run's meters can count."""

from __future__ import annotations

from pathlib import Path

from heptagrid.foundation.errors import FileError, UsageError
from heptagrid.foundation.time import S_PER_QUARTER
from heptagrid.planes.money.rates.accrual import demands
from heptagrid.planes.money.rates.demand import slots_of
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


def find_plan_folders(tables: Tables, folder: Path) -> None:
    """The same for the folders of plans that access networks name."""
    for name, table in tables.items():
        given = table.get("plan") if name.endswith("messages.access") else None
        if isinstance(given, str) and given:
            beside = folder / given
            table["plan"] = str((beside if beside.is_dir() else Path(given)).resolve())


def check_rate_files(checks: Checks, sections: dict[str, object]) -> None:
    """Add what is wrong with the file to the violations of `checks`."""
    path = str(getattr(sections[_SECTION], FILE))
    if not path:
        return
    try:
        rate = read_rate_file(path).rate
    except FileError as problem:
        checks.violations += [f"{_SECTION}.{FILE} = {path!r}: {one}" for one in problem.violations]
        return
    for window_s in {one.window_s for one in demands(rate)}:
        try:
            slots_of(window_s, S_PER_QUARTER)
        except UsageError:
            checks.violations.append(
                f"{_SECTION}.{FILE} = {path!r}: demandwindow: {(window_s or 0) / 60:g} minutes are no whole number of the quarter "
                "hours that a run's meters count; write 15, 30 or 60"
            )

"""Loads a scenario, built in or from a TOML file, and puts settings on top."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from heptagrid.foundation.errors import ScenarioError
from heptagrid.foundation.input_files import UnreadableError, is_file, read_toml
from heptagrid.foundation.parameters import declarations
from heptagrid.scenario.checks import SEVERAL, Checks, Tables, TypicalDays
from heptagrid.scenario.event_entries import Surroundings, read_events
from heptagrid.scenario.events import Event, given_of
from heptagrid.scenario.frequency import check_frequency
from heptagrid.scenario.local_market import check_local_market
from heptagrid.scenario.rate_files import check_rate_files, find_plan_folders, find_rate_files
from heptagrid.scenario.schema import Scenario
from heptagrid.scenario.settlement import check_settlement
from heptagrid.scenario.tariff_hours import check_tariff_hours
from heptagrid.scenario.towns import Company, Town, read_companies, read_towns
from heptagrid.scenario.weather_file import check_weather_file, find_weather_file

DATA = Path(__file__).parent / "data"
BULK = DATA / "rts-gmlc"


def builtin_scenarios() -> dict[str, str]:
    """The built-in scenarios and what each is, in a sentence."""
    found = {}
    for path in sorted(DATA.glob("*.toml")):
        found[path.stem] = str(read_toml(path).get("description", ""))
    return found


def load(source: str | Path, settings: Sequence[str] = ()) -> Scenario:
    """Load a built-in scenario by name or a TOML file, with `section.key=value` settings on top.

    Raises
    ------
    ScenarioError
        Listing everything that is wrong with it.
    """
    path = _find(source)
    try:
        content = read_toml(path)
    except UnreadableError as problem:
        raise ScenarioError(str(path), [f"the file {problem}"]) from None
    top = {key: content.pop(key) for key in list(content) if not isinstance(content[key], dict)}
    events = top.pop("events", content.pop("events", []))
    tables = _flatten(content)
    checks = Checks()
    for setting in settings:
        checks.apply(setting, tables)
    find_rate_files(tables, path.parent)
    find_weather_file(tables, path.parent)
    find_plan_folders(tables, path.parent)
    checks.names(top, tables)
    network = str(top.get("network", "town"))
    resolved = _resolved(checks, tables)
    resolved |= _parts(checks, tables, resolved["sections"], network, lambda name: _folder(checks, path, name))
    scenario = Scenario(
        name=str(top.get("name", path.stem)),
        bulk_folder=BULK,
        typical_days=_typical_days(checks, path, top.get("typical_days"), resolved["towns"][0].folder),
        events=_events(checks, events, BULK, resolved),
        **resolved,
    )
    if checks.violations:
        raise ScenarioError(_blamed(path, source, settings), checks.violations)
    return scenario


def _blamed(path: Path, source: str | Path, settings: Sequence[str]) -> str:
    """Where the violations come from: the file, or where that alone has none, the settings on top of it."""
    if not settings:
        return str(path)
    try:
        load(source)
    except ScenarioError:
        return f"{path} with {', '.join(settings)} on top"
    return f"{', '.join(settings)} on top of {source}"


def revised(scenario: Scenario, settings: Sequence[str]) -> Scenario:
    """The scenario with `section.key=value` settings on top, checked as a file would be.

    Raises
    ------
    ScenarioError
        Listing everything that is wrong with it.
    """
    tables = {
        name: {key: getattr(parameters, key) for key, *_ in declarations(type(parameters))}
        for name, parameters in scenario.sections.items()
    }
    tables["run"] |= {"start": scenario.start, "zone": scenario.zone.key}
    tables["run"] |= {key: getattr(scenario, key) for key in ("days", "step_s", "seed")}
    tables |= tables_of_parts(scenario)
    checks = Checks()
    for setting in settings:
        checks.apply(setting, tables)
    find_rate_files(tables, Path())
    find_weather_file(tables, Path())
    find_plan_folders(tables, Path())
    checks.names({}, tables)
    resolved = _resolved(checks, tables)
    resolved |= _parts(checks, tables, resolved["sections"], *_known(scenario.towns))
    resolved["events"] = _events(checks, given_of(scenario.events), scenario.bulk_folder, resolved)
    if checks.violations:
        raise ScenarioError(f"{', '.join(settings)} on top of {scenario.name}", checks.violations)
    return replace(scenario, **resolved)


def rebuilt(
    name: str,
    networks: Mapping[str, Path],
    bulk_folder: Path,
    tables: Tables,
    typical_days: tuple[tuple[date, float], ...],
    events: Sequence[Mapping[str, Any]] = (),
) -> Scenario:
    """A scenario from the values of every section, as a run's manifest holds them; `networks`: the folder of each town's network, by its name.

    Raises
    ------
    ScenarioError
        Where the values are none that this version of heptagrid knows.
    """
    checks = Checks()
    checks.names({}, tables)
    resolved = _resolved(checks, tables)
    for town, folder in networks.items():
        if town:
            tables[f"towns.{town}"] = tables.get(f"towns.{town}", {}) | {"network": str(folder)}
    first = next(iter(networks.values()))
    resolved |= _parts(checks, tables, resolved["sections"], str(first), Path)
    resolved["events"] = _events(checks, list(events), bulk_folder, resolved)
    if checks.violations:
        raise ScenarioError(f"{name}, as its manifest has it", checks.violations)
    return Scenario(name=name, bulk_folder=bulk_folder, typical_days=typical_days, **resolved)


def tables_of_parts(scenario: Scenario) -> Tables:
    """The towns and companies of a scenario as tables, as a file would hold them; none for the only town and the only companies."""
    tables: Tables = {}
    for what in SEVERAL:
        parts: Sequence[Town | Company] = getattr(scenario, what)
        for one in parts:
            if one.name:
                head = f"{what}.{one.name}"
                values = {key: getattr(one.entry, key) for key, *_ in declarations(type(one.entry))}
                tables |= {head: values} | {f"{head}.{section}": dict(table) for section, table in one.own.items()}
    return tables


def _resolved(checks: Checks, tables: Tables) -> dict[str, Any]:
    """The fields of a scenario that its sections make."""
    values = {name: checks.section(name, tables.get(name, {})) for name in checks.sections}
    run = values["run"]
    start, zone = checks.calendar(run)
    sections = {name: kind(**values[name]) for name, kind in checks.sections.items()}
    check_settlement(checks, sections)
    check_tariff_hours(checks, sections)
    check_rate_files(checks, sections)
    check_weather_file(checks, sections)
    return {key: run[key] for key in ("days", "step_s", "seed")} | {"start": start, "zone": zone, "sections": sections}


def _parts(
    checks: Checks, tables: Tables, sections: Mapping[str, Any], network: str, folder_of: Callable[[str], Path]
) -> dict[str, Any]:
    """The fields of a scenario that its towns and companies make."""
    towns = read_towns(checks, tables, sections, network, folder_of)
    of = {what: read_companies(checks, tables, sections, what, towns) for what in ("retailers", "aggregators")}
    return {"towns": towns, **of}


def _known(towns: Sequence[Town]) -> tuple[str, Callable[[str], Path]]:
    """The first town's network, and where each network is that one of the towns has."""
    folders = {town.entry.network: town.folder for town in towns}
    return towns[0].entry.network, lambda name: folders.get(name, Path(name))


def _events(checks: Checks, given: Any, bulk_folder: Path, resolved: Mapping[str, Any]) -> tuple[Event, ...]:
    """The events, and whether the settings of frequency fit them, and those of local markets the step."""
    run = {key: resolved[key] for key in ("start", "days", "zone", "towns", "retailers", "aggregators")}
    before = len(checks.violations)
    events = read_events(checks, given, Surroundings(bulk_folder, **run))
    if len(checks.violations) == before:
        check_frequency(checks, resolved["sections"], events)
        check_local_market(checks, resolved["sections"]["local_market"], resolved["step_s"])
    return events


def _find(source: str | Path) -> Path:
    path = Path(source)
    names = list(builtin_scenarios())
    if str(source) in names:
        return DATA / f"{source}.toml"
    if is_file(path):
        return path
    if path.suffix == ".toml":
        raise ScenarioError(str(source), ["there is no such file"])
    near = difflib.get_close_matches(str(source), names, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"built in: {', '.join(names)}"
    raise ScenarioError(str(source), [f"there is no scenario of that name and no such file; {hint}"])


def _flatten(content: Mapping[str, Any]) -> Tables:
    """Tables by dotted name: [messages.access] is the section "messages.access"."""
    tables: Tables = {}

    def walk(name: str, table: Mapping[str, Any]) -> None:
        plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
        if plain or not table:
            tables[name] = plain
        for key, value in table.items():
            if isinstance(value, dict):
                walk(f"{name}.{key}", value)

    for name, table in content.items():
        walk(name, table)
    return tables


def _folder(checks: Checks, path: Path, network: str) -> Path:
    for folder in (path.parent / network, DATA / network):
        if is_file(folder / "grid.npz"):
            return folder
    checks.violations.append(f"network = {network!r}: there is no folder of that name with a grid.npz in it")
    return DATA / "town"


def _typical_days(checks: Checks, path: Path, name: Any, folder: Path) -> TypicalDays:
    table = path.parent / str(name) if name else folder / "typical_days.csv"
    if is_file(table):
        return checks.typical_days(table)
    if name:
        checks.violations.append(f"typical_days = {name!r}: there is no such file")
    return ()

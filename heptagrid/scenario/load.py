"""Loads a scenario and checks it: every violation at once, each with its key and a remedy."""

from __future__ import annotations

import csv
import difflib
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from heptagrid.foundation.errors import ScenarioError
from heptagrid.foundation.parameters import Declaration, declarations
from heptagrid.foundation.registry import parameter_sections
from heptagrid.scenario.schema import RunParameters, Scenario

DATA = Path(__file__).parent / "data"
FIRST_DAY, LAST_DAY = date(2016, 1, 2), date(2016, 12, 31)
_TOP = {"name": str, "description": str, "network": str, "typical_days": str}


def builtin_scenarios() -> dict[str, str]:
    """The built-in scenarios and what each is, in a sentence."""
    found = {}
    for path in sorted(DATA.glob("*.toml")):
        found[path.stem] = str(tomllib.loads(path.read_text(encoding="utf-8")).get("description", ""))
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
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as broken:
        raise ScenarioError(str(path), [f"this is not TOML: {broken}"]) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise ScenarioError(str(path), [f"the file cannot be read: {problem}"]) from None
    checks = _Checks()
    top = {key: content.pop(key) for key in list(content) if not isinstance(content[key], dict)}
    tables = _flatten(content)
    for setting in settings:
        checks.apply(setting, tables)
    scenario = checks.scenario(path, top, tables)
    if checks.violations or scenario is None:
        raise ScenarioError(str(path), checks.violations)
    return scenario


def _find(source: str | Path) -> Path:
    path = Path(source)
    if path.suffix == ".toml" or path.exists():
        if not path.is_file():
            raise ScenarioError(str(source), ["there is no such file"])
        return path
    builtin = DATA / f"{source}.toml"
    if builtin.is_file():
        return builtin
    names = list(builtin_scenarios())
    near = difflib.get_close_matches(str(source), names, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"built in: {', '.join(names)}"
    raise ScenarioError(str(source), [f"there is no scenario of that name and no such file; {hint}"])


def _flatten(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Tables by dotted name: [messages.access] is the section "messages.access"."""
    tables: dict[str, dict[str, Any]] = {}

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


class _Checks:
    """Gathers violations while a scenario is put together."""

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.sections: dict[str, type] = {"run": RunParameters, **parameter_sections()}

    def apply(self, setting: str, tables: dict[str, dict[str, Any]]) -> None:
        """Write one `section.key=value` into the tables."""
        key, equals, text = setting.partition("=")
        section, dot, name = key.strip().rpartition(".")
        if not equals or not dot:
            self.violations.append(f"--set {setting}: write section.key=value, such as vehicles.share=0.3")
            return
        try:
            value = tomllib.loads(f"value = {text.strip()}")["value"]
        except tomllib.TOMLDecodeError:
            value = text.strip()
        tables.setdefault(section, {})[name] = value

    def scenario(self, path: Path, top: Mapping[str, Any], tables: Mapping[str, dict[str, Any]]) -> Scenario | None:
        for key, value in top.items():
            if key not in _TOP:
                self._unknown(key, [*_TOP, *self.sections])
            elif not isinstance(value, _TOP[key]):
                self.violations.append(f"{key} = {value!r}: a text is expected")
        for name in tables:
            if name not in self.sections:
                self._unknown(f"[{name}]", [f"[{one}]" for one in self.sections])
        built = {name: self._section(name, kind, tables.get(name, {})) for name, kind in self.sections.items()}
        folder = self._folder(path, str(top.get("network", "town")))
        typical = self._typical(path, top.get("typical_days"), folder)
        run: Any = built["run"]
        if run is None:
            return None
        start, zone = self._start(run.start), self._zone(run.zone)
        if start:
            self._dates(start, run.days)
        if 900 % run.step_s:
            self.violations.append(f"run.step_s = {run.step_s}: a step must divide 900 s, such as 60, 300 or 900")
        if self.violations or start is None or zone is None:
            return None
        return Scenario(
            name=str(top.get("name", path.stem)),
            folder=folder,
            bulk_folder=DATA / "rts",
            start=start,
            days=run.days,
            step_s=run.step_s,
            seed=run.seed,
            zone=zone,
            sections=built,
            typical_days=typical,
        )

    def _section(self, section: str, kind: type, given: Mapping[str, Any]) -> Any:
        declared = {name: (default, declaration) for name, _, default, declaration in declarations(kind)}
        before = len(self.violations)
        values = {}
        for name, value in given.items():
            if name not in declared:
                self._unknown(f"{section}.{name}", [f"{section}.{one}" for one in declared])
                continue
            default, declaration = declared[name]
            values[name] = self._value(f"{section}.{name}", value, default, declaration)
        return kind(**values) if len(self.violations) == before else None

    def _value(self, key: str, value: Any, default: Any, declaration: Declaration) -> Any:
        unit = f" in {declaration.unit}" if declaration.unit else ""
        wanted = {bool: "true or false", int: f"a whole number{unit}", float: f"a number{unit}", str: "a text"}[
            type(default)
        ]
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if key == "run.start" and isinstance(value, date):
            value = value.isoformat()
        if type(value) is not type(default):
            self.violations.append(f"{key} = {value!r}: {wanted} is expected, such as {default!r} ({declaration.info})")
            return default
        if isinstance(value, int | float) and not isinstance(value, bool):
            low, high = declaration.low, declaration.high
            if value != value or (low is not None and value < low) or (high is not None and value > high):
                self.violations.append(
                    f"{key} = {value!r}: must lie from {low:g} to {high:g}{unit} ({declaration.info})"
                )
        if declaration.choices and value not in declaration.choices:
            self.violations.append(f"{key} = {value!r}: must be one of {', '.join(declaration.choices)}")
        return value

    def _unknown(self, key: str, known: list[str]) -> None:
        near = difflib.get_close_matches(key, known, 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        self.violations.append(f"{key}: there is no such key{hint}")

    def _start(self, text: str) -> date | None:
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.violations.append(f"run.start = {text!r}: a date is expected, such as 2016-01-27")
            return None

    def _zone(self, name: str) -> ZoneInfo | None:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            self.violations.append(f"run.zone = {name!r}: there is no such time zone; write one such as Europe/Berlin")
            return None

    def _dates(self, start: date, days: int) -> None:
        last = start + timedelta(days=days - 1)
        if start < FIRST_DAY or last > LAST_DAY:
            self.violations.append(
                f"run.start = {start}, run.days = {days}: the profiles cover {FIRST_DAY} to {LAST_DAY} "
                "(1 January serves as the warm-up day)"
            )

    def _folder(self, path: Path, network: str) -> Path:
        for folder in (path.parent / network, DATA / network):
            if (folder / "grid.npz").is_file():
                return folder
        self.violations.append(f"network = {network!r}: there is no folder of that name with a grid.npz in it")
        return DATA / "town"

    def _typical(self, path: Path, name: Any, folder: Path) -> tuple[tuple[date, float], ...]:
        table = path.parent / str(name) if name else folder / "typical_days.csv"
        if not table.is_file():
            if name:
                self.violations.append(f"typical_days = {name!r}: there is no such file")
            return ()
        with table.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        try:
            return tuple((date.fromisoformat(row["date"]), float(row["weight"])) for row in rows)
        except (KeyError, ValueError) as problem:
            self.violations.append(f"{table}: the columns date and weight are expected ({problem})")
            return ()

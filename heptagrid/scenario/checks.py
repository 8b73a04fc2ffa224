"""Checks what a scenario says against the declared parameters, and collects every violation, each with a remedy."""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from heptagrid.foundation.input_files import UnreadableError, read_text, toml_of
from heptagrid.foundation.parameters import Declaration, declarations
from heptagrid.foundation.registry import LIVE, all_sections, parameter_sections, protocol_sections
from heptagrid.scenario.schema import RunParameters
from heptagrid.scenario.words import allowed, expected

FIRST_DAY, LAST_DAY = date(2016, 1, 2), date(2016, 12, 31)  # SimBench's profiles: 2016, less a day to warm up
DATA_SPAN = f"the profiles cover {FIRST_DAY} to {LAST_DAY} (1 January serves as the warm-up day)"
TOP_KEYS = ("name", "description", "network", "typical_days")
SEVERAL = ("towns", "retailers", "aggregators")  # of which a scenario may have any number
RENAMED = "storms"  # what `events` were called

Tables = dict[str, dict[str, Any]]
TypicalDays = tuple[tuple[date, float], ...]


class Checks:
    """Collects violations while a scenario is put together; a key found wrong is not checked further.

    sections: name to the dataclass that declares its keys; those of protocols among them once one is given.
    """

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.sections: dict[str, type] = {"run": RunParameters, **parameter_sections()}
        self._wrong: set[str] = set()

    def apply(self, setting: str, tables: Tables) -> None:
        """Write one `section.key=value` into the tables; what is no TOML value is taken as a text."""
        key, equals, text = setting.partition("=")
        section, dot, name = (part.strip() for part in key.rpartition("."))
        if not equals or not dot:
            example = next(iter(self._keys_named(key.strip())), "vehicles.share")
            self.violations.append(f"--set {setting}: write section.key=value, such as {example}={text or '0.3'}")
            return
        try:
            content = toml_of(f"value = {text.strip()}")
        except UnreadableError:
            content = {"value": text.strip()}
        self._know(section)
        if section.split(".")[0].startswith(("events", RENAMED)):
            self.violations.append(f"--set {setting}: events are a list; write them as [[events]] in a scenario file")
            return
        tables.setdefault(section, {})[name] = content["value"]

    def names(self, top: Mapping[str, Any], tables: Iterable[str]) -> None:
        """Check the keys above all sections, and the sections' names."""
        for name in (*top, *tables):
            self._know(name)
        for key, value in top.items():
            if key == RENAMED:
                self.violations.append(f"{key}: write [[events]] instead of [[{key}]]")
            elif key in SEVERAL:
                self.violations.append(f"{key}: give each a name, such as [{key}.west]")
            elif key in self.sections:
                self.violations.append(f"{key} = {value!r}: this is a section; write [{key}] and its keys below it")
            elif key not in TOP_KEYS:
                near = self._keys_named(key) or difflib.get_close_matches(key, [*TOP_KEYS, *all_sections()], 1, 0.6)
                self._unknown("key", key, near)
            elif not isinstance(value, str):
                self.violations.append(f"{key} = {value!r}: a text is expected")
        for name in tables:
            if name.split(".")[0] == RENAMED:
                self.violations.append(f"[{name}]: write [[events]] instead")
            elif name.split(".")[0] in SEVERAL:
                continue
            elif name not in self.sections:
                below = [one for one in self.sections if one.startswith(f"{name}.")]
                near = below or difflib.get_close_matches(name, all_sections(), 1, 0.5)
                self._unknown("section", f"[{name}]", [f"[{one}]" for one in near])

    def section(self, section: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a section, with the default for what is not given or is wrong."""
        return self.values(section, self.sections[section], given)

    def values(self, section: str, kind: type, given: Mapping[str, Any]) -> dict[str, Any]:
        """The same for parameters of a kind, whose keys stand in `section`."""
        declared = {name: (default, one) for name, _, default, one in declarations(kind)}
        values = {name: default for name, (default, _) in declared.items()}
        for name, value in given.items():
            key = f"{section}.{name}"
            if name not in declared:
                near = [f"{section}.{one}" for one in difflib.get_close_matches(name, declared, 1, 0.6)]
                self._unknown("key", key, near or self._keys_named(name))
                continue
            values[name] = self.value(key, value, *declared[name])
        return values

    def calendar(self, run: Mapping[str, Any]) -> tuple[date, ZoneInfo]:
        """The first day and the time zone of the section `run`; its step is checked too."""
        start, zone = FIRST_DAY, ZoneInfo("UTC")
        if "run.zone" not in self._wrong:
            try:
                zone = ZoneInfo(run["zone"])
            except (ZoneInfoNotFoundError, ValueError, OSError):
                self.violations.append(
                    f"run.zone = {run['zone']!r}: there is no such time zone; write one such as Europe/Berlin"
                )
        if "run.step_s" not in self._wrong and 900 % run["step_s"]:
            self.violations.append(f"run.step_s = {run['step_s']}: a step must divide 900 s, such as 60, 300 or 900")
        if "run.start" not in self._wrong:
            try:
                start = date.fromisoformat(run["start"])
            except ValueError:
                self.violations.append(f"run.start = {run['start']!r}: a date is expected, such as 2016-01-27")
            else:
                self._inside_data(start, 1 if "run.days" in self._wrong else run["days"])
        return start, zone

    def typical_days(self, table: Path) -> TypicalDays:
        """The days of a table with the columns date and weight."""
        try:
            rows = list(csv.DictReader(read_text(table).splitlines()))
        except (UnreadableError, csv.Error) as problem:
            self.violations.append(f"{table}: the columns date and weight are expected; the file {problem}")
            return ()
        found: dict[date, float] = {}
        for line, row in enumerate(rows, start=2):
            try:
                day, weight = date.fromisoformat(row["date"]), float(row["weight"])
            except (KeyError, TypeError, ValueError) as problem:
                self.violations.append(f"{table}, line {line}: the columns date and weight are expected ({problem})")
                continue
            if not FIRST_DAY <= day <= LAST_DAY:
                self.violations.append(f"{table}, line {line}: {day} lies outside the data: {DATA_SPAN}")
            if not 0.0 < weight < math.inf:
                self.violations.append(
                    f"{table}, line {line}: weight {weight:g}: days of the year are expected, above 0"
                )
            if day in found:
                self.violations.append(f"{table}, line {line}: {day} stands there twice; add the weights")
            found[day] = weight
        if not rows:
            self.violations.append(f"{table}: there is no day in it; write the columns date and weight")
        return tuple(found.items())

    def value(self, key: str, value: Any, default: Any, declaration: Declaration) -> Any:
        """`value` if it fits the declaration of `key`; else the default, and a violation."""
        if isinstance(default, tuple) and isinstance(value, list | tuple):
            return tuple(self.value(f"{key}[{k}]", one, default[0], declaration) for k, one in enumerate(value))
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        if key == "run.start" and isinstance(value, date):
            value = value.isoformat()
        if type(value) is not type(default):
            return self._refuse(
                f"{key} = {value!r}: {expected(default, declaration)} is expected, such as {default!r} "
                f"({declaration.info})",
                key,
                default,
            )
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and not (declaration.allows(value) and abs(value) < math.inf):
            return self._refuse(f"{key} = {value!r}: must {allowed(declaration)} ({declaration.info})", key, default)
        if declaration.choices and value not in declaration.choices:
            near = difflib.get_close_matches(str(value), declaration.choices, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            return self._refuse(
                f"{key} = {value!r}: must be one of {', '.join(declaration.choices)}{meant}", key, default
            )
        return value

    def _refuse(self, violation: str, key: str, default: Any) -> Any:
        self.violations.append(violation)
        self._wrong.add(key)
        return default

    def _inside_data(self, start: date, days: int) -> None:
        if start < FIRST_DAY or start > LAST_DAY or start + timedelta(days=days - 1) > LAST_DAY:
            self.violations.append(f"run.start = {start}, run.days = {days}: {DATA_SPAN}")

    def _know(self, section: str) -> None:
        """A section is given: if it is a protocol's, those of all protocols count from now on."""
        if section.split(".")[0] == LIVE:
            self.sections |= protocol_sections()

    def _keys_named(self, name: str) -> list[str]:
        """The full keys whose last part is `name`."""
        return [
            f"{section}.{key}"
            for section, kind in {"run": RunParameters, **all_sections()}.items()
            for key, *_ in declarations(kind)
            if key == name
        ]

    def _unknown(self, what: str, name: str, near: list[str]) -> None:
        hint = f"; did you mean {' or '.join(near[:3])}?" if near else ""
        self.violations.append(f"{name}: there is no such {what}{hint}")

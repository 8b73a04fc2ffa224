"""Looks at one field of a file of OpenEI's utility rate database: what is wrong is noted with the field's path and the remedy."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST = 1e300
"""No number of a rate is larger."""
MOST_LIMIT = 1e30
"""A limit from here on is none: programs write 1e38 for it."""


@dataclass
class Fields:
    """The fields of one rate, with the problems found, and which fields were asked for."""

    content: Mapping[str, Any]
    problems: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def get(self, name: str) -> Any:
        """The field as it stands, upper and lower case alike; None where there is none."""
        if name not in self.content:
            name = next((one for one in self.content if one.lower() == name.lower()), name)
        self.asked.add(name)
        return self.content.get(name)

    def number(self, name: str, least: float | None = None) -> float | None:
        """A field that is a number, None where there is none."""
        value = self.get(name)
        return None if value is None else self.checked(value, name, least)

    def checked(self, value: Any, path: str, least: float | None = None) -> float:
        """A number at a path, 0 where it is none."""
        if not _is_number(value):
            self.problems.append(f"{path}: {_shown(value)} is not a number; write one such as 0.12")
            return 0.0
        if least is not None and value < least:
            self.problems.append(f"{path}: {value:g} is below {least:g}; write a number from {least:g} on")
        return float(value)

    def word(self, name: str, known: Mapping[str, Any], default: str) -> Any:
        """What a word stands for, upper and lower case alike."""
        value = self.get(name)
        if value is None:
            return known[default]
        for spelled, meaning in known.items():
            if isinstance(value, str) and value.strip().lower() == spelled.lower():
                return meaning
        self.problems.append(f"{name}: {_shown(value)} is not known; write one of {', '.join(map(repr, known))}")
        return known[default]

    def schedule(self, name: str, periods: int, structure: str) -> list[list[int]] | None:
        """A table of 12 months of 24 hours of periods, counted from 0."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 12:
            count = len(value) if isinstance(value, list) else _shown(value)
            self.problems.append(f"{name}: holds {count} months; write 12 lists, one a month")
            return None
        table = []
        for m, row in enumerate(value):
            if not isinstance(row, list) or len(row) != 24:
                self.problems.append(f"{name}[{m}]: {_hours(row, m)}; write 24, one an hour of the day")
                continue
            table.append([self._period(one, f"{name}[{m}][{h}]", periods, structure) for h, one in enumerate(row)])
        return table if len(table) == 12 else None

    def months(self, name: str, periods: int, structure: str) -> list[int] | None:
        """Twelve periods, one a month."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 12:
            count = len(value) if isinstance(value, list) else _shown(value)
            self.problems.append(f"{name}: holds {count} months; write 12 periods, one a month")
            return None
        return [self._period(one, f"{name}[{m}]", periods, structure) for m, one in enumerate(value)]

    def _period(self, value: Any, path: str, periods: int, structure: str) -> int:
        if not _is_number(value) or value != int(value):
            self.problems.append(f"{path}: {_shown(value)} is no period; write a whole number from 0 to {periods - 1}")
            return 0
        if not 0 <= value < periods:
            self.problems.append(
                f"{path}: period {int(value)} is not in {structure}, which has {periods} (0 to {periods - 1}); name one of "
                f"them, or add it to {structure}"
            )
            return 0
        return int(value)


def _hours(row: Any, month: int) -> str:
    """How many hours a month's row holds, and which it leaves out or has too many."""
    if not isinstance(row, list):
        return f"holds {_shown(row)} hours"
    of_month = f"of days in {month_name[month + 1]}"
    if len(row) > 24:
        return f"holds {len(row)} hours, of which those from entry 24 on are none {of_month}"
    return f"holds {len(row)} hours, so that nothing covers {len(row):02}:00 {of_month}"


def _is_number(value: Any) -> bool:
    """Whether it is a number that a float64 holds."""
    return not isinstance(value, bool) and isinstance(value, int | float) and abs(value) <= MOST


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."

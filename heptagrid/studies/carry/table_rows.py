"""Rows of the tables of a network file, read and checked key by key; every problem is noted, and the reading goes on."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from heptagrid.foundation.errors import FileError
from heptagrid.foundation.parameters import Declaration
from heptagrid.planes.messages.technology import Technology, technologies

LATEST_S = 5e9
"""The latest time that a file may name: 158 years."""
_MOST_HINTS = 20  # problems that come with a similar name
_LONGEST_HINT = 60  # characters of a name that is looked for


@dataclass
class NetworkChecks:
    """What is known of a network file while it is read: the numbers of its nodes by name, and its problems so far."""

    origin: str
    number: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def near(self, word: str, known: Any) -> str:
        """A name like one that is unknown, as long as problems are few: among many names the search takes long."""
        if len(self.problems) >= _MOST_HINTS:
            return ""
        close = get_close_matches(word[:_LONGEST_HINT], [str(each) for each in known], n=1)
        return f"; did you mean {close[0]}?" if close else ""

    def raise_problems(self) -> None:
        """Raise FileError with every problem, if there is one."""
        if self.problems:
            raise FileError(self.origin, self.problems)


@dataclass(frozen=True)
class TableRow:
    """One row of a table: where it stands, such as `[[link]] 3`, and its cells."""

    where: str
    cells: Mapping[str, Any]
    checks: NetworkChecks

    def problem(self, text: str) -> None:
        """Note a problem of this row."""
        self.checks.problems.append(f"{self.where}: {text}")

    def node(self, key: str) -> int:
        """The number of the node that a key names; -1 if there is none."""
        name, number = self.cells.get(key), self.checks.number
        if isinstance(name, str) and same_form(name) in number:
            return number[same_form(name)]
        self.problem(f"{key} {'is missing' if name is None else f'{name!r} is not a node{self._near(name, number)}'}")
        return -1

    def members(self) -> list[int]:
        """The numbers of the nodes that `members` names."""
        members, number = self.cells.get("members"), self.checks.number
        if not isinstance(members, list) or len(members) < 2:
            self.problem("members must be a list of at least two nodes")
            return [0, 0]
        members = [same_form(name) if isinstance(name, str) else repr(name) for name in members]
        for name in [name for name in members if name not in number]:
            self.problem(f"member {name!r} is not a node{self._near(name, number)}")
        if len(set(members)) < len(members):
            self.problem("a node is among the members more than once")
        return [number.get(name, 0) for name in members]

    def technology(self) -> Technology | None:
        """The technology that the row names, if it does."""
        name = self.cells.get("technology")
        if name is None:
            return None
        known = technologies()
        if not isinstance(name, str) or name not in known:
            self.problem(f"technology {name!r} is unknown{self._near(name, known)}; known are {', '.join(known)}")
            return None
        return known[name]

    def value(self, key: str, default: float, low: float, high: float, *, above: bool = False) -> float:
        """A number from `low` (excluded if `above`) to `high`."""
        given = self.cells.get(key, default)
        if key not in self.cells or (_is_number(given) and low <= given <= high and not (above and given == low)):
            return float(given)
        limit = f"be {'more than' if above else 'at least'} {low:g}"
        limit += "" if math.isinf(high) else f" and at most {high:g}"
        self.problem(f"{key} is {given!r}; it must {limit}")
        return default

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        given = self.cells.get(key, default)
        is_whole = isinstance(given, int) and not isinstance(given, bool)
        if key not in self.cells or (is_whole and low <= given <= high):
            return int(given)
        self.problem(f"{key} is {given!r}; it must be a whole number from {low} to {high}")
        return default

    def constant(self, key: str, default: float, bounds: Declaration) -> float:
        """A constant of a method, within the bounds that are declared for it."""
        given = self.cells[key]
        if _is_number(given) and bounds.allows(given):
            return float(given)
        limit = f"be 0, or from {bounds.least:g} to {bounds.high:g}" if bounds.least is not None else _limit(bounds)
        self.problem(f"{key} is {given!r}; it must {limit}")
        return default

    def _near(self, word: Any, known: Any) -> str:
        return self.checks.near(str(word), known)


def _is_number(given: Any) -> bool:
    """Whether a value is a number that a float holds."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return False
    return not math.isnan(given) if isinstance(given, float) else abs(given) < 10**300


def _limit(bounds: Declaration) -> str:
    """What a number must do, after the word "must"."""
    limit = f"be at least {bounds.low:g}"
    return limit if bounds.high is None or math.isinf(bounds.high) else f"{limit} and at most {bounds.high:g}"


def same_form(name: str) -> str:
    """A name in the composed form of Unicode (NFC) and without blanks around it: names that look equal are equal."""
    return unicodedata.normalize("NFC", name.strip())

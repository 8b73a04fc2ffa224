"""A line of an OpenDSS script, taken apart by the engine's own parser and put together again with every name spelled out.

The engine executes what is put together, so it sees nothing that was not looked at. Variables (`var @kw=5`) are replaced here, as the engine
would: its parser alone does not know them, and breaks down where it meets one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from heptagrid.importers.opendss.allowed import in_lower_case, spelled_out

STAND_IN = "\x01"  # for the mark of a variable while the engine's parser is at work
BEGINS = r"(?:^|(?<=[\s,=|\"'(\[{]))"
VARIABLE = re.compile(BEGINS + r"@[^\s,=|\"'()\[\]{}.^]+")
NEEDS_QUOTES = re.compile(r"[\s,=|()\[\]{}\"'!]|//|^$")
QUOTES = (("(", ")"), ("[", "]"), ("{", "}"), ('"', '"'), ("'", "'"))
NAMED_FILE = re.compile(r"(?i)^[\s(\[{\"']*((?:dbl|sng)?file)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s,)\]}]+)(.*)$", re.DOTALL)
OF_NAMED_FILE = re.compile(r"(?i)^(?:[\s,]*(?:col|column|header)\s*=\s*\w+)*[\s)\]}\"']*$")

Parameter = tuple[str, str]


class StatementError(ValueError):
    """A line that is not executed, and why."""


def parameters(parser: Any, line: str, variables: Mapping[str, str]) -> list[Parameter]:
    """The names, "" where there is none, and values of a line, its first word included, up to the first empty value, where the engine stops.

    Raises
    ------
    StatementError
        If a variable that was never set is used, or a control character.
    """
    if STAND_IN in line or "\0" in line:
        raise StatementError("a control character stands in it; take it out")
    parser.CmdString = line.replace("@", STAND_IN)
    found: list[Parameter] = []
    while True:
        name = str(parser.NextParam).replace(STAND_IN, "@")
        value = str(parser.StrValue).replace(STAND_IN, "@")
        if not value:
            return [*found, (name, value)] if name else found
        found.append((name, _replaced(value, variables) if "@" in value else value))


def _replaced(value: str, variables: Mapping[str, str]) -> str:
    for variable in VARIABLE.findall(value):
        if variable.lower() not in variables:
            raise StatementError(f"the variable {variable} was never set; set it before with var {variable}=...")
    return VARIABLE.sub(lambda found: variables[found.group().lower()], value)


def variables_of(parser: Any, line: str, known: Mapping[str, str]) -> dict[str, str]:
    """What a command `var` sets, the names in lower case."""
    found = dict(known)
    for name, value in parameters(parser, line, known)[1:]:
        if name.startswith("@"):
            found[name.lower()] = value
    return found


def named(given: Sequence[Parameter], names: Sequence[str]) -> list[tuple[str, str, str]]:
    """The full name, "" if there is no such, the name as given, and the value of each; a value without a name follows the one before it."""
    at = -1
    lower = in_lower_case(tuple(names))
    found = []
    for name, value in given:
        full = spelled_out(name, lower) if name else (lower[at + 1] if at + 1 < len(lower) else "")
        at = lower.index(full) if full else -1 if name else at + 1
        found.append((full, name, value))
    return found


def named_file(value: str) -> tuple[str, str, str] | None:
    """What is read from a file instead of being written out, such as `file=x.csv, col=2`: the key, the file and the rest; None of other values.

    Raises
    ------
    StatementError
        For a value with an equals sign in it that is no such.
    """
    if "=" not in value:
        return None
    found = NAMED_FILE.match(value)
    if found is None or not OF_NAMED_FILE.match(found.group(3)):
        raise StatementError(
            f"the value {value} has an equals sign in it; only file=NAME, col=N, header=yes may be in a value"
        )
    return found.group(1), found.group(2).strip("\"'"), found.group(3).strip(" )]}\"'")


def quoted(value: str) -> str:
    """A value as one word for the engine.

    Raises
    ------
    StatementError
        If it holds every kind of quotation mark and bracket.
    """
    if not NEEDS_QUOTES.search(value):
        return value
    for opening, closing in QUOTES:
        if opening not in value and closing not in value:
            return f"{opening}{value}{closing}"
    raise StatementError(f"the value {value} holds every kind of quotation mark and bracket")


def written(command: str, given: Sequence[Parameter]) -> str:
    """A line for the engine."""
    return " ".join([command, *(f"{name}={quoted(value)}" if name else quoted(value) for name, value in given)])

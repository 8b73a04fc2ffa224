"""Declared parameters: each explains itself where it stands, with unit, range, default and source.

A module declares a frozen dataclass whose fields are made with `parameter`; the scenario's keys, its
input checks, the comments that `heptagrid new` writes and the reference page are made from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Declaration:
    """What is known of one parameter besides its value.

    least: the lowest value other than 0, where 0 stands for "none" or "its own".
    likely: the range in which the true value may lie, where the value is uncertain; `low` and `high` only bound what is accepted.
    """

    info: str
    unit: str
    low: float | None
    high: float | None
    choices: tuple[str, ...] | None
    source: str
    least: float | None = None
    likely: tuple[float, float] | None = None

    def allows(self, number: float) -> bool:
        """Whether a number is in the range."""
        if self.least is not None and number != 0.0 and number < self.least:
            return False
        return (self.low is None or number >= self.low) and (self.high is None or number <= self.high)


def parameter(
    default: Any,
    *,
    info: str,
    source: str,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    least: float | None = None,
    likely: tuple[float, float] | None = None,
) -> Any:
    """Declare a dataclass field: its default, one phrase, its unit, its range, and where the number is from.

    `source` names a document, or says "assumption" and why. Tuples of numbers are lists in a scenario.
    """
    if not source:
        raise ValueError(f"parameter {info!r} names no source; say 'assumption' if it is one")
    declaration = Declaration(info, unit, low, high, choices, source, least, likely)
    return field(default=default, metadata={"declaration": declaration})


def declarations(parameters: type) -> Iterator[tuple[str, Any, Any, Declaration]]:
    """(name, type, default, declaration) of each declared field of a dataclass, in order."""
    for one in fields(parameters):
        if "declaration" in one.metadata:
            yield one.name, one.type, one.default, one.metadata["declaration"]

"""The changes that others may make, as their declarations say, and the check of what is given for one before it is handed in."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any, get_type_hints

from heptagrid.foundation.parameters import Declaration
from heptagrid.simulation.changes import CHANGES

_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


@dataclass(frozen=True)
class KnownField:
    """A field of a change, from its declaration. default: an example where it is required."""

    name: str
    kind: type
    info: str
    is_required: bool
    unit: str
    default: Any
    low: float | None
    high: float | None
    choices: tuple[str, ...] | None

    @property
    def json_type(self) -> str:
        return _JSON_TYPES[self.kind]

    @property
    def expected(self) -> str:
        """What is to be written."""
        if self.choices:
            return f"write one of {', '.join(self.choices)}"
        bounds = [f"{word} {value:g}" for word, value in (("from", self.low), ("to", self.high)) if value is not None]
        return " ".join(
            [f"write a {self.json_type}", *bounds, *([f"({self.info}{f', in {self.unit}' if self.unit else ''})"])]
        )


@dataclass(frozen=True)
class KnownChange:
    """A change that can be made. title: for people; info: what it does."""

    name: str
    title: str
    info: str
    fields: tuple[KnownField, ...]


@dataclass(frozen=True)
class WrongField:
    """What is wrong with a field."""

    field: str
    detail: str
    remedy: str


@cache
def known_changes() -> dict[str, KnownChange]:
    """All changes by name."""
    return {name: _known(name, kind) for name, kind in CHANGES.items()}


def checked(change: KnownChange, given: Mapping[str, Any]) -> WrongField | None:
    """What is wrong with the fields that are given for a change; None if nothing is."""
    known = {one.name: one for one in change.fields}
    for name, value in given.items():
        if name not in known:
            return WrongField(name, f"there is no field {name!r}", f"fields are {', '.join(known) or 'none'}")
        if problem := _wrong(known[name], value):
            return WrongField(name, f"{name} {problem}", known[name].expected)
    for one in change.fields:
        if one.is_required and one.name not in given:
            return WrongField(one.name, f"{one.name} is missing", one.expected)
    return None


def _wrong(field: KnownField, value: Any) -> str | None:
    if field.kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not field.kind:
        return f"is no {field.json_type}"
    if isinstance(value, int | float):
        if not math.isfinite(value):
            return "is not finite"
        if (field.low is not None and value < field.low) or (field.high is not None and value > field.high):
            return f"is {value:g}"
    if isinstance(value, str) and len(value) > 200:
        return "has more than 200 letters"
    if field.choices and value not in field.choices:
        return f"is {value!r}"
    return None


def _known(name: str, kind: type) -> KnownChange:
    hints = get_type_hints(kind)
    found = []
    for one in fields(kind):
        declared: Declaration | None = one.metadata.get("declaration")
        has_default = one.default is not MISSING
        is_required = not has_default or (declared is not None and "must be given" in declared.source)
        found.append(
            KnownField(
                one.name,
                hints[one.name],
                declared.info if declared else one.name.replace("_", " "),
                is_required,
                declared.unit if declared else "",
                one.default if has_default else None,
                declared.low if declared else None,
                declared.high if declared else None,
                declared.choices if declared else None,
            )
        )
    return KnownChange(name, getattr(kind, "title", name), (inspect.getdoc(kind) or name).splitlines()[0], tuple(found))

"""Whether a payload fits its schema, fast: the schemas of OCPP as functions. What is wrong with one that does not fit, `jsonschema` says.

Of JSON Schema draft 4 this knows what OCPP's schemas use; a test holds it against `jsonschema`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Fits = Callable[[Any], bool]

_TYPES: dict[str, Fits] = {
    "string": lambda one: isinstance(one, str),
    "integer": lambda one: isinstance(one, int) and not isinstance(one, bool),
    "number": lambda one: isinstance(one, int | float | Decimal) and not isinstance(one, bool),
    "boolean": lambda one: isinstance(one, bool),
    "object": lambda one: isinstance(one, dict),
    "array": lambda one: isinstance(one, list),
    "null": lambda one: one is None,
}


class UnknownKeywordError(Exception):
    """A schema uses what is not known here."""


def compiled(schema: Mapping[str, Any]) -> Fits:
    """A schema as a function.

    Raises
    ------
    UnknownKeywordError
    """
    return _Compiler(schema).of(schema)


class _Compiler:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._named: dict[str, Fits] = {}

    def of(self, schema: Mapping[str, Any]) -> Fits:
        if "$ref" in schema:
            return self._reference(schema["$ref"])
        parts = [self._keyword(name, value, schema) for name, value in schema.items()]
        checks = tuple(one for one in parts if one is not None)
        if len(checks) == 1:
            return checks[0]
        return lambda one: all(fits(one) for fits in checks)

    def _reference(self, path: str) -> Fits:
        name = path.rsplit("/", 1)[-1]
        if name not in self._named:
            self._named[name] = lambda one: self._named[name](one)  # one that holds itself
            self._named[name] = self.of(self._root["definitions"][name])
        return self._named[name]

    def _keyword(self, name: str, value: Any, schema: Mapping[str, Any]) -> Fits | None:
        """What one keyword asks; None: nothing."""
        if name in _SILENT:
            return None
        if name == "type":
            return _TYPES[value]
        if name == "properties":
            return self._properties(value, schema)
        if name == "items":
            fits = self.of(value)
            return lambda one: not isinstance(one, list) or all(fits(entry) for entry in one)
        if name in _SIMPLE:
            return _SIMPLE[name](value)
        if name in ("additionalProperties", "required") and "properties" in schema:
            return None  # `properties` does it
        if name == "additionalProperties":  # some schemas of 1.6 write it of texts
            return self._properties({}, schema) if schema.get("type") == "object" else None
        raise UnknownKeywordError(name)

    def _properties(self, value: Mapping[str, Any], schema: Mapping[str, Any]) -> Fits:
        known = {name: self.of(one) for name, one in value.items()}
        required = tuple(schema.get("required", ()))
        is_closed = schema.get("additionalProperties", True) is False

        def fits(one: Any) -> bool:
            if not isinstance(one, dict):
                return True
            for name, member in one.items():
                check = known.get(name)
                if check is None:
                    if is_closed:
                        return False
                elif not check(member):
                    return False
            return all(name in one for name in required)

        return fits


def _multiple_of(step: Any) -> Fits:
    def fits(one: Any) -> bool:
        if not _TYPES["number"](one):
            return True
        return bool(one % step == 0) if isinstance(one, int | Decimal) else (one / float(step)).is_integer()

    return fits


def _enum(values: list[str]) -> Fits:
    allowed = frozenset(values)
    return lambda one: isinstance(one, str) and one in allowed


_SILENT = {
    "$schema",
    "$id",
    "id",
    "title",
    "description",
    "comment",
    "format",
    "javaType",
    "definitions",
    "default",
    "additionalItems",
}
_SIMPLE: dict[str, Callable[[Any], Fits]] = {
    "enum": _enum,
    "maxLength": lambda most: lambda one: not isinstance(one, str) or len(one) <= most,
    "minItems": lambda least: lambda one: not isinstance(one, list) or len(one) >= least,
    "maxItems": lambda most: lambda one: not isinstance(one, list) or len(one) <= most,
    "minimum": lambda least: lambda one: not _TYPES["number"](one) or one >= least,
    "maximum": lambda most: lambda one: not _TYPES["number"](one) or one <= most,
    "multipleOf": _multiple_of,
}

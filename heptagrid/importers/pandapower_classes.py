"""What a pandapower file may have made of its text: a list of classes, checked before pandapower sees a word of it.

A pandapower file names Python classes (`_module`, `_class`, and what each is made of), at any depth, and within text that is JSON again; pandapower
imports the modules and makes the objects. What is not on the list here is never imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

# Of other packages: plain data, each made by pandapower itself from what the file holds.
_ALLOWED = frozenset(
    {
        ("pandapower.auxiliary", "pandapowerNet"),
        ("pandas.core.frame", "DataFrame"),
        ("pandas", "DataFrame"),
        ("pandas.core.series", "Series"),
        ("pandas", "Series"),
        ("networkx", "MultiGraph"),
        ("networkx.classes.multigraph", "MultiGraph"),
        ("geopandas.geodataframe", "GeoDataFrame"),
        *(("shapely", name) for name in ("Point", "LineString", "Polygon")),
        *(("shapely.geometry", name) for name in ("Point", "LineString", "Polygon")),
        ("numpy", "array"),
        ("numpy", "bool"),
        *(("builtins", name) for name in ("complex", "tuple", "set", "frozenset")),
        *(
            ("numpy", f"{kind}{bits}")
            for kind, widths in (("int", (8, 16, 32, 64)), ("uint", (8, 16, 32, 64)), ("float", (16, 32, 64)))
            for bits in widths
        ),
        *(("numpy", name) for name in ("bool_", "complex64", "complex128")),
        *(
            (f"pandas{module}", name)
            for module, name in (
                ("", "Index"),
                ("", "RangeIndex"),
                ("", "MultiIndex"),
                ("", "DatetimeIndex"),
                (".core.indexes.base", "Index"),
                (".core.indexes.range", "RangeIndex"),
                (".core.indexes.multi", "MultiIndex"),
                (".core.indexes.datetimes", "DatetimeIndex"),
                (".core.indexes.numeric", "Int64Index"),
                (".core.indexes.numeric", "Float64Index"),
            )
        ),
    }
)

# pandapower's own controllers and what belongs to them: they are made without a call of theirs, and stop a power flow or are left out.
_OWN_PACKAGES = ("pandapower.control.", "pandapower.protection.", "pandapower.timeseries.")

# Arguments that pandas passes on to the reader of a table.
_OF_A_TABLE = frozenset(
    {"_module", "_class", "_object", "orient", "dtype", "is_multiindex", "is_multicolumn", "index_name", "index_names"}
) | {"column_name", "column_names", "typ"}

MOST_DEPTH = 40


def forbidden(text: str) -> list[str]:
    """What in a file's text may not be made, a line each; empty if all is on the list.

    Raises
    ------
    ValueError
        If it is no JSON, or is nested too deep.
    """
    try:
        return sorted(set(_of(_parsed(text), 0)))
    except RecursionError:
        raise ValueError("is nested too deep") from None


def _parsed(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which no name of a class stands twice, of which two readers might take different ones."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = [key for key in ("_module", "_class", "_object") if keys.count(key) > 1]
        if twice:
            raise ValueError(f"has an object with {' and '.join(twice)} twice")
    return found


def _of(value: Any, depth: int) -> Iterator[str]:
    if depth > MOST_DEPTH:
        raise ValueError(f"is nested more than {MOST_DEPTH} deep")
    if isinstance(value, dict):
        if "_module" in value or "_class" in value:
            yield from _named(value)
        for one in value.values():
            yield from _of(one, depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from _of(one, depth + 1)
    elif isinstance(value, str) and any(sign in value for sign in ("_module", "_class", "\\u")):
        # Text that is JSON again: tables and their cells. pandas reads some text that is not quite JSON.
        try:
            inner = _parsed(value)
        except json.JSONDecodeError as problem:
            if "\\u" not in value or value.lstrip()[:1] in ("{", "["):
                yield f"holds text that names a class, and is no JSON ({problem}): {value[:40]!r}"
            return
        yield from _of(inner, depth + 1)


def _named(value: dict[str, Any]) -> Iterator[str]:
    module, name = value.get("_module"), value.get("_class")
    if not isinstance(module, str) or not isinstance(name, str):
        yield f"names a class that is no text: _module {str(module)[:60]!r}, _class {str(name)[:60]!r}"
        return
    own = module.startswith(_OWN_PACKAGES) and all(part.isidentifier() for part in module.split("."))
    if (module, name) not in _ALLOWED and not (own and name.isidentifier() and name[0].isupper()):
        yield f"names {module[:60]}.{name[:60]}, which is not read: a network's file holds tables and plain figures"
    if name == "DataFrame" or name == "Series":
        body = value.get("_object")
        if body is not None and not (isinstance(body, str) and body.lstrip()[:1] in ("{", "[")):
            yield f"names a {name} that is not in the file itself: {str(body)[:60]!r}"
        for key in sorted(set(value) - _OF_A_TABLE):
            yield f"names a {name} with {key[:60]!r}, which is not read"

"""A circuit in one file, and back: every column of every table, as numpy's compressed archive."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import numpy as np

from heptagrid.foundation.errors import FileError
from heptagrid.world.circuit.circuit import Circuit

Table = TypeVar("Table")


def write_circuit(circuit: Circuit, path: Path) -> None:
    """Write a circuit; what was left out of its source is not kept."""
    np.savez_compressed(path, **dict(_columns(circuit, "")))


def read_circuit(path: Path) -> Circuit:
    """Read what `write_circuit` wrote; tables that a file does not have, and a circuit need not have, are empty.

    Raises
    ------
    FileError
        If the file is missing or broken, or a column is missing, as in a file of another version.
    """
    try:
        opened = np.load(path)
    except (OSError, ValueError, zipfile.BadZipFile) as problem:
        raise FileError(str(path), [f"it cannot be read as a circuit ({problem}); import it again"]) from None
    with opened as archive:
        tables = {name.partition(".")[0] for name in archive}
        missing = [
            f"there is no column {name}"
            for name in _names(Circuit, "")
            if name not in archive
            and not (name.partition(".")[0] in _OPTIONAL and name.partition(".")[0] not in tables)
        ]
        if missing:
            raise FileError(str(path), missing)
        return _filled(Circuit, archive, "")


_OPTIONAL = {one.name for one in fields(Circuit) if not (one.default is MISSING and one.default_factory is MISSING)}


def _names(kind: type, prefix: str) -> list[str]:
    hints = get_type_hints(kind)
    names = []
    for one in fields(kind):
        if is_dataclass(hints[one.name]):
            names += _names(hints[one.name], f"{prefix}{one.name}.")
        elif one.name != "left_out":
            names.append(prefix + one.name)
    return names


def _columns(table: Any, prefix: str) -> list[tuple[str, Any]]:
    found = []
    for one in fields(table):
        value = getattr(table, one.name)
        if is_dataclass(value):
            found += _columns(value, f"{prefix}{one.name}.")
        elif one.name != "left_out":
            found.append((prefix + one.name, value))
    return found


def _filled(kind: type[Table], archive: Mapping[str, Any], prefix: str) -> Table:
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for one in fields(kind):  # type: ignore[arg-type]
        hint = hints[one.name]
        if isinstance(hint, type) and is_dataclass(hint):
            if not any(name.startswith(f"{prefix}{one.name}.") for name in archive):
                continue
            values[one.name] = _filled(hint, archive, f"{prefix}{one.name}.")
        elif one.name != "left_out" and prefix + one.name in archive:
            stored = archive[prefix + one.name]
            values[one.name] = hint(stored.item()) if hint in (str, float, int) else stored
    return kind(**values)

"""A circuit in one file: its tables as arrays in an `.npz`, so that it is read again without the program it came from."""

from __future__ import annotations

import zipfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from heptagrid.foundation.errors import HeptagridError
from heptagrid.world.circuit import Circuit


def write_circuit(path: Path, circuit: Circuit) -> None:
    """Write a circuit; arrays are named `table_column`, as `lines_z_ohm`."""
    np.savez_compressed(path, **_arrays("", circuit))


def read_circuit(path: Path) -> Circuit:
    """Read what `write_circuit` wrote.

    Raises
    ------
    HeptagridError
        If the file is missing, broken or lacks an array; the message names it.
    """
    try:
        arrays = np.load(path)
        return _table(Circuit, "", arrays)  # type: ignore[no-any-return]
    except (OSError, ValueError, zipfile.BadZipFile) as problem:
        raise HeptagridError(f"{path} cannot be read as a circuit ({problem}); import it again") from None
    except KeyError as missing:
        raise HeptagridError(f"{path} lacks the array {missing}; it is of another version: import it again") from None


def _arrays(name: str, table: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in fields(table):
        value, key = getattr(table, one.name), f"{name}_{one.name}".lstrip("_")
        found |= _arrays(key, value) if is_dataclass(value) else {key: np.asarray(value)}
    return found


def _table(kind: type, name: str, arrays: Any) -> Any:
    hints = get_type_hints(kind)
    columns = {}
    for one in fields(kind):
        key, hint = f"{name}_{one.name}".lstrip("_"), hints[one.name]
        if is_dataclass(hint):
            columns[one.name] = _table(hint, key, arrays)  # type: ignore[arg-type]
        elif hint in (str, float):
            columns[one.name] = hint(arrays[key])
        elif hint == tuple[str, ...]:
            columns[one.name] = tuple(str(text) for text in arrays[key])
        else:
            columns[one.name] = arrays[key]
    return kind(**columns)

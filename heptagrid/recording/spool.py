"""Columns of tables as they are noted, and spools: parts of tables as bare columns, written without the table library and turned into tables at the end of a run.

A process that runs for days needs polars for a second of each, and would hold its 80 MB for the rest of it.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from heptagrid.foundation.errors import OutputError
from heptagrid.foundation.output_file import replacing

if TYPE_CHECKING:
    import polars

_MAGIC = b"PK"  # of a zip archive, which numpy's is
_LABELS = "labels"
_PLAIN, _WORDS, _LISTS = "plain", "words", "lists"


class IntLists(NamedTuple):
    """A column of lists of integers, some of them absent."""

    lists: Sequence[Sequence[int] | None]


class Words(NamedTuple):
    """A column of text, some of it absent; no part of a spool has one."""

    words: Sequence[str | None]


@dataclass(frozen=True)
class Text:
    """Names of which columns are made."""

    names: Sequence[str]

    @cached_property
    def series(self) -> polars.Series:
        """For the table library, made once for many columns."""
        import polars

        return polars.Series(self.names, dtype=polars.String)


class Named(NamedTuple):
    """A column of names, each by its number."""

    text: Text
    which: np.ndarray

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: with the names that it has, of all."""
        used, which = np.unique(self.which, return_inverse=True)
        return Named, (Text([self.text.names[number] for number in used.tolist()]), which)


def write_spool(labels: Mapping[str, Any], columns: Mapping[str, Any], path: Path) -> None:
    """Write columns and the labels of all their rows, whole or not at all."""
    arrays = {_LABELS: np.array(json.dumps(labels))}
    for number, (name, values) in enumerate(columns.items()):
        for part, array in _arrays(values).items():
            arrays[f"{number} {part} {name}"] = array
    with replacing(path, durable=False) as writing, writing.open("wb") as file:
        cast(Any, np.savez)(file, **arrays)  # its stub takes names of arrays for its own settings


def _arrays(values: Any) -> dict[str, np.ndarray]:
    """A column as arrays, by the word for what they are."""
    if isinstance(values, IntLists):
        counts = np.array([-1 if one is None else len(one) for one in values.lists], dtype=np.int64)
        flat = np.array([number for one in values.lists if one is not None for number in one], dtype=np.int64)
        return {f"{_LISTS}.counts": counts, f"{_LISTS}.flat": flat}
    if isinstance(values, Named):
        used, codes = np.unique(values.which, return_inverse=True)
        words = np.array([values.text.names[k] for k in used.tolist()], dtype=np.str_)
    else:
        column = np.asarray(values)
        if column.dtype.kind != "U":
            return {_PLAIN: column}
        words, codes = np.unique(column, return_inverse=True)
    return {f"{_WORDS}.words": words, f"{_WORDS}.codes": codes.astype(np.int32)}


def is_spool(path: Path) -> bool:
    """Whether a file is a spool."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def read_spool(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The labels and the columns of a spool, as they were written.

    Raises
    ------
    OutputError
        If it is damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            labels = json.loads(str(arrays[_LABELS]))
            found: dict[str, dict[str, np.ndarray]] = {}
            for key in arrays.files:
                if key != _LABELS:
                    _, part, name = key.split(" ", 2)
                    found.setdefault(name, {})[part] = arrays[key]
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as problem:
        raise OutputError(f"{path} is not a part of a table that can be read: {problem}") from None
    return labels, {name: _column(parts) for name, parts in found.items()}


def _column(parts: Mapping[str, np.ndarray]) -> Any:
    if _PLAIN in parts:
        return parts[_PLAIN]
    if f"{_WORDS}.codes" in parts:
        return Named(Text(parts[f"{_WORDS}.words"].tolist()), parts[f"{_WORDS}.codes"])
    counts, flat = parts[f"{_LISTS}.counts"], parts[f"{_LISTS}.flat"].tolist()
    ends = np.cumsum(np.maximum(counts, 0)).tolist()
    lists = [None if count < 0 else flat[end - count : end] for count, end in zip(counts.tolist(), ends, strict=True)]
    return IntLists(lists)

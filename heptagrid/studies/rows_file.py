"""Writes the rows of a study as CSV: twelve significant digits, nothing where nothing is known."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from heptagrid.foundation.output_file import whole_file


def write_rows(tables: Sequence[tuple[Path, Mapping[str, Any]]]) -> None:
    """Write files of columns by their names, each texts or figures (n,). All appear under their names when all are whole, or none does.

    Raises
    ------
    OutputError
        If one cannot be written.
    """
    with ExitStack() as files:
        for path, rows in tables:
            columns = [_texts(column) for column in rows.values()]
            with files.enter_context(whole_file(path)).open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(rows)
                writer.writerows(zip(*columns, strict=True))


def _texts(column: Any) -> Sequence[str]:
    if isinstance(column, list):
        return column
    if column.dtype.kind == "U":
        return list(column.tolist())
    return [f"{value:#.12g}" if math.isfinite(value) else "" for value in column.tolist()]

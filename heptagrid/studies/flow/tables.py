"""Writes the rows of a power flow as CSV: twelve significant digits, nothing where nothing is known."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

from heptagrid.foundation.output_file import whole_file
from heptagrid.studies.flow.snapshot import BranchRows, NodeRows


def write_rows(tables: Sequence[tuple[Path, NodeRows | BranchRows]]) -> None:
    """Write files with a column for each field. All appear under their names when all are whole, or none does.

    Raises
    ------
    OutputError
        If one cannot be written.
    """
    with ExitStack() as files:
        for path, rows in tables:
            names = [one.name for one in fields(rows)]
            columns = [_texts(getattr(rows, name)) for name in names]
            with files.enter_context(whole_file(path)).open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(names)
                writer.writerows(zip(*columns, strict=True))


def _texts(column: Any) -> Sequence[str]:
    if isinstance(column, list):
        return column
    return [f"{value:#.12g}" if math.isfinite(value) else "" for value in column.tolist()]

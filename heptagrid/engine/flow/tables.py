"""Writes the rows of a power flow as CSV: twelve significant digits, nothing where nothing is known."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from heptagrid.engine.flow.snapshot import BranchRows, NodeRows
from heptagrid.foundation.errors import OutputError


def write_rows(path: Path, rows: NodeRows | BranchRows) -> None:
    """Write a column for each field. The file appears under its name only when it is whole.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    names = [one.name for one in fields(rows)]
    columns = [_texts(getattr(rows, name)) for name in names]
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            writer.writerows(zip(*columns, strict=True))
        partial.replace(path)
    except OSError as problem:
        partial.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {problem.strerror or problem}; choose another place") from problem


def _texts(column: Any) -> Sequence[str]:
    if isinstance(column, list):
        return column
    return [f"{value:#.12g}" if math.isfinite(value) else "" for value in column.tolist()]

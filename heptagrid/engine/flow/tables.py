"""Writes the rows of a power flow as CSV: twelve significant digits, nothing where nothing is known."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from heptagrid.engine.flow.snapshot import BranchRows, NodeRows
from heptagrid.foundation.output_file import whole_file


def write_rows(path: Path, rows: NodeRows | BranchRows) -> None:
    """Write a column for each field. The file appears under its name only when it is whole.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    names = [one.name for one in fields(rows)]
    columns = [_texts(getattr(rows, name)) for name in names]
    with whole_file(path) as place, place.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(zip(*columns, strict=True))


def _texts(column: Any) -> Sequence[str]:
    if isinstance(column, list):
        return column
    return [f"{value:#.12g}" if math.isfinite(value) else "" for value in column.tolist()]

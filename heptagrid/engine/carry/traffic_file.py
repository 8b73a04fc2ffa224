"""Reads traffic from CSV, and writes it back with what became of each message."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.foundation.errors import FileError, OutputError
from heptagrid.planes.messages.tables import CAUSES, Ints

COLUMNS = ("sent_s", "source", "destination", "bytes")
STATUS = (
    "delivered",
    *("lost" if cause == "link_loss" else "dropped" if cause == "buffer" else cause for cause in CAUSES),
)
WAITING = len(STATUS)
"""What waited for a device that never spoke again."""

_EXACT_S = 4e6  # beyond, a float64 of seconds does not hold nanoseconds
_LATEST_S = 9e9  # beyond, nanoseconds do not fit
_SHOWN = 20


@dataclass(frozen=True)
class Traffic:
    """Messages in the file's order: (n,) times, nodes, sizes, priorities; `table` is the file as text."""

    sent_ns: Ints
    source: Ints
    destination: Ints
    size_bytes: Ints
    priority: Ints
    table: Any


def read_traffic(path: Path, names: list[str]) -> Traffic:
    """Read TRAFFIC.csv; the rows need not be in the order of time.

    Raises
    ------
    FileError
        With every problem: missing columns, unknown nodes, times that are no numbers, sizes below one byte.
    """
    import polars as pl

    origin = str(path)
    try:
        table = pl.read_csv(path, infer_schema=False)
    except FileNotFoundError as problem:
        raise FileError(origin, ["cannot be read: no such file"]) from problem
    except OSError as problem:
        raise FileError(origin, [f"cannot be read: {problem.strerror or problem}"]) from problem
    except pl.exceptions.NoDataError:
        raise FileError(origin, [f"is empty; write the columns {', '.join(COLUMNS)}"]) from None
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as problem:
        raise FileError(origin, [f"is no CSV: {str(problem).splitlines()[0]}"]) from problem
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise FileError(origin, [f"column {name} is missing" for name in missing])
    problems: list[str] = []
    seconds = table["sent_s"].str.strip_chars().cast(pl.Float64, strict=False).to_numpy()
    wrong = ~(np.isfinite(seconds) & (seconds >= 0.0) & (seconds <= _LATEST_S))
    _list(problems, table, "sent_s", wrong, f"it must be a number of seconds from 0 to {_LATEST_S:g}")
    sent_ns = np.rint(np.where(wrong, 0.0, seconds) * 1e9).astype(np.int64)
    if len(seconds) and not wrong.any() and seconds.max() > _EXACT_S:
        exact = table["sent_s"].str.strip_chars().cast(pl.Decimal(38, 9), strict=False)
        if exact.null_count() == 0:
            sent_ns = (exact * 10**9).cast(pl.Int64).to_numpy()
    ends = []
    for column in ("source", "destination"):
        number = _numbers(table[column], names)
        _list(problems, table, column, number < 0, "it is no node of the network")
        ends.append(number)
    size = _whole(problems, table, "bytes", 1, 2**31, "a whole number of bytes, at least 1")
    if "priority" in table.columns:
        priority = _whole(problems, table, "priority", 0, 2**31, "a whole number, 0 for the most urgent")
    else:
        priority = np.zeros(len(table), dtype=np.int64)
    same = (ends[0] == ends[1]) & (ends[0] >= 0)
    _list(problems, table, "destination", same, "it is the source itself")
    if problems:
        raise FileError(origin, problems)
    return Traffic(sent_ns, ends[0], ends[1], size, priority, table)


def row_name(k: int) -> str:
    """How messages name a row: by its line in the file, the header being line 1."""
    return f"row {k + 1} (line {k + 2})"


def write_delivered(path: Path, traffic: Traffic, delivered_ns: Ints, status: Ints, hops: Ints) -> None:
    """Write the file's columns and `delivered_s`, `status`, `hops`, in the file's order.

    The file appears under its name only when it is whole.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    import polars as pl

    words = pl.Series([*STATUS, "waiting"])
    whole, part = np.divmod(np.maximum(delivered_ns, 0), 10**9)
    seconds = pl.DataFrame({"whole": whole, "part": part + 10**9, "come": status == 0}).select(
        pl.when("come").then(pl.format("{}.{}", "whole", pl.col("part").cast(pl.String).str.slice(1))).otherwise(None)
    )
    keep = [name for name in traffic.table.columns if name not in ("delivered_s", "status", "hops")]
    table = traffic.table.select(keep).with_columns(
        seconds.to_series().alias("delivered_s"), words.gather(status).alias("status"), pl.Series("hops", hops)
    )
    partial = path.with_name(path.name + ".partial")
    try:
        table.write_csv(partial)
        partial.replace(path)
    except OSError as problem:
        partial.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {problem.strerror or problem}") from problem


def _numbers(column: Any, names: list[str]) -> Ints:
    """(n,) the number of each name; -1 for one that is unknown."""
    import polars as pl

    known = pl.DataFrame({"name": names, "number": np.arange(len(names))})
    found = pl.DataFrame({"name": column}).join(known, on="name", how="left", maintain_order="left")
    return found["number"].fill_null(-1).to_numpy()


def _whole(problems: list[str], table: Any, name: str, low: int, high: int, rule: str) -> Ints:
    import polars as pl

    given = table[name].str.strip_chars().cast(pl.Int64, strict=False).fill_null(low - 1).to_numpy()
    _list(problems, table, name, (given < low) | (given > high), f"it must be {rule}")
    return np.asarray(given)


def _list(problems: list[str], table: Any, name: str, wrong: Any, rule: str) -> None:
    rows = np.flatnonzero(wrong)
    problems += [f"{row_name(k)}: {name} is {table[name][int(k)]!r}; {rule}" for k in rows[:_SHOWN]]
    if len(rows) > _SHOWN:
        problems.append(f"and {len(rows) - _SHOWN} more rows with a wrong {name}")

"""Days of a table that were written in pieces, put together: a block of rows after another, so that it takes memory for a block and not for a day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from heptagrid.foundation.frames import ROWS_OF_LISTS, read_table, scan_table, write_table
from heptagrid.foundation.output_file import TEMPORARY

if TYPE_CHECKING:
    import polars

PIECED = "nodes"
"""The table whose parts may be pieces of a day: rows are the same things in the same order, lists are a piece of the day's."""

_DAY = ("arm", "run_day", "first_quarter")
_BLOCK = 2 * ROWS_OF_LISTS


@contextmanager
def whole_days(parts: Sequence[Path]) -> Iterator[list[Path]]:
    """Files with the rows of the parts, in their order; days that are in pieces are put together for as long as this is open."""
    with TemporaryDirectory(prefix=TEMPORARY, dir=parts[0].parent) as scratch:
        found: list[Path] = []
        for pieces in _days(parts):
            if len(pieces) == 1:
                found += pieces
                continue
            for frame in _joined(pieces):
                block = Path(scratch) / f"{len(found):06d}.parquet"
                write_table(frame, block, durable=False)
                found.append(block)
        yield found


def read_days(parts: Sequence[Path]) -> polars.DataFrame:
    """The same rows as one table."""
    import polars

    frames: list[polars.DataFrame] = []
    for pieces in _days(parts):
        frames += [read_table(pieces[0])] if len(pieces) == 1 else _joined(pieces)
    return polars.concat(frames)


def _days(parts: Sequence[Path]) -> Iterator[list[Path]]:
    """The parts of each day."""
    for _, pieces in groupby(parts, _day_of):
        yield list(pieces)


def _day_of(part: Path) -> tuple[Any, ...]:
    return scan_table(part).select(_DAY).head(1).collect().row(0)


def _joined(pieces: Sequence[Path]) -> Iterator[polars.DataFrame]:
    """The rows of a day, a block at once."""
    import polars

    scans = [scan_table(piece) for piece in pieces]
    count = int(scans[0].select(polars.len()).collect().item())
    for begin in range(0, count, _BLOCK):
        frames = [scan.slice(begin, _BLOCK).collect() for scan in scans]
        lists = [name for name, kind in frames[0].schema.items() if isinstance(kind, polars.List)]
        yield frames[0].with_columns([_of_day(name, frames) for name in lists])


def _of_day(name: str, frames: Sequence[polars.DataFrame]) -> polars.Series:
    import polars

    values = [frame[name].explode().to_numpy().reshape(len(frame), -1) for frame in frames]
    day = np.concatenate(values, axis=1)
    return polars.Series(name, day.ravel()).reshape(day.shape).arr.to_list()

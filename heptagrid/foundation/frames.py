"""Tables on disk: a path means the file of that very name, and what the disk refuses is an `OSError` with its number.

polars takes a path for a pattern (`*`, `?`, `[1]`, a leading `~`), and says only in words what the operating system said.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heptagrid.foundation.errors import OutputError
from heptagrid.foundation.interrupts import to_the_end
from heptagrid.foundation.output_file import replacing

if TYPE_CHECKING:
    import polars

_OS_ERROR = re.compile(r"\(os error (\d+)\)")
ROWS_PER_GROUP = 128 * 1024
ROWS_OF_LISTS = 4096
"""Rows of a group in tables with lists, such as a day's quarter hours: whoever reads one thing's day reads a group."""
_TO_KEEP: dict[str, Any] = {"compression": "zstd", "compression_level": 3, "statistics": True}


def read_table(path: Path) -> polars.DataFrame:
    """The table in a Parquet file.

    Raises
    ------
    OutputError
        If the file holds no table.
    """
    import polars

    try:
        with os_errors(path):
            return polars.read_parquet(path.absolute(), glob=False)
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException) as problem:
        first = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise OutputError(f"{path} is not a table that can be read: {first}") from None


def scan_table(path: Path) -> polars.LazyFrame:
    """The table in a Parquet file, of which no more is read than is asked for."""
    import polars

    return polars.scan_parquet(path.absolute(), glob=False)


def slices_of(path: Path) -> Iterator[polars.DataFrame]:
    """The rows of a table in a Parquet file, a group after another."""
    import polars

    scan = scan_table(path)
    with os_errors(path):
        count = int(scan.select(polars.len()).collect().item())
        for begin in range(0, count, ROWS_PER_GROUP):
            yield scan.slice(begin, ROWS_PER_GROUP).collect()


def write_table(frame: polars.DataFrame, path: Path, durable: bool = True) -> None:
    """Write a table as a Parquet file, whole or not at all, and `durable` on the disk; one that is not is for a while, and packed less."""
    options: dict[str, Any] = _TO_KEEP if durable else {"compression": "lz4", "statistics": False}
    with replacing(path, durable) as writing, os_errors(path):
        rows = rows_of_a_group(frame.schema)
        to_the_end(lambda: frame.write_parquet(writing.absolute(), row_group_size=rows, **options))


def join_tables(parts: Sequence[Path], path: Path) -> None:
    """Join Parquet files, one after another, into one, without holding them in memory at once."""
    import polars

    joined = polars.scan_parquet([part.absolute() for part in parts], glob=False)
    with replacing(path) as writing, os_errors(path):
        rows = rows_of_a_group(joined.collect_schema())
        to_the_end(lambda: joined.sink_parquet(writing.absolute(), row_group_size=rows, **_TO_KEEP))


def rows_of_a_group(schema: Mapping[str, Any]) -> int:
    """How many rows of a table with these columns are read at once."""
    import polars

    has_lists = any(isinstance(one, polars.List) for one in schema.values())
    return ROWS_OF_LISTS if has_lists else ROWS_PER_GROUP


@contextmanager
def os_errors(path: Path) -> Iterator[None]:
    """Turn what polars says of the operating system's errors into `OSError`s that name `path`."""
    import polars

    try:
        yield
    except (OSError, polars.exceptions.PolarsError) as problem:
        found = _OS_ERROR.search(str(problem))
        if found is None or getattr(problem, "errno", None):
            raise
        number = int(found[1])
        raise OSError(number, os.strerror(number), str(path)) from problem

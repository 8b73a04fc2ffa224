"""Tables of a results folder: parts written while a run goes on, joined at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from heptagrid.foundation.beside import Promise, begin
from heptagrid.foundation.frames import join_tables, write_table
from heptagrid.foundation.output_file import TEMPORARY
from heptagrid.recording.pieces import PIECED, whole_days
from heptagrid.recording.spool import IntLists, Named, Words, is_spool, read_spool, write_spool

if TYPE_CHECKING:
    import polars

BLOCK = 16 * 1024
"""Nodes, points or rows that are made into a table at once, where all of them would take a city's memory."""


_MOST_BEGUN_BYTES = 64 * 1024**2
"""Of parts whose writing has begun and need not have ended; a day of the town has a quarter of it."""


class TableWriter:
    """Writes parts of tables for one arm and span, beside what follows; a part is complete or absent, never half. spools: whether parts are spools until they are joined."""

    def __init__(self, folder: Path | None, prefix: str, labels: Mapping[str, Any], spools: bool = False) -> None:
        """Set up; without a folder nothing is written; spools spare a process that lasts the memory of polars."""
        self._folder = folder
        self._prefix = prefix
        self._labels = dict(labels)
        self.spools = spools
        self._parts = 0
        self._begun: list[Promise[None]] = []

    def write_to(self, folder: Path) -> None:
        """Write to another folder; what stands there of parts not written yet is of a run that went further, and goes."""
        self.wait()
        self._folder = folder
        for part in _parts(folder):
            *_, number, _ = part.name.split(".")
            if part.name.split(".", 1)[1].startswith(f"{self._prefix}.") and int(number) >= self._parts:
                part.unlink()

    def write(self, name: str, columns: Mapping[str, Any]) -> None:
        """Write columns of equal length as one part of the table `name`; 2-D arrays become lists."""
        if self._folder is None:
            return
        part = self._folder / f"{name}.{self._prefix}.{self._parts:04d}.part"
        self._parts += 1
        if self.spools:
            write_spool(self._labels, columns, part)
            return
        if sum(one.size for one in self._begun) > _MOST_BEGUN_BYTES:
            self.wait()
        begun = begin(_write_part, part, self._labels, dict(columns))
        self._begun += [begun] if begun.size else []

    def wait(self) -> None:
        """Wait until all parts are there."""
        for one in self._begun:
            one.result()
        self._begun = []

    def __getstate__(self) -> dict[str, Any]:
        """A checkpoint goes on from the parts that are there."""
        self.wait()
        return vars(self)


def _write_part(part: Path, labels: Mapping[str, Any], columns: Mapping[str, Any]) -> None:
    write_table(_frame(labels, columns), part, durable=False)


def write_columns(path: Path, columns: Mapping[str, Any]) -> None:
    """Write columns of equal length as a table of its own."""
    write_table(_frame({}, columns), path)


def _frame(labels: Mapping[str, Any], columns: Mapping[str, Any]) -> polars.DataFrame:
    import polars

    frame = polars.DataFrame({key: _series(values) for key, values in columns.items()})
    first = [
        polars.lit(value, dtype=polars.Int16 if isinstance(value, int) else polars.String).alias(key)
        for key, value in labels.items()
    ]
    return frame.select(*first, *frame.columns)


def blocks(count: int, size: int = BLOCK) -> Iterator[slice]:
    """So many things in blocks of a size, the last with what is left."""
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))


def long_table(times: np.ndarray, values: np.ndarray, name: str, ids: np.ndarray, value: str) -> dict[str, np.ndarray]:
    """A (times, things) array as columns of a long table, things after one another."""
    return {
        "time_ns": np.tile(times, len(ids)),
        name: np.repeat(ids.astype(np.int32), len(times)),
        value: np.ascontiguousarray(values.T).ravel(),
    }


def _series(values: Any) -> Any:
    import polars

    if isinstance(values, IntLists):
        return polars.Series(values.lists, dtype=polars.List(polars.Int64))
    if isinstance(values, Words):
        return polars.Series(values.words, dtype=polars.String)
    if isinstance(values, Named):
        return values.text.series.gather(polars.Series(values.which))
    if isinstance(values, np.ndarray) and values.ndim == 2:
        flat = polars.Series(np.ascontiguousarray(values).ravel())
        return flat.reshape((values.shape[0], values.shape[1])).arr.to_list()
    return values


def parts_of(folder: Path, name: str) -> list[Path]:
    """The parts of a table, in their order."""
    return sorted(one for one in _parts(folder) if _table_of(one) == name)


@contextmanager
def as_tables(parts: Sequence[Path]) -> Iterator[list[Path]]:
    """Parts, tables of those that are spools in the place of these for as long as this is open.

    Raises
    ------
    OutputError
        For a damaged one.
    """
    with TemporaryDirectory(prefix=TEMPORARY) as scratch:
        found = []
        for part in parts:
            table = Path(scratch) / part.name if is_spool(part) else part
            if table != part:
                write_table(_frame(*read_spool(part)), table, durable=False)
            found.append(table)
        yield found


def join_parts(folder: Path, out: Path, *, keep: bool = False) -> None:
    """Join the parts of every table in `folder` into `out/<table>.parquet`, in the parts' order, and drop them unless told to `keep` them."""
    for name in sorted({_table_of(part) for part in _parts(folder)}):
        parts = parts_of(folder, name)
        for part in filter(is_spool, parts):
            write_table(_frame(*read_spool(part)), part, durable=False)
        with whole_days(parts) if name == PIECED else nullcontext(parts) as whole:
            join_tables(whole, out / f"{name}.parquet")
        for part in () if keep else parts:
            part.unlink()


def discard_parts(folder: Path) -> None:
    """Remove the parts of all tables."""
    for part in _parts(folder):
        part.unlink()


def _parts(folder: Path) -> list[Path]:
    return [one for one in folder.iterdir() if one.suffix == ".part"] if folder.is_dir() else []


def _table_of(part: Path) -> str:
    return part.name.split(".")[0]

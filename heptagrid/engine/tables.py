"""Tables of a results folder: parts written while a run goes on, joined at its end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np


class TableWriter:
    """Writes parts of tables for one arm and span; a part is complete or absent, never half."""

    def __init__(self, folder: Path | None, prefix: str, labels: Mapping[str, Any]) -> None:
        """Set up; without a folder nothing is written."""
        self._folder = folder
        self._prefix = prefix
        self._labels = dict(labels)
        self._parts = 0

    def write(self, name: str, columns: Mapping[str, Any]) -> None:
        """Write columns of equal length as one part of the table `name`; 2-D arrays become lists."""
        import polars

        if self._folder is None:
            return
        series = {key: _series(values) for key, values in columns.items()}
        frame = polars.DataFrame(series)
        labels = [
            polars.lit(value, dtype=polars.Int16 if isinstance(value, int) else polars.String).alias(key)
            for key, value in self._labels.items()
        ]
        frame = frame.select(*labels, *frame.columns)
        part = self._folder / f"{name}.{self._prefix}.{self._parts:04d}.part"
        self._parts += 1
        writing = part.with_suffix(".writing")
        _to_the_end(lambda: frame.write_parquet(writing, compression="lz4", statistics=False))
        writing.replace(part)


def list_series(lists: Sequence[Sequence[int] | None]) -> Any:
    """A column of lists of integers, some of them absent."""
    import polars

    return polars.Series(lists, dtype=polars.List(polars.Int64))


def _series(values: Any) -> Any:
    import polars

    if isinstance(values, np.ndarray) and values.ndim == 2:
        flat = polars.Series(np.ascontiguousarray(values).ravel())
        return flat.reshape((values.shape[0], values.shape[1])).arr.to_list()
    return values


def _to_the_end(write: Callable[[], object]) -> None:
    """Write; if Ctrl-C comes in the midst of it, write again and interrupt afterwards.

    polars turns Ctrl-C into an exception wherever it is, which would leave half a file.
    """
    try:
        write()
    except KeyboardInterrupt:
        write()
        signal.raise_signal(signal.SIGINT)


def _sink(frame: Any, path: Path) -> None:
    frame.sink_parquet(path, compression="lz4", statistics=False, row_group_size=128 * 1024)


def join_parts(folder: Path, out: Path) -> None:
    """Join the parts of every table in `folder` into `out/<table>.parquet`, in the parts' order, and drop them."""
    import polars

    names = sorted({part.name.split(".")[0] for part in folder.glob("*.part")})
    for name in names:
        parts = sorted(folder.glob(f"{name}.*.part"))
        target = out / f"{name}.parquet"
        writing = target.with_suffix(".writing")
        joined = polars.scan_parquet(parts)
        _to_the_end(lambda: _sink(joined, writing))  # noqa: B023  called at once
        writing.replace(target)
        for part in parts:
            part.unlink()

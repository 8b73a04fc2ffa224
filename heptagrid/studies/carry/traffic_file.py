"""Reads traffic from CSV, and writes it back with what became of each message."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.foundation.errors import FileError
from heptagrid.foundation.frames import os_errors
from heptagrid.foundation.output_file import whole_file
from heptagrid.planes.messages.tables import CAUSES, Ints
from heptagrid.studies.carry.table_rows import LATEST_S

COLUMNS = ("sent_s", "source", "destination", "bytes")
_OF_LOOPS = ("answers", "think_s", "ack_timeout_s", "retries", "ack_bytes", "uplink_timeout_s")
_OPTIONAL = ("name", "priority", *_OF_LOOPS)
STATUS = (
    "delivered",
    *("lost" if cause == "link_loss" else "dropped" if cause == "buffer" else cause for cause in CAUSES),
)
WAITING = len(STATUS)
"""What waited for a device that never spoke again, or would have been under way at the end of the clock."""
UNCOVERED = WAITING + 1
"""What no hop could carry: its source or its destination is out of everyone's reach on a shared medium."""
NOT_SENT = UNCOVERED + 1
"""What waited for a message that never arrived, or was never acknowledged."""
WORDS = (*STATUS, "waiting", "uncovered", "not sent")

_EXACT_S = 4e6  # beyond, a float64 of seconds does not hold nanoseconds
_SHOWN = 20
_LONGEST_WAIT_S = 1e6
_LONGEST_HEADER = 1 << 16
_LARGEST = 2**31  # of what is counted
_LONGEST_QUOTE = 60  # characters of a cell that an error shows
_MOST_SEARCHED = 20_000  # names among which a similar one is looked for

_Problems = list[tuple[int, str]]  # each with its row, which they are listed by


@dataclass(frozen=True)
class Loops:
    """How messages depend on each other, (n,) each.

    answers: the row that is answered, -1 for none. think_ns: how long after it. ack_timeout_ns: how long an
    acknowledgement is waited for, 0 for none. retries: how often the message is then sent again. ack_bytes: of an
    acknowledgement that is no row of its own, 0 for none. uplink_timeout_ns: how long after it was sent a message may wait at a
    LoRaWAN gateway for its device to speak, 0 for ever.
    """

    answers: Ints
    think_ns: Ints
    ack_timeout_ns: Ints
    retries: Ints
    ack_bytes: Ints
    uplink_timeout_ns: Ints

    @classmethod
    def none(cls, rows: int) -> Loops:
        """Those of rows that depend on none."""
        nothing = np.zeros(rows, dtype=np.int64)
        return cls(nothing - 1, *([nothing] * (len(fields(cls)) - 1)))

    def of(self, rows: Ints) -> Loops:
        """Those of some rows, which still name rows of the file."""
        return Loops(*(getattr(self, each.name)[rows] for each in fields(self)))


@dataclass(frozen=True)
class Traffic:
    """Messages in the file's order: (n,) times, nodes, sizes, priorities; `table` is the file as text.

    loops: how they depend on each other, if any does. A destination from the number of nodes on is one of the groups.
    """

    sent_ns: Ints
    source: Ints
    destination: Ints
    size_bytes: Ints
    priority: Ints
    table: Any
    loops: Loops | None = None
    groups: tuple[str, ...] = ()

    def of(self, rows: Ints) -> Traffic:
        """The messages of some rows, without their table and what they depend on."""
        ends = self.source[rows], self.destination[rows]
        return Traffic(self.sent_ns[rows], *ends, self.size_bytes[rows], self.priority[rows], table=None)


def read_traffic(path: Path, names: list[str], groups: Sequence[str] = ()) -> Traffic:
    """Read TRAFFIC.csv; the rows need not be in the order of time.

    Raises
    ------
    FileError
        With every problem: missing columns, unknown nodes, times that are no numbers, sizes below one byte.
    """
    import polars as pl

    origin = str(path)
    if path.is_dir():
        raise FileError(origin, ["cannot be read: is a directory"])
    try:
        source, mark = _in_utf_8(path.absolute())
        table = pl.read_csv(source, separator=mark, infer_schema=False, glob=False)
    except FileNotFoundError as problem:
        raise FileError(origin, ["cannot be read: no such file"]) from problem
    except OSError as problem:
        raise FileError(origin, [f"cannot be read: {problem.strerror or problem}"]) from problem
    except pl.exceptions.NoDataError:
        raise FileError(origin, [f"is empty; write the columns {', '.join(COLUMNS)}"]) from None
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as problem:
        raise FileError(origin, [_no_csv(path, str(problem))]) from problem
    table = _named(_without_blank_rows(table, origin), origin)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise FileError(origin, [f"column {name} is missing{_near(name, table.columns)}" for name in missing])
    cells = _cells(table)
    problems: _Problems = []
    loops, follows = _loops(problems, cells)
    sent_ns = _sent_ns(problems, cells, follows)
    ends = []
    for column in ("source", "destination"):
        known = [*names, *groups] if column == "destination" else names
        number = _numbers(cells[column], known)
        what = "node or group" if len(known) > len(names) else "node"
        _list(problems, cells, column, number < 0, f"it is not a {what} of the network", known)
        ends.append(number)
    size = _whole(problems, cells, "bytes", 1, _LARGEST, f"a whole number of bytes, at least 1 and at most {_LARGEST}")
    rule = f"a whole number, 0 for the most urgent and at most {_LARGEST}"
    priority = _whole(problems, cells, "priority", 0, _LARGEST, rule, default=0)
    same = (ends[0] == ends[1]) & (ends[0] >= 0)
    _list(problems, cells, "destination", same, "it is the source itself")
    if problems:
        raise FileError(origin, [text for _, text in sorted(problems, key=lambda one: one[0])])
    return Traffic(sent_ns, ends[0], ends[1], size, priority, table, loops, tuple(groups))


def _named(table: Any, origin: str) -> Any:
    """The table with its columns' names without blanks around them, and without columns that have neither name nor content."""
    unnamed = [name for name in table.columns if not name.split("_duplicated_")[0].strip()]
    table = table.drop([name for name in unnamed if table[name].null_count() == len(table)])
    names = [name.strip() for name in table.columns]
    twice = [name for name in dict.fromkeys(names) if f"{name}_duplicated_0" in names or names.count(name) > 1]
    if twice:
        raise FileError(origin, [f"column {name or 'without a name'} stands there more than once" for name in twice])
    return table.rename(dict(zip(table.columns, names, strict=True)))


def _cells(table: Any) -> Any:
    """The columns that are read, without blanks around what stands in them; nothing but blanks is empty."""
    import polars as pl

    read = [name for name in (*COLUMNS, *_OPTIONAL) if name in table.columns]
    text = pl.col(read).str.strip_chars()
    return table.select(pl.when(text != "").then(text))


def _sent_ns(problems: _Problems, cells: Any, follows: Any) -> Ints:
    """(n,) when rows leave; 0 of those that follow others."""
    import polars as pl

    column = cells["sent_s"]
    seconds = column.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    wrong = ~((seconds >= 0.0) & (seconds <= LATEST_S)) & ~follows
    given = ~column.is_null().to_numpy() & follows
    _list(
        problems, cells, "sent_s", given, "it must be empty, for the row leaves when the one that it answers has come"
    )
    _list(problems, cells, "sent_s", wrong, f"it must be a number of seconds from 0 to {LATEST_S:g}")
    seconds = np.where(follows | wrong, 0.0, seconds)
    sent_ns = np.rint(seconds * 1e9).astype(np.int64)
    late = seconds > _EXACT_S
    if late.any():
        exact = (column.cast(pl.Decimal(38, 9), strict=False) * 10**9).cast(pl.Int64, strict=False)
        sent_ns = np.where(late & ~exact.is_null().to_numpy(), exact.fill_null(0).to_numpy(), sent_ns)
    return np.asarray(sent_ns)


def _loops(problems: _Problems, cells: Any) -> tuple[Loops | None, Any]:
    """The columns that make messages depend on each other, none if none does; and (n,) which rows answer others."""
    import polars as pl

    rows = len(cells)
    follows = np.zeros(rows, dtype=bool)
    if not set(_OF_LOOPS) & set(cells.columns):
        return None, follows
    answers = np.full(rows, -1, dtype=np.int64)
    if "answers" in cells.columns:
        names = cells["name"].str.normalize("NFC") if "name" in cells.columns else None
        known = [str(k + 1) for k in range(rows)] if names is None else [name or "" for name in names.to_list()]
        is_twice = np.zeros(rows, dtype=bool)
        if names is not None:
            is_twice = names.is_duplicated().to_numpy() & ~names.is_null().to_numpy()
            _list(problems, cells, "name", is_twice, "another row has the same; let names differ")
        follows = ~cells["answers"].is_null().to_numpy()
        if not is_twice.any():
            named = [(k, name) for k, name in enumerate(known) if name]
            column = cells["answers"] if names is not None else _without_fraction(cells["answers"])
            found = _numbers(column, [name for _, name in named])
            answers = np.where(follows & (found >= 0), np.array([*(k for k, _ in named), -1])[found], -1)
            how = "the number of a row, the first being 1" if names is None else "what a row has in the column name"
            _list(problems, cells, "answers", follows & (found < 0), f"it must be {how}", known)

    def seconds(name: str) -> Ints:
        if name not in cells.columns:
            return np.zeros(rows, dtype=np.int64)
        value = cells[name].fill_null("0").cast(pl.Float64, strict=False).fill_null(-1.0).to_numpy()
        wrong = ~((value >= 0.0) & (value <= _LONGEST_WAIT_S))
        _list(problems, cells, name, wrong, f"it must be a number of seconds from 0 to {_LONGEST_WAIT_S:g}")
        return np.asarray(np.rint(np.where(wrong, 0.0, value) * 1e9).astype(np.int64))

    def whole(name: str, high: int) -> Ints:
        return _whole(problems, cells, name, 0, high, f"a whole number from 0 to {high}", default=0)

    think_ns, timeout_ns = seconds("think_s"), seconds("ack_timeout_s")
    retries, ack_bytes = whole("retries", 200), whole("ack_bytes", _LARGEST)
    _list(
        problems, cells, "think_s", (think_ns > 0) & ~follows, "the row answers none; give answers, or leave it empty"
    )
    for name, value in (("retries", retries), ("ack_bytes", ack_bytes)):
        idle = (value > 0) & (timeout_ns == 0)
        _list(problems, cells, name, idle, "nobody waits for an acknowledgement; give ack_timeout_s, or leave it empty")
    uplink_timeout_ns = seconds("uplink_timeout_s")
    if not {"answers", "ack_timeout_s"} & set(cells.columns) and not uplink_timeout_ns.any():
        return None, follows
    return Loops(answers, think_ns, timeout_ns, retries, ack_bytes, uplink_timeout_ns), follows


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

    words = pl.Series(WORDS)
    whole, part = np.divmod(np.maximum(delivered_ns, 0), 10**9)
    seconds = pl.DataFrame({"whole": whole, "part": part + 10**9, "come": status == 0}).select(
        pl.when("come").then(pl.format("{}.{}", "whole", pl.col("part").cast(pl.String).str.slice(1))).otherwise(None)
    )
    keep = [name for name in traffic.table.columns if name not in ("delivered_s", "status", "hops")]
    table = traffic.table.select(keep).with_columns(
        seconds.to_series().alias("delivered_s"), words.gather(status).alias("status"), pl.Series("hops", hops)
    )
    with whole_file(path) as place, os_errors(path):
        table.write_csv(place.absolute())


def _in_utf_8(path: Path) -> tuple[Path | bytes, str]:
    """The file as polars reads it, and what stands between its fields; one in UTF-16 is told by its first two bytes."""
    with path.open("rb") as file:
        begin = file.read(2)
        source: Path | bytes = path
        if begin in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            source = (begin + file.read()).decode("utf-16").encode()
        header = source.split(b"\n", 1)[0] if isinstance(source, bytes) else begin + file.readline(_LONGEST_HEADER)
    return source, max((",", ";", "\t"), key=lambda mark: header.count(mark.encode()))


def _without_blank_rows(table: Any, origin: str) -> Any:
    """The table without blank rows at its end; others are refused, for rows are named by their place."""
    import polars as pl

    blank = table.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy() if table.width else np.empty(0)
    written = np.flatnonzero(~blank.astype(bool))
    end = int(written[-1]) + 1 if len(written) else 0
    gaps = np.flatnonzero(blank[:end])
    if len(gaps):
        more = f"; {len(gaps) - 1} more are" if len(gaps) > 1 else ""
        raise FileError(origin, [f"{row_name(int(gaps[0]))}: is blank{more}; remove it"])
    return table[:end]


def _no_csv(path: Path, found: str) -> str:
    """What is wrong with a file that cannot be read as CSV, with the row where that is known."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            width = len(next(rows, []))
            for k, row in enumerate(rows):
                if len(row) > width:
                    return f"{row_name(k)}: has {len(row)} fields, and the header {width}"
    except UnicodeDecodeError:
        return "is not text in UTF-8"
    except csv.Error as problem:
        return f"is no CSV: {problem}"
    return f"is no CSV: {found.splitlines()[0]}"


def _near(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word[:_LONGEST_QUOTE], known, n=1) if len(known) <= _MOST_SEARCHED else []
    return f"; did you mean {close[0]}?" if close else ""


def _numbers(column: Any, names: list[str]) -> Ints:
    """(n,) the number of each name; -1 for one that is unknown."""
    import polars as pl

    known = pl.DataFrame({"name": names, "number": np.arange(len(names))}, schema_overrides={"name": pl.String})
    found = pl.DataFrame({"name": column.str.normalize("NFC")}).join(
        known, on="name", how="left", maintain_order="left"
    )
    return found["number"].fill_null(-1).to_numpy()


def _without_fraction(column: Any) -> Any:
    """Whole numbers that are written with a point, as spreadsheets do, without it."""
    return column.str.replace(r"^([+-]?\d+)\.0*$", "${1}")


def _whole(
    problems: _Problems, cells: Any, name: str, low: int, high: int, rule: str, default: int | None = None
) -> Ints:
    """(n,) whole numbers; the default, if there is one, of what is empty or of a column that is not there."""
    import polars as pl

    if default is not None and name not in cells.columns:
        return np.full(len(cells), default, dtype=np.int64)
    text = _without_fraction(cells[name] if default is None else cells[name].fill_null(str(default)))
    given = text.cast(pl.Int64, strict=False).fill_null(low - 1).to_numpy()
    _list(problems, cells, name, (given < low) | (given > high), f"it must be {rule}")
    return np.asarray(given)


def _list(problems: _Problems, cells: Any, name: str, wrong: Any, rule: str, known: Sequence[str] = ()) -> None:
    rows = np.flatnonzero(wrong)
    for k in rows[:_SHOWN].tolist():
        given = cells[name][k]
        found = "empty" if given is None else _quoted(given)
        problems.append((k, f"{row_name(k)}: {name} is {found}; {rule}{_near(given, known) if given else ''}"))
    if len(rows) > _SHOWN:
        problems.append((len(cells), f"and {len(rows) - _SHOWN} more rows with a wrong {name}"))


def _quoted(given: str) -> str:
    """What a cell holds, as errors show it."""
    return repr(given) if len(given) <= _LONGEST_QUOTE else f"{given[:_LONGEST_QUOTE]!r}..."

"""Reads bids and offers from CSV: `side,price,quantity[,period,block,id]`, every problem with its line."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from difflib import get_close_matches
from io import StringIO
from pathlib import Path

import numpy as np

from heptagrid.foundation.errors import FileError
from heptagrid.foundation.input_files import MOST_NETWORK_BYTES, UnreadableError, read_text
from heptagrid.foundation.printable import printable
from heptagrid.world.bids import Bids, Bools, Floats, Ints

COLUMNS = ("side", "price", "quantity")
OPTIONAL = ("period", "block", "id")
_SALES = ("sell", "offer", "ask", "seller", "supply")
_PURCHASES = ("buy", "bid", "buyer", "demand")
_NO_BLOCK = ("", "0", "false", "no")
_OWN_BLOCK = ("1", "true", "yes")
_MOST = 1e12  # of a price or a quantity: beyond, sums lose cents
_LONGEST_QUOTE = 60

_Problems = list[tuple[int, str]]


def read_bids(source: str) -> Bids:
    """Read a file of bids and offers. Names of columns and sides may be in capitals; other columns have no effect.

    Raises
    ------
    FileError
        If it cannot be read or is empty, lacks a column, or has rows with an unknown side, a price that is no number, or a quantity below zero
        (all of them, by line).
    """
    try:
        text = read_text(Path(source), MOST_NETWORK_BYTES)
    except UnreadableError as problem:
        raise FileError(source, [str(problem)]) from problem
    header, lines, rows = _rows(source, text)
    column = _columns(source, header)
    problems: _Problems = []
    cells = {name: _cells(rows, k) for name, k in column.items()}
    width = max(column.values()) + 1
    problems += [
        (line, f"has {len(row)} of {width} columns") for line, row in zip(lines, rows, strict=True) if len(row) < width
    ]
    if problems:
        raise FileError(source, _in_order(problems))
    is_sale = _sides(cells["side"], lines, problems)
    price = _figures("price", cells["price"], lines, -_MOST, problems)
    quantity = _figures("quantity", cells["quantity"], lines, 0.0, problems)
    if problems:
        raise FileError(source, _in_order(problems))
    periods, period = _numbered(cells.get("period", [""] * len(rows)))
    blocks, block = _blocks(cells.get("block"), lines)
    names = cells.get("id", [str(line) for line in lines])
    return Bids(names, periods, period, is_sale, price, quantity, blocks, block, "period" in column)


def _rows(source: str, text: str) -> tuple[list[str], list[int], list[list[str]]]:
    """The header, and the rows that hold anything with the line at which each ends."""
    first = text.partition("\n")[0]
    mark = max((",", ";", "\t"), key=first.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=mark)
    lines, rows = [], []
    try:
        for row in reader:
            if any(cell and not cell.isspace() for cell in row):
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as problem:
        raise FileError(source, [f"line {reader.line_num}: is no CSV: {problem}"]) from None
    if not rows:
        raise FileError(source, [f"is empty; write the columns {','.join(COLUMNS)} and a row for each bid"])
    if len(rows) == 1:
        raise FileError(source, ["has no rows below its header; write one for each bid and offer"])
    return [name.strip().lower() for name in rows[0]], lines[1:], rows[1:]


def _columns(source: str, header: list[str]) -> dict[str, int]:
    problems = []
    for name in COLUMNS:
        if name not in header:
            near = get_close_matches(name, header, n=1)
            problems.append(
                f"column {name} is missing{f'; did you mean {near[0]}?' if near else ''} (columns: {','.join(COLUMNS)}, and if you like {','.join(OPTIONAL)})"
            )
    problems += [
        f"column {name} stands there more than once" for name in (*COLUMNS, *OPTIONAL) if header.count(name) > 1
    ]
    if problems:
        raise FileError(source, [printable(problem) for problem in problems])
    return {name: header.index(name) for name in (*COLUMNS, *OPTIONAL) if name in header}


def _cells(rows: Sequence[Sequence[str]], column: int) -> list[str]:
    return [row[column].strip() if column < len(row) else "" for row in rows]


def _sides(cells: list[str], lines: list[int], problems: _Problems) -> Bools:
    known = dict.fromkeys(_SALES, 1) | dict.fromkeys(_PURCHASES, 0)
    side = np.array([known.get(cell.lower(), -1) for cell in cells], dtype=np.int64)
    for k in np.flatnonzero(side < 0):
        problems.append((lines[k], f"side is {_quoted(cells[k])}; buy or sell is expected"))
    is_sale: Bools = side == 1
    return is_sale


def _figures(name: str, cells: list[str], lines: list[int], least: float, problems: _Problems) -> Floats:
    try:
        values = np.array(cells, dtype=np.float64)
    except ValueError:
        values = np.array([_number(cell) for cell in cells])
    for k in np.flatnonzero(~((values >= least) & (values <= _MOST))):
        rule = (
            f"a number from 0 to {_MOST:g} is expected; the side says who sells"
            if least == 0.0
            else f"a number within {_MOST:g} is expected"
        )
        problems.append((lines[k], f"{name} is {_quoted(cells[k])}; {rule}"))
    return values


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _numbered(cells: list[str]) -> tuple[list[str], Ints]:
    """Names in the order in which they come up, and which of them each cell is."""
    names = list(dict.fromkeys(cells))
    number = dict(zip(names, range(len(names)), strict=True))
    return names, np.array([number[cell] for cell in cells], dtype=np.int64)


def _blocks(cells: list[str] | None, lines: list[int]) -> tuple[list[str], Ints]:
    if cells is None:
        return [], np.full(len(lines), -1)
    named = [
        "" if cell.lower() in _NO_BLOCK else f"line {line}" if cell.lower() in _OWN_BLOCK else f"block {cell}"
        for cell, line in zip(cells, lines, strict=True)
    ]
    names, number = _numbered(["", *named])
    return names[1:], number[1:] - 1


def _quoted(cell: str) -> str:
    return repr(cell if len(cell) <= _LONGEST_QUOTE else f"{cell[:_LONGEST_QUOTE]}...") if cell else "empty"


def _in_order(problems: _Problems) -> list[str]:
    return [printable(f"line {line}: {text}") for line, text in sorted(problems, key=lambda one: one[0])]

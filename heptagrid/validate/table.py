"""The rows of a validation as one table for a terminal, as JSON, and counted in a sentence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from heptagrid.foundation.errors import ValidationError
from heptagrid.validate.case import PLANES, Case
from heptagrid.validate.rows import Row

SAME_READER = "* expected and ours come of one reading of the file: the solution is compared, not the reading"
STYLES = {"pass": "green", "fail": "bold red", "outside": "yellow", "not run": "dim"}


def table(rows: Sequence[Row]) -> Group:
    """A renderable: the table, the reasons of what has no figures, the sources, and the count."""
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    grid.add_column("", min_width=14)
    for title in ("expected", "ours", "difference", "tolerance"):
        grid.add_column(title, justify="right", no_wrap=True)
    grid.add_column("verdict", no_wrap=True)
    grid.add_column("s", justify="right", no_wrap=True)
    plane, name = "", ""
    for row in rows:
        if row.plane != plane:
            plane = row.plane
            grid.add_row(Text(plane, style="bold"))
        if row.case.name != name:
            name = row.case.name
            grid.add_row(Text(f"{name} ({row.case.kind})", style="bold cyan"))
        label = f"{row.quantity}, {row.unit}" if row.unit else row.quantity
        grid.add_row(
            Padding(label, (0, 0, 0, 2)),
            _expected(row),
            _figure(row.ours),
            _figure(row.difference, 2),
            _figure(row.tolerance, 2) + (" rel." if row.relative else ""),
            Text(row.verdict + _mark(row), STYLES[row.verdict]),
            f"{row.seconds:.1f}",
        )
    reasons = [
        Text(f"{row.name}: {row.verdict}: {row.reason}", style=STYLES[row.verdict]) for row in rows if row.reason
    ]
    sources = dict.fromkeys((row.case.name, row.source) for row in rows)
    lines = [Text(f"  {name}: {source}", style="dim") for name, source in sources]
    return Group(
        grid,
        *_legend(any(map(_mark, rows))),
        *reasons,
        Text("against", style="dim"),
        *lines,
        Text(count(rows), style="bold"),
    )


def count(rows: Sequence[Row]) -> str:
    """How many comparisons came to which verdict."""
    counts = Counter(row.verdict for row in rows)
    parts = [f"{counts['pass']} pass", f"{counts['fail']} fail"]
    parts += [f"{counts['outside']} outside a published band"] if counts["outside"] else []
    parts += [f"{counts['not run']} not run"] if counts["not run"] else []
    return f"{len(rows)} comparisons: {', '.join(parts)}"


def as_json(rows: Sequence[Row]) -> str:
    """The rows as JSON; what is not known is null."""
    cases = [
        {
            "case": row.name,
            "plane": row.plane,
            "kind": row.kind,
            "source": row.source,
            "expected": row.expected,
            "ours": row.ours,
            "difference": row.difference,
            "tolerance": row.tolerance,
            "verdict": row.verdict,
            "same_reader": row.same_reader,
            "seconds": round(row.seconds, 3),
        }
        for row in rows
    ]
    return json.dumps({"cases": cases}, indent=1, allow_nan=False)


def listing(cases: Sequence[Case]) -> Group:
    """What each case is compared with, plane by plane."""
    grid = Table(box=None, pad_edge=False)
    for title in ("case", "plane", "kind", "source"):
        grid.add_column(title, overflow="fold")
    for one in sorted(cases, key=lambda one: PLANES.index(one.plane)):
        grid.add_row(one.name, one.plane, one.kind + ("*" if one.same_reader else ""), one.source)
    return Group(grid, *_legend(any(one.same_reader for one in cases)))


def check(rows: Sequence[Row]) -> None:
    """Refuse rows of which an exact comparison failed.

    Raises
    ------
    ValidationError
        Naming the comparisons.
    """
    failed = [row.name for row in rows if row.verdict == "fail"]
    if failed:
        raise ValidationError(f"{len(failed)} of {len(rows)} comparisons fail: {'; '.join(failed)}")


def _legend(is_marked: bool) -> list[Text]:
    return [Text(SAME_READER, style="dim")] if is_marked else []


def _mark(row: Row) -> str:
    return "*" if row.same_reader and row.expected is not None else ""


def _expected(row: Row) -> str:
    if row.kind == "band" and row.expected is not None and row.tolerance is not None:
        return f"{_figure(row.expected - row.tolerance)} to {_figure(row.expected + row.tolerance)}"
    return _figure(row.expected)


def _figure(value: float | None, digits: int = 6) -> str:
    return "–" if value is None else f"{value:.{digits}g}".replace("-", "\u2212")

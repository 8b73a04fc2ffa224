"""Sweeps and comparisons for one screen of a terminal: the sentences of their pages, and the figures that decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from heptagrid.domains.customers.device import device_words
from heptagrid.report.communication_words import DIGITS, UNIT, communication_sentences, of_customer
from heptagrid.report.compare_page import lines
from heptagrid.report.value_headline import per_customer, sentences, worth_eur
from heptagrid.report.verdict import digits_of
from heptagrid.report.words import number, plain, signed

Content = Mapping[str, Any]

MOST_ROWS = 20
"""Points of a sweep that are printed; the page has all."""
# Figures in short words, for a narrow column; the grid first, then the applications, then what was asked of both.
_FIGURES = {
    "customers_min_pu": "lowest voltage, pu",
    "violation_customer_minutes": "outside the band, min",
    "transformer_pct": "trans- former, %",
    "line_pct": "line, %",
    "requirements_missed": "missed require- ments",
    "missed_pct": "lost or late, %",
    "peak_kw": "peak import, kW",
}


def sweep_summary(content: Content) -> Group:
    """A renderable: sentences, and a row for each point."""
    points = content["points"]
    first, *others = sentences(content, content["figures"]["net_benefit_eur"]["parts"])
    _, total, unit, _ = per_customer(content)
    worth = [worth_eur(content, point, total) for point in points]
    digits = digits_of(worth)
    shown = _FIGURES | {name: title for name, title in _counts(content).items() if _varies(points, name)}
    grid = Table(box=None, pad_edge=False)
    for varied in content["varied"]:
        grid.add_column(
            varied["key"].replace(".", ". "), overflow="fold", min_width=max(map(len, varied["key"].split("."))) + 1
        )
    for title in (*shown.values(), f"worth, {unit}"):
        grid.add_column(title, justify="right", overflow="fold")
    for point, eur in zip(points[:MOST_ROWS], worth, strict=False):
        cells = [_cell(content, point, figure) for figure in shown]
        grid.add_row(*(plain(value) for value in point["at"].values()), *cells, signed(eur, digits))
    left = len(points) - MOST_ROWS
    more = [Text(f"and {left} points more, on the page", style="dim")] if left > 0 else []
    asked = [part for one in content.get("communication", []) for part in _communication(one)]
    return Group(Text(first, style="bold"), *(Text(one) for one in others), grid, *more, *asked)


def _communication(one: Content) -> list[Text | Table]:
    """What communication costs and what hangs on its messages: a sentence and a row for each technology."""
    grid = Table(box=None, pad_edge=False)
    grid.add_column(one["key"].replace(".", ". "))
    for title in (
        *(
            "commu- nication costs",
            "lost without messages",
            "pays for itself",
            "the whole smart grid",
            "whole pays up to",
        ),
    ):
        grid.add_column(title, justify="right", overflow="fold")
    for row in one["rows"]:
        limit = of_customer(row, "whole_break_even")
        grid.add_row(
            plain(row["value"]),
            number(of_customer(row, "cost"), DIGITS),
            number(of_customer(row, "break_even"), DIGITS),
            "yes" if row["pays"] else "no",
            signed(of_customer(row, "npv"), DIGITS),
            number(limit, DIGITS) if limit > 0.0 else "no price",
        )
    first, *others = communication_sentences(one)
    unit = Text(f"{UNIT}, of society; present value as an annuity", style="dim")
    return [Text(""), Text(first, style="bold"), *(Text(each) for each in others), grid, unit]


def compare_summary(content: Content) -> Group:
    """A renderable: sentences, and a row for each figure."""
    runs: Sequence[Content] = content["runs"]
    grid = Table(box=None, pad_edge=False)
    grid.add_column("")
    for run in runs:
        grid.add_column(run["label"], justify="right")
    for figure in (*_FIGURES, *_counts(content), "total_benefit_eur", "total_npv_eur"):
        meaning = content["figures"][figure]
        values = [run["figures"].get(figure) for run in runs]
        if any(value is not None for value in values):
            grid.add_row(_heading(meaning), *(number(value, meaning["digits"]) for value in values))
    return Group(*(Text(one, style="bold" if k == 0 else "") for k, one in enumerate(lines(content))), grid)


def _counts(content: Content) -> dict[str, str]:
    """The figures that count devices, and what these are called."""
    return {name: one.many for name, one in device_words().items() if name in content["figures"]}


def _varies(points: Sequence[Content], figure: str) -> bool:
    return len({_mean(point, figure) for point in points}) > 1


def _heading(meaning: Content) -> str:
    return str(meaning["title"]) + (f", {meaning['unit']}" if meaning["unit"] else "")


def _cell(content: Content, point: Content, figure: str) -> str:
    return number(_mean(point, figure), min(content["figures"][figure]["digits"], 3 if figure.endswith("_pu") else 1))


def _mean(point: Content, figure: str) -> float | None:
    one = point["figures"].get(figure)
    return None if one is None else float(one["mean"])

"""The page that answers what the communication system costs and which part of the benefit would be lost without it, by technology."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from heptagrid.foundation.output_file import write_text
from heptagrid.report.charts import bars
from heptagrid.report.communication_words import DIGITS, UNIT, best_row, communication_sentences, of_customer
from heptagrid.report.rendering import document
from heptagrid.report.tables import BOUGHT
from heptagrid.report.words import number, plain

Content = Mapping[str, Any]

FILE = "communication.html"


def write_page(folder: Path) -> Path | None:
    """Write the page into a sweep's folder from its `sweep.json`, if technologies were swept over a year."""
    content = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
    if not content["communication"]:
        return None
    path = folder / FILE
    write_text(path, page(content))
    return path


def page(content: Content) -> str:
    """The whole page as text."""
    tables = content["communication"]
    return document(
        "communication.html",
        f"heptagrid: what communication costs and what hangs on it, {content['scenario']}",
        {
            "content": content,
            "unit": UNIT,
            "sentences": communication_sentences(tables[0]),
            "tables": [_shown(one) for one in tables],
            "has_spread": len(content["seeds"]) > 1,
        },
    )


def _shown(one: Content) -> dict[str, Any]:
    rows = one["rows"]
    best = best_row(one)
    return {
        "key": one["key"],
        "others": ", ".join(f"{key}={plain(value)}" for key, value in one["others"].items()),
        "chart": bars(
            "What communication costs (to the left), and what would be lost without its messages (to the right)",
            UNIT,
            list(_bars(rows)),
            digits=DIGITS,
        ),
        "rows": rows,
        "items": [(name, BOUGHT[name][0]) for name in rows[0]["items_eur"]],
        "titles": [plain(row["value"]) for row in rows],
        "benefits": [
            {"title": part["title"], "of_rows": [row["benefits"][k] for row in rows]}
            for k, part in enumerate(rows[0]["benefits"])
            if any(row["benefits"][k]["with_eur"] or row["benefits"][k]["without_eur"] for row in rows)
        ],
        "best": plain(best["value"]),
        "span": [_span(row) for row in rows],
    }


def _bars(rows: list[Content]) -> Iterator[tuple[str, float]]:
    for row in rows:
        name = plain(row["value"])
        yield f"{name}: costs", -of_customer(row, "cost")
        yield "hangs on its messages", of_customer(row, "break_even")


def _span(row: Content) -> str:
    """The least and the greatest break-even of the seeds."""
    one = row["eur_per_customer_year"]["break_even"]
    return f"{number(one['min'], DIGITS)} to {number(one['max'], DIGITS)}"

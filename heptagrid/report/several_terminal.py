"""Small tables of towns, retailers and aggregators for a terminal, where there is more than one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from heptagrid.report.companies import COLUMNS, companies_of, company_rows
from heptagrid.report.towns import MOST_ROWS, greatest, towns_of
from heptagrid.report.words import ARM_TITLES, kind_of_places, number

Summary = Mapping[str, Any]

_BRIEF = {
    "retailer": ("customers", "supplied, MWh", "received, EUR", "paid, EUR", "margin, EUR"),
    "aggregator": ("customers", "devices enrolled", "moved on request, kWh", "paid for it, EUR", "balance, EUR"),
}
"""Which columns of a page's tables have room in a terminal."""


def tables_of_several(summary: Summary) -> list[Table]:
    """A table of each kind of which there are several; none where there is one of each."""
    tables = [_towns(summary)] if len(towns_of(summary)) > 1 else []
    return tables + [_companies(summary, kind) for kind in COLUMNS if len(companies_of(summary, kind)) > 1]


def _towns(summary: Summary) -> Table:
    part = kind_of_places(towns_of(summary))
    table = _table(part, "customers", "peak import, kW", "supply voltage, pu", "outside, min", "transformer, %")
    arms = summary["arms"]
    names = towns_of(summary)
    shown = greatest(summary, MOST_ROWS)
    for k in shown:
        name = names[k]
        for first, (arm, entry) in enumerate(arms.items()):
            one = entry["towns"][k]
            low, high = (number(one[f"customers_{end}_pu"], 3) for end in ("min", "max"))
            table.add_row(
                "" if first else name,
                ARM_TITLES[arm],
                number(one["customers"]),
                number(one["peak_kw"]),
                low if one["customers_min_pu"] is None else f"{low} to {high}",
                number(one["violation_customer_minutes"]),
                number(one["max_transformer_pct"], 1),
            )
    if len(shown) < len(names):
        table.caption = (
            f"{len(shown)} of {len(names)} {part}s, those with the highest peak import; summary.json has all"
        )
    return table


def _companies(summary: Summary, kind: str) -> Table:
    table = _table(kind, *_BRIEF[kind])
    kept = [k for k, column in enumerate(COLUMNS[kind]) if column.head in _BRIEF[kind]]
    for name, rows in company_rows(summary, kind):
        for first, (title, cells) in enumerate(rows[: len(summary["arms"])]):
            table.add_row("" if first else name, title, *(cells[k] for k in kept))
    return table


def _table(kind: str, *heads: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(kind, style="bold")
    table.add_column("arm")
    for head in heads:
        table.add_column(head, justify="right")
    return table

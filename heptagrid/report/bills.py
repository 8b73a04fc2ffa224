"""A bill before and after, and who gains and who loses: the customers' bills on a run's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from heptagrid.report.charts import Line, line_chart
from heptagrid.report.rendering import render
from heptagrid.report.stacked import Row, stacked_bars
from heptagrid.report.words import ARM_TITLES

if TYPE_CHECKING:
    import polars

PART_TITLES = {
    "energy": "energy and sales",
    "network": "networks and metering",
    "state": "levies and taxes",
    "feed_in": "paid for feed-in",
    "other": "paid for flexibility, and true-ups",
}
GROUP_TITLES = {
    "all": "all customers",
    "none": "none of these",
    "enrolled": "devices follow an aggregator",
    "local_units": "generation of their own",
}
OUTERMOST = 1  # percent of the customers at either end whose change is beyond the chart


def bills_section(summary: Mapping[str, Any], bills: polars.DataFrame | None) -> str:
    """The section's body; empty where one arm ran alone or nothing was billed."""
    changes = summary["difference"]["bills"] if summary["difference"] else None
    if changes is None or bills is None:
        return ""
    arms = [name for name in ("conventional", "smart") if name in summary["arms"]]
    parts = {name: summary["arms"][name]["bills"]["mean_parts_eur"] for name in arms}
    days = summary["days"]
    return render(
        "run/bills.html",
        {
            "span": "of the year" if changes["is_year"] else "of the day" if days == 1 else f"of the {days} days",
            "days": days,
            "charts": [_mean_bill(parts, days), _winners(changes)],
            "groups": [{**one, "title": group_title(one["group"])} for one in changes["groups"]],
            "all": changes["groups"][0],
            "outermost": OUTERMOST,
            "titles": PART_TITLES,
            "customers": _customers(bills),
        },
    )


def _mean_bill(parts: Mapping[str, Mapping[str, float]], days: int) -> str:
    title = "The mean bill, before and after" + ("" if days == 1 else f", over the {days} days, each counted once")
    rows = [Row(ARM_TITLES[arm], [one[name] for name in PART_TITLES]) for arm, one in parts.items()]
    return stacked_bars(title, "EUR", list(PART_TITLES.values()), rows)


def _winners(changes: Mapping[str, Any]) -> str:
    """Customers from who gains most to who loses most."""
    values = np.array(changes["quantiles_eur"])[OUTERMOST : len(changes["quantiles_eur"]) - OUTERMOST]
    percents = np.arange(OUTERMOST, OUTERMOST + len(values), dtype=float)
    ticks = [(float(k), f"{k} %") for k in (25, 50, 75)]
    span = "a year's bill" if changes["is_year"] else "the bill"
    title = f"Change of {span}, customers in the order of what they gain (below zero: they pay less)"
    return line_chart(
        title, "EUR", [Line("each customer", "smart", percents, values)], ticks, [(0.0, "")], from_zero=True
    )


def _customers(bills: polars.DataFrame) -> list[dict[str, Any]]:
    """Three customers' bills over the run: who gains most, one in the middle of those whose bill changes, who loses most."""
    columns = {name: bills[name].to_numpy() for name in bills.columns}
    change = columns["bill_eur_smart"] - columns["bill_eur_conventional"]
    order = np.argsort(change, kind="stable")
    changed = order[np.abs(change[order]) > 0.005]
    if not len(changed):
        return []
    chosen = {"gains most": changed[0], "in the middle": changed[len(changed) // 2], "loses most": changed[-1]}
    return [
        {
            "which": which,
            "customer": int(columns["customer"][at]),
            "name": str(columns["name"][at]),
            "kwh": [float(columns[f"billed_kwh_{arm}"][at]) for arm in ("conventional", "smart")],
            "eur": [float(columns[f"bill_eur_{arm}"][at]) for arm in ("conventional", "smart")],
            "change_eur": float(change[at]),
            "parts": [
                float(columns[f"{name}_eur_smart"][at] - columns[f"{name}_eur_conventional"][at])
                for name in PART_TITLES
            ],
        }
        for which, at in chosen.items()
    ]


def group_title(group: str) -> str:
    """A group of customers in words."""
    return GROUP_TITLES.get(group, group.replace("_", " "))

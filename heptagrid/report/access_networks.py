"""The access networks on a run's page: those that fared worst, by the share of all messages sent that came in time; technologies side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from heptagrid.report.rendering import render
from heptagrid.report.words import kind_of_places

if TYPE_CHECKING:
    import polars

MOST_ROWS = 10


def access_table(transformers: polars.DataFrame, arm: str) -> str:
    """The worst access networks of an arm, and the median of all; nothing where none carried a message."""
    import polars

    names = ("in_time_pct", "load_pct", "headroom_pct", "hops_mean", "hops_most")
    known = transformers.select(
        "name", *(polars.col(f"access_{name}_{arm}").fill_nan(None).alias(name) for name in names)
    )
    used = known.filter(polars.col("in_time_pct").is_not_null())
    if not len(used):
        return ""
    ranked = used.sort("in_time_pct", "load_pct", descending=[False, True], nulls_last=True, maintain_order=True)
    digits = {"in_time_pct": 3, "load_pct": 3, "headroom_pct": 1, "hops_mean": 1, "hops_most": 0}
    median = used.select(names).median().row(0, named=True)
    return render(
        "run/access_networks.html",
        {
            "worst": [
                {"name": one["name"], "figures": [(one[name], digits[name]) for name in names]}
                for one in ranked.head(MOST_ROWS).iter_rows(named=True)
            ],
            "count": len(used),
            "median": [(median[name], digits[name]) for name in names],
        },
    )


def technology_table(towns: Sequence[Mapping[str, Any]]) -> str:
    """Towns' technologies side by side, a row for each that differs in access or backhaul; nothing where all are alike."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in towns:
        groups.setdefault((one["access"], one["backhaul"]), []).append(one)
    if len(groups) < 2:
        return ""
    rows = []
    for (access, backhaul), alike in groups.items():
        sent, delivered, late, customers, eur = (
            sum(one[name] for one in alike) for name in ("sent", "delivered", "late", "customers", "cost_eur_per_year")
        )
        rows.append(
            {
                "access": access,
                "backhaul": backhaul,
                "towns": [one["town"] for one in alike],
                "customers": customers,
                "sent": sent,
                "delivered_pct": 100.0 * delivered / sent if sent else None,
                "late_pct": 100.0 * late / delivered if delivered else None,
                "eur": eur,
                "customer_eur": eur / customers if customers else None,
            }
        )
    part = kind_of_places(one["town"] for one in towns)
    return render("run/technologies.html", {"rows": rows, "part": part})

"""The access networks on a run's page: those that fared worst, by the share of all messages sent that came in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heptagrid.report.rendering import render

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

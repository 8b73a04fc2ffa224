"""The access networks on a run's page: those that fared worst, by the share of all messages sent that came in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heptagrid.report.tables import table
from heptagrid.report.words import number, text

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
    rows = [
        [text(one["name"]), *(number(one[name], digits[name]) for name in names)]
        for one in ranked.head(MOST_ROWS).iter_rows(named=True)
    ]
    median = used.select(names).median().row(0, named=True)
    rows.append([f"<b>median of {len(used)}</b>", *(f"<b>{number(median[name], digits[name])}</b>" for name in names)])
    head = (
        "worst access networks",
        "in time, % of all sent",
        "channel load, %",
        "duty cycle left, %",
        "hops, mean",
        "hops, most",
    )
    return table(head, rows, style="numbers") + (
        "<p class='small'>In time is of all messages sent to or from the network's customers and substation, lost ones and those under way at the "
        "end included. Channel load is the time on the air of all that share the medium, of the time that its channels have, "
        "of a cell in the fuller of its two directions; it may pass 100 % where senders that do not hear each other send at once. A cell shared by several "
        "substations is shown with each. Duty cycle left is that of the sender that sends most; a dash where there is no limit, or no shared medium.</p>"
    )

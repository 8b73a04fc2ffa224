"""The network on a run's page: maps, voltage over distance, and what was loaded most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from heptagrid.report import tables
from heptagrid.report.profile import profile_charts
from heptagrid.report.town_map import town_maps
from heptagrid.report.words import ARM_TITLES, number, text

if TYPE_CHECKING:
    import polars

MOST_ROWS = 10
DIFFERS_PU = 0.005
"""Of a customer's voltage against its node's, both per unit, from which on the page says that their bases differ."""


def town_section(frames: dict[str, polars.DataFrame | None], arms: list[str], place: str) -> str:
    """Maps, profiles and tables; place: what they show, in a word."""
    nodes, transformers, customers = (frames.get(f"{name}_list") for name in ("node", "transformer", "customer"))
    if nodes is None or transformers is None or customers is None:
        return "<p>No map was recorded.</p>"
    return (
        town_maps(nodes, transformers, customers, arms, place)
        + _bases(nodes, customers, arms)
        + profile_charts(nodes, arms)
        + _most_loaded_transformers(transformers, arms)
        + _most_loaded_lines(nodes, arms)
    )


def _bases(nodes: polars.DataFrame, customers: polars.DataFrame, arms: Sequence[str]) -> str:
    """Why a customer may be outside the band where no node is, if that may be."""
    at = customers["node"].to_numpy()
    apart = 0.0
    for arm in arms:
        for end in ("v_min", "v_max"):
            theirs, node = customers[f"{end}_{arm}"].to_numpy(), nodes[f"{end}_{arm}"].to_numpy()[at]
            is_known = np.isfinite(theirs) & np.isfinite(node)  # neither is, before the first power flow
            apart = max(apart, float(np.abs(theirs[is_known] - node[is_known]).max(initial=0.0)))
    if apart < DIFFERS_PU:
        return ""
    return (
        "<p>Lines show the nodes' voltages, per unit of the network's base voltage. Customers' supply voltages (rings, minutes outside the "
        f"band, chart above) are per unit of the voltage their loads are rated for; the two differ here by up to {number(apart, 3)} pu, so a "
        "customer may be outside the band where no node is.</p>"
    )


def _most_loaded_transformers(transformers: polars.DataFrame, arms: Sequence[str]) -> str:
    peaks = np.stack([transformers[f"peak_pct_{arm}"].to_numpy() for arm in arms])
    order = np.argsort(-peaks.max(axis=0), kind="stable")[:MOST_ROWS]
    names, rated = transformers["name"].to_list(), transformers["sn_kva"].to_list()
    rows = [[text(names[k]), number(rated[k]), *(number(float(one), 1) for one in peaks[:, k])] for k in order]
    head = ("most loaded transformers", "kVA", *(f"highest loading, %, {ARM_TITLES[arm]}" for arm in arms))
    return tables.table(head, rows, style="numbers")


def _most_loaded_lines(nodes: polars.DataFrame, arms: Sequence[str]) -> str:
    """Cables and overhead lines, each by its most loaded conductor and moment."""
    import polars

    peaks = [f"branch_peak_pct_{arm}" for arm in arms]
    lines = nodes.filter(polars.col("line") >= 0)
    if not len(lines):
        return ""
    each = lines.group_by("line", maintain_order=True).agg(
        polars.col("line_name", "vn_kv", "length_km").first(), *(polars.col(peak).max() for peak in peaks)
    )
    ranked = each.sort(polars.max_horizontal(peaks), descending=True, maintain_order=True).head(MOST_ROWS)
    rows = [
        [
            text(one["line_name"]),
            f"{one['vn_kv']:g}",
            number(1000.0 * one["length_km"], 1),
            *(number(one[peak], 1) for peak in peaks),
        ]
        for one in ranked.iter_rows(named=True)
    ]
    head = ("most loaded lines", "kV", "m", *(f"highest loading, %, {ARM_TITLES[arm]}" for arm in arms))
    return tables.table(head, rows, style="numbers")

"""The network on a run's page: maps, voltage over distance, and what was loaded most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from heptagrid.report.areas import areas_of
from heptagrid.report.city_map import MOST_DRAWN, city_maps
from heptagrid.report.profile import envelope_charts, profile_charts
from heptagrid.report.rendering import render
from heptagrid.report.town_map import town_maps
from heptagrid.report.words import ARM_TITLES, kind_of_places

if TYPE_CHECKING:
    import polars

MOST_ROWS = 10
DIFFERS_PU = 0.005
"""Of a customer's voltage against its node's, both per unit, from which on the page says that their bases differ."""


def town_section(
    frames: Mapping[str, polars.DataFrame | None], arms: list[str], place: str, towns: Sequence[str] = ()
) -> str:
    """Maps, profiles and tables; place: what they show, in a word; towns: names, where there are several."""
    nodes, transformers, customers = (frames.get(f"{name}_list") for name in ("node", "transformer", "customer"))
    areas = areas_of(frames, towns)
    if nodes is None or transformers is None or customers is None or not areas:
        return render("run/no_map.html", {})
    in_arms = {arm: ARM_TITLES[arm] for arm in arms}
    if len(nodes) * len(arms) > MOST_DRAWN:
        lists = {"node_list": nodes, "transformer_list": transformers, "customer_list": customers}
        maps = city_maps(lists, in_arms, towns)
        profiles = [envelope_charts(nodes, in_arms)]
    else:
        maps = town_maps(areas, arms, place)
        profiles = [profile_charts(area.nodes, {arm: area.in_arm(arm) for arm in arms}) for area in areas]
    apart_pu = _apart_pu(nodes, customers, arms)
    return render(
        "run/network.html",
        {
            "maps": maps,
            "differs_pu": apart_pu if apart_pu >= DIFFERS_PU else None,
            "is_envelope": len(nodes) * len(arms) > MOST_DRAWN,
            "profiles": [chart for _, charts in profiles for chart in charts],
            "farthest_km": max(km for km, _ in profiles),
            "towns": len(areas),
            "part": kind_of_places(towns),
            "highest_of": [f"highest loading, %, {ARM_TITLES[arm]}" for arm in arms],
            "transformers": _most_loaded_transformers(transformers, arms),
            "lines": _most_loaded_lines(nodes, arms),
        },
    )


def _apart_pu(nodes: polars.DataFrame, customers: polars.DataFrame, arms: Sequence[str]) -> float:
    """By how much a customer's voltage differs from its node's at most: their bases may differ."""
    at = customers["node"].to_numpy()
    apart = 0.0
    for arm in arms:
        for end in ("v_min", "v_max"):
            theirs, node = customers[f"{end}_{arm}"].to_numpy(), nodes[f"{end}_{arm}"].to_numpy()[at]
            is_known = np.isfinite(theirs) & np.isfinite(node)  # neither is, before the first power flow
            apart = max(apart, float(np.abs(theirs[is_known] - node[is_known]).max(initial=0.0)))
    return apart


def _most_loaded_transformers(transformers: polars.DataFrame, arms: Sequence[str]) -> list[dict[str, Any]]:
    peaks = np.stack([transformers[f"peak_pct_{arm}"].to_numpy() for arm in arms])
    order = np.argsort(-peaks.max(axis=0), kind="stable")[:MOST_ROWS]
    names, rated = transformers["name"].to_list(), transformers["sn_kva"].to_list()
    return [{"name": names[k], "kva": rated[k], "peaks_pct": peaks[:, k].tolist()} for k in order]


def _most_loaded_lines(nodes: polars.DataFrame, arms: Sequence[str]) -> list[dict[str, Any]]:
    """Cables and overhead lines, each by its most loaded conductor and moment."""
    import polars

    peaks = [f"branch_peak_pct_{arm}" for arm in arms]
    lines = nodes.filter(polars.col("line") >= 0)
    each = lines.group_by("line", maintain_order=True).agg(
        polars.col("line_name", "vn_kv", "length_km").first(), *(polars.col(peak).max() for peak in peaks)
    )
    ranked = each.sort(polars.max_horizontal(peaks), descending=True, maintain_order=True).head(MOST_ROWS)
    return [
        {
            "name": one["line_name"],
            "kv": one["vn_kv"],
            "m": 1000.0 * one["length_km"],
            "peaks_pct": [one[peak] for peak in peaks],
        }
        for one in ranked.iter_rows(named=True)
    ]

"""The voltage profile: each node's lowest and highest voltage of the run over its distance from the infeed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heptagrid.report.charts import Line, line_chart, round_steps

if TYPE_CHECKING:
    import polars

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

COLUMNS, ROWS = 480, 240
"""What two ends of a line may fall on; lines that fall on the same are drawn once."""

ENVELOPE = 120
"""Distances that are told apart where all nodes are drawn as one."""


def distances_km(parent: Ints, length_km: Floats) -> Floats:
    """(nodes,) length of the lines between each node and the infeed; parents stand before their children."""
    distance = np.zeros(len(parent))
    for node, above in enumerate(parent.tolist()):
        if above >= 0:
            distance[node] = distance[above] + length_km[node]
    return distance


def profile_charts(nodes: polars.DataFrame, titles: Mapping[str, str]) -> tuple[float, list[str]]:
    """The farthest node's distance (km), and a chart for each arm; every stroke is a line or a transformer of the network.

    titles: what each arm's chart shows, by the arm's name.
    """
    parent = nodes["parent"].to_numpy().astype(np.int64)
    x = distances_km(parent, nodes["length_km"].to_numpy())
    return _charts(nodes, titles, x, lambda v_pu, end: _strokes(parent, x, v_pu))


def envelope_charts(nodes: polars.DataFrame, titles: Mapping[str, str]) -> tuple[float, list[str]]:
    """As `profile_charts`, with the highest and the lowest of all nodes that are about as far, in place of strokes."""
    x = distances_km(nodes["parent"].to_numpy().astype(np.int64), nodes["length_km"].to_numpy())
    return _charts(nodes, titles, x, lambda v_pu, end: _envelope(x, v_pu, end))


def _charts(
    nodes: polars.DataFrame,
    titles: Mapping[str, str],
    x: Floats,
    drawn_of: Callable[[Floats, str], tuple[Floats, Floats]],
) -> tuple[float, list[str]]:
    """The farthest node's distance, and the charts; drawn_of: the points of nodes' voltages at one end, `v_min` or `v_max`."""
    farthest_km = float(x.max())
    if not x.any():
        return farthest_km, []
    ticks = [(one, f"{one:g}") for one in round_steps(0.0, farthest_km) if one <= farthest_km]
    charts = []
    for arm, shown in titles.items():
        lines = [
            Line(label, style, *drawn_of(nodes[f"{end}_{arm}"].to_numpy().astype(float), end))
            for end, label, style in (("v_max", "highest", "highest"), ("v_min", "lowest", "lowest"))
        ]
        drawn = [one for one in lines if len(one.x)]
        if drawn:
            title = f"Voltage over distance (km), {shown}"
            limits = ((0.9, "0.9"), (1.1, "1.1"))
            charts.append(line_chart(title, "pu", drawn, ticks, limits))
    return farthest_km, charts


def _envelope(x: Floats, v_pu: Floats, end: str) -> tuple[Floats, Floats]:
    """The extreme of all nodes with a voltage in each column of a chart that has any."""
    known = np.isfinite(v_pu)
    column = np.minimum((x[known] / x.max() * ENVELOPE).astype(np.int64), ENVELOPE - 1)
    extreme = np.full(ENVELOPE, -np.inf if end == "v_max" else np.inf)
    (np.maximum if end == "v_max" else np.minimum).at(extreme, column, v_pu[known])
    has_any = np.isfinite(extreme)
    middle = (np.arange(ENVELOPE) + 0.5) * x.max() / ENVELOPE
    return middle[has_any], extreme[has_any]


def _strokes(parent: Ints, x: Floats, v_pu: Floats) -> tuple[Floats, Floats]:
    """Strokes from each node's parent to it, parted by gaps; those that would cover each other once, those without voltage not."""
    child = np.flatnonzero(parent >= 0)
    above = parent[child]
    has_both = np.isfinite(v_pu[child]) & np.isfinite(v_pu[above])
    child, above = child[has_both], above[has_both]
    ends = np.stack([x[above], v_pu[above], x[child], v_pu[child]], axis=1)
    if not len(ends):
        return np.empty(0), np.empty(0)
    across = float(np.ptp(v_pu[np.isfinite(v_pu)])) or 1.0
    grain = np.array([x.max() / COLUMNS, across / ROWS] * 2)
    _, first = np.unique(np.rint(ends / grain).astype(np.int64), axis=0, return_index=True)
    kept = ends[np.sort(first)]
    gap = np.full(len(kept), np.nan)
    return np.stack([kept[:, 0], kept[:, 2], gap], axis=1).ravel(), np.stack(
        [kept[:, 1], kept[:, 3], gap], axis=1
    ).ravel()

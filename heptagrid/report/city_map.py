"""A city from above: squares coloured by the worst voltage in them, medium-voltage lines, substations by their highest loading.

However many nodes there are, a map has at most so many squares; what falls on the same place is drawn once, and what has a text of its own is counted by place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heptagrid.report.rendering import render
from heptagrid.report.town_map import (
    LOADING_CLASSES,
    VOLTAGE_CLASSES,
    WIDTH_CLASSES,
    class_of,
    classes_shown,
    cross,
    ring,
    strokes,
    worst_pct,
)
from heptagrid.report.words import kind_of_places, number, text

if TYPE_CHECKING:
    import polars

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOST_DRAWN = 60_000
"""Nodes, of all arms, that are drawn each by itself; a page of more shows its towns on one map for each arm."""
SIZE, SQUARE, PLACE = 1000, 4, 20
"""Of the map, of the squares of voltage, and of what is counted together: rings and crosses; in units of the drawing."""
NAMED = 40  # transformers loaded most, which tell their name
MOST_NAMES = 120  # towns that have room for theirs
LOW_KV = 1.0  # below it a line is part of a square
M_PER_DEGREE = 111_320.0  # of latitude


def city_maps(lists: Mapping[str, polars.DataFrame], titles: Mapping[str, str], towns: Sequence[str]) -> str:
    """A map for each arm, and the legend; lists: of nodes, transformers and customers; titles: what each arm's map is called."""
    drawn = _Drawing(lists["node_list"], lists["transformer_list"], lists["customer_list"], towns)
    maps = [drawn.of(arm, title) for arm, title in titles.items()]
    return render(
        "run/maps.html", {"maps": maps, "square_m": drawn.square_m, "is_single": len(maps) == 1} | classes_shown()
    )


class _Drawing:
    """Where everything is; `square_m`: how long a square's side is."""

    def __init__(
        self, nodes: polars.DataFrame, transformers: polars.DataFrame, customers: polars.DataFrame, towns: Sequence[str]
    ) -> None:
        self._nodes, self._transformers, self._customers, self._towns = nodes, transformers, customers, towns
        longitude, latitude = nodes["longitude_deg"].to_numpy(), nodes["latitude_deg"].to_numpy()
        stretch = float(np.cos(np.radians(latitude.mean())))
        west, north = float(longitude.min()), float(latitude.max())
        wide, high = float(np.ptp(longitude)) * stretch, float(np.ptp(latitude))
        per_degree = SIZE / (max(wide, high) or 1.0)
        self.square_m = SQUARE / per_degree * M_PER_DEGREE
        self._box = f"0 0 {wide * per_degree + 20:.0f} {high * per_degree + 20:.0f}"

        def placed(frame: polars.DataFrame) -> tuple[Ints, Ints]:
            x = (frame["longitude_deg"].to_numpy() - west) * stretch * per_degree + 10
            y = (north - frame["latitude_deg"].to_numpy()) * per_degree + 10
            return np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)

        self._x, self._y = placed(nodes)
        self._tx, self._ty = placed(transformers)
        self._parent = nodes["parent"].to_numpy().astype(np.int64)
        is_line = (nodes["line"].to_numpy() >= 0) & (self._parent >= 0)
        self._medium = np.flatnonzero(is_line & (nodes["vn_kv"].to_numpy() > LOW_KV))

    def of(self, arm: str, title: str) -> str:
        """The map of an arm."""
        parts = [
            *self._squares(arm),
            *self._lines(arm),
            *self._substations(arm),
            *self._crosses(arm),
            *self._rings(arm),
            *self._names(),
        ]
        return (
            f'<figure><figcaption>{text(title)}</figcaption><svg class="map city" viewBox="{self._box}" role="img" '
            f'aria-label="Map of all {kind_of_places(self._towns)}s, {text(title)}">{"".join(parts)}</svg></figure>'
        )

    def _squares(self, arm: str) -> list[str]:
        """Squares by class of voltage; neighbours in a row are one stroke."""
        worst = worst_pct(self._nodes, arm)
        known = np.flatnonzero(np.isfinite(worst))
        order = known[np.argsort(np.abs(worst[known]), kind="stable")]
        across = (SIZE + 40) // SQUARE
        deviation = np.full((across, across), np.nan)
        deviation[self._y[order] // SQUARE, self._x[order] // SQUARE] = worst[order]  # the worst comes last
        rank = np.where(np.isnan(deviation), -1, class_of(VOLTAGE_CLASSES, deviation))
        parts = []
        for k, (_, label, style) in enumerate(VOLTAGE_CLASSES):
            path = _rows_of_squares(rank == k)
            if path:
                parts.append(f'<path class="square {style}" d="{path}"><title>{text(label)}</title></path>')
        return parts

    def _lines(self, arm: str) -> list[str]:
        """Medium-voltage lines by class of loading."""
        mine = self._medium
        wide = class_of(WIDTH_CLASSES, self._nodes[f"branch_peak_pct_{arm}"].to_numpy()[mine])
        parts = []
        for w, (_, label, style) in enumerate(WIDTH_CLASSES):
            child = mine[wide == w]
            path = strokes(self._x, self._y, child, self._parent[child])
            if path:
                title = text(f"medium voltage; {label}")
                parts.append(f'<path class="wire street {style}" d="{path}"><title>{title}</title></path>')
        return parts

    def _substations(self, arm: str) -> list[str]:
        """Transformers by class of loading, those loaded least below; the most loaded tell their name."""
        peak = self._transformers[f"peak_pct_{arm}"].to_numpy()
        rank = class_of(LOADING_CLASSES, peak)
        parts = []
        for k, (_, label, style) in enumerate(LOADING_CLASSES):
            places = np.unique(np.stack([self._tx[rank == k], self._ty[rank == k]], axis=1), axis=0)
            if len(places):
                path = "".join(f"M{x} {y}h0" for x, y in places.tolist())
                parts.append(f'<path class="station {style}" d="{path}"><title>{text(label)}</title></path>')
        names, rating = self._transformers["name"], self._transformers["sn_kva"].to_numpy()
        for k in np.argsort(-peak, kind="stable")[:NAMED].tolist():
            title = f"{names[k]}: {number(peak[k])} % of {number(rating[k])} kVA"
            style = LOADING_CLASSES[int(rank[k])][2]
            parts.append(
                f'<circle class="{style}" cx="{self._tx[k]}" cy="{self._ty[k]}" r="5"><title>{text(title)}</title></circle>'
            )
        return parts

    def _crosses(self, arm: str) -> list[str]:
        """Crosses where access networks missed requirements."""
        missed = self._transformers[f"missed_{arm}"].to_numpy()
        which = np.flatnonzero(missed > 0)
        parts = []
        for (x, y), here in _by_place(self._tx, self._ty, which):
            most = int(missed[here].max())
            networks = f"{len(here)} access network{'' if len(here) == 1 else 's'}"
            parts.append(cross(x, y, most, f"{networks} missed requirements of applications, {most} at most"))
        return parts

    def _rings(self, arm: str) -> list[str]:
        """Rings where customers were outside the band."""
        minutes, node = self._customers[f"outside_min_{arm}"].to_numpy(), self._customers["node"].to_numpy()
        x, y = self._x[node], self._y[node]
        return [
            ring(at_x, at_y, len(here), float(minutes[here].sum()))
            for (at_x, at_y), here in _by_place(x, y, np.flatnonzero(minutes > 0.0))
        ]

    def _names(self) -> list[str]:
        """The towns' names at their infeeds."""
        roots = np.flatnonzero(self._parent < 0)
        if len(roots) != len(self._towns) or len(roots) > MOST_NAMES:
            return []
        return [
            f'<rect class="infeed" x="{self._x[k] - 5}" y="{self._y[k] - 5}" width="10" height="10"/>'
            f'<text class="place" x="{self._x[k] + 9}" y="{self._y[k] + 5}">{text(name)}</text>'
            for k, name in zip(roots.tolist(), self._towns, strict=True)
        ]


def _rows_of_squares(is_one: npt.NDArray[np.bool_]) -> str:
    """A path along the middle of runs of squares."""
    edges = np.diff(np.pad(is_one, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, begin = np.nonzero(edges == 1)
    _, end = np.nonzero(edges == -1)
    half = SQUARE // 2
    return "".join(
        f"M{SQUARE * a} {SQUARE * r + half}h{SQUARE * (b - a)}"
        for r, a, b in zip(row.tolist(), begin.tolist(), end.tolist(), strict=True)
    )


def _by_place(x: Ints, y: Ints, which: Ints) -> list[tuple[tuple[int, int], Ints]]:
    """Some things by the places that they fall on: its middle, and which they are."""
    key = (y[which] // PLACE) * (2 * SIZE) + x[which] // PLACE
    order = np.argsort(key, kind="stable")
    bounds = np.flatnonzero(np.diff(key[order], prepend=-1))
    groups = np.split(which[order], bounds[1:]) if len(which) else []
    return [((round(float(x[one].mean())), round(float(y[one].mean()))), one) for one in groups]

"""The town from above: lines coloured by their worst voltage and as wide as they were loaded, transformers by their highest loading.

A ring says that a customer's supply voltage was outside EN 50160's band there.

A cross over a substation says that its access network missed applications' requirements; its colour and size say how many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from heptagrid.report.areas import Area
from heptagrid.report.rendering import render
from heptagrid.report.words import number, text

if TYPE_CHECKING:
    import polars

SIZE = 1000
# Deviation from nominal voltage, worst over the run, in percent; a diverging scale that the colour-blind can read.
VOLTAGE_CLASSES = (
    (-100.0, "below \u221210 %", "v0"),
    (-10.0, "\u221210 to \u22126", "v1"),
    (-6.0, "\u22126 to \u22123", "v2"),
    (-3.0, "\u22123 to +3", "v3"),
    (3.0, "+3 to +6", "v4"),
    (6.0, "+6 to +10", "v5"),
    (10.0, "above +10 %", "v6"),
)
WIDTH_CLASSES = (
    (0.0, "line below 50 %", "w0"),
    (50.0, "50 to 80", "w1"),
    (80.0, "80 to 100", "w2"),
    (100.0, "above 100 %", "w3"),
)
LOADING_CLASSES = (
    (0.0, "below 50 %", "t0"),
    (50.0, "50 to 80", "t1"),
    (80.0, "80 to 100", "t2"),
    (100.0, "above 100 %", "t3"),
)

# Applications whose requirement an access network missed: one hue, darker and larger with the number, which the colour-blind can read too.
MISSED_CLASSES = (
    (1, "one", "r1"),
    (2, "two or three", "r2"),
    (4, "four or more", "r3"),
)


def town_maps(areas: Sequence[Area], arms: list[str], place: str = "town") -> str:
    """One map per town and arm, side by side where there is room, and the legend; place: what each shows, in a word."""
    maps = [map for area in areas for map in _maps(area, arms, place)]
    return render("run/maps.html", {"maps": maps, "square_m": None, "is_single": False} | classes_shown())


def classes_shown() -> dict[str, list[tuple[str, str]]]:
    """Labels and styles of all classes, as the legend takes them."""
    return {
        name: [(label, style) for _, label, style in classes]
        for name, classes in (
            ("voltages", VOLTAGE_CLASSES),
            ("widths", WIDTH_CLASSES),
            ("loadings", LOADING_CLASSES),
            ("missed", MISSED_CLASSES),
        )
    }


def class_of(classes: Sequence[tuple[float, str, str]], values: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Which class each value is in, by its lower limit."""
    return np.asarray(np.searchsorted([limit for limit, _, _ in classes], values, side="right") - 1)


def worst_pct(nodes: polars.DataFrame, arm: str) -> npt.NDArray[np.float64]:
    """(nodes,) each one's worst deviation from nominal voltage over the run, in percent."""
    low, high = nodes[f"v_min_{arm}"].to_numpy() - 1.0, nodes[f"v_max_{arm}"].to_numpy() - 1.0
    return np.asarray(100.0 * np.where(np.abs(low) > np.abs(high), low, high))


def _maps(area: Area, arms: list[str], place: str) -> list[str]:
    """A town's maps, one for each arm."""
    nodes, transformers, customers = area.nodes, area.transformers, area.customers
    longitude, latitude = nodes["longitude_deg"].to_numpy(), nodes["latitude_deg"].to_numpy()
    stretch = np.cos(np.radians(latitude.mean()))
    width, height = np.ptp(longitude) * stretch or 1.0, np.ptp(latitude) or 1.0
    scale = SIZE / max(width, height)

    def placed(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = (lon - longitude.min()) * stretch * scale + 10
        y = (latitude.max() - lat) * scale + 10
        return np.rint(x).astype(int), np.rint(y).astype(int)

    x, y = placed(longitude, latitude)
    tx, ty = placed(transformers["longitude_deg"].to_numpy(), transformers["latitude_deg"].to_numpy())
    parent = nodes["parent"].to_numpy()
    box = f"0 0 {width * scale + 20:.0f} {height * scale + 20:.0f}"
    at = customers["node"].to_numpy()
    captions = {arm: area.in_arm(arm) for arm in arms}
    return [
        _map(arm, box, x, y, parent, nodes, tx, ty, transformers, place, title, _rings(arm, x[at], y[at], customers))
        for arm, title in captions.items()
    ]


def _map(
    arm: str,
    box: str,
    x: np.ndarray,
    y: np.ndarray,
    parent: np.ndarray,
    nodes: polars.DataFrame,
    tx: np.ndarray,
    ty: np.ndarray,
    transformers: polars.DataFrame,
    place: str,
    caption: str,
    rings: str,
) -> str:
    rank = class_of(VOLTAGE_CLASSES, worst_pct(nodes, arm))
    parts = []
    loading = np.where(nodes["line"].to_numpy() >= 0, nodes[f"branch_peak_pct_{arm}"].to_numpy(), 0.0)
    wide = class_of(WIDTH_CLASSES, loading)
    for w, (_, its_loading, width) in enumerate(WIDTH_CLASSES):
        for k, (_, label, style) in enumerate(VOLTAGE_CLASSES):
            mine = np.flatnonzero((rank == k) & (wide == w) & (parent >= 0))
            path = strokes(x, y, mine, parent[mine])
            if path:
                title = text(f"{label}; loading {its_loading}")
                parts.append(f'<path class="wire {style} {width}" d="{path}"><title>{title}</title></path>')
    peak = transformers[f"peak_pct_{arm}"].to_numpy()
    requirements = _requirements(arm, transformers)
    names, rating = transformers["name"].to_list(), transformers["sn_kva"].to_numpy()
    for k in np.argsort(peak):
        rank_t = int(class_of(LOADING_CLASSES, peak[k]))
        radius = 5.0 + 5.0 * min(float(rating[k]) / 1000.0, 2.0)
        title = f"{names[k]}: {number(peak[k])} % of {number(rating[k])} kVA{_said(requirements[k])}"
        parts.append(
            f'<circle class="{LOADING_CLASSES[rank_t][2]}" cx="{tx[k]}" cy="{ty[k]}" r="{radius:.0f}">'
            f"<title>{text(title)}</title></circle>"
        )
    for x_k, y_k, one in zip(tx, ty, requirements, strict=True):
        if one["missed"]:
            parts.append(cross(int(x_k), int(y_k), one["missed"], f"{one['name']}{_said(one)}"))
    parts.append(rings)
    return (
        f'<figure><figcaption>{text(caption)}</figcaption><svg class="map" viewBox="{box}" role="img" '
        f'aria-label="Map of the {place}, {text(caption)}">{"".join(parts)}</svg></figure>'
    )


def strokes(x: np.ndarray, y: np.ndarray, child: np.ndarray, parent: np.ndarray) -> str:
    """The drawn part of a path from each parent to its child."""
    moved = (x[child] != x[parent]) | (y[child] != y[parent])
    child, parent = child[moved], parent[moved]
    steps = zip(x[parent], y[parent], x[child] - x[parent], y[child] - y[parent], strict=True)
    return "".join(f"M{a} {b}l{c} {d}" for a, b, c, d in steps)


def _rings(arm: str, x: np.ndarray, y: np.ndarray, customers: polars.DataFrame) -> str:
    """A ring at each place where customers were outside the band, and how many they were and for how long."""
    minutes = customers[f"outside_min_{arm}"].to_numpy()
    outside = np.flatnonzero(minutes > 0.0)
    places: dict[tuple[int, int], list[float]] = {}
    for k in outside.tolist():
        places.setdefault((int(x[k]), int(y[k])), []).append(float(minutes[k]))
    parts = []
    for (at_x, at_y), each in places.items():
        parts.append(ring(at_x, at_y, len(each), sum(each)))
    return "".join(parts)


def ring(x: int, y: int, customers: int, minutes: float) -> str:
    """A ring that says how many customers were outside the band there, and for how long together."""
    title = f"{customers} customer{'' if customers == 1 else 's'} outside the band, {number(minutes)} customer-minutes"
    return f'<circle class="ring" cx="{x}" cy="{y}" r="11"><title>{text(title)}</title></circle>'


def _requirements(arm: str, transformers: polars.DataFrame) -> list[dict[str, Any]]:
    """What each transformer's access network came to."""
    columns = ("applications", "missed", "worst_application", "worst_share")
    wanted = transformers.select("name", *(f"{column}_{arm}" for column in columns))
    return list(wanted.rename({f"{column}_{arm}": column for column in columns}).iter_rows(named=True))


def _said(one: Mapping[str, Any]) -> str:
    """What a tooltip adds about requirements; nothing where no application is used."""
    if not one["applications"]:
        return ""
    if not one["missed"]:
        return f"; all {one['applications']} applications met their requirement"
    return (
        f"; {one['missed']} of {one['applications']} applications missed their requirement, worst {one['worst_application']} "
        f"with {number(100.0 * one['worst_share'], 2)} % in time"
    )


def cross(x: int, y: int, missed: int, title: str) -> str:
    """A cross for so many applications that missed their requirement."""
    rank = int(class_of(MISSED_CLASSES, missed))
    r = 9 + 3 * rank
    return (
        f'<path class="cross {MISSED_CLASSES[rank][2]}" d="M{x - r} {y - r}l{2 * r} {2 * r}M{x - r} {y + r}l{2 * r} {-2 * r}">'
        f"<title>{text(title)}</title></path>"
    )

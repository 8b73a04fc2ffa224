"""A map of the price at every bus of the bulk system in an hour. Hand-written SVG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heptagrid.report.map_layout import fit
from heptagrid.report.words import number, text

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SIZE = 460
CLASSES = 5
ALIKE_EUR = 0.05  # EUR/MWh: prices that differ by less are one


def bus_price_map(
    title: str, names: Sequence[str], places: tuple[Floats, Floats], branches: tuple[Ints, Ints], eur_per_mwh: Floats
) -> str:
    """A figure; places: (buses,) degrees of longitude and latitude. branches: (branches,) positions of their ends."""
    longitude, latitude = places
    shrunk = np.cos(np.radians(float(latitude.mean())))
    x, y, width, height = fit(longitude * shrunk, latitude, SIZE, SIZE, margin=14)
    edges = _edges(eur_per_mwh)
    group = np.clip(np.searchsorted(edges, eur_per_mwh, side="right") - 1, 0, len(edges) - 2)
    lines = "".join(
        f"M{x[a]:.1f} {y[a]:.1f}L{x[b]:.1f} {y[b]:.1f}"
        for a, b in zip(*(one.tolist() for one in branches), strict=True)
    )
    dots = "".join(
        f'<circle class="price p{_style(int(group[k]), len(edges) - 1)}" cx="{x[k]:.1f}" cy="{y[k]:.1f}" r="7"><title>{text(name)}: '
        f"{number(float(eur_per_mwh[k]), 1)} EUR/MWh</title></circle>"
        for k, name in enumerate(names)
    )
    keys = "".join(
        f'<span class="key dot p{_style(k, len(edges) - 1)}">{_words(edges, k)}</span>' for k in range(len(edges) - 1)
    )
    return (
        f'<figure><figcaption>{text(title)} <span class="unit">EUR/MWh</span></figcaption>'
        f'<svg class="map" viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{text(title)}">'
        f'<path class="branch" d="{lines}"/>{dots}</svg><div class="legend">{keys}</div></figure>'
    )


def _edges(eur_per_mwh: Floats) -> Floats:
    """The ends of the classes of prices: of equal width, or one class where all are alike."""
    low, high = float(eur_per_mwh.min()), float(eur_per_mwh.max())
    if high - low < ALIKE_EUR:
        return np.array([low, high])
    return np.linspace(low, high, CLASSES + 1)


def _style(group: int, groups: int) -> int:
    return CLASSES // 2 if groups == 1 else group


def _words(edges: Floats, group: int) -> str:
    low, high = (number(float(one), 1) for one in edges[group : group + 2])
    return f"{low} at every bus" if len(edges) == 2 else f"{low} to {high}"

"""A communication network from above, as one SVG file: nodes, links, media, and the nodes that nothing reaches."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from heptagrid.foundation.output_file import whole_file
from heptagrid.report.map_layout import MARGIN, Floats, fit, labels
from heptagrid.report.words import text
from heptagrid.studies.carry.layout import Hops, Layout

SIZE = 1000
_MOST_HOPS = 50_000  # strokes of one medium; a mesh in which more are in reach is a grey field
_LINK = "#595959"
_UNCOVERED = "#b00020"
# After Okabe and Ito (2008): distinct in hue and in brightness.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")


def communication_map(layout: Layout, title: str) -> str:
    """The whole file."""
    x, y, width, height = fit(layout.x_m, layout.y_m, SIZE, SIZE)
    parts, legend = [], []
    for k, hops in enumerate(layout.hops):
        if not len(hops.pairs) and not len(hops.members):
            continue
        colour = _LINK if k == 0 else _COLOURS[(k - 1) % len(_COLOURS)]
        shown, words = _strokes(hops, x, y)
        parts.append(
            f'<g stroke="{colour}" fill="none" stroke-width="1.5"><title>{text(hops.name)}</title><path d="{shown}"/></g>'
        )
        legend.append((f'<path d="M0 -5h18" stroke="{colour}" stroke-width="3"/>', f"{hops.name}: {words}"))
    dots = "".join(
        f'<circle cx="{x[k]:.1f}" cy="{y[k]:.1f}" r="3"><title>{text(name)}</title></circle>'
        for k, name in enumerate(layout.names)
    )
    parts.append(f'<g fill="#000">{dots}</g>')
    lost = np.flatnonzero(layout.is_uncovered).tolist()
    crosses = "".join(
        f'<path d="{_cross(x[k], y[k])}"><title>{text(layout.names[k])}: uncovered</title></path>' for k in lost
    )
    parts.append(f'<g class="uncovered" stroke="{_UNCOVERED}" stroke-width="3" fill="none">{crosses}</g>')
    half = np.where(layout.is_uncovered, 8.0, 3.0)
    parts.append(labels(layout.names, x, y, half, width))
    nodes = f"{len(layout.names):,} node{'' if len(layout.names) == 1 else 's'}"
    place = (
        "placed by the file's coordinates"
        if layout.is_surveyed
        else "the file has no coordinates: in a circle, in its order"
    )
    legend.insert(0, ('<circle cx="9" cy="-5" r="3"/>', f"{nodes}; {place}"))
    if lost:
        mark = f'<path d="{_cross(9.0, -5.0)}" stroke="{_UNCOVERED}" stroke-width="3" fill="none"/>'
        legend.append(
            (mark, f"uncovered, {len(lost):,} of these nodes: out of reach of those that they exchange messages with")
        )
    lines = "".join(
        f'<g transform="translate({MARGIN} {height + 20 * k + 20:.0f})">{mark}<text x="28">{text(words)}</text></g>'
        for k, (mark, words) in enumerate(legend)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {max(width, SIZE):.0f} {height + 20 * len(legend) + 20:.0f}" '
        f'font-family="sans-serif" font-size="15" role="img" aria-label="{text(title)}"><title>{text(title)}</title>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}{lines}</svg>\n'
    )


def write_communication_map(path: Path, layout: Layout, title: str) -> None:
    """Write the SVG file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with whole_file(path) as place:
        place.write_text(communication_map(layout, title), encoding="utf-8")


def _strokes(hops: Hops, x: Floats, y: Floats) -> tuple[str, str]:
    """The path of the hops, and what the legend says of them."""
    if len(hops.members):
        middle_x, middle_y = float(x[hops.members].mean()), float(y[hops.members].mean())
        path = "".join(f"M{middle_x:.1f} {middle_y:.1f}L{x[k]:.1f} {y[k]:.1f}" for k in hops.members.tolist())
        return path, f"{len(hops.members):,} members, each in reach of each; drawn from their middle"
    words = f"{len(hops.pairs):,} pair{'' if len(hops.pairs) == 1 else 's'} of nodes"
    if len(hops.pairs) > _MOST_HOPS:
        return "", f"{words}, too many to be drawn"
    return "".join(f"M{x[a]:.1f} {y[a]:.1f}L{x[b]:.1f} {y[b]:.1f}" for a, b in hops.pairs.tolist()), words


def _cross(x: float, y: float) -> str:
    return f"M{x - 7:.1f} {y - 7:.1f}l14 14m0 -14l-14 14"

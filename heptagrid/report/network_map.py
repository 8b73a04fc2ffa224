"""A network from above: as one SVG file, and as a small picture of braille dots for a terminal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.output_file import whole_file
from heptagrid.report.map_layout import MARGIN, fit, labels
from heptagrid.report.words import text
from heptagrid.studies.flow.inventory import Drawing

SIZE = 1000

# Line colours from the highest voltage to the lowest: distinct in hue and in brightness (after Okabe and Ito 2008).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_DEAD_COLOUR = "#767676"

_MOST_TITLES = 10_000  # buses that have an element of their own, which shows their name
_ROW = 40.0  # between buses one above the other, at most

# The bits of a braille character, [row][column], from U+2800 on.
_BRAILLE = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])


def map_svg(drawing: Drawing, title: str) -> str:
    """The whole file."""
    high = SIZE if drawing.is_surveyed or not len(drawing.y) else min(SIZE, max(_ROW * float(np.ptp(drawing.y)), _ROW))
    x, y, width, height = fit(drawing.x, drawing.y, SIZE, high, keeps_shape=drawing.is_surveyed)
    parts = []
    end_level = np.maximum(drawing.level[drawing.from_bus], drawing.level[drawing.to_bus])
    is_dead_stroke = drawing.is_dead[drawing.from_bus] | drawing.is_dead[drawing.to_bus]
    for level, kv in enumerate(drawing.levels_kv):
        colour, thick = _COLOURS[level % len(_COLOURS)], max(1.0, 3.0 - 0.6 * level)
        mine, buses = (end_level == level) & ~is_dead_stroke, (drawing.level == level) & ~drawing.is_dead
        label = f"{kv:g} kV" if kv > 0.0 else "base voltage unknown"
        parts.append(_group(drawing, x, y, label, colour, thick, np.flatnonzero(mine), np.flatnonzero(buses)))
        count = f"{drawing.level_buses[level]:,} bus{'' if drawing.level_buses[level] == 1 else 'es'}"
        parts.append(
            f'<text x="{MARGIN}" y="{height + 20 * level + 20:.0f}" fill="{colour}">{text(label)}, {count}</text>'
        )
    if drawing.is_dead.any():
        dead = np.flatnonzero(is_dead_stroke), np.flatnonzero(drawing.is_dead)
        parts.append(_group(drawing, x, y, "de-energised", _DEAD_COLOUR, 1.0, *dead))
    half = np.full(len(x), 3.0)
    half[drawing.sources] = 10.0
    parts.append(labels(drawing.names, x, y, half, width))
    parts += [_square(x[k], y[k], 8.0, f"source, {drawing.names[k]}") for k in drawing.sources.tolist()]
    below = height + 20 * len(drawing.levels_kv)
    parts.append(_square(MARGIN + 6.0, below + 15.0, 5.0, "source"))
    parts.append(f'<text x="{MARGIN + 18}" y="{below + 20:.0f}">{text(_legend(drawing))}</text>')
    if drawing.is_dead.any():
        below += 20
        label = f"de-energised, {int(drawing.is_dead.sum()):,} of these buses"
        parts.append(f'<text x="{MARGIN}" y="{below + 20:.0f}" fill="{_DEAD_COLOUR}">{label}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {below + 40:.0f}" font-family="sans-serif" font-size="15" '
        f'role="img" aria-label="{text(title)}"><title>{text(title)}</title><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _group(
    drawing: Drawing,
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    label: str,
    colour: str,
    thick: float,
    strokes: npt.NDArray[np.int64],
    buses: npt.NDArray[np.int64],
) -> str:
    """Strokes and buses of one colour."""
    lines = "".join(
        f"M{x[a]:.1f} {y[a]:.1f}L{x[b]:.1f} {y[b]:.1f}"
        for a, b in zip(drawing.from_bus[strokes].tolist(), drawing.to_bus[strokes].tolist(), strict=True)
    )
    named = [k for k in buses.tolist() if drawing.names[k]]
    # A stroke of no length with round ends is a dot.
    places = [f"M{x[k]:.1f} {y[k]:.1f}h0" for k in named]
    names = [text(drawing.names[k]) for k in named]
    dots = (
        "".join(f'<path d="{place}"><title>{name}</title></path>' for place, name in zip(places, names, strict=True))
        if len(x) <= _MOST_TITLES
        else f'<path d="{"".join(places)}"/>'
    )
    return (
        f'<g stroke="{colour}" fill="none"><title>{text(label)}</title><path stroke-width="{thick:.1f}" d="{lines}"/>'
        f'<g stroke-width="{2.0 * thick + 1.0:.1f}" stroke-linecap="round">{dots}</g></g>'
    )


def _square(x: float, y: float, half: float, title: str) -> str:
    return (
        f'<rect x="{x - half:.1f}" y="{y - half:.1f}" width="{2.0 * half:.0f}" height="{2.0 * half:.0f}" fill="#fff" stroke="#000" '
        f'stroke-width="{0.375 * half:.1f}"><title>{text(title)}</title></rect>'
    )


def write_map(path: Path, drawing: Drawing, title: str) -> None:
    """Write the SVG file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with whole_file(path) as place:
        place.write_text(map_svg(drawing, title), encoding="utf-8")


def map_text(drawing: Drawing, columns: int = 72, rows: int = 16) -> str:
    """The strokes in braille dots, and a line that says how the buses are placed; empty without buses."""
    if not len(drawing.x):
        return ""
    x, y, _, _ = fit(drawing.x, drawing.y, 2 * columns - 1, 4 * rows - 1, margin=0, keeps_shape=drawing.is_surveyed)
    dots = np.zeros((4 * rows, 2 * columns), dtype=bool)
    at_x, at_y = _points_between(x, y, drawing.from_bus, drawing.to_bus)
    for px, py in ((at_x, at_y), (x, y)):
        dots[np.rint(py).astype(int), np.rint(px).astype(int)] = True
    cells = dots.reshape(rows, 4, columns, 2).transpose(0, 2, 1, 3)
    codes = 0x2800 + (cells * _BRAILLE).sum(axis=(2, 3))
    signs = np.array([[chr(code) for code in row] for row in codes.tolist()])
    for k in drawing.sources.tolist():
        signs[int(np.rint(y[k])) // 4, int(np.rint(x[k])) // 2] = "■"
    lines = ["".join(row).rstrip("\u2800") for row in signs]
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join([*lines, f"■ {_legend(drawing)}"])


def _legend(drawing: Drawing) -> str:
    if drawing.is_surveyed:
        return "source; placed by the file's coordinates"
    return "source; the file has no coordinates: each column is one branch farther from it"


def _points_between(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Points along the strokes, one dot apart or closer."""
    count = np.ceil(np.maximum(np.abs(x[a] - x[b]), np.abs(y[a] - y[b]))).astype(np.int64) + 1
    stroke = np.repeat(np.arange(len(a)), count)
    share = (np.arange(len(stroke)) - np.repeat(np.cumsum(count) - count, count)) / np.maximum(1, count - 1)[stroke]
    return x[a][stroke] + share * (x[b] - x[a])[stroke], y[a][stroke] + share * (y[b] - y[a])[stroke]

"""Stacked bars: what a sum is made of, a row for each; parts below zero stand to the left of it. Hand-written SVG, the words above each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heptagrid.report.words import number, text

WIDTH, HEIGHT = 480, 26
MARGIN = 2


@dataclass(frozen=True)
class Row:
    """A sum and its parts, in the order of the legend."""

    label: str
    parts: Sequence[float]


def stacked_bars(title: str, unit: str, legend: Sequence[str], rows: Sequence[Row], digits: int = 2) -> str:
    """A figure with a row for each sum, all to one scale; the line is zero."""
    low = min(0.0, *(sum(part for part in row.parts if part < 0.0) for row in rows))
    high = max(0.0, *(sum(part for part in row.parts if part > 0.0) for row in rows))

    def px(value: float) -> float:
        return MARGIN + (value - low) / (high - low or 1.0) * (WIDTH - 2 * MARGIN)

    drawn = []
    for row in rows:
        shapes, ends = [], {True: 0.0, False: 0.0}
        for k, part in enumerate(row.parts):
            if not part:
                continue
            begin = ends[part > 0.0]
            ends[part > 0.0] = end = begin + part
            left, right = sorted((px(begin), px(end)))
            shapes.append(
                f'<rect class="part c{k}" x="{left:.1f}" y="3" width="{right - left:.1f}" height="{HEIGHT - 6}">'
                f"<title>{text(legend[k])}: {number(part, digits)} {text(unit)}</title></rect>"
            )
        said = f"{text(row.label)}: {number(sum(row.parts), digits)} {text(unit)}"
        shapes.append(f'<path class="grid zero" d="M{px(0.0):.1f} 0V{HEIGHT}"/>')
        drawn.append(
            f'<div class="stacked-label">{said}</div><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">'
            f"{''.join(shapes)}</svg>"
        )
    keys = "".join(
        f'<span class="key c{k}">{text(name)}</span>'
        for k, name in enumerate(legend)
        if any(row.parts[k] for row in rows)
    )
    return (
        f'<figure class="stacked"><figcaption>{text(title)} <span class="unit">{text(unit)}</span></figcaption>'
        f'{"".join(drawn)}<div class="legend">{keys}</div></figure>'
    )

"""A tornado: horizontal bars of what each assumption moves, about the central value, an SVG each with its words above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heptagrid.report.words import number, text

WIDTH, HEIGHT = 480, 16
MARGIN = 2


@dataclass(frozen=True)
class Bar:
    """What a value comes to with an assumption at the low and at the high end of its range."""

    label: str
    at_low: float
    at_high: float


def tornado(title: str, unit: str, bars: Sequence[Bar], centre: float) -> str:
    """A figure; what lies below `centre` is drawn as a loss, above as a gain; the ends carry their values."""
    ends = [centre, *(one.at_low for one in bars), *(one.at_high for one in bars)]
    low, high = min(ends), max(ends)

    def px(value: float) -> float:
        return MARGIN + (value - low) / (high - low or 1.0) * (WIDTH - 2 * MARGIN)

    parts = []
    for one in bars:
        shapes = []
        for end in (one.at_low, one.at_high):
            begin, stop = sorted((px(centre), px(end)))
            style = "gain" if end >= centre else "loss"
            shapes.append(
                f'<rect class="{style}" x="{begin:.1f}" y="1" width="{stop - begin:.1f}" height="{HEIGHT - 2}">'
                f"<title>{number(end)} {text(unit)}</title></rect>"
            )
        shapes.append(f'<path class="limit" d="M{px(centre):.1f} 0V{HEIGHT}"/>')
        parts.append(
            f'<div class="tornado-label">{text(one.label)}</div><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{text(one.label)}">{"".join(shapes)}</svg>'
        )
    return (
        f'<figure class="tornado"><figcaption>{text(title)} <span class="unit">{text(unit)}</span></figcaption>{"".join(parts)}'
        f'<div class="legend"><span>from {number(low)} to {number(high)}; the line is {number(centre)}</span></div></figure>'
    )

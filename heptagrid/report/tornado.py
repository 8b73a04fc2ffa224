"""A tornado: horizontal bars of what each assumption moves, about the central value, as SVG with the words above each bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heptagrid.report.words import number, text

WIDTH, ROW, TOP = 480, 40, 6
MARGIN = 8


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

    height = TOP + ROW * len(bars)
    parts = []
    for k, one in enumerate(bars):
        y = TOP + ROW * k
        parts.append(f'<text class="tick" x="{MARGIN}" y="{y + 11}">{text(one.label)}</text>')
        for end in (one.at_low, one.at_high):
            begin, stop = sorted((px(centre), px(end)))
            style = "gain" if end >= centre else "loss"
            parts.append(
                f'<rect class="{style}" x="{begin:.1f}" y="{y + 16}" width="{stop - begin:.1f}" height="16">'
                f"<title>{number(end)} {text(unit)}</title></rect>"
            )
    parts.append(f'<path class="limit" d="M{px(centre):.1f} {TOP}V{height}"><title>{number(centre)}</title></path>')
    return (
        f'<figure class="tornado"><figcaption>{text(title)} <span class="unit">{text(unit)}</span></figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{text(title)}">{"".join(parts)}</svg>'
        f'<div class="legend"><span>{number(low)}</span> to <span>{number(high)}</span>; the line is {number(centre)}</div></figure>'
    )

"""The merit order of an hour with the point where it clears: a block for each offer, as high as it costs. Hand-written SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heptagrid.report.charts import round_steps
from heptagrid.report.words import number, text

WIDTH, HEIGHT = 480, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 18, 44
MOST_ABOVE = 1.5  # how far a price may stretch the axis beyond the dearest block that is on
MINIMUM = "minimum"
STYLES = {
    MINIMUM: ("on anyway, at their minimum", "c6"),
    "water": ("water", "c0"),
    "wind": ("wind", "c2"),
    "sun": ("sun", "c5"),
    "tower": ("sun, with a tank", "c5"),
    "nuclear": ("nuclear", "c3"),
    "coal": ("coal", "c7"),
    "gas": ("gas", "c1"),
    "light oil": ("light oil", "c4"),
    "heavy oil": ("heavy oil", "c4"),
}
"""What is offered: its title, and the class of its colour."""


@dataclass(frozen=True)
class Block:
    """An offer: of which unit, a key of `STYLES`, MW, EUR/MWh."""

    unit: str
    kind: str
    mw: float
    eur_per_mwh: float


def merit_order_chart(title: str, blocks: Sequence[Block], given_mw: float, price_eur_per_mwh: float) -> str:
    """A figure: blocks in the order given, the demand that they meet, and the price at which it cleared."""
    dearest = max((one.eur_per_mwh for one in blocks), default=0.0)
    top = max(dearest, min(price_eur_per_mwh, MOST_ABOVE * dearest if dearest else price_eur_per_mwh), 1.0)
    low = min(0.0, price_eur_per_mwh)
    steps = round_steps(low, top)
    low, high = min(low, steps[0]), steps[-1]
    across = max(sum(one.mw for one in blocks), given_mw, 1.0)

    def px(mw: float) -> float:
        return LEFT + mw / across * (WIDTH - LEFT - RIGHT)

    def py(eur: float) -> float:
        return TOP + (high - min(eur, high)) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<path class="grid" d="M{LEFT} {py(one):.1f}H{WIDTH - RIGHT}"/>'
        f'<text class="tick" x="{LEFT - 6}" y="{py(one) + 4:.1f}" text-anchor="end">{number(one)}</text>'
        for one in steps
    ]
    parts += [
        f'<text class="tick" x="{px(one):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{number(one / 1000.0, 1)}</text>'
        for one in round_steps(0.0, across)
        if one <= across
    ]
    parts.append(
        f'<text class="tick" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">offered by the units that are on, GW</text>'
    )
    at = 0.0
    for one in blocks:
        name, style = STYLES.get(one.kind, (one.kind, "c6"))
        least = 3.0 if one.eur_per_mwh == 0.0 else 0.0  # what costs nothing is seen, too
        y = py(one.eur_per_mwh)
        parts.append(
            f'<rect class="block {style}" x="{px(at):.1f}" y="{y - least:.1f}" width="{px(at + one.mw) - px(at):.2f}" '
            f'height="{py(0.0) - y + least:.1f}"><title>{text(one.unit)}, {text(name)}: {number(one.mw)} MW at '
            f"{number(one.eur_per_mwh, 1)} EUR/MWh</title></rect>"
        )
        at += one.mw
    x, y = px(given_mw), py(price_eur_per_mwh)
    said = f"{number(given_mw / 1000.0, 2)} GW at {number(price_eur_per_mwh, 1)} EUR/MWh"
    ends = x > WIDTH / 2
    parts.append(
        f'<path class="limit" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/><path class="limit" d="M{LEFT} {y:.1f}H{x:.1f}"/>'
    )
    parts.append(
        f'<circle class="mark conventional" cx="{x:.1f}" cy="{y:.1f}" r="5"><title>cleared: {said}</title></circle>'
    )
    parts.append(
        f'<text class="tick limit-label" x="{x + (-8 if ends else 8):.1f}" y="{max(y - 8, TOP + 4):.1f}" '
        f'text-anchor="{"end" if ends else "start"}">{said}</text>'
    )
    shown = {STYLES.get(one.kind, (one.kind, "c6")): None for one in blocks}
    legend = "".join(f'<span class="key {style}">{text(name)}</span>' for name, style in shown)
    return (
        f'<figure class="merit"><figcaption>{text(title)} <span class="unit">EUR/MWh</span></figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{text(title)}: cleared {said}">{"".join(parts)}</svg>'
        f'<div class="legend">{legend}</div></figure>'
    )

"""The seven domains and what goes between them: one picture each for energy, messages and money."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from heptagrid.report.words import DOMAIN_TITLES, number, text

WIDTH, HEIGHT = 600, 360
BOX_W, BOX_H = 112, 40
# Centres in the order of the domains: the four with wires below, the three without above.
PLACES = ((60, 290), (220, 290), (380, 290), (540, 290), (300, 70), (92, 70), (508, 70))


def domain_pictures(arm: Mapping[str, Any], days: int) -> list[str]:
    """Three pictures of one arm."""
    flows = arm["domain_energy_mwh"]
    energy = {
        (0, 1): flows["generation_to_transmission"],
        (1, 2): flows["transmission_to_distribution"],
        (2, 1): flows["distribution_to_transmission"],
        (2, 3): flows["distribution_to_customers"],
        (3, 2): flows["customers_to_distribution"],
    }
    span = "the day" if days == 1 else f"the {days} days"
    return [
        _picture(f"Energy of {span}", "MWh", "energy", energy, lambda v: number(v, 2 if v < 10.0 else 0)),
        _picture(f"Messages delivered in {span}", "", "messages", _pairs(arm["messages"]["by_domain_pair"]), _count),
        _picture(
            f"Money of {span}, arrows point to who is paid",
            "EUR",
            "money",
            _pairs(arm["money_eur"]["matrix"]),
            lambda v: number(v, money_digits(arm)),
        ),
    ]


def money_digits(arm: Mapping[str, Any]) -> int:
    """Decimals of EUR where an arm's payments between domains stand side by side: cents where the largest is below 1,000 EUR."""
    return 2 if max(value for row in arm["money_eur"]["matrix"] for value in row) < 1000.0 else 0


def _pairs(matrix: list[list[float]]) -> dict[tuple[int, int], float]:
    return {(i, j): value for i, row in enumerate(matrix) for j, value in enumerate(row) if i != j and value > 0}


def _count(value: float) -> str:
    return f"{value / 1e6:.2f} M" if value >= 1e6 else f"{value / 1e3:.1f} k" if value >= 1e3 else number(value)


def _picture(
    title: str, unit: str, style: str, flows: Mapping[tuple[int, int], float], written: Callable[[float], str]
) -> str:
    parts = []
    largest = max(flows.values(), default=1.0) or 1.0
    for (i, j), value in sorted(flows.items(), key=lambda item: -item[1]):
        if value > 0:
            parts.append(_arrow(i, j, 1.0 + 6.0 * math.sqrt(value / largest), style, written(value)))
    boxes = []
    for k, (x, y) in enumerate(PLACES):
        boxes.append(
            f'<rect class="box" x="{x - BOX_W / 2}" y="{y - BOX_H / 2}" width="{BOX_W}" height="{BOX_H}" rx="6">'
            f"<title>{text(DOMAIN_TITLES[k])}</title></rect>"
            f"{_label(DOMAIN_TITLES[k], x, y)}"
        )
    return (
        f'<figure><figcaption>{text(title)} <span class="unit">{unit}</span></figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{text(title)}">{"".join(parts)}{"".join(boxes)}</svg></figure>'
    )


def _label(title: str, x: float, y: float) -> str:
    """A domain's name in its box, each word on a line of its own."""
    words = title.split()
    top = y + 5 - 8 * (len(words) - 1)
    spans = "".join(f'<tspan x="{x}" y="{top + 16 * k}">{text(word)}</tspan>' for k, word in enumerate(words))
    return f'<text class="box-label" text-anchor="middle">{spans}</text>'


def _arrow(i: int, j: int, width: float, style: str, label: str) -> str:
    """A bent arrow from one box to another, to the right of the straight line, with its value on it."""
    (x1, y1), (x2, y2) = PLACES[i], PLACES[j]
    dx, dy = x2 - x1, y2 - y1
    length = math.hypot(dx, dy)
    ux, uy = dx / length, dy / length
    side = 30.0 if abs(dy) < 1 else 22.0
    if abs(dy) < 1 and abs(dx) > 300:
        side = 90.0
    cx, cy = (x1 + x2) / 2 - uy * side, (y1 + y2) / 2 + ux * side
    sx, sy = _edge(x1, y1, cx, cy)
    ex, ey = _edge(x2, y2, cx, cy)
    bx, by = ex - cx, ey - cy
    back = math.hypot(bx, by) or 1.0
    bx, by = bx / back, by / back
    head = 5.0 + width
    tip = f"M{ex:.1f} {ey:.1f}L{ex - bx * head - by * head * 0.5:.1f} {ey - by * head + bx * head * 0.5:.1f}"
    tip += f"L{ex - bx * head + by * head * 0.5:.1f} {ey - by * head - bx * head * 0.5:.1f}Z"
    # The label sits nearer to where the arrow begins, clear of the label of the arrow that comes back.
    t = 0.5 if abs(dy) < 1 else 0.36
    lx, ly = ((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c for a, b, c in ((sx, cx, ex), (sy, cy, ey)))
    if abs(dy) < 1:  # beside the arrow, which may be as short as its label
        ly += 9.0 * ux
    return (
        f'<g class="flow {style}"><title>{DOMAIN_TITLES[i]} to {DOMAIN_TITLES[j]}: {text(label)}</title>'
        f'<path class="shaft" d="M{sx:.1f} {sy:.1f}Q{cx:.1f} {cy:.1f} {ex - bx * head:.1f} {ey - by * head:.1f}" '
        f'stroke-width="{width:.1f}"/><path class="head" d="{tip}"/>'
        f'<text class="flow-label" x="{lx:.1f}" y="{ly + 3:.1f}" text-anchor="middle">{text(label)}</text></g>'
    )


def _edge(x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
    """Where the line from a box's centre towards a point leaves the box."""
    dx, dy = to_x - x, to_y - y
    scale = min((BOX_W / 2) / abs(dx) if dx else math.inf, (BOX_H / 2) / abs(dy) if dy else math.inf)
    return x + dx * scale, y + dy * scale

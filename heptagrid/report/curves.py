"""Curves against a varied quantity: a mean line, a band over the seeds, and a mark at each value; hand-written SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from heptagrid.report.charts import BROKEN, Scale, round_steps
from heptagrid.report.words import number, text

WIDTH, HEIGHT = 480, 270
LEFT, RIGHT, TOP, BOTTOM = 76, 14, 12, 52
AXIS_LETTERS = 30
TICK_ROOM = 26.0  # least distance of two ticks' labels
HATCH = 9.0  # distance of the hatching's lines


@dataclass(frozen=True)
class Curve:
    """A line of a chart with its spread; None where a value is not known. `style` is a CSS class."""

    label: str
    style: str
    mean: Sequence[float | None]
    least: Sequence[float | None]
    greatest: Sequence[float | None]


def curve_chart(
    title: str,
    unit: str,
    x_title: str,
    x: Sequence[float],
    curves: Sequence[Curve],
    unresolved: Sequence[bool] = (),
    digits: int = 0,
    from_zero: bool = True,
) -> str:
    """A figure of curves over the values `x`; values marked `unresolved` stand on hatched ground."""
    known = [
        one for curve in curves for line in (curve.least, curve.greatest, curve.mean) for one in line if one is not None
    ]
    if not known:
        return ""
    if from_zero:
        known.append(0.0)
    steps = round_steps(min(known), max(known))
    low, high = steps[0], steps[-1]
    px, ticks = _horizontal(x)

    def py(value: float) -> float:
        return TOP + (high - value) / (high - low or 1.0) * (HEIGHT - TOP - BOTTOM)

    parts = [_axes(title, unit, x_title, steps, ticks, py)]
    parts += [_hatched(*_ground(px, x, k)) for k, hidden in enumerate(unresolved) if hidden]
    for curve in sorted(curves, key=lambda one: one.style in BROKEN):
        parts.append(_band(curve, x, px, py))
        points = [(px(at), py(value), at, value) for at, value in zip(x, curve.mean, strict=True) if value is not None]
        path = "".join(f"{'L' if k else 'M'}{a:.1f} {b:.1f}" for k, (a, b, _, _) in enumerate(points))
        parts.append(f'<path class="line {curve.style}" d="{path}"><title>{text(curve.label)}</title></path>')
        parts += [
            f'<circle class="mark {curve.style}" cx="{a:.1f}" cy="{b:.1f}" r="3"><title>{text(curve.label)}, at {at:g}: '
            f"{number(value, digits)} {text(unit)}</title></circle>"
            for a, b, at, value in points
        ]
    legend = "".join(f'<span class="key {one.style}">{text(one.label)}</span>' for one in curves)
    if any(unresolved):
        legend += '<span class="key hatching">hatched: not resolved (shorter than ten coupling steps)</span>'
    return (
        f'<figure><figcaption>{text(title)} <span class="unit">{text(unit)}</span></figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{text(title)}">{"".join(parts)}</svg>'
        f'<div class="legend">{legend}</div></figure>'
    )


def _horizontal(x: Sequence[float]) -> tuple[Scale, list[tuple[float, str]]]:
    """Where a value stands from left to right, and the ticks; by powers of ten where the values span them."""
    logarithmic = min(x) > 0.0 and max(x) >= 50.0 * min(x)
    measure: Scale = math.log10 if logarithmic else float
    first, last = measure(min(x)), measure(max(x))
    if first == last:
        first, last = first - 1.0, last + 1.0

    def px(value: float) -> float:
        return LEFT + 8 + (measure(value) - first) / (last - first) * (WIDTH - LEFT - RIGHT - 16)

    if logarithmic:
        at = [10.0**k for k in range(math.ceil(first - 1e-9), math.floor(last + 1e-9) + 1)]
    elif len(x) <= 6:
        at = list(x)
    else:
        at = [one for one in round_steps(min(x), max(x)) if min(x) - 1e-12 <= one <= max(x) + 1e-12]
    ticks: list[tuple[float, str]] = []
    for one in sorted(at):
        if not ticks or px(one) - ticks[-1][0] >= TICK_ROOM:
            ticks.append((px(one), f"{one:.4g}"))
    return px, ticks


def _axes(
    title: str, unit: str, x_title: str, steps: Sequence[float], ticks: Sequence[tuple[float, str]], py: Scale
) -> str:
    step = steps[1] - steps[0]
    digits = next(k for k in range(9) if abs(round(step, k) - step) < 1e-9 * step)
    parts = []
    for value in steps:
        y = py(value)
        parts.append(f'<path class="grid{" zero" if value == 0.0 else ""}" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        label = number(value, digits)
        parts.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    bottom = HEIGHT - BOTTOM
    for at, label in ticks:
        parts.append(f'<path class="grid" d="M{at:.1f} {bottom}v5"/>')
        parts.append(f'<text class="tick" x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{text(label)}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text class="tick axis" x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{text(x_title)}</text>'
    )
    across = (TOP + bottom) / 2
    parts.append(
        f'<text class="tick axis" transform="translate(13 {across:.0f}) rotate(-90)" text-anchor="middle">'
        f"{text(_axis_title(title, unit))}</text>"
    )
    return "".join(parts)


def _axis_title(title: str, unit: str) -> str:
    """As much as there is room for beside the axis; the caption says the rest."""
    whole = f"{title}, {unit}" if unit else title
    return whole if len(whole) <= AXIS_LETTERS else unit


def _band(curve: Curve, x: Sequence[float], px: Scale, py: Scale) -> str:
    """The area between the least and the greatest; nothing if there is no spread."""
    rows = [
        (px(at), py(low), py(high))
        for at, low, high in zip(x, curve.least, curve.greatest, strict=True)
        if low is not None and high is not None
    ]
    if len(rows) < 2 or all(low == high for _, low, high in rows):
        return ""
    there = [f"{a:.1f} {low:.1f}" for a, low, _ in rows]
    back = [f"{a:.1f} {high:.1f}" for a, _, high in reversed(rows)]
    return f'<path class="band {curve.style}" d="M{"L".join([*there, *back])}Z"/>'


def _ground(px: Scale, x: Sequence[float], k: int) -> tuple[float, float]:
    """From half way to the value before until half way to the next one."""
    order = sorted(px(one) for one in x)
    at = order.index(px(x[k]))
    left = (order[at - 1] + order[at]) / 2 if at else LEFT
    right = (order[at] + order[at + 1]) / 2 if at + 1 < len(order) else WIDTH - RIGHT
    return left, right


def _hatched(left: float, right: float) -> str:
    """Slanting lines over a strip from top to bottom, cut at its sides."""
    top, bottom = float(TOP), float(HEIGHT - BOTTOM)
    drawn = []
    count = int((right - left + bottom - top) / HATCH)
    for k in range(1, count + 1):
        start = left + k * HATCH  # where the line would meet the top
        x1, y1 = (start, top) if start <= right else (right, top + start - right)
        low = start - (bottom - top)
        x2, y2 = (low, bottom) if low >= left else (left, top + start - left)
        drawn.append(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}")
    return f'<path class="hatch" d="{"".join(drawn)}"/>'

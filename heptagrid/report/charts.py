"""Line charts and bars as hand-written SVG, small enough to stay readable on a phone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from heptagrid.report.words import number, text

WIDTH, HEIGHT = 480, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 12, 28
BROKEN = ("conventional", "intact")
"""Styles of dashed and dotted lines: drawn over the others, so that both are seen where they coincide."""

Scale = Callable[[float], float]
"""Where a value stands on an axis."""


@dataclass(frozen=True)
class Line:
    """A line of a chart; gaps are NaN, in x too if they stand between strokes. `style` is a CSS class."""

    label: str
    style: str
    x: np.ndarray
    y: np.ndarray


def line_chart(
    title: str,
    unit: str,
    lines: Sequence[Line],
    ticks: Sequence[tuple[float, str]],
    limits: Sequence[tuple[float, str]] = (),
    marks: Sequence[tuple[float, float, str]] = (),
    from_zero: bool = False,
) -> str:
    """A figure with a title, a legend and an SVG; `limits` are dashed horizontals, `marks` labelled points."""
    beside = [y for y, _ in limits] + [y for _, y, _ in marks]
    values = np.concatenate([*(line.y[np.isfinite(line.y)] for line in lines), np.array(beside)])
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if from_zero:
        low = min(low, 0.0)
    steps = round_steps(low, high)
    low, high = min(low, steps[0]), max(high, steps[-1])
    across = np.concatenate([*(line.x[np.isfinite(line.x)] for line in lines), np.array([x for x, _, _ in marks])])
    x_low, x_high = float(across.min()), float(across.max())

    def px(x: float) -> float:
        return LEFT + (x - x_low) / (x_high - x_low or 1.0) * (WIDTH - LEFT - RIGHT)

    def py(y: float) -> float:
        return TOP + (high - y) / (high - low or 1.0) * (HEIGHT - TOP - BOTTOM)

    parts = []
    step = steps[1] - steps[0]
    digits = next(k for k in range(9) if abs(round(step, k) - step) < 1e-9 * step)
    for step in steps:
        y = py(step)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(
            f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number(step, digits)}</text>'
        )
    for at, label in ticks:
        parts.append(f'<text class="tick" x="{px(at):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{text(label)}</text>')
    for at, label in limits:
        parts.append(
            f'<path class="limit" d="M{LEFT} {py(at):.1f}H{WIDTH - RIGHT}"><title>{text(label)}</title></path>'
        )
    for line in sorted(lines, key=lambda one: one.style in BROKEN):
        parts.append(
            f'<path class="line {line.style}" d="{_path(line, px, py)}"><title>{text(line.label)}</title></path>'
        )
    for at, label in limits:  # over the lines, which may run along a limit
        parts.append(
            f'<text class="tick limit-label" x="{WIDTH - RIGHT}" y="{py(at) + (14 if py(at) < TOP + 14 else -4):.1f}" text-anchor="end">{text(label)}</text>'
        )
    for x, y, style in marks:
        parts.append(
            f'<circle class="mark {style}" cx="{px(x):.1f}" cy="{py(y):.1f}" r="4"><title>{number(y)} {text(unit)}</title></circle>'
        )
    names = {line.label: line.style for line in lines}
    legend = "".join(f'<span class="key {style}">{text(label)}</span>' for label, style in names.items())
    return (
        f'<figure><figcaption>{text(title)} <span class="unit">{text(unit)}</span></figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{text(title)}">{"".join(parts)}</svg>'
        f'<div class="legend">{legend}</div></figure>'
    )


def _path(line: Line, px: Scale, py: Scale) -> str:
    drawn, pen_up = [], True
    for x, y in zip(line.x, line.y, strict=True):
        if not np.isfinite(y):
            pen_up = True
            continue
        drawn.append(f"{'M' if pen_up else 'L'}{px(x):.1f} {py(y):.1f}")
        pen_up = False
    return "".join(drawn)


def round_steps(low: float, high: float) -> list[float]:
    """Round values from at or below `low` to at or above `high`, four to seven of them."""
    if high - low < 1e-9 * max(1.0, abs(high)):
        high = low + 1.0
    span = high - low
    raw = span / 4.0
    size = 10.0 ** np.floor(np.log10(raw))
    step = next(size * k for k in (1.0, 2.0, 2.5, 5.0, 10.0) if size * k >= raw)
    first = np.floor(low / step + 1e-9) * step
    count = int(np.ceil((high - first) / step - 1e-9))
    return [float(first + k * step) for k in range(count + 1)]


def bars(title: str, unit: str, rows: Sequence[tuple[str, float]], digits: int = 0) -> str:
    """Horizontal bars around zero, one per row, as an HTML list that a phone can show."""
    widest = max((abs(value) for _, value in rows), default=0.0) or 1.0
    items = []
    for label, value in rows:
        width = 50.0 * abs(value) / widest
        left = 50.0 if value >= 0 else 50.0 - width
        sign = "gain" if value >= 0 else "loss"
        bar = f'<span class="bar {sign}" style="left:{left:.2f}%;width:{width:.2f}%"></span>' if value else ""
        items.append(
            f'<div class="bar-row"><span class="bar-label">{text(label)}</span><span class="bar-track">{bar}</span>'
            f'<span class="bar-value">{number(value, digits)}</span></div>'
        )
    return (
        f'<figure><figcaption>{text(title)} <span class="unit">{text(unit)}</span></figcaption>'
        f'<div class="bars">{"".join(items)}</div></figure>'
    )

"""Where points and their names are placed on a map that is one SVG file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heptagrid.report.words import text

Floats = npt.NDArray[np.float64]

MARGIN = 30
_MOST_LABELS = 250  # points of a map that still has room for names
_LETTER = 6.0  # width of a letter of a name


def fit(
    x: Floats, y: Floats, width: float, height: float, margin: float = MARGIN, keeps_shape: bool = True
) -> tuple[Floats, Floats, float, float]:
    """Coordinates that fill a rectangle, north up, and the rectangle's size."""
    span_x, span_y = float(np.ptp(x)) if len(x) else 0.0, float(np.ptp(y)) if len(y) else 0.0
    scale_x, scale_y = width / (span_x or 1.0), height / (span_y or 1.0)
    if keeps_shape and span_x and span_y:
        scale_x = scale_y = min(scale_x, scale_y)
    px = (x - x.min() if len(x) else x) * scale_x + margin
    py = (y.max() - y if len(y) else y) * scale_y + margin
    return px, py, max(span_x * scale_x, 1.0) + 2.0 * margin, max(span_y * scale_y, 1.0) + 2.0 * margin


def labels(names: Sequence[str], x: Floats, y: Floats, half: Floats, width: float) -> str:
    """The names of points that are `half` as wide as their marks, where there is room; none on a map with many.

    Without a name is what has an empty one.
    """
    if len(x) > _MOST_LABELS:
        return ""
    taken = np.column_stack([x - half, y - half, x + half, y + half])
    parts = []
    for k, name in enumerate(names):
        if not name:
            continue
        wide = _LETTER * len(name)
        for left, top in (
            (5.0, -14.0),
            (5.0, 3.0),
            (-5.0 - wide, -14.0),
            (-5.0 - wide, 3.0),
            (12.0, -14.0),
            (12.0, 3.0),
            (-12.0 - wide, -14.0),
            (-12.0 - wide, 3.0),
        ):
            box = x[k] + left, y[k] + top, x[k] + left + wide, y[k] + top + 11.0
            apart = (
                (taken[:, 0] >= box[2]) | (taken[:, 2] <= box[0]) | (taken[:, 1] >= box[3]) | (taken[:, 3] <= box[1])
            )
            if apart.all() and box[0] >= 0.0 and box[2] <= width and box[1] >= 0.0:
                taken = np.vstack([taken, box])
                parts.append(f'<text x="{box[0]:.1f}" y="{box[3] - 2.0:.1f}">{text(name)}</text>')
                break
    return f'<g font-size="10" fill="#444" stroke="#fff" stroke-width="2" paint-order="stroke">{"".join(parts)}</g>'

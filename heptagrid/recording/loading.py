"""How highly transformers and lines were loaded: an arm's entry `loading`."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.world import World
from heptagrid.foundation.time import from_ns
from heptagrid.recording.totals import Extremes
from heptagrid.recording.town_summary import finite

Floats = npt.NDArray[np.float64]


def loading_summary(world: World, extremes: Extremes, zone: ZoneInfo) -> dict[str, Any]:
    """The highest import and when, and the most loaded transformer and line."""
    return {
        "primary_peak_kw": finite(extremes.peak_kw),
        "primary_peak_at": from_ns(extremes.peak_ns, zone).isoformat() if extremes.peak_ns else None,
        "max_transformer_pct": float(extremes.transformer_peak_pct.max()),
        "max_transformer": _name_of_most(extremes.transformer_peak_pct, world.grid.transformers.names),
        "overloaded_transformers": int((extremes.transformer_peak_pct > 100.0).sum()),
        **_lines(world, extremes.branch_peak_pct),
    }


def _name_of_most(values: Floats, names: npt.NDArray[Any]) -> str | None:
    return str(names[values.argmax()]) if len(values) else None


def _lines(world: World, branch_peak_pct: Floats) -> dict[str, Any]:
    """Cables and overhead lines, each by its most loaded conductor."""
    names = world.grid.lines.names
    line = world.network.line_of_node
    peak_pct = np.zeros(len(names))
    np.maximum.at(peak_pct, line[line >= 0], branch_peak_pct[line >= 0])
    return {
        "max_line_pct": float(peak_pct.max()) if len(names) else None,
        "max_line": _name_of_most(peak_pct, names),
        "overloaded_lines": int((peak_pct > 100.0).sum()),
    }

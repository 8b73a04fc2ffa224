"""The towns in the summary: what each one's infeed, feeders and customers came to."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.world import World
from heptagrid.foundation.time import from_ns
from heptagrid.recording.totals import Extremes, TownFigures

Floats = npt.NDArray[np.float64]


def town_summaries(world: World, figures: TownFigures, extremes: Extremes, zone: ZoneInfo) -> list[dict[str, Any]]:
    """One entry for each town, in the order of the scenario; a figure that there is none of is None."""
    customer_town = world.town_of[: world.customers_count]
    found = []
    for k, town in enumerate(world.towns):
        here = customer_town == k
        outside_s = extremes.customer_outside_s[here]
        loading_pct = extremes.transformer_peak_pct[town.transformers]
        names = world.grid.transformers.names[town.transformers]
        peak_ns = int(figures.peak_ns[k])
        found.append(
            {
                "name": town.name,
                "bus": int(world.bulk.bus_numbers[world.town_bus[k]]),
                "customers": int(here.sum()),
                "substations": town.substations.stop - town.substations.start,
                "imported_mwh": float(figures.imported_kwh[k]) / 1000.0,
                "exported_mwh": float(figures.exported_kwh[k]) / 1000.0,
                "lost_mwh": float(figures.lost_kwh[k]) / 1000.0,
                "peak_kw": finite(figures.peak_kw[k]),
                "peak_at": from_ns(peak_ns, zone).isoformat() if peak_ns else None,
                "customers_min_pu": finite(extremes.customer_v_min[here].min(initial=np.inf)),
                "customers_max_pu": finite(extremes.customer_v_max[here].max(initial=-np.inf)),
                "violation_customer_minutes": float(outside_s.sum()) / 60.0,
                "max_transformer_pct": float(loading_pct.max()) if len(loading_pct) else None,
                "max_transformer": str(names[loading_pct.argmax()]) if len(loading_pct) else None,
                "overloaded_transformers": int((loading_pct > 100.0).sum()),
            }
        )
    return found


def finite(value: float) -> float | None:
    """A figure, or None if there is none."""
    return float(value) if np.isfinite(value) else None

"""Series over the time of a day, as charts draw them: thinned, in a unit that suits, with marks of local time."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

POINTS = 288  # of a line in a chart: a day by five minutes


def unit_of(kw: np.ndarray) -> tuple[str, float]:
    """The unit in which values of kW are drawn, and what a kW is in it."""
    return ("MW", 1e-3) if np.abs(kw).max(initial=0.0) >= 1000.0 else ("kW", 1.0)


def thinned(values: np.ndarray, count: int, how: str = "mean") -> np.ndarray:
    """Values in at most POINTS groups of equal size."""
    size = max(1, count // POINTS)
    whole = len(values) // size * size
    groups = np.asarray(values[:whole], dtype=float).reshape(-1, size)
    return np.asarray(getattr(groups, how)(axis=1))


def ticks_of(times_ns: np.ndarray, zone: ZoneInfo) -> list[tuple[float, str]]:
    """Marks of local time: every few hours of one day, or each midnight of more."""
    first, last = int(times_ns.min()), int(times_ns.max())
    long = last - first > 30 * 3600 * 10**9
    marks = []
    for hour_ns in range(first - first % (3600 * 10**9), last + 1, 3600 * 10**9):
        local = datetime.fromtimestamp(hour_ns / 1e9, tz=UTC).astimezone(zone)
        if hour_ns >= first and (local.hour == 0 if long else local.hour % 4 == 0):
            marks.append((float(hour_ns), f"{local.day}.{local.month}." if long else f"{local.hour:02d}h"))
    return marks[:: max(1, len(marks) // 8)]

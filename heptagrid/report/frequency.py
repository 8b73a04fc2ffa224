"""System frequency on the page and in the terminal: the curve around each disturbance, and what became of its messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from heptagrid.foundation.time import NS_PER_S, to_ns
from heptagrid.report.charts import Line, line_chart
from heptagrid.report.rendering import render
from heptagrid.report.words import ARM_TITLES, duration, number

if TYPE_CHECKING:
    import polars

POINTS = 600  # of a line in a chart
GAP_NS = 2 * 10**9  # between two windows


def frequency_lines(summary: Mapping[str, Any]) -> list[str]:
    """A line for the terminal, of the smart arm where there is one."""
    arms = summary["arms"]
    one = arms["smart" if "smart" in arms else next(iter(arms))].get("frequency")
    if one is None:
        return []
    commands = one["commands"]
    return [
        f"frequency: {number(one['min_hz'], 3)} to {number(one['max_hz'], 3)} Hz, outside {_band(one)} for "
        f"{duration(one['outside_s'])}, {number(one['shed_mw'], 1)} MW shed; {number(commands['delivered'])} of "
        f"{number(commands['sent'])} set-points of secondary control arrived, {number(commands['late'])} late"
    ]


def frequency_section(summary: Mapping[str, Any], series: polars.DataFrame, zone: ZoneInfo) -> str:
    """Curves of each window, and a table of the arms."""
    arms = {name: arm["frequency"] for name, arm in summary["arms"].items() if arm.get("frequency")}
    first = next(iter(arms.values()))
    charts = [_charts(series, window, list(arms), arms, zone) for window in _windows(series)]
    trips = [event for event in summary["events"] if event["kind"] == "unit_trip"]
    charts += [_first_minute(series, event, list(arms)) for event in trips]
    figures: list[tuple[str, Callable[[Mapping[str, Any]], str]]] = [
        ("lowest frequency, Hz", lambda one: number(one["min_hz"], 3)),
        ("highest frequency, Hz", lambda one: number(one["max_hz"], 3)),
        (f"time outside {_band(first)}", lambda one: duration(one["outside_s"])),
        ("most load shed at a time, MW", lambda one: number(one["shed_mw"], 1)),
        ("demand shed, MWh", lambda one: number(one["shed_mwh"], 2)),
        ("telemetry of secondary control: arrived, late, lost", lambda one: _fates(one["telemetry"])),
        ("its set-points: arrived, late, lost", lambda one: _fates(one["commands"])),
    ]
    rows = [[label, *(show(one) for one in arms.values())] for label, show in figures]
    return render(
        "run/frequency.html",
        {
            "nominal_hz": first["nominal_hz"],
            "charts": charts,
            "arms": [ARM_TITLES[name] for name in arms],
            "rows": rows,
        },
    )


def _charts(
    series: polars.DataFrame, window: tuple[int, int], names: list[str], arms: Mapping[str, Any], zone: ZoneInfo
) -> str:
    """Frequency, and power given and drawn, in one window."""
    import polars

    begin, end = window
    here = series.filter(polars.col("time_ns").is_between(begin, end))
    parts = {name: here.filter(polars.col("arm") == name) for name in names}
    ticks = _ticks(begin, end, zone)

    def lines(column: str, label: str = "", style: str = "") -> list[Line]:
        found = []
        for name, one in parts.items():
            x, y = _thinned(one["time_ns"].to_numpy(), one[column].to_numpy())
            found.append(Line(label or ARM_TITLES[name], style or name, x, y))
        return found

    first = next(iter(arms.values()))
    limits = ((first["nominal_hz"] - first["band_hz"], ""), (first["nominal_hz"] + first["band_hz"], _band(first)))
    shown = "smart" if "smart" in parts else names[0]
    balance = [lines("given_mw", "given", "smart"), lines("drawn_mw", "drawn", "conventional")]
    at = names.index(shown)
    return line_chart("System frequency", "Hz", lines("frequency_hz"), ticks, limits) + line_chart(
        f"Bulk power, {ARM_TITLES[shown]}", "MW", [one[at] for one in balance], ticks
    )


def _first_minute(series: polars.DataFrame, event: Mapping[str, Any], names: list[str]) -> str:
    """The frequency from just before a loss on."""
    import polars

    begin = to_ns(datetime.fromisoformat(event["begin"]))
    here = series.filter(polars.col("time_ns").is_between(begin - 5 * NS_PER_S, begin + 60 * NS_PER_S))
    parts = {name: here.filter(polars.col("arm") == name) for name in names}
    lines = [
        Line(ARM_TITLES[name], name, (one["time_ns"].to_numpy() - begin) / NS_PER_S, one["frequency_hz"].to_numpy())
        for name, one in parts.items()
        if len(one)
    ]
    ticks = [(float(second), f"{second} s") for second in (0, 15, 30, 45)]
    title = f"The first minute after {event['begin'][11:19]}"
    return line_chart(title, "Hz", lines, ticks) if lines else ""


def _windows(series: polars.DataFrame) -> list[tuple[int, int]]:
    """First and last instant of each stretch in which the frequency was followed."""
    times = np.unique(series["time_ns"].to_numpy())
    cuts = np.flatnonzero(np.diff(times) > GAP_NS)
    firsts, lasts = np.append(0, cuts + 1), np.append(cuts, len(times) - 1)
    return [(int(times[a]), int(times[b])) for a, b in zip(firsts, lasts, strict=True)]


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest of each group, in the order in which they came, so that no dip is lost."""
    size = max(1, 2 * len(x) // POINTS)
    kept = set()
    for first in range(0, len(x), size):
        part = y[first : first + size]
        kept |= {first + int(part.argmin()), first + int(part.argmax())}
    rows = np.array(sorted(kept), dtype=np.int64)
    return x[rows].astype(float), y[rows]


def _ticks(begin_ns: int, end_ns: int, zone: ZoneInfo) -> list[tuple[float, str]]:
    """Full minutes of local time, five or so."""
    minutes = next(m for m in (1, 2, 5, 10, 15, 30, 60, 120, 240, 10**6) if (end_ns - begin_ns) / 6e10 <= 6 * m)
    every = minutes * 60 * 10**9
    edge = (end_ns - begin_ns) // 25  # a label there would be cut off
    marks = range(-(-(begin_ns + edge) // every) * every, end_ns - edge + 1, every)
    return [(float(ns), f"{datetime.fromtimestamp(ns / 1e9, tz=UTC).astimezone(zone):%H:%M}") for ns in marks]


def _fates(counts: Mapping[str, int]) -> str:
    return ", ".join(number(counts[fate]) for fate in ("delivered", "late", "lost"))


def _band(one: Mapping[str, Any]) -> str:
    return f"{number(one['nominal_hz'])} Hz ± {number(1000.0 * one['band_hz'])} mHz"

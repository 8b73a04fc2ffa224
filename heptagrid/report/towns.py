"""The towns of a run side by side: what each is, what its infeed, feeders and customers came to, and its import over the day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from heptagrid.report.charts import Line, line_chart
from heptagrid.report.rendering import render
from heptagrid.report.time_axis import thinned, ticks_of, unit_of
from heptagrid.report.words import ARM_TITLES, energy_unit, kind_of_places, number, signed

if TYPE_CHECKING:
    import polars

Summary = Mapping[str, Any]

MOST_ROWS, MOST_CHARTS = 12, 6
"""Towns in a table, and with a chart of their own; the summary has all."""

_Column = tuple[str, int, Callable[[Summary], float | None], bool]
"""Heading, decimals, the figure of a town in an arm, and whether a difference of it means something."""


def towns_of(summary: Summary) -> list[str]:
    """The names of a run's towns; an empty one where the scenario names none."""
    arm = next(iter(summary["arms"].values()))
    return [str(one["name"]) for one in arm.get("towns", ())]


def towns_section(summary: Summary, manifest: Summary, infeeds: polars.DataFrame | None) -> str:
    """What each town is, its figures in every arm, and a chart of each one's import."""
    arms, names = summary["arms"], towns_of(summary)
    columns, shown, drawn = _columns(arms), greatest(summary, MOST_ROWS), greatest(summary, MOST_CHARTS)
    of_towns = _what_they_are(arms)
    return render(
        "run/towns.html",
        {
            "part": kind_of_places(names),
            "towns": [of_towns[k] for k in shown],
            "heads": [head for head, *_ in columns],
            "figures": [
                {"name": names[k], "rows": _rows([arm["towns"][k] for arm in arms.values()], list(arms), columns)}
                for k in shown
            ],
            "charts": [] if infeeds is None else _import_charts(infeeds, summary, manifest, drawn),
            "count": len(names),
        },
    )


def greatest(summary: Summary, most: int) -> list[int]:
    """The numbers of the towns that have room, ascending: those with the highest peak import in any arm; none is known of one that was stopped in its warm-up."""
    known_kw = [[arm["towns"][k]["peak_kw"] for arm in summary["arms"].values()] for k in range(len(towns_of(summary)))]
    peaks_kw = [max((one for one in of_town if one is not None), default=0.0) for of_town in known_kw]
    return sorted(sorted(range(len(peaks_kw)), key=lambda k: -peaks_kw[k])[:most])


def _what_they_are(arms: Mapping[str, Summary]) -> list[dict[str, Any]]:
    """What is the same in every arm: place, size, technologies."""
    access = next((arm["access_by_town"] for arm in arms.values() if arm.get("access_by_town")), None)
    found = []
    for k, town in enumerate(next(iter(arms.values()))["towns"]):
        found.append(
            {
                "name": town["name"],
                "customers": town["customers"],
                "substations": town["substations"],
                "bus": town["bus"],
                "access": access[k]["access"] if access else None,
                "backhaul": access[k]["backhaul"] if access else None,
            }
        )
    return found


def _columns(arms: Mapping[str, Summary]) -> list[_Column]:
    energies = [one[key] for arm in arms.values() for one in arm["towns"] for key in ("imported_mwh", "lost_mwh")]
    unit, scale, digits = energy_unit(*energies)
    exported = any(one["exported_mwh"] >= 0.005 for arm in arms.values() for one in arm["towns"])
    columns: list[_Column] = [
        ("peak import, kW", 0, lambda one: one["peak_kw"], True),
        (f"imported, {unit}", digits, lambda one: scale * float(one["imported_mwh"]), True),
        (f"exported, {unit}", digits, lambda one: scale * float(one["exported_mwh"]), True),
        (f"lost, {unit}", digits, lambda one: scale * float(one["lost_mwh"]), True),
        ("lowest supply voltage, pu", 3, lambda one: one["customers_min_pu"], False),
        ("highest supply voltage, pu", 3, lambda one: one["customers_max_pu"], False),
        ("outside the band, customer-min", 0, lambda one: one["violation_customer_minutes"], True),
        ("highest transformer loading, %", 1, lambda one: one["max_transformer_pct"], False),
    ]
    return [one for one in columns if exported or not one[0].startswith("exported")]


def _rows(of_arms: Sequence[Summary], arms: Sequence[str], columns: Sequence[_Column]) -> list[dict[str, Any]]:
    """A town's figures: a row for each arm, and one for the difference of smart and conventional."""
    rows = [
        {
            "title": ARM_TITLES[arm],
            "at": (one["peak_at"] or "")[:16].replace("T", " "),
            "cells": [number(value(one), digits) for _, digits, value, _ in columns],
        }
        for arm, one in zip(arms, of_arms, strict=True)
    ]
    found = dict(zip(arms, of_arms, strict=True))
    if {"smart", "conventional"} <= found.keys():
        cells = [
            _change(value(found["smart"]), value(found["conventional"]), digits) if is_sum else ""
            for _, digits, value, is_sum in columns
        ]
        rows.append({"title": "difference", "at": "", "cells": cells})
    return rows


def _change(value: float | None, base: float | None, digits: int) -> str:
    return signed(None if value is None or base is None else value - base, digits)


def _import_charts(infeeds: polars.DataFrame, summary: Summary, manifest: Summary, towns: Sequence[int]) -> list[str]:
    """A chart for each of some towns, of the day on which any of them imported most."""
    import polars

    arms, names = summary["arms"], towns_of(summary)
    if not len(infeeds):
        return []
    (chosen,) = infeeds.sort("p_kw")["run_day"].tail(1)
    day = infeeds.filter(polars.col("run_day") == chosen)
    unit, scale = unit_of(day["p_kw"].to_numpy())
    ticks = ticks_of(day["time_ns"].to_numpy(), ZoneInfo(manifest["zone"]))
    when = f", {manifest['dates'][chosen]}" if infeeds["run_day"].n_unique() > 1 else ""
    charts = []
    for k in towns:
        name, lines = names[k], []
        for arm in arms:
            mine = day.filter((polars.col("town") == k) & (polars.col("arm") == arm))
            if len(mine):
                x = thinned(mine["time_ns"].to_numpy().astype(float), len(mine))
                lines.append(Line(ARM_TITLES[arm], arm, x, scale * thinned(mine["p_kw"].to_numpy(), len(mine))))
        charts.append(line_chart(f"Import of {name}{when}", unit, lines, ticks, from_zero=True))
    return charts

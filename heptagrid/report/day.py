"""Load, voltage and loading over the day: the charts of a run's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from heptagrid.domains.customers.device import device_words
from heptagrid.report.charts import Line, line_chart
from heptagrid.report.rendering import render
from heptagrid.report.time_axis import thinned, ticks_of, unit_of
from heptagrid.report.words import ARM_TITLES, listing

if TYPE_CHECKING:
    import polars


def shown_day(totals: polars.DataFrame) -> int:
    """The run day whose charts the page shows: that of the highest import."""
    import polars

    peaks = totals.group_by("run_day").agg(polars.col("import_kw").max()).sort("import_kw")
    return int(peaks["run_day"][-1])


def day_charts(totals: polars.DataFrame | None, arms: dict[str, Any], manifest: dict[str, Any], towns: int = 1) -> str:
    """The charts of the day with the highest import, and a table of all days where there are several; towns: how many there are."""
    if totals is None:
        return render("run/no_series.html", {})
    import polars

    zone = ZoneInfo(manifest["zone"])
    days = totals["run_day"].unique().sort().to_list()
    chosen = shown_day(totals)
    mine = totals.filter(polars.col("run_day") == chosen)
    found = {arm: mine.filter(polars.col("arm") == arm) for arm in arms}
    series = {arm: one for arm, one in found.items() if len(one)}  # an arm stopped in its warm-up has none
    x = {arm: thinned(one["time_ns"].to_numpy().astype(float), len(one)) for arm, one in series.items()}
    ticks = ticks_of(mine["time_ns"].to_numpy(), zone)

    def lines(column: str, how: str = "mean", scale: float = 1.0, name: str = "") -> list[Line]:
        return [
            Line(name or ARM_TITLES[arm], arm, x[arm], scale * thinned(one[column].to_numpy(), len(one), how))
            for arm, one in series.items()
        ]

    unit, per_kw = unit_of(mine["import_kw"].to_numpy())
    marks = []
    for arm, one in series.items():
        load = one["import_kw"].to_numpy()
        if len(load):
            marks.append((float(one["time_ns"].to_numpy()[load.argmax()]), float(load.max()) * per_kw, arm))
    infeed = "the infeed" if towns < 2 else "all infeeds together"
    net = line_chart(f"Import at {infeed}", unit, lines("import_kw", scale=per_kw), ticks, marks=marks, from_zero=True)
    low, high = lines("customer_v_min_pu", "min"), lines("customer_v_max_pu", "max")
    volts = line_chart(
        "Lowest and highest supply voltage of any customer",
        "pu",
        [*low, *high],
        ticks,
        limits=((0.9, "EN 50160: 0.9"), (1.1, "EN 50160: 1.1")),
    )
    devices, idle = [], []
    owned = next(iter(arms.values()))["devices"]
    words = {name: one for name, one in device_words().items() if name in owned}
    for name, called in words.items():
        column = f"{name}_kw"
        if not (mine[column] != 0.0).any():
            idle.append(f"no {called.one} {called.verb} on this day" if owned[name] else f"there are no {called.many}")
            continue
        its_unit, its_scale = unit_of(mine[column].to_numpy())
        devices.append(line_chart(called.chart, its_unit, lines(column, scale=its_scale), ticks, from_zero=True))
    first = next(iter(series))
    local = [
        Line(label, style, x[first], per_kw * thinned(series[first][column].to_numpy(), len(series[first])))
        for label, style, column in (
            (f"demand without {listing([one.many for one in words.values()])}", "base", "base_kw"),
            ("local generation", "units", "generated_kw"),
        )
        if column == "base_kw" or (series[first][column] != 0.0).any()
    ]
    both = "Demand and local generation" if len(local) == 2 else "Demand"
    if len(local) == 1:
        idle.append("local generation is 0 on this day" if owned["local_units"] else "there is no local generation")
    price = Line(
        "every arm", "base", x[first], thinned(series[first]["price_eur_per_mwh"].to_numpy(), len(series[first]))
    )
    charts = [
        net,
        volts,
        *devices,
        line_chart(f"{both}, the same in every arm", unit, local, ticks, from_zero=True),
        line_chart("Day-ahead price", "EUR/MWh", [price], ticks, from_zero=True),
        line_chart(
            "Highest transformer loading",
            "%",
            lines("transformer_max_pct", "max"),
            ticks,
            ((100.0, "rated"),),
            from_zero=True,
        ),
        line_chart(
            "Highest line loading", "%", lines("line_max_pct", "max"), ticks, ((100.0, "rated"),), from_zero=True
        ),
    ]
    said = "; ".join(idle)
    return render(
        "run/day.html",
        {
            "days": len(days),
            "chosen": manifest["dates"][chosen],
            "charts": charts,
            "idle": said[:1].upper() + said[1:],
            "peaks_of": [f"peak import, kW, {ARM_TITLES[arm]}" for arm in arms],
            "rows": _every_day(totals, arms, manifest) if len(days) > 1 else [],
        },
    )


def _every_day(totals: polars.DataFrame, arms: dict[str, Any], manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Of each day: its weight, the peak of each arm, the outdoor temperature."""
    import polars

    grouped = totals.group_by("run_day", "arm").agg(polars.col("import_kw").max(), polars.col("outside_c").mean())
    weights = {one["date"]: one["weight"] for one in manifest["typical_days"]}
    found = {(row["run_day"], row["arm"]): row for row in grouped.iter_rows(named=True)}
    rows = []
    for day, when in enumerate(manifest["dates"][: totals["run_day"].n_unique()]):
        first = found.get((day, next(iter(arms))))
        rows.append(
            {
                "day": when,
                "weight": weights.get(when),
                "outside_c": first["outside_c"] if first else None,
                "peaks_kw": [found[day, arm]["import_kw"] if (day, arm) in found else None for arm in arms],
            }
        )
    return rows

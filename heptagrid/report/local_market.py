"""Local markets on the page and in the terminal: their prices over the day, what bids and prices came to, and the markets that were short."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from heptagrid.report.charts import Line, line_chart
from heptagrid.report.rendering import render
from heptagrid.report.time_axis import ticks_of
from heptagrid.report.words import ARM_TITLES, number

if TYPE_CHECKING:
    import polars

SHORTEST = 5  # markets in the table of those that were short the longest

_FIGURES: tuple[tuple[str, Callable[[Mapping[str, Any]], str]], ...] = (
    ("bids sent", lambda one: number(one["bids_sent"])),
    ("of these in time for their market, %", lambda one: _share(one["bids_arrived"], one["bids_sent"])),
    ("too late, and lost", lambda one: f"{number(one['bids_late'])}, {number(one['bids_lost'])}"),
    ("prices that arrived before their interval, %", lambda one: _share(one["prices_in_time"], one["prices_sent"])),
    ("mean price, ct/kWh", lambda one: _cents(one["mean_price_eur_per_kwh"])),
    ("highest price, ct/kWh", lambda one: _cents(one["highest_price_eur_per_kwh"])),
    ("intervals in which the grid did not set the price, %", lambda one: number(100.0 * one["congested_share"], 2)),
    ("intervals at the price cap, %", lambda one: number(100.0 * one["capped_share"], 2)),
    ("bought by devices, MWh", lambda one: number(one["bought_mwh"], 2)),
    ("sold by devices, MWh", lambda one: number(one["sold_mwh"], 2)),
    ("drawn by devices that had heard the price, MWh", lambda one: number(one["drawn_mwh"], 2)),
    ("congestion surplus, EUR", lambda one: number(one["surplus_eur"], 2)),
)


def local_market_lines(summary: Mapping[str, Any]) -> list[str]:
    """A line for the terminal, of the smart arm; none where there are no local markets."""
    one = summary["arms"].get("smart", {}).get("local_market")
    if one is None:
        return []
    return [
        f"local markets: {len(one['names'])}, {_share(one['bids_arrived'], one['bids_sent'])} % of {number(one['bids_sent'])} bids arrived in time; the grid did not set the "
        f"price in {number(100.0 * one['congested_share'], 2)} % of the intervals; highest price {_cents(one['highest_price_eur_per_kwh'])} ct/kWh; "
        f"congestion surplus {number(one['surplus_eur'], 2)} EUR"
    ]


def local_market_section(summary: Mapping[str, Any], rows: polars.DataFrame | None, zone: ZoneInfo) -> str:
    """Prices over the first day, figures of every arm that has markets, and those that were short the longest; nothing where there are none."""
    arms = {name: arm["local_market"] for name, arm in summary["arms"].items() if arm.get("local_market")}
    if not arms or rows is None or rows.height == 0:
        return ""
    shown = "smart" if "smart" in arms else next(iter(arms))
    one = arms[shown]
    return render(
        "run/local_market.html",
        {
            "markets": len(one["names"]),
            "minutes": one["interval_s"] / 60.0,
            "participants": one["participants"],
            "charts": _charts(rows, shown, zone),
            "arms": [ARM_TITLES[name] for name in arms],
            "rows": [(title, [figure(arm) for arm in arms.values()]) for title, figure in _FIGURES],
            "short": _short(rows, shown, one),
        },
    )


def _charts(rows: polars.DataFrame, arm: str, zone: ZoneInfo) -> list[str]:
    """Prices, and what devices traded, of all markets over the first day of an arm."""
    import polars

    mine = rows.filter((polars.col("arm") == arm) & (polars.col("run_day") == rows["run_day"].min()))
    price, traded = polars.col("price_eur_per_kwh"), polars.col("traded_kw")
    by_time = (
        mine.group_by("time_ns")
        .agg(
            (price * traded).sum().alias("paid"),
            traded.sum().alias("traded"),
            price.max().alias("highest"),
            polars.col("grid_eur_per_kwh").mean().alias("grid"),
            *(polars.col(name).sum() for name in ("bought_kw", "sold_kw", "drawn_kw")),
        )
        .sort("time_ns")
    )
    by_time = by_time.filter(polars.col("time_ns") < by_time["time_ns"][0] + 25 * 3600 * 10**9)
    x = by_time["time_ns"].to_numpy().astype(float)
    ticks = ticks_of(by_time["time_ns"].to_numpy(), zone)

    def line(label: str, style: str, values: np.ndarray) -> Line:
        return Line(label, style, x, np.asarray(values, dtype=float))

    mean = by_time["paid"].to_numpy() / np.maximum(by_time["traded"].to_numpy(), 1e-9)
    prices = [
        line("highest of the markets", "smart", 100.0 * by_time["highest"].to_numpy()),
        line("mean, by what was traded", "conventional", 100.0 * mean),
        line("the grid's", "base", 100.0 * by_time["grid"].to_numpy()),
    ]
    cleared = by_time["bought_kw"].to_numpy() - by_time["sold_kw"].to_numpy()
    powers = [
        line("drawn by devices that heard", "smart", by_time["drawn_kw"].to_numpy()),
        line("cleared, bought less sold", "conventional", cleared),
    ]
    return [
        line_chart("Prices of the local markets", "ct/kWh", prices, ticks, from_zero=True),
        line_chart("What devices bought, and drew", "kW", powers, ticks, from_zero=True),
    ]


def _short(rows: polars.DataFrame, arm: str, one: Mapping[str, Any]) -> list[list[str]]:
    """The markets in which the grid did not set the price the longest: name, hours, highest price, surplus."""
    import polars

    hours = one["interval_s"] / 3600.0
    found = (
        rows.filter((polars.col("arm") == arm) & (polars.col("set_by") != "grid"))
        .group_by("market")
        .agg(
            (polars.len() * hours).alias("hours"),
            polars.col("price_eur_per_kwh").max().alias("highest"),
            polars.col("owed_eur").sum().alias("surplus"),
        )
        .sort(["hours", "market"], descending=[True, False])
        .head(SHORTEST)
    )
    return [
        [one["names"][row["market"]], number(row["hours"], 1), _cents(row["highest"]), number(row["surplus"], 2)]
        for row in found.iter_rows(named=True)
    ]


def _share(part: float, whole: float) -> str:
    return number(100.0 * part / whole, 2) if whole else "–"


def _cents(eur_per_kwh: float | None) -> str:
    return number(None if eur_per_kwh is None else 100.0 * eur_per_kwh, 2)

"""The section "How the day-ahead price came about": merit order and prices by bus, at a day's dearest and cheapest hour.

The least outputs of the thermal units that are on stand first, for they are no choice of the hour's; then water, wind and sun, which offer what there is at no
cost; then the blocks of the units, from the cheapest. Storages stand with demand. Where curve and demand meet is the price of a market without ramps,
held capacity, storages, tanks and networks; the day's program has these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import NS_PER_HOUR, from_ns
from heptagrid.report.bus_prices import bus_price_map
from heptagrid.report.merit_order import MINIMUM, Block, merit_order_chart
from heptagrid.report.rendering import render
from heptagrid.report.words import ARM_TITLES, number

if TYPE_CHECKING:
    import polars

Frames = Mapping[str, "polars.DataFrame | None"]

TABLES = ("unit_hours", "unit_blocks", "unit_list", "bus_prices", "bus_list", "branch_list")
"""What the section reads, beside `totals`."""
PICKED = {"dearest": np.argmax, "cheapest": np.argmin}
FREE = ("water", "wind", "sun")
STORAGE, THERMAL = "storage", "thermal"
LEAST_MW = 1e-6


class Hour(NamedTuple):
    """An hour of one arm: which, when it begins, and its price."""

    which: str
    begin_ns: int
    price_eur_per_mwh: float


def market_section(frames: Frames, manifest: Mapping[str, Any], arm: str, run_day: int) -> str:
    """The section's body of one arm and run day; empty where the run has not its tables."""
    found = {name: frames[name] for name in ("totals", *TABLES) if frames.get(name) is not None}
    if len(found) <= len(TABLES):
        return ""
    tables = {name: one for name, one in found.items() if one is not None}
    mine = {name: _mine(tables[name], arm, run_day) for name in ("totals", "unit_hours", "bus_prices")}
    hours = _picked(mine["totals"], mine["unit_hours"])
    if not hours:
        return ""
    zone = ZoneInfo(manifest["zone"])
    charts, maps, said = [], [], []
    for hour in hours:
        blocks, given_mw = merit_order(_at(mine["unit_hours"], hour), tables["unit_list"], tables["unit_blocks"])
        when = f"{from_ns(hour.begin_ns, zone):%d %B %Y, %H:%M}"
        title = f"Merit order of the {hour.which} hour, {when}"
        charts.append(merit_order_chart(title, blocks, given_mw, hour.price_eur_per_mwh))
        maps.append(_map(f"Price at each bus, {hour.which} hour", _at(mine["bus_prices"], hour), tables))
        said.append(_meets(blocks, given_mw, hour))
    pricing = manifest["scenario"]["market"]["pricing"]["value"]
    return render(
        "run/market.html",
        {
            "charts": charts,
            "maps": maps,
            "said": said,
            "beside": beside(mine["bus_prices"], mine["unit_hours"]),
            "is_zonal": pricing == "zonal",
            "arm": ARM_TITLES[arm],
        },
    )


def beside(prices: polars.DataFrame, unit_hours: polars.DataFrame) -> list[str]:
    """What the day's prices hold, and buy, beside energy: losses and reserve, each where the market prices it. The first bus is the reference."""
    import polars

    said = []
    if "loss_eur_per_mwh" in prices.columns and prices["loss_eur_per_mwh"].abs().max():
        column = prices["loss_eur_per_mwh"].to_numpy()
        low, high = number(float(column.min()), 1), number(float(column.max()), 1)
        said.append(
            f"Of the day's prices at the buses {low} to {high} EUR/MWh are for losses, counted from bus {prices['bus'][0]}."
        )
    if "held_mw" in unit_hours.columns and unit_hours["held_mw"].max():
        hours = unit_hours.group_by("hour_ns").agg(
            polars.col("held_mw").sum(), polars.col("reserve_eur_per_mw").max().alias("price")
        )
        paid, priced = float((hours["held_mw"] * hours["price"]).sum()), hours.filter(polars.col("price") > LEAST_MW)
        mean = number(float(hours["held_mw"].to_numpy().mean()), 0)
        said.append(f"Thermal units sold {mean} MW of reserve in the mean, for {number(paid, 0)} EUR in all.")
        if len(priced):
            most = number(float(priced["price"].to_numpy().max()), 1)
            said.append(f"In {len(priced)} of {len(hours)} hours reserve had a price, up to {most} EUR/MW.")
    return said


def merit_order(hour: polars.DataFrame, units: polars.DataFrame, blocks: polars.DataFrame) -> tuple[list[Block], float]:
    """The blocks offered in an hour, in their order, and what all units but storages gave, MW."""
    state = {row["unit"]: row for row in hour.iter_rows(named=True)}
    kind_of = dict(zip(units["unit"].to_list(), units["kind"].to_list(), strict=True))
    name_of = dict(zip(units["unit"].to_list(), units["name"].to_list(), strict=True))
    free = [
        Block(name_of[unit], kind_of[unit], row["high_mw"], 0.0)
        for kind in FREE
        for unit, row in state.items()
        if kind_of[unit] == kind and row["high_mw"] > LEAST_MW
    ]
    least, above = [], []
    for row in blocks.iter_rows(named=True):
        now, kind = state[row["unit"]], row["kind"]
        mw = min(row["to_mw"], now["high_mw"]) - row["from_mw"]
        if kind in (*FREE, STORAGE) or not now["on"] or mw <= LEAST_MW:
            continue
        if kind == THERMAL and row["from_mw"] == 0.0 and now["low_mw"] > LEAST_MW:
            least.append(Block(row["name"], MINIMUM, mw, 0.0))
        else:
            above.append(Block(row["name"], row["fuel"] or kind, mw, row["eur_per_mwh"]))
    above.sort(key=lambda one: one.eur_per_mwh)
    given_mw = sum(row["p_mw"] for unit, row in state.items() if kind_of[unit] != STORAGE)
    return [*least, *free, *above], float(given_mw)


def _mine(table: polars.DataFrame, arm: str, run_day: int) -> polars.DataFrame:
    import polars

    return table.filter((polars.col("arm") == arm) & (polars.col("run_day") == run_day))


def _at(table: polars.DataFrame, hour: Hour) -> polars.DataFrame:
    import polars

    return table.filter(polars.col("hour_ns") == hour.begin_ns)


def _picked(totals: polars.DataFrame, unit_hours: polars.DataFrame) -> list[Hour]:
    """The dearest and the cheapest of the cleared hours that the totals hold, the first where several are alike."""
    begins, prices = (totals[name].to_numpy() for name in ("time_ns", "price_eur_per_mwh"))
    is_hour = (begins % NS_PER_HOUR == 0) & np.isin(begins, unit_hours["hour_ns"].to_numpy())
    begins, prices = begins[is_hour], prices[is_hour]
    if not len(begins):
        return []
    return [Hour(which, int(begins[pick(prices)]), float(prices[pick(prices)])) for which, pick in PICKED.items()]


def _map(title: str, prices: polars.DataFrame, tables: Mapping[str, polars.DataFrame]) -> str:
    buses, branches = tables["bus_list"], tables["branch_list"]
    position = {bus: k for k, bus in enumerate(buses["bus"].to_list())}
    price_of = dict(zip(prices["bus"].to_list(), prices["price_eur_per_mwh"].to_list(), strict=True))
    at_buses: npt.NDArray[np.float64] = np.array([price_of[bus] for bus in position], dtype=np.float64)
    ends = [np.array([position[bus] for bus in branches[name].to_list()]) for name in ("from_bus", "to_bus")]
    places = buses["longitude_deg"].to_numpy(), buses["latitude_deg"].to_numpy()
    return bus_price_map(title, buses["name"].to_list(), places, (ends[0], ends[1]), at_buses)


def _meets(blocks: list[Block], given_mw: float, hour: Hour) -> str:
    """Which offer demand reaches, beside the price."""
    reached = int(np.searchsorted(np.cumsum([one.mw for one in blocks]), given_mw - LEAST_MW))
    cleared = f"{number(hour.price_eur_per_mwh, 1)} EUR/MWh"
    if reached >= len(blocks):
        return f"In the {hour.which} hour demand takes all that is offered; the price is {cleared}."
    last = blocks[reached]
    offer = (
        f"{last.unit} at its minimum"
        if last.kind == MINIMUM
        else f"{last.unit} at {number(last.eur_per_mwh, 1)} EUR/MWh"
    )
    return f"In the {hour.which} hour demand reaches {offer}; the market cleared at {cleared}."

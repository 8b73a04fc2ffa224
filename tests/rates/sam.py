"""SAM's rates, and its profiles from their sums (tests/cases/sam): hours of a year that begins on a Monday, with the same sums and peaks."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.time import to_ns
from heptagrid.planes.money.rates.use import Use

FILE = Path(__file__).parents[1] / "cases/sam/profiles.csv"
YEAR = 2018  # begins on a Monday
HOURS = 8760
MANY = 1e38
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@cache
def columns() -> dict[str, np.ndarray]:
    """(12, 2, 24) of each column: month, weekday or weekend, hour."""
    rows = list(csv.reader(FILE.read_text(encoding="utf-8").splitlines()))
    cells = np.array([[float(one or 0.0) for one in row] for row in rows[1:]])
    return {name: cells[:, k].reshape(12, 2, 24) for k, name in enumerate(rows[0])}


def use(taken: str, fed: str = "", first: int = 1, months: int = 12) -> Use:
    """The use of some months of the year, in hours: a peak on the cell's first day, what is fed in on its last, the rest between."""
    begin = datetime(YEAR, first, 1, tzinfo=UTC)
    last = first - 1 + months
    slots = (datetime(YEAR + last // 12, last % 12 + 1, 1, tzinfo=UTC) - begin).days * 24
    calendar = Calendar.of(to_ns(begin), slots, 3600, ZoneInfo("UTC"))
    table = columns()
    import_kwh, export_kwh = np.zeros((slots, 1)), np.zeros((slots, 1))
    month = calendar.month_of_year[calendar.month]
    hour = calendar.quarter // 4
    for m in range(first - 1, last):
        for kind in range(2):
            days = np.flatnonzero((month == m) & (calendar.is_weekend == bool(kind)) & (hour == 0))
            for h in range(24):
                total, out = table[taken][m, kind, h], table[fed][m, kind, h] if fed else 0.0
                peak = table[f"{taken}_kw"][m, kind, h] if f"{taken}_kw" in table else total / len(days)
                others = days[1:-1] if out else days[1:]
                import_kwh[days[0] + h] = peak
                import_kwh[others + h] = (total - peak) / len(others)
                export_kwh[days[-1] + h] = out
    return Use(calendar, import_kwh, export_kwh)


def two_meters() -> Use:
    """The house's load, and its generation by a meter of its own."""
    house, made = use("load"), use("made_own", "made")
    return Use(house.calendar, house.import_kwh + made.import_kwh, made.export_kwh)


def table(*rows: tuple[int, str]) -> list[list[int]]:
    """A table of months and hours: how many months, and a digit for each hour's period."""
    return [[_DIGITS.index(one) for one in row] for count, row in rows for _ in range(count)]


def rate(weekday: Any, weekend: Any, *periods: list[tuple[Any, ...]], **fields: Any) -> dict[str, Any]:
    """A rate as OpenEI's database has it; tiers are price, selling price, limit and unit."""
    tiers = [
        [{"rate": one[0], "sell": one[1]} | ({"max": one[2], "unit": one[3]} if len(one) > 2 else {}) for one in period]
        for period in periods
    ]
    return {
        "energyratestructure": tiers,
        "energyweekdayschedule": weekday,
        "energyweekendschedule": weekend,
    } | fields


HOUSE = (
    table((4, "000000000011111222220000"), (6, "000000000000000333330000"), (2, "000000000011111222220000")),
    table((12, "0" * 24)),
)
BUY = (0.1, 0.05, 0.2, 0.25)


def house(sell: tuple[float, ...] = (0.0,) * 4, scale: float = 1.0, **fields: Any) -> dict[str, Any]:
    """`setup_residential_rates`; `scale` is what a later year's prices are multiplied with."""
    periods = [[(buy * scale, earn * scale)] for buy, earn in zip(BUY, sell, strict=True)]
    return rate(*HOUSE, *periods, **fields)


def daily_tiers(**fields: Any) -> dict[str, Any]:
    """`Test_Residential_TOU_Rates_w_tiers`: limits by day."""
    winter, between = (2, "555555444444444433333444"), (2, "555555444455554433333444")
    weekday = table(winter, between, (1, winter[1]), (5, "222222111111111100000111"), winter)
    weekend = table((5, "555555555555554433333444"), (5, "222222222222221100000111"), (2, "555555555555554433333444"))
    prices = ((0.31868, 0.50884), (0.26425, 0.45441), (0.21035, 0.40051), (0.23241, 0.40853), (0.22394, 0.40006))
    limits = (11.7, 11.7, 11.7, 11.96, 11.96, 11.96)
    periods = [
        [(low, 0.0, limit, "kWh daily"), (high, 0.0, MANY, "kWh daily")]
        for (low, high), limit in zip((*prices, (0.21454, 0.39066)), limits, strict=True)
    ]
    return rate(weekday, weekend, *periods, **fields)


def shop(**fields: Any) -> dict[str, Any]:
    """`Test_Commercial_Demand_Charges`: demand by time of use, in tiers."""
    weekday = table((4, "333333333333333222223333"), (6, "111111111111111000001111"), (2, "333333333333333222223333"))
    weekend = table((4, "3" * 24), (6, "1" * 24), (2, "3" * 24))
    peaks = [
        [{"rate": 20, "max": 100}, {"rate": 15, "max": MANY}],
        [{"rate": 10, "max": 100}, {"rate": 5, "max": MANY}],
    ]
    demand = {
        "demandratestructure": peaks,
        "demandweekdayschedule": table((12, "111111111111111000001111")),
        "demandweekendschedule": table((12, "1" * 24)),
        "fixedchargefirstmeter": 30,
    }
    energy = [[(price, 0.0)] for price in (0.05, 0.075, 0.06, 0.05)]
    return rate(weekday, weekend, *energy, **demand, **fields)


def hours_of_use(winter_in_kwh: bool = False, **fields: Any) -> dict[str, Any]:
    """`Test_Commercial_kWh_per_kW_charges`: blocks by hours of use of the demand, with steps of kWh in the first."""

    def blocks(first: float) -> list[tuple[Any, ...]]:
        steps = [(0.132655, 3000), (0.120303, 10_000), (0.102607, 200_000), (0.079109, MANY)]
        return [
            (first, 0.0, 200, "kWh/kW"),
            *((price, 0.0, limit, "kWh") for price, limit in steps),
            (0.013627, 0.0, 400, "kWh/kW"),
            (0.010275, 0.0, 600, "kWh/kW"),
            (0.00771, 0.0, MANY, "kWh/kW"),
        ]

    winter = [(0.028813, 0.0, 200, "kWh"), (0.132655, 0.0, MANY, "kWh")] if winter_in_kwh else blocks(0.028813)
    seasons = table((5, "1" * 24), (4, "0" * 24), (3, "1" * 24))
    return rate(seasons, seasons, blocks(0.031718), winter, fixedchargefirstmeter=21, **fields)


def steps() -> dict[str, Any]:
    """`Test_Commercial_Energy_Tiers_net_billing`: a tier each 10,000 kWh."""
    always = table((12, "0" * 24))
    tiers = [(0.05 * k, 0.0, MANY if k == 7 else 10_000 * k, "kWh") for k in range(1, 8)]
    return rate(always, always, tiers, fixedchargefirstmeter=30)


def many_periods(**fields: Any) -> dict[str, Any]:
    """`Test_Residential_TOU_Rates_w_36_periods`."""
    prices = [0.1, *(0.05 if k % 2 else 0.2 for k in range(1, 35)), 0.25]
    rest = ((4, "0" * 24), (3, "1" * 24))
    weekday = table((1, "z11x111wvusqropnmlkjihgf"), (1, "edcba9876543111111111111"), (3, "1" * 24), *rest)
    weekend = table((1, "111111j11111m111o111s1v1"), (4, "1" * 24), *rest)
    return rate(weekday, weekend, *([(one, one)] for one in prices), **fields)


def first_hours(kwh: list[float]) -> Use:
    """The first hours of the year as they are: what is taken is positive."""
    calendar = Calendar.of(
        to_ns(datetime.combine(date(YEAR, 1, 1), datetime.min.time(), UTC)), len(kwh), 3600, ZoneInfo("UTC")
    )
    net = np.array(kwh)[:, np.newaxis]
    return Use(calendar, np.maximum(net, 0.0), np.maximum(-net, 0.0))

"""Bills that others worked out on a profile given by a rule: the electric-emission-cost package (we3lab, MIT, commit 28ddcc0,
eeco/tests/test_costs.py with billing_pge.csv), and the parts of months of OpenStudio-HPXML (ReportUtilityBills, test_monthly_prorate).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.time import to_ns
from heptagrid.planes.money.rates.bill import bill
from heptagrid.planes.money.rates.demand import Demand
from heptagrid.planes.money.rates.energy import Energy
from heptagrid.planes.money.rates.feed_in import FeedIn
from heptagrid.planes.money.rates.fixed import Fixed
from heptagrid.planes.money.rates.rate import Rate
from heptagrid.planes.money.rates.schedule import Schedule, Window, of_windows
from heptagrid.planes.money.rates.tiers import Tier, Unit
from heptagrid.planes.money.rates.use import Use

CALIFORNIA = ZoneInfo("America/Los_Angeles")
SUMMER, WINTER = ("05-01", "10-31"), ("11-01", "04-30")
OFF, HALF, PEAK, WINTER_OFF, WINTER_HALF = range(5)


def seasons() -> Schedule:
    """PG&E's summer and winter, off-peak, half-peak and peak, half hours included."""
    weekdays = [
        *((OFF, 21.5, 8.5, SUMMER), (HALF, 8.5, 12, SUMMER), (PEAK, 12, 18, SUMMER), (HALF, 18, 21.5, SUMMER)),
        *((WINTER_OFF, 21.5, 8.5, WINTER), (WINTER_HALF, 8.5, 21.5, WINTER)),
    ]
    weekends = [(OFF, SUMMER), (WINTER_OFF, WINTER)]
    return of_windows(
        [
            *(Window(period, begin, end, *season, "weekday") for period, begin, end, season in weekdays),
            *(Window(period, 0, 24, *season, "weekend") for period, season in weekends),
        ]
    )


def demand_seasons() -> Schedule:
    """As `seasons`, but that in winter the half-peak pauses from 12 to 18."""
    pauses = [Window(WINTER_HALF, 8.5, 12, *WINTER, "weekday"), Window(WINTER_HALF, 18, 21.5, *WINTER, "weekday")]
    rests = [Window(WINTER_OFF, 12, 18, *WINTER, "weekday"), Window(WINTER_OFF, 21.5, 8.5, *WINTER, "weekday")]
    summer = [
        Window(OFF, 21.5, 8.5, *SUMMER, "weekday"),
        Window(HALF, 8.5, 12, *SUMMER, "weekday"),
        Window(PEAK, 12, 18, *SUMMER, "weekday"),
        Window(HALF, 18, 21.5, *SUMMER, "weekday"),
    ]
    weekends = [Window(OFF, 0, 24, *SUMMER, "weekend"), Window(WINTER_OFF, 0, 24, *WINTER, "weekend")]
    return of_windows([*summer, *pauses, *rests, *weekends])


PRICES = (0.08981, 0.1196, 0.16299, 0.09716, 0.1133)
ENERGY = Energy(tuple((Tier(one),) for one in PRICES), seasons())
BY_TIME = Demand(
    tuple((Tier(one, unit=Unit.KW),) for one in (0.0, 5.88, 21.19, 0.0, 0.06)),
    demand_seasons(),
    "demand by time of use",
)
DEMAND = Demand(((Tier(21.3, unit=Unit.KW),),), Schedule.always())


def rising(day: date, days: int = 1) -> Use:
    """0, 1, 2 ... kW, a quarter hour each."""
    kwh = np.arange(96.0 * days)[:, np.newaxis] / 4
    begin = to_ns(datetime(day.year, day.month, day.day, tzinfo=CALIFORNIA))
    return Use(Calendar.of(begin, len(kwh), 900, CALIFORNIA), kwh, np.zeros_like(kwh))


@pytest.mark.parametrize(
    ("day", "usd"),
    [
        (date(2024, 7, 10), 140.916195),
        (date(2024, 7, 13), 102.3834),
        (date(2024, 3, 7), 123.24669),
        (date(2024, 3, 9), 110.7624),
    ],
)
def test_energy_by_season_and_time_of_use(day: date, usd: float) -> None:
    assert bill(Rate(ENERGY), rising(day)).amount().sum() == pytest.approx(usd)


@pytest.mark.parametrize(
    ("day", "days", "usd"),
    [
        (date(2024, 7, 10), 1, 4027.79),
        (date(2024, 7, 13), 1, 2023.5),
        (date(2024, 3, 7), 1, 2028.6),
        (date(2024, 3, 9), 1, 2023.5),
        (date(2024, 7, 10), 3, 13_314.83),
    ],
)
def test_demand_by_season_and_time_of_use(day: date, days: int, usd: float) -> None:
    found = bill(Rate(Energy.flat(0.0), elements=(BY_TIME, DEMAND)), rising(day, days))
    assert found.amount().sum() == pytest.approx(usd)


def test_one_price_of_a_flat_and_of_a_rising_use() -> None:
    use = rising(date(2024, 7, 10))
    flat = Use(use.calendar, np.full((96, 1), 0.25), use.export_kwh)
    assert bill(Rate(Energy.flat(0.05)), flat).amount().sum() == pytest.approx(1.2)
    assert bill(Rate(Energy.flat(0.05)), use).amount().sum() == pytest.approx(np.arange(96).sum() * 0.05 / 4)


def test_what_is_fed_in_earns_its_price() -> None:
    use = rising(date(2024, 7, 10))
    fed = Use(use.calendar, use.export_kwh, use.import_kwh)
    assert bill(Rate(Energy.flat(0.0), FeedIn(1.0)), fed).amount().sum() == pytest.approx(-1140.0)


@pytest.mark.parametrize(
    ("first", "last", "shares"),
    [
        (date(2002, 3, 5), date(2002, 3, 20), [16 / 31]),
        (date(2002, 2, 10), date(2002, 4, 10), [19 / 28, 1.0, 10 / 30]),
    ],
)
def test_a_part_of_a_month_pays_its_days(first: date, last: date, shares: list[float]) -> None:
    zone = ZoneInfo("UTC")
    slots = ((last + timedelta(days=1)) - first).days * 24
    calendar = Calendar.of(to_ns(datetime(first.year, first.month, first.day, tzinfo=zone)), slots, 3600, zone)
    nothing = np.zeros((slots, 1))
    found = bill(Rate(Energy.flat(0.0), elements=(Fixed(8.0),)), Use(calendar, nothing, nothing))
    assert found.amount("fixed")[:, 0].tolist() == pytest.approx([8.0 * one for one in shares])

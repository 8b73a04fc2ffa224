"""What the retailer bids: whole hours of the market, whatever came late and whatever the clock does."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from heptagrid.assembly.span import Span
from heptagrid.contracts import market, retail
from heptagrid.domains.providers.actor import Providers
from heptagrid.domains.providers.known_forecast import forecast_of
from heptagrid.domains.providers.retailer import Parameters, Retailer
from heptagrid.domains.providers.retailer_desk import RetailerDesk
from heptagrid.foundation.contract import Delivery, Wave
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER, Step, market_hours
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.registrations import Enrolled, Need

NONE = np.empty(0, dtype=np.int64)
PLACES = Endpoints(np.arange(1000), NONE, NONE, 1, 2, np.array([3]), np.array([4]), NONE, NONE, NONE)


class Kept:
    """An outbox that keeps what is sent."""

    def __init__(self) -> None:
        self.waves: list[Wave] = []

    def send(self, wave: Wave) -> int:
        self.waves.append(wave)
        return 0


def step_at(day: date, zone: str, hour: float) -> Step:
    span = Span(day, 1, 900, 900, ZoneInfo(zone))
    return next(step for _, step in span.steps() if step.day == day and step.passes_hour(hour))


def forecast(first_quarter: int, town_kw: np.ndarray) -> Delivery:
    one, here = np.array([0]), PLACES.retailers
    told = retail.Forecast(first_quarter, np.asarray(town_kw, dtype=np.float64))
    return Delivery(retail.FORECAST.wave(told, one, here, one), one, one, one)


def bid(step: Step, zone: str, *inbox: Delivery, **enrolled: Enrolled) -> tuple[int, np.ndarray]:
    desk = RetailerDesk(0, PLACES, ZoneInfo(zone), Retailer(Parameters()), np.arange(1000), enrolled)
    providers = Providers([desk], [])
    outbox = Kept()
    providers.act(step, inbox, outbox)
    (demand,) = [demand for wave in outbox.waves if (demand := market.DEMAND.of(wave)) is not None]
    return demand.first_hour, demand.demand_mw


def test_a_forecast_of_the_day_before_that_ends_early_is_continued_by_its_own_last_day() -> None:
    """Made at 10:45 a day ago, of 40 hours, it ends at 02:45 of the day that is bid for."""
    step = step_at(date(2016, 1, 27), "Europe/Berlin", 11.5)
    first = step.day_start_ns // NS_PER_QUARTER - 96 + 43
    quarters = first + np.arange(160)
    first_hour, demand_mw = bid(step, "Europe/Berlin", forecast(first, 1000.0 * (quarters // 4 % 24 + 1.0)))
    assert first_hour == step.day_end_ns // NS_PER_HOUR
    assert demand_mw.tolist() == pytest.approx([(first_hour + k) % 24 + 1.0 for k in range(24)])


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (
            "Australia/Lord_Howe",
            date(2016, 4, 2),
            24,
        ),  # the next day has 24.5 hours, its midnights fall on half hours and whole
        ("Australia/Lord_Howe", date(2016, 10, 1), 24),  # 23.5 hours
        ("Asia/Kathmandu", date(2016, 6, 1), 24),
        ("Europe/Berlin", date(2016, 3, 26), 23),
        ("Europe/Berlin", date(2016, 10, 29), 25),
    ],
)
def test_a_bid_holds_whole_hours_in_every_time_zone(zone: str, day: date, hours: int) -> None:
    step = step_at(day, zone, 11.5)
    first_hour, demand_mw = bid(step, zone, forecast(step.end_ns // NS_PER_QUARTER, np.full(160, 8000.0)))
    assert first_hour == step.day_end_ns // NS_PER_HOUR
    assert abs(len(demand_mw) - hours) <= (1 if zone == "Australia/Lord_Howe" else 0)
    assert demand_mw.tolist() == pytest.approx([8.0] * len(demand_mw))


def test_the_days_of_a_year_share_every_hour_among_themselves() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    days = [Span(date(2016, month, day), 1, 900, 900, zone) for month in (4, 10) for day in (1, 2, 3)]
    for before, after in ((days[0], days[1]), (days[1], days[2]), (days[3], days[4]), (days[4], days[5])):
        first, second = (market_hours(one.start_ns, one.end_ns) for one in (before, after))
        assert first.stop == second.start


def test_an_old_forecast_that_comes_after_a_younger_one_says_nothing() -> None:
    step = step_at(date(2016, 1, 27), "Europe/Berlin", 11.5)
    now = step.end_ns // NS_PER_QUARTER
    young, old = forecast(now, np.full(160, 8000.0)), forecast(now - 4, np.full(160, 5000.0))
    assert bid(step, "Europe/Berlin", young, old)[1].tolist() == pytest.approx([8.0] * 24)


def test_beyond_its_end_a_forecast_says_what_it_said_of_the_day_before() -> None:
    told_kw = np.arange(160.0)
    assert forecast_of(np.array([1000, 1159, 1160, 1255, 1256]), 1000, told_kw).tolist() == [0, 159, 64, 159, 64]


def test_a_retailer_buys_what_aggregators_will_steer_of_its_own_customers() -> None:
    """100 vehicles of 7.8 kWh, charging losses included, are 0.78 MWh in the plugged-in hours of the night."""
    step = step_at(date(2016, 1, 27), "Europe/Berlin", 11.5)
    vehicles = Enrolled(np.arange(100), Need(7.8, 18.0, 7.0), is_capped=True)
    told = forecast(step.end_ns // NS_PER_QUARTER, np.full(160, 8000.0))
    demand_mw = bid(step, "Europe/Berlin", told, vehicles=vehicles)[1]
    assert demand_mw.sum() == pytest.approx(24 * 8.0 + 0.78)
    assert demand_mw[8:17].tolist() == pytest.approx([8.0] * 9)

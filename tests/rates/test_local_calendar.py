"""Local periods become slots of UTC once, whatever the clocks do: days of 23, 24, 25, 23.5 and 24.5 hours, and days without a midnight."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptagrid.assembly.span import Phase, Span
from heptagrid.foundation.calendar import Calendar
from heptagrid.foundation.errors import ScenarioError
from heptagrid.foundation.time import NS_PER_QUARTER, NS_PER_S, from_ns, local_hours, midnight_ns
from heptagrid.foundation.zone_offsets import offsets_s
from heptagrid.planes.money.rates.bill import bill
from heptagrid.planes.money.rates.energy import Energy
from heptagrid.planes.money.rates.net_billing import NetBilling
from heptagrid.planes.money.rates.rate import Rate
from heptagrid.planes.money.rates.schedule import of_windows
from heptagrid.planes.money.rates.tiers import Tier
from heptagrid.planes.money.rates.use import Use
from heptagrid.planes.money.tariffs import billing_rules
from heptagrid.planes.money.tariffs.tariff import Slots
from heptagrid.planes.money.tariffs.time_of_use import TIME_OF_USE, Parameters
from heptagrid.scenario.load import load

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
CAIRO, SANTIAGO, GREENLAND = (
    "Africa/Cairo",
    "America/Santiago",
    "America/Scoresbysund",
)  # their clocks change at midnight
ZONES = (BERLIN, NEW_YORK, LORD_HOWE, CAIRO, SANTIAGO, GREENLAND)

DAYS = [
    (BERLIN, date(2016, 3, 27), 23.0),
    (BERLIN, date(2016, 7, 4), 24.0),
    (BERLIN, date(2016, 10, 30), 25.0),
    (NEW_YORK, date(2016, 3, 13), 23.0),
    (NEW_YORK, date(2016, 11, 6), 25.0),
    (LORD_HOWE, date(2016, 10, 2), 23.5),
    (LORD_HOWE, date(2016, 4, 3), 24.5),
    (CAIRO, date(2024, 4, 26), 23.0),  # begins at 01:00
    (CAIRO, date(2024, 10, 31), 25.0),  # 23:00 to 24:00 comes twice
    (SANTIAGO, date(2016, 8, 14), 23.0),  # begins at 01:00
    (SANTIAGO, date(2016, 5, 14), 25.0),
    (GREENLAND, date(2025, 3, 29), 23.0),  # ends at 23:00
]


def calendar_of(zone: str, day: date, days: int = 1) -> Calendar:
    begin, end = midnight_ns(day, ZoneInfo(zone)), midnight_ns(day + timedelta(days=days), ZoneInfo(zone))
    return Calendar.of(begin, (end - begin) // NS_PER_QUARTER, 900, ZoneInfo(zone))


@pytest.mark.parametrize(("zone", "day", "hours"), DAYS)
def test_a_local_day_has_as_many_slots_as_its_hours(zone: str, day: date, hours: float) -> None:
    calendar = calendar_of(zone, day)
    assert calendar.slots == round(4 * hours)
    assert set(calendar.day.tolist()) == {(day - date(1970, 1, 1)).days}, "and all of it is that day"
    assert calendar.days.tolist() == [pytest.approx(1.0, abs=1e-12)], "a charge by the day is due once"
    assert calendar.shares.tolist() == [pytest.approx(1.0 / monthrange(day.year, day.month)[1], abs=1e-12)]
    ordinary = [one for one in range(96) if np.sum(calendar.quarter == one) == 1]
    assert len(ordinary) == 96 - round(4 * abs(hours - 24.0)), "what is skipped or comes twice is as long as the change"
    clock = [from_ns(calendar.begin_ns + k * NS_PER_QUARTER, ZoneInfo(zone)) for k in range(calendar.slots)]
    assert calendar.quarter.tolist() == [4 * one.hour + one.minute // 15 for one in clock]
    quarters = calendar.begin_ns // NS_PER_QUARTER + np.arange(calendar.slots)
    assert np.array_equal(calendar.local_hour, local_hours(quarters, ZoneInfo(zone)))


@pytest.mark.parametrize(("zone", "day"), [(CAIRO, date(2024, 4, 26)), (SANTIAGO, date(2016, 8, 14))])
def test_a_day_without_a_midnight_begins_when_the_clocks_are_put_forward(zone: str, day: date) -> None:
    begin = midnight_ns(day, ZoneInfo(zone))
    assert from_ns(begin, ZoneInfo(zone)).isoformat()[:16] == f"{day}T01:00"
    assert from_ns(begin - NS_PER_S, ZoneInfo(zone)).isoformat()[:19] == f"{day - timedelta(days=1)}T23:59:59"


@given(st.sampled_from(ZONES), st.datetimes(datetime(2010, 1, 1), datetime(2035, 1, 1)))
def test_offsets_are_those_of_the_time_zone_database(zone: str, moment: datetime) -> None:
    at = int(moment.replace(tzinfo=UTC).timestamp())
    around = at + np.array([-3600, -1, 0, 1, 3600])
    expected = [datetime.fromtimestamp(one, ZoneInfo(zone)).utcoffset().total_seconds() for one in around.tolist()]
    assert offsets_s(around, ZoneInfo(zone)).tolist() == expected


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", [2016, 2024, 2025])
def test_each_change_of_clocks_is_found_to_the_second(zone: str, year: int) -> None:
    """Against a look at every second hour, and at the seconds around what that finds."""
    local = ZoneInfo(zone)
    hours = int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) + 1800 * np.arange(366 * 48)
    expected = [round(datetime.fromtimestamp(one, local).utcoffset().total_seconds()) for one in hours.tolist()]
    assert offsets_s(hours, local).tolist() == expected
    for k in np.flatnonzero(np.diff(expected)).tolist():
        seconds = np.arange(hours[k], hours[k + 1] + 1)
        want = [round(datetime.fromtimestamp(one, local).utcoffset().total_seconds()) for one in seconds.tolist()]
        assert offsets_s(seconds, local).tolist() == want


@pytest.mark.parametrize("zone", ZONES)
def test_gates_and_settlement_come_once_a_day_in_their_order_and_by_the_clock(zone: str) -> None:
    year, local = (2025, ZoneInfo(zone)) if zone == GREENLAND else (2024, ZoneInfo(zone))
    hours = (0.75, 0.9, 1.0, 10.75, 11.5, 12.25)
    span = Span(date(year, 1, 2), 363, 900, 900, local)
    begun: dict[date, list[float]] = {}
    for phase, step in span.steps():
        if phase is not Phase.COUNTED:
            continue
        for hour in (one for one in hours if step.passes_hour(one)):
            begun.setdefault(step.day, []).append(hour)
            if hour > 3.0:
                at = from_ns(step.end_ns, local)
                assert (at.hour + at.minute / 60.0 - hour) % 24 < 0.25, f"{hour} on {step.day}"
    assert len(begun) == 363 and all(tuple(one) == hours for one in begun.values())


NIGHT_HOURS = [(BERLIN, date(2016, 3, 27), 7.0), (BERLIN, date(2016, 10, 30), 9.0), (BERLIN, date(2016, 7, 4), 8.0)]
NIGHT_HOURS += [(LORD_HOWE, date(2016, 10, 2), 7.5), (CAIRO, date(2024, 4, 26), 7.0), (CAIRO, date(2024, 10, 31), 9.0)]


@pytest.mark.parametrize(("zone", "day", "night_h"), NIGHT_HOURS)
def test_a_tariff_of_a_run_and_a_rate_of_a_bill_have_the_same_hours(zone: str, day: date, night_h: float) -> None:
    """By hand: 4 kWh an hour, by night (22 to 6) at 0.10 and by day (16 h) at 0.20 EUR/kWh."""
    own = Parameters(procurement_eur_per_mwh=(100.0, 200.0))
    calendar = calendar_of(zone, day)
    use = np.ones((calendar.slots, 1))
    slots = Slots(np.zeros(calendar.slots), calendar)
    ours = TIME_OF_USE.energy_eur(use, slots, billing_rules.Parameters(), own)
    by_hand = 4.0 * (night_h * 0.10 + 16.0 * 0.20)
    assert ours.tolist() == pytest.approx([by_hand])
    energy = Energy(((Tier(0.10),), (Tier(0.20),)), of_windows(TIME_OF_USE.windows(own)), names=("night", "day"))
    rate = Rate(energy, NetBilling(), (), currency="EUR")
    theirs = bill(rate, Use(calendar, use, np.zeros_like(use))).in_cents.total.sum()
    assert theirs == round(100 * by_hand)


def test_the_same_slots_are_looked_up_once() -> None:
    one, other = (calendar_of(BERLIN, date(2016, 3, 1), days=31) for _ in range(2))
    assert one is other and not one.quarter.flags.writeable
    assert [int((one.month == k).sum()) for k in range(len(one.months))] == [31 * 96 - 4]


def test_weekends_have_their_own_period() -> None:
    own = Parameters(
        from_h=(0.0, 6.0, 0.0),
        to_h=(6.0, 24.0, 24.0),
        days=("weekday", "weekday", "weekend"),
        procurement_eur_per_mwh=(1.0, 2.0, 3.0),
    )
    calendar = calendar_of(BERLIN, date(2016, 7, 1), days=2)  # a Friday and a Saturday
    price = TIME_OF_USE.price_eur_per_kwh(Slots(np.zeros(192), calendar), billing_rules.Parameters(), own)
    assert (1000.0 * price).round(9).tolist() == [1.0] * 24 + [2.0] * 72 + [3.0] * 96


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "from_h = [22.0, 7.0]",
            "time_of_use.from_h, tariffs.time_of_use.to_h: no period of the tariff covers 06:00 of 01 January, weekdays; add a window for it",
        ),
        (
            "to_h = [7.0, 22.0]",
            "two periods of the tariff cover 06:00 of 01 January, weekdays: 'entry 1' and 'entry 2'; let one of them end before",
        ),
        (
            'days = ["all", "weekday"]',
            "no period of the tariff covers 06:00 of 01 January, weekend; add a window for it",
        ),
        ("from_h = [22.0, 6.1]", "a window from 6.1 h to 22 h is none: write quarters of hours from 0 to 24"),
        ("from_h = [0.0]", "tariffs.time_of_use.from_h has 1, tariffs.time_of_use.to_h has 2,"),
        ("from_h = 22.0", "tariffs.time_of_use.from_h = 22.0: a list of numbers in h is expected"),
        ('days = ["all", "sunday"]', "tariffs.time_of_use.days[1] = 'sunday': must be one of all, weekday, weekend"),
        ("days = 7", "tariffs.time_of_use.days = 7: a list of texts is expected"),
        ("from_h = [22.0, 24.5]", "tariffs.time_of_use.from_h[1] = 24.5: must lie from 0 to 23.75 in h"),
    ],
)
def test_gaps_and_overlaps_of_a_tariffs_hours_are_refused_with_the_hour_named(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f"[tariffs.time_of_use]\nshare = 0.2\n{text}\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(file)
    assert str(file) in str(caught.value)
    assert any(words in one for one in caught.value.violations), caught.value.violations


def test_the_final_run_comes_after_the_second(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[settlement]\nsecond_days = 5\nfinal_days = 5\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(file)
    assert caught.value.violations == [
        "settlement.final_days = 5: the final run comes after the second one, at settlement.second_days = 5; write 6 or more"
    ]


@given(st.lists(st.integers(1, 95), min_size=1, max_size=6, unique=True), st.data())
@settings(max_examples=60)
def test_periods_that_meet_are_taken_and_any_shift_of_a_border_is_refused(
    borders: list[int], data: st.DataObject
) -> None:
    bounds = [0, *sorted(borders), 96]
    begins, ends = [k / 4.0 for k in bounds[:-1]], [k / 4.0 for k in bounds[1:]]

    def own(begins: list[float], ends: list[float]) -> Parameters:
        count = len(begins)
        return Parameters(
            from_h=tuple(begins), to_h=tuple(ends), days=("all",) * count, procurement_eur_per_mwh=tuple(range(count))
        )

    schedule = of_windows(TIME_OF_USE.windows(own(begins, ends)))
    assert [int((schedule.table[0, 0] == k).sum()) for k in range(len(begins))] == [b - a for a, b in pairwise(bounds)]
    k = data.draw(st.integers(0, len(ends) - 2))
    moved = data.draw(
        st.integers(1, 96).filter(lambda quarter: quarter / 4.0 != ends[k] and quarter / 4.0 != begins[k])
    )
    with pytest.raises(Exception, match=r"cover"):
        of_windows(TIME_OF_USE.windows(own(begins, [*ends[:k], moved / 4.0, *ends[k + 1 :]])))

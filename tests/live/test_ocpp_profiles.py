"""Charging profiles and the schedule that they make together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptagrid.foundation.time import NS_PER_S
from heptagrid.live.protocols.ocpp.profiles import (
    Interval,
    Period,
    Profile,
    ProfileBook,
    instant_ns,
    instant_text,
    profile_of,
)

NOON = instant_ns("2026-08-04T12:00:00Z")
HOUR = 3600 * NS_PER_S


def profile(
    limits: dict[int, float],
    *,
    unit: str = "W",
    purpose: str = "TxDefaultProfile",
    kind: str = "Absolute",
    level: int = 0,
    id: int = 1,
    evse: int = 0,
    received_ns: int = NOON,
    phases: int | None = None,
    **more: Any,
) -> Profile:
    """A profile whose periods begin after so many seconds with a limit in W or A."""
    periods: list[dict[str, Any]] = [{"startPeriod": start, "limit": limit} for start, limit in limits.items()]
    if phases:
        periods = [one | {"numberPhases": phases} for one in periods]
    schedule: dict[str, Any] = {"chargingRateUnit": unit, "chargingSchedulePeriod": periods}
    for name in ("duration", "startSchedule"):
        if name in more:
            schedule[name] = more.pop(name)
    content = {
        "chargingProfileId": id,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": schedule,
    } | more
    return profile_of(content, evse, received_ns)


def limits_of(*profiles: Profile, hours: float = 4.0, began_ns: int | None = NOON) -> list[tuple[float, float | None]]:
    """(hours after noon, limit in kW) of the intervals from noon on."""
    book = ProfileBook()
    for one in profiles:
        book.put(one)
    found = book.schedule(NOON, NOON + round(hours * HOUR), began_ns)
    return [((one.begin_ns - NOON) / HOUR, one.limit_kw) for one in found]


def test_without_profiles_there_is_no_limit() -> None:
    assert limits_of() == [(0.0, None)]


def test_periods_follow_one_another_until_the_schedule_ends() -> None:
    one = profile({0: 7000.0, 3600: 4200.0}, duration=7200)
    assert limits_of(one) == [(0.0, 7.0), (1.0, 4.2), (2.0, None)]


def test_amperes_count_for_each_phase() -> None:
    assert limits_of(profile({0: 16.0}, unit="A")) == [(0.0, pytest.approx(11.04))]
    assert limits_of(profile({0: 16.0}, unit="A", phases=1)) == [(0.0, pytest.approx(3.68))]


def test_less_than_six_amperes_stop_the_vehicle() -> None:
    assert limits_of(profile({0: 5.9}, unit="A")) == [(0.0, 0.0)]
    assert limits_of(profile({0: 6.0}, unit="A")) == [(0.0, pytest.approx(4.14))]


def test_the_higher_level_holds_while_it_says_something() -> None:
    low = profile({0: 9000.0}, id=1, level=0)
    high = profile({0: 5000.0}, id=2, level=3, startSchedule="2026-08-04T13:00:00Z", duration=3600)
    assert limits_of(low, high) == [(0.0, 9.0), (1.0, 5.0), (2.0, 9.0)]


def test_a_profile_of_the_transaction_takes_the_place_of_the_default_one() -> None:
    default = profile({0: 5000.0}, id=1, level=9)
    of_transaction = profile({0: 8000.0}, id=2, purpose="TxProfile", evse=1, duration=3600)
    assert limits_of(default, of_transaction) == [(0.0, 8.0), (1.0, 5.0)]
    assert limits_of(default, of_transaction, began_ns=None) == [(0.0, None)], "neither limits a station without one"


def test_the_station_limits_its_transactions() -> None:
    whole = profile({0: 6000.0}, id=1, purpose="ChargePointMaxProfile")
    default = profile({0: 5000.0, 3600: 9000.0}, id=2)
    assert limits_of(whole, default) == [(0.0, 5.0), (1.0, 6.0)]
    assert limits_of(whole, default, began_ns=None) == [(0.0, 6.0)]


def test_a_connectors_own_default_goes_before_that_of_all() -> None:
    of_all, own = profile({0: 5000.0}, id=1, level=5), profile({0: 9000.0}, id=2, evse=1)
    assert limits_of(of_all, own) == [(0.0, 9.0)]


def test_a_relative_schedule_begins_with_the_transaction() -> None:
    one = profile({0: 5000.0, 3600: 9000.0}, kind="Relative", duration=7200)
    assert limits_of(one, began_ns=NOON - HOUR // 2) == [(0.0, 5.0), (0.5, 9.0), (1.5, None)]


def test_a_daily_schedule_holds_every_day_and_across_midnight() -> None:
    one = profile(
        {0: 5000.0, 3600: 9000.0},
        kind="Recurring",
        recurrencyKind="Daily",
        startSchedule="2026-01-01T11:30:00Z",
        duration=7200,
    )
    assert limits_of(one, hours=24.0) == [(0.0, 5.0), (0.5, 9.0), (1.5, None), (23.5, 5.0)]
    late = profile(
        {0: 5000.0}, kind="Recurring", recurrencyKind="Daily", startSchedule="2026-08-04T13:00:00Z", duration=86_400
    )
    assert limits_of(late) == [(0.0, 5.0)], "only the time of day counts"


def test_a_weekly_schedule_holds_on_its_weekday() -> None:
    one = profile(
        {0: 5000.0}, kind="Recurring", recurrencyKind="Weekly", startSchedule="2026-07-28T13:00:00Z", duration=3600
    )
    assert limits_of(one) == [(0.0, None), (1.0, 5.0), (2.0, None)]


def test_validity_bounds_a_profile() -> None:
    one = profile({0: 5000.0}, validFrom="2026-08-04T13:00:00Z", validTo="2026-08-04T14:00:00Z")
    assert limits_of(one) == [(0.0, None), (1.0, 5.0), (2.0, None)]


def test_an_absolute_schedule_without_a_start_begins_when_it_comes() -> None:
    one = profile({0: 5000.0, 3600: 9000.0}, received_ns=NOON - HOUR // 2)
    assert limits_of(one) == [(0.0, 5.0), (0.5, 9.0)]


def test_a_profile_takes_the_place_of_that_with_its_id_or_its_purpose_and_level() -> None:
    book = ProfileBook()
    book.put(profile({0: 5000.0}, id=1, level=1))
    book.put(profile({0: 6000.0}, id=1, level=2))
    assert [one.stack_level for one in book.held] == [2]
    book.put(profile({0: 7000.0}, id=2, level=2))
    assert [one.id for one in book.held] == [2]


@pytest.mark.parametrize(
    "change",
    [
        {"limits": {5: 1000.0}},
        {"limits": {}},
        {"limits": {0: -1.0}},
        {"kind": "Recurring"},
        {"phases": 7},
        {"startSchedule": "yesterday"},
    ],
)
def test_what_cannot_be_a_schedule_is_refused(change: dict[str, Any]) -> None:
    given: dict[str, Any] = {"limits": {0: 1000.0}} | change
    with pytest.raises(ValueError, match=r"."):
        profile(**given)


def test_instants_are_read_as_chargers_write_them() -> None:
    """Without a zone an instant is of UTC (reported of a charger, evcc 10399)."""
    assert instant_ns("2026-08-04T12:00:00") == NOON
    assert instant_ns("2026-08-04T14:00:00.000+02:00") == NOON
    assert instant_text(NOON + 1_500_000) == "2026-08-04T12:00:00.001Z"


stretch = st.tuples(st.integers(-8, 8), st.integers(1, 8))
any_profile = st.builds(
    lambda id, level, purpose, evse, start, lasts, limits, repeats: Profile(
        id=id,
        evse=evse,
        stack_level=level,
        purpose=purpose,
        periods=tuple(Period(k * HOUR, float(limit) + 5.0, 3) for k, limit in enumerate(limits)),
        start_ns=NOON + start * HOUR,
        duration_ns=lasts * HOUR,
        repeats_ns=24 * HOUR if repeats else None,
    ),
    id=st.integers(1, 30),
    level=st.integers(0, 3),
    purpose=st.sampled_from(["max", "external", "default", "transaction"]),
    evse=st.integers(0, 1),
    start=st.integers(-8, 8),
    lasts=st.integers(1, 8),
    limits=st.lists(st.integers(0, 20), min_size=1, max_size=4),
    repeats=st.booleans(),
)


@given(st.lists(any_profile, max_size=6))
def test_the_schedule_is_what_each_instant_says(profiles: list[Profile]) -> None:
    """The intervals against a look at every half hour."""
    book = ProfileBook()
    for one in profiles:
        book.put(one)
    intervals = book.schedule(NOON, NOON + 30 * HOUR, NOON)
    assert intervals[0].begin_ns == NOON
    for k in range(60):
        ns = NOON + k * HOUR // 2 + HOUR // 4
        held = [one for one in intervals if one.begin_ns <= ns][-1]
        assert held.limit_kw == _looked_up(book.held, ns)


def _looked_up(profiles: list[Profile], ns: int) -> float | None:
    limits: list[float] = []
    for kinds in (("max",), ("external",), ("transaction", "default")):
        for purpose in kinds:
            own, of_all = ([one for one in profiles if one.purpose == purpose and one.evse == evse] for evse in (1, 0))
            groups = [own, of_all]
            said = [found for group in groups if (found := _leading(group, ns)) is not None]
            if said:
                limits += said if purpose in ("max", "external") else said[:1]
                break
    return min(limits) if limits else None


def _leading(profiles: list[Profile], ns: int) -> float | None:
    for one in sorted(profiles, key=lambda one: -one.stack_level):
        assert one.start_ns is not None
        assert one.duration_ns is not None
        since = ns - one.start_ns
        if one.repeats_ns:
            since %= one.repeats_ns
        if 0 <= since < one.duration_ns:
            return [period.limit_kw for period in one.periods if period.start_ns <= since][-1]
    return None


def test_intervals_are_comparable() -> None:
    assert Interval(0, 1.0) == Interval(0, 1.0)

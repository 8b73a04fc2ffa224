"""A vehicle's diary of a day: a chain of trips that begins and ends at home, a function of seed, vehicle and day alone.

A day has 0, 2, 3, 4 or 5 trips. All but the last draw their time and place together; they are put in order of time, and a place is drawn again where home
would follow home. The last goes home. A way home is as long as the way from home that began the tour, and who works has always the same way there. Then times are moved
apart, later first, so that no trip begins before the one before has ended, and the last ends before midnight.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.device import stream_of
from heptagrid.domains.customers.mobility.diary_tables import (
    AWAY,
    DEPARTURES,
    EDGES_H,
    HOME,
    HOMEWARD,
    KM,
    KM_CUMULATED,
    MOST_TRIPS,
    PARKING_H,
    ROAD_KM_PER_H,
    TRIPS,
    TRIPS_CUMULATED,
    WEEKDAY,
    WORK,
)
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.random import uniform
from heptagrid.foundation.time import NS_PER_HOUR

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STREAM = stream_of("vehicles.diaries")
STAY_H = 0.25  # shortest stay, as in emobpy's rules
LATEST_H = 23.95  # by which the last trip has ended
OCCASIONS = 64  # numbers of a day; those from `CHOICE` on are left to drivers' choices
CHOICE = 48


class Diary(NamedTuple):
    """The trips of a day, (5,) each: departure and arrival in local hours, place, km."""

    leave_h: Floats
    arrive_h: Floats
    place: Ints
    km: Floats


class Calendar(NamedTuple):
    """Consecutive local days: number of the first (proleptic ordinal), begin of each, (days + 1,), `clock_shift_ns`, (days,), and kind, (days,)."""

    first: int
    midnight_ns: Ints
    shift_ns: Ints
    kind: Ints


def empty_diary() -> Diary:
    """To be written to."""
    return Diary(np.zeros(MOST_TRIPS), np.zeros(MOST_TRIPS), np.zeros(MOST_TRIPS, dtype=np.int64), np.zeros(MOST_TRIPS))


@kernel(allocates=False)
def km_of(u):  # type: ignore[no-untyped-def]
    """The distance that a share `u` of all trips stays below."""
    k = 0
    while k < KM.shape[0] - 2 and u > KM_CUMULATED[k + 1]:
        k += 1
    part = (u - KM_CUMULATED[k]) / (KM_CUMULATED[k + 1] - KM_CUMULATED[k])
    return KM[k] * (KM[k + 1] / KM[k]) ** part


@kernel(allocates=False)
def takes_h(km):  # type: ignore[no-untyped-def]
    """How long a trip takes from door to door."""
    return PARKING_H + km / ROAD_KM_PER_H


@kernel(allocates=False)
def _homeward_h(u, after_h, driver, day):  # type: ignore[no-untyped-def]
    """When the last trip home begins, of those that begin after a time."""
    table = HOMEWARD[driver, day]
    share, k = 1.0, 0
    while k < EDGES_H.shape[0] - 2 and after_h >= EDGES_H[k + 1]:
        k += 1
    if after_h < EDGES_H[-1]:
        share = table[k] + (table[k + 1] - table[k]) * (after_h - EDGES_H[k]) / (EDGES_H[k + 1] - EDGES_H[k])
    wanted = share + u * (1.0 - share)
    while k < EDGES_H.shape[0] - 2 and wanted > table[k + 1]:
        k += 1
    span = table[k + 1] - table[k]
    part = (wanted - table[k]) / span if span > 0.0 else 1.0
    return max(EDGES_H[k] + min(part, 1.0) * (EDGES_H[k + 1] - EDGES_H[k]), after_h)


@kernel(allocates=False)
def _outward(seed, vehicle, at, driver, day, count, diary):  # type: ignore[no-untyped-def]
    """Time and place of all trips but the last, in order of time."""
    table = DEPARTURES[driver, day]
    for j in range(count):
        u = uniform(seed, STREAM, vehicle, at + 1 + j)
        cell = 0
        while cell < table.shape[0] - 1 and u > table[cell]:
            cell += 1
        hours = cell // 6
        leave_h = EDGES_H[hours] + (EDGES_H[hours + 1] - EDGES_H[hours]) * uniform(seed, STREAM, vehicle, at + 6 + j)
        n = j
        while n > 0 and diary.leave_h[n - 1] > leave_h:
            diary.leave_h[n], diary.place[n] = diary.leave_h[n - 1], diary.place[n - 1]
            n -= 1
        diary.leave_h[n], diary.place[n] = leave_h, cell % 6
    for j in range(count):
        at_home = diary.place[j - 1] == HOME if j > 0 else True
        if diary.place[j] == HOME and (at_home or j == count - 1):
            hours = 0
            while hours < EDGES_H.shape[0] - 2 and diary.leave_h[j] >= EDGES_H[hours + 1]:
                hours += 1
            u = uniform(seed, STREAM, vehicle, at + 11 + j)
            place = 0
            while place < 5 and u > AWAY[driver, day, hours, place]:
                place += 1
            diary.place[j] = place


@kernel(allocates=False)
def write_diary(seed, vehicle, ordinal, day, works, diary):  # type: ignore[no-untyped-def]
    """Write a vehicle's trips of a day of kind `day` and return how many there are; works: whether its driver does."""
    at = ordinal * OCCASIONS
    driver = 1 if works else 0
    u = uniform(seed, STREAM, vehicle, at)
    by_number = TRIPS_CUMULATED[0 if day == WEEKDAY else 1]
    k = 0
    while k < by_number.shape[0] - 1 and u > by_number[k]:
        k += 1
    count = TRIPS[k]
    if count == 0:
        return 0
    _outward(seed, vehicle, at, driver, day, count - 1, diary)
    diary.place[count - 1] = HOME

    out_km = 0.0
    for j in range(count):
        if diary.place[j] == HOME:
            diary.km[j] = out_km
            continue
        to_work = works and diary.place[j] == WORK
        km = km_of(uniform(seed, STREAM, vehicle, 16 if to_work else at + 16 + j))
        if j == 0 or diary.place[j - 1] == HOME:
            out_km = km
        diary.km[j] = km
    return _in_time(seed, vehicle, at, driver, day, count, diary)


@kernel(allocates=False)
def _in_time(seed, vehicle, at, driver, day, count, diary):  # type: ignore[no-untyped-def]
    """Move trips apart and before midnight; of a day that is too short for all of them the first tour alone is made."""
    ready_h = 0.0
    for j in range(count):
        if j == count - 1:
            diary.leave_h[j] = _homeward_h(uniform(seed, STREAM, vehicle, at + 22), ready_h, driver, day)
        diary.leave_h[j] = max(diary.leave_h[j], ready_h)
        diary.arrive_h[j] = diary.leave_h[j] + takes_h(diary.km[j])
        ready_h = diary.arrive_h[j] + STAY_H
    latest_h = LATEST_H
    for j in range(count - 1, -1, -1):
        diary.arrive_h[j] = min(diary.arrive_h[j], latest_h)
        diary.leave_h[j] = diary.arrive_h[j] - takes_h(diary.km[j])
        latest_h = diary.leave_h[j] - STAY_H
    if diary.leave_h[0] >= 0.0:
        return count
    diary.km[1], diary.place[1] = diary.km[0], HOME
    long_h = takes_h(diary.km[0])
    diary.leave_h[0], diary.arrive_h[0] = 6.0, 6.0 + long_h
    diary.leave_h[1], diary.arrive_h[1] = LATEST_H - long_h, LATEST_H
    return 2


@kernel(allocates=False)
def instant_ns(hour, index, calendar):  # type: ignore[no-untyped-def]
    """The instant at which clocks show `hour` of a day of the calendar: they change before 3, the hours until then are stretched over it."""
    at_ns, shift_ns = calendar.midnight_ns[index], calendar.shift_ns[index]
    if hour < 3.0:
        return at_ns + np.int64(hour / 3.0 * (3 * NS_PER_HOUR + shift_ns))
    return at_ns + shift_ns + np.int64(hour * NS_PER_HOUR)

"""What vehicles do between two stays: they leave, arrive, charge elsewhere, and drivers choose whether to plug in.

Whether to plug in is the choice model of EVModel (Gonzalez Venegas, Petit and Perez 2021): always with less than the next day with travel takes, with a margin; else with the
probability 1 - ((soc - low) / (1 - low))^a, once a day, at the last arrival. At an earlier arrival drivers plug in only where the rest of the day takes it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.mobility.diaries import CHOICE, OCCASIONS, STREAM, instant_ns, write_diary
from heptagrid.domains.customers.mobility.diary_tables import HOME, WORK
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.random import uniform

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DRIVES, AT_HOME, PLUGGED, COMMUTES, WORK_CHARGER, PUBLIC, V2G, STEERED = (1 << k for k in range(8))
"""What `Fleet.flags` says of a vehicle."""

NEXT_DAY = 255  # in place of a trip's number: its next trip is still to be looked for

(
    TRIPS,
    KM,
    KM_NOT_DRIVEN,
    DRIVEN_KWH,
    ELSEWHERE_KWH,
    PUBLIC_MINUTES,
    PLUG_INS,
    SOC_AT_PLUG_IN,
    PLUGGED_H,
    OVERRIDES,
    GIVEN_KWH,
) = range(11)
"""What `Fleet.counts` holds, since the start."""

COUNTS = 11


class Fleet(NamedTuple):
    """All vehicles, (vehicles,) each, as kernels take them.

    content_kwh: what the battery holds. alone_kwh: what it would hold without the plan that steers it, since then. level_kw, give_level_kw: the signal below which a plan
    charges, and above which it gives. next_ns: when it leaves or arrives next. wanted_kwh: below which its driver does not want to leave. battery_kwh, charger_kw: its sizes.
    row: of the plan that `level_kw` is of. flags: see there. trip: number of the day's trip that is next or under way. counts: (COUNTS,) sums over all.
    """

    content_kwh: Floats
    alone_kwh: Floats
    level_kw: npt.NDArray[np.float32]
    give_level_kw: npt.NDArray[np.float32]
    next_ns: Ints
    wanted_kwh: npt.NDArray[np.float32]
    battery_kwh: npt.NDArray[np.float32]
    charger_kw: npt.NDArray[np.float32]
    row: npt.NDArray[np.int16]
    flags: npt.NDArray[np.uint8]
    trip: npt.NDArray[np.uint8]
    counts: Floats


class Habits(NamedTuple):
    """What drivers do, as kernels take it; kwh_per_km: of a vehicle whose battery weighs nothing, as warm as it is now; by_kwh: what each kWh of the battery adds."""

    seed: int
    kwh_per_km: float
    by_kwh: float
    always_below: float
    range_margin: float
    exponent: float
    target_soc: float
    work_kwh_per_h: float
    public_kw: float
    public_until_soc: float


@kernel(allocates=False)
def _consumption(k, fleet, habits):  # type: ignore[no-untyped-def]
    return habits.kwh_per_km + habits.by_kwh * fleet.battery_kwh[k]


@kernel(allocates=False)
def _choose(k, vehicle, occasion, needed_km, is_last, fleet, habits):  # type: ignore[no-untyped-def]
    """Whether the driver plugs in, and what the driver wants the battery to hold."""
    battery = fleet.battery_kwh[k]
    full = habits.target_soc * battery
    takes = habits.range_margin * needed_km * _consumption(k, fleet, habits)
    fleet.wanted_kwh[k] = min(takes, full)
    soc = fleet.content_kwh[k] / battery
    low = min(max(takes / battery, habits.always_below), 1.0)
    plugs = soc < low and fleet.content_kwh[k] < full - 1e-9
    if not plugs and is_last and low < 1.0:
        chance = 1.0 - min(max((soc - low) / (1.0 - low), 0.0), 1.0) ** habits.exponent
        plugs = uniform(habits.seed, STREAM, vehicle, occasion) < chance
    if plugs:
        fleet.flags[k] |= PLUGGED
        fleet.counts[PLUG_INS] += 1.0
        fleet.counts[SOC_AT_PLUG_IN] += soc
        fleet.row[k] = -2


@kernel(allocates=False)
def _look_ahead(k, vehicle, index, occasion, fleet, habits, calendar, diary):  # type: ignore[no-untyped-def]
    """The first trip from day `index` of the calendar on; at home, the driver looks at what that day takes."""
    days = calendar.kind.shape[0]
    works = fleet.flags[k] & COMMUTES != 0
    for n in range(index, days):
        count = write_diary(habits.seed, vehicle, calendar.first + n, calendar.kind[n], works, diary)
        if count > 0:
            fleet.next_ns[k], fleet.trip[k] = instant_ns(diary.leave_h[0], n, calendar), 0
            km = 0.0
            for j in range(count):
                km += diary.km[j]
            if occasion >= 0:
                _choose(k, vehicle, occasion, km, True, fleet, habits)
            return
    fleet.next_ns[k], fleet.trip[k] = calendar.midnight_ns[days], NEXT_DAY
    if occasion >= 0:
        _choose(k, vehicle, occasion, 0.0, True, fleet, habits)


@kernel(allocates=False)
def settle(k, vehicle, index, fleet, habits, calendar, diary):  # type: ignore[no-untyped-def]
    """Put a vehicle at home at the begin of day `index`, as if it had just come."""
    fleet.flags[k] = (fleet.flags[k] & ~np.uint8(DRIVES | PLUGGED | STEERED)) | AT_HOME
    occasion = (calendar.first + index) * OCCASIONS + CHOICE + 7
    _look_ahead(k, vehicle, index, occasion, fleet, habits, calendar, diary)


@kernel(allocates=False)
def _leave(k, j, fleet, habits, diary):  # type: ignore[no-untyped-def]
    """Leave for trip `j`: what it takes is gone, or charged on the way, or not driven."""
    fleet.counts[TRIPS] += 1.0
    full = habits.target_soc * fleet.battery_kwh[k]
    if j > 0 and diary.place[j - 1] == WORK and fleet.flags[k] & WORK_CHARGER != 0:
        stay_h = diary.leave_h[j] - diary.arrive_h[j - 1]
        taken = min(max(full - fleet.content_kwh[k], 0.0), habits.work_kwh_per_h * stay_h)
        fleet.content_kwh[k] += taken
        fleet.counts[ELSEWHERE_KWH] += taken
    km = diary.km[j]
    takes = km * _consumption(k, fleet, habits)
    lacks = takes - fleet.content_kwh[k]
    if lacks > 0.0 and fleet.flags[k] & PUBLIC != 0:
        taken = lacks + habits.public_until_soc * fleet.battery_kwh[k]
        fleet.content_kwh[k] += taken
        fleet.counts[ELSEWHERE_KWH] += taken
        fleet.counts[PUBLIC_MINUTES] += 60.0 * taken / habits.public_kw
    elif lacks > 0.0:
        not_km = km * lacks / takes
        km -= not_km
        takes = fleet.content_kwh[k]
        fleet.counts[KM_NOT_DRIVEN] += not_km
    fleet.counts[KM] += km
    fleet.counts[DRIVEN_KWH] += takes
    fleet.content_kwh[k] = max(fleet.content_kwh[k] - takes, 0.0)
    fleet.flags[k] = (fleet.flags[k] & ~np.uint8(AT_HOME | PLUGGED | STEERED)) | DRIVES


@kernel(allocates=False)
def go_on(k, vehicle, start, fleet, habits, calendar, diary):  # type: ignore[no-untyped-def]
    """All that a vehicle has done until `start`; the calendar begins the day before."""
    if fleet.next_ns[k] < calendar.midnight_ns[0]:  # days were passed over
        settle(k, vehicle, 1, fleet, habits, calendar, diary)
    works = fleet.flags[k] & COMMUTES != 0
    while fleet.next_ns[k] <= start:
        at_ns = fleet.next_ns[k]
        index = 0
        while index < calendar.kind.shape[0] - 1 and at_ns >= calendar.midnight_ns[index + 1]:
            index += 1
        if fleet.trip[k] == NEXT_DAY:
            _look_ahead(k, vehicle, index, -1, fleet, habits, calendar, diary)
            continue
        j = np.int64(fleet.trip[k])
        count = write_diary(habits.seed, vehicle, calendar.first + index, calendar.kind[index], works, diary)
        if fleet.flags[k] & DRIVES == 0:
            _leave(k, j, fleet, habits, diary)
            fleet.next_ns[k] = instant_ns(diary.arrive_h[j], index, calendar)
            continue
        fleet.flags[k] &= ~np.uint8(DRIVES)
        occasion = (calendar.first + index) * OCCASIONS + CHOICE + j
        if diary.place[j] == HOME:
            fleet.flags[k] |= AT_HOME
        if j + 1 >= count:
            _look_ahead(k, vehicle, index + 1, occasion, fleet, habits, calendar, diary)
            continue
        fleet.next_ns[k], fleet.trip[k] = instant_ns(diary.leave_h[j + 1], index, calendar), j + 1
        if diary.place[j] == HOME:
            km = 0.0
            for n in range(j + 1, count):
                km += diary.km[n]
            _choose(k, vehicle, occasion, km, False, fleet, habits)

"""Vehicles by travel diaries: published trips, plugged in by state of charge, batteries that taper, chargers that may give.

A vehicle is at home at midnight, and its state is what it holds and what it does next: the trips themselves are a function of seed, vehicle and day, and are drawn again when
it leaves and when it arrives. Away from home it charges only at work, where its driver can, and on the way, where a trip takes more than it holds; neither is of this grid.
"""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.device import Surroundings
from heptagrid.domains.customers.mobility.charging import Battery, Giving, advance
from heptagrid.domains.customers.mobility.diaries import STREAM, Calendar, empty_diary, write_diary
from heptagrid.domains.customers.mobility.diary_tables import PLACES, kind_of_day
from heptagrid.domains.customers.mobility.driving import (
    AT_HOME,
    COMMUTES,
    COUNTS,
    DRIVEN_KWH,
    ELSEWHERE_KWH,
    GIVEN_KWH,
    KM,
    KM_NOT_DRIVEN,
    OVERRIDES,
    PLUG_INS,
    PLUGGED,
    PLUGGED_H,
    PUBLIC,
    PUBLIC_MINUTES,
    TRIPS,
    V2G,
    WORK_CHARGER,
    Fleet,
    Habits,
)
from heptagrid.domains.customers.mobility.parameters import Parameters
from heptagrid.domains.customers.vehicles import Vehicles
from heptagrid.foundation.random import uniforms
from heptagrid.foundation.time import NS_PER_S, Step, clock_shift_ns, midnight_ns
from heptagrid.world.weather import Weather

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DAYS_AHEAD = 15  # that a vehicle without a trip is looked ahead for at once
EMPTIEST_AT_FIRST = 0.4  # state of charge of the first day, up to full: assumption
_FORESEEN = 400, 28, 900  # vehicles, days and seconds of a step from which operations foresees what they draw
_FORESEEN_C = 10.0  # at the mean temperature of a year: assumption


class DiaryVehicles(Vehicles):
    """All vehicles as arrays.

    fleet: their state, 48 bytes each beside what every class of devices has, see there. losses_kwh: of charging at home, and of giving.
    """

    def __init__(self, parameters: Parameters, owner: Ints, surroundings: Surroundings) -> None:
        super().__init__(parameters, owner, surroundings)
        del self._planned, self._level, self._home, self.content_kwh, self.baseline_kwh
        one, seed, count = parameters, surroundings.seed, len(owner)

        def drawn(occasion: int) -> Floats:
            return np.asarray(uniforms(seed, STREAM, owner, occasion))

        size, charger = drawn(0), drawn(1)
        big_from = 1.0 - one.large_battery_share
        battery_kwh = np.where(size < one.small_battery_share, one.small_battery_kwh, one.battery_kwh)
        battery_kwh = np.where(size >= big_from, one.large_battery_kwh, battery_kwh)
        slow, middle = one.charger_3_7_share, one.charger_3_7_share + one.charger_7_4_share
        charger_kw = np.where(charger < slow, 3.7, np.where(charger < middle, 7.4, one.charger_kw))
        commutes = drawn(2) < one.commuter_share
        flags = np.where(commutes, COMMUTES, 0)
        flags |= np.where(commutes & (drawn(3) < one.work_charger_share), WORK_CHARGER, 0)
        flags |= np.where(drawn(4) < one.public_share, PUBLIC, 0)
        flags |= np.where(drawn(5) < one.v2g_share, V2G, 0)
        full = one.target_soc * battery_kwh
        begins_kwh = np.minimum(battery_kwh * (EMPTIEST_AT_FIRST + (1.0 - EMPTIEST_AT_FIRST) * drawn(6)), full)
        self.fleet = Fleet(
            content_kwh=begins_kwh,
            alone_kwh=begins_kwh.copy(),
            level_kw=np.zeros(count, dtype=np.float32),
            give_level_kw=np.full(count, np.inf, dtype=np.float32),
            next_ns=np.full(count, np.iinfo(np.int64).min),
            wanted_kwh=np.zeros(count, dtype=np.float32),
            battery_kwh=battery_kwh.astype(np.float32),
            charger_kw=charger_kw.astype(np.float32),
            row=np.full(count, -2, dtype=np.int16),
            flags=flags.astype(np.uint8),
            trip=np.zeros(count, dtype=np.uint8),
            counts=np.zeros(COUNTS),
        )
        self._diary = empty_diary()
        self._battery = Battery(
            one.efficiency, one.target_soc, one.taper_from_soc, max(one.taper_per_h, one.full_per_h), one.full_per_h
        )
        self._giving = Giving(one.v2g_reserve_soc, 2.0 * self.rated_kw * one.v2g_spread, one.v2g_feeds_in)

    def work(self, step: Step, p_kw: Floats, supplied: Bools) -> float:
        """Drive, and charge or give where there is supply."""
        if step.day != self._day:
            self._calendar = _calendar(step.day, self.surroundings.zone)
            if self._day is not None and step.day < self._day:  # days that are not in order: all begin anew
                self.fleet.next_ns[:] = np.iinfo(np.int64).min
            self._day = step.day
        counts = self.fleet.counts
        before_kwh = counts[DRIVEN_KWH] - counts[ELSEWHERE_KWH]
        total_kw, losses_kwh, by_others_kwh = advance(
            step.start_ns, step.end_ns, self.owner, self.is_outside, self.fleet, self._habits(step.start_ns),
            self._battery, self._giving, self._calendar, self._diary, self.cap_kw, self.cap_until_ns, self.plans.table,
            self.orders.table, supplied, p_kw, self.moved.less_kwh,
        )  # fmt: skip
        self.used_kwh += counts[DRIVEN_KWH] - counts[ELSEWHERE_KWH] - before_kwh + by_others_kwh
        self.losses_kwh += losses_kwh
        return float(total_kw)

    def _habits(self, at_ns: int) -> Habits:
        one, outside_c = self.parameters, self.surroundings.weather.outside_c_at(at_ns)
        warmth = (
            1.0 + one.cold_share_per_k * max(20.0 - outside_c, 0.0) + one.hot_share_per_k * max(outside_c - 25.0, 0.0)
        )
        return Habits(
            seed=self.surroundings.seed,
            kwh_per_km=one.kwh_per_km * warmth,
            by_kwh=one.kwh_per_km_and_kwh * warmth,
            always_below=one.always_below,
            range_margin=one.range_margin,
            exponent=one.plug_in_exponent,
            target_soc=one.target_soc,
            work_kwh_per_h=one.work_charger_kw * one.efficiency,
            public_kw=one.public_kw,
            public_until_soc=min(one.public_until_soc, one.target_soc),
        )

    @property
    def rated_kw(self) -> float:
        """Of the strongest charger."""
        return max(self.parameters.charger_kw, 7.4 if self.parameters.charger_7_4_share else 0.0)

    @property
    def stored_kwh(self) -> float:
        return float(self.fleet.content_kwh.sum())

    def contents_kwh(self) -> Floats:
        return self.fleet.content_kwh

    def at_home(self) -> Bools:
        """Whether each is plugged in: elsewhere it cannot draw power."""
        return np.asarray(self.fleet.flags & (PLUGGED | AT_HOME) == PLUGGED | AT_HOME) | self.is_outside

    def most_kw(self, rows: Ints) -> Floats:
        return self.fleet.charger_kw[rows].astype(np.float64)

    def spare_kw(self, rows: Ints, hours: float) -> Floats | None:
        one, fleet = self.parameters, self.fleet
        if not one.v2g_share or not one.v2g_feeds_in:
            return None
        kept_kwh = np.maximum(one.v2g_reserve_soc * fleet.battery_kwh[rows], fleet.wanted_kwh[rows])
        may = self.at_home()[rows] & ~self.is_outside[rows] & (fleet.flags[rows] & V2G != 0)
        spare_kwh = np.where(may, np.maximum(fleet.content_kwh[rows] - kept_kwh, 0.0), 0.0) * one.efficiency
        return np.minimum(spare_kwh / hours, self.most_kw(rows))

    def charging_need(self, at_ns: int) -> tuple[Floats, Ints]:
        fleet, one = self.fleet, self.parameters
        need_kwh = np.maximum(one.target_soc * fleet.battery_kwh - fleet.content_kwh, 0.0) / one.efficiency
        return np.where(self.at_home() & ~self.is_outside, need_kwh, 0.0), fleet.next_ns

    def day_of(self, row: int, day: date) -> str:
        """Its trips; whether each was driven to its end is told of all vehicles together."""
        diary, works = empty_diary(), bool(self.fleet.flags[row] & COMMUTES)
        kind = kind_of_day(day.weekday())
        count = write_diary(self.surroundings.seed, int(self.owner[row]), day.toordinal(), kind, works, diary)
        if not count:
            return "Your vehicle stayed at home."
        trips = [
            f"{int(hour):02d}:{int(hour % 1.0 * 60.0):02d} {PLACES[place]} ({km:.1f} km)"
            for hour, place, km in zip(diary.leave_h.tolist(), diary.place.tolist(), diary.km.tolist(), strict=True)
        ]
        return (
            f"Your vehicle left {count} times, for {diary.km[:count].sum():.1f} km in all: {', '.join(trips[:count])}."
        )

    def complained(self) -> dict[str, float]:
        counts = self.fleet.counts.tolist()
        wear_eur = counts[GIVEN_KWH] * self.parameters.v2g_wear_ct_per_kwh / 100.0
        given = {"vehicle_given_kwh": counts[GIVEN_KWH], "vehicle_wear_eur": wear_eur}
        return {
            "vehicle_trips": counts[TRIPS],
            "vehicle_km": counts[KM],
            "vehicle_km_not_driven": counts[KM_NOT_DRIVEN],
            "vehicle_public_minutes": counts[PUBLIC_MINUTES],
            "vehicle_plug_ins": counts[PLUG_INS],
            "vehicle_plugged_h": counts[PLUGGED_H],
            "vehicle_elsewhere_kwh": counts[ELSEWHERE_KWH],
            "vehicle_overrides": counts[OVERRIDES],
            **(given if self.parameters.v2g_share else {}),
        }


def _calendar(day: date, zone: ZoneInfo) -> Calendar:
    """The day before `day`, that day, and those that vehicles are looked ahead for."""
    days = [day + timedelta(days=k) for k in range(-1, DAYS_AHEAD + 2)]
    return Calendar(
        first=days[0].toordinal(),
        midnight_ns=np.array([midnight_ns(one, zone) for one in days]),
        shift_ns=np.array([clock_shift_ns(one, zone) for one in days[:-1]]),
        kind=np.array([kind_of_day(one.weekday()) for one in days[:-1]]),
    )


def foreseen_kw(parameters: Parameters) -> Floats:
    """(96,) mean draw of a vehicle that nobody steers in each quarter hour of a local day, of some hundred vehicles in some weeks."""
    count, days, step_s = _FORESEEN
    utc, begin = ZoneInfo("UTC"), date(2015, 6, 1)
    calm = np.full(8760, _FORESEEN_C, dtype=np.float32)
    fleet = DiaryVehicles(parameters, np.arange(count, dtype=np.int64), Surroundings(Weather(calm, calm), utc, 0))
    drawn_kw, p_kw = np.zeros(96), np.zeros(count)
    for n in range(-7, days):
        day = begin + timedelta(days=n)
        day_ns, next_ns = midnight_ns(day, utc), midnight_ns(day + timedelta(days=1), utc)
        for k in range(96):
            start_ns = day_ns + k * step_s * NS_PER_S
            fleet.advance(Step(start_ns, start_ns + step_s * NS_PER_S, day, day_ns, next_ns, k), p_kw)
            drawn_kw[k] += fleet.total_kw if n >= 0 else 0.0
    return drawn_kw / (count * days)

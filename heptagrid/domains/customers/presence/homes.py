"""Demand of homes from what their people do, minute by minute; each home's energy of a year is the customer's own.

In each quarter hour some of a home's people are awake at home (`occupants`); while somebody is, appliances start (`appliances`), light is wanted in the
dark, and refrigerators and what stands by run on. A home's size follows its customer's energy of a year; its frequencies, lamps and standby are scaled so that the expected energy of a year
is that of the customer's profile. A start while the same appliance runs waits for its end, so energy is linear in frequency.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.device import stream_of
from heptagrid.domains.customers.presence import appliances, occupants
from heptagrid.domains.customers.presence.appliances import (
    APPLIANCES,
    COLD_DUTY,
    COLD_KW,
    LIGHT_KW,
)
from heptagrid.domains.customers.presence.occupants import MOST_PERSONS, QUARTERS, active_persons
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.random import bits, uniforms
from heptagrid.foundation.time import NS_PER_QUARTER, S_PER_QUARTER, from_ns, local_hours
from heptagrid.world.grid import Loads, Profiles
from heptagrid.world.weather import Weather

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_STREAM = stream_of("presence")
_DAYS = 365.25
_YEAR_OF_LIGHT = 2023  # without a leap day, as weather years are
_BEFORE_QUARTERS = 24  # hardly anything runs longer, so what runs at a beginning is found from there
# Households by persons (Mikrozensus, about 2022, from memory), and of each size the persons at home by day and away for half of it: assumption.
_PERSONS = np.array([0.41, 0.34, 0.12, 0.095, 0.035])
_AT_HOME = np.array([0.42, 0.38, 0.15, 0.12, 0.15])
_HALF_DAYS = np.array([0.15, 0.18, 0.28, 0.3, 0.3])
_UNLIKE = 0.45  # standard deviation of the logarithm of the energy of homes of one size: assumption
_COUNT = len(APPLIANCES)
_MASK21 = (1 << 21) - 1
_LONGEST = 40_000  # minutes that may wait for one appliance
_RUN_KWH = np.array([one.kwh for one in APPLIANCES])
_COLD_KWH = np.array(appliances.COLD_KW) * appliances.COLD_DUTY * 24.0 * _DAYS


class Kinds(NamedTuple):
    """What homes of the same persons have in common, (kinds) each first. persons: number. standby_kw: what runs all the time. per_quarter: (kinds, appliances) probability that one starts in a
    quarter hour, at a likelihood of 1. kwh: expected energy of a year of each appliance, and in the last two columns of light and standby."""

    persons: Ints
    standby_kw: Floats
    per_quarter: Floats
    kwh: Floats


class PresenceHomes:
    """The households among the customers, (homes,) each.

    row: the customer. people: the kinds of its persons, two bits each. kind: row of `Kinds`. owned: a bit for each appliance, then for each cold one.
    scale: by which frequencies, lamps, cold and standby differ from a home's of that kind. minutes: (homes, appliances) that what runs will run on.
    """

    def __init__(
        self, ids: Ints, row: Ints, year_kwh: Floats, kvar_per_kw: Floats, weather: Weather, zone: ZoneInfo, seed: int
    ) -> None:
        """ids: global ids of the homes. year_kwh: what each draws in a year. kvar_per_kw: mean reactive power by active power."""
        self.row, self._ids, self._zone, self._weather, self._seed = row, ids, zone, weather, seed
        self._kvar_per_kw = kvar_per_kw.astype(np.float32)
        mean = occupants.mean_presence()
        lit = _mean_darkness(weather, zone)
        self.people = _people(ids, year_kwh, _mean_kwh(mean, lit), seed)
        found, kind = np.unique(self.people, return_inverse=True)
        self.kind = kind.astype(np.uint8)
        self.kinds = _kinds(found, mean, lit)
        self.owned = _owned(ids, seed)
        self.scale = (year_kwh / _expected_kwh(self.kinds, self.kind, self.owned)).astype(np.float32)
        self.minutes = np.zeros((len(ids), _COUNT), dtype=np.uint16)
        self._quarter = -1

    @property
    def bytes_per_home(self) -> float:
        """Memory of what is kept of each home."""
        kept = (self.row, self._ids, self._kvar_per_kw, self.people, self.kind, self.owned, self.scale, self.minutes)
        return sum(one.nbytes for one in kept) / max(len(self.row), 1)

    def advance(self, quarter: int, p_kw: Floats, q_kvar: Floats, weights: npt.NDArray[np.float32]) -> None:
        """Write the quarter hour's demand: its minutes in kW into the homes' rows of `weights`, (customers, 15), and 1 and kvar for each kW into `p_kw` and
        `q_kvar`."""
        if quarter != self._quarter + 1:
            self.minutes[:] = 0
            for before in range(quarter - _BEFORE_QUARTERS, quarter):
                self._fill(before, weights)
        self._quarter = quarter
        self._fill(quarter, weights)
        p_kw[self.row] = 1.0
        q_kvar[self.row] = self._kvar_per_kw

    def _fill(self, quarter: int, weights: npt.NDArray[np.float32]) -> None:
        local = from_ns(quarter * NS_PER_QUARTER, self._zone)
        place = 4 * local.hour + local.minute // 15
        radiation = self._weather.radiation_w_m2_at(quarter * NS_PER_QUARTER + NS_PER_QUARTER // 2)
        now = Now(
            quarter=quarter,
            day=local.toordinal(),
            weekday=local.weekday(),
            hour=0.25 * place + 0.125,
            lit=float(appliances.darkness(np.array(radiation))),
        )
        likely = self.kinds.per_quarter * _LIKELY[_ACTIVITY, place]
        _fill(
            self._seed, now, likely, _RUNS, appliances.SHARED_LIGHT, self.kinds.standby_kw, self._ids, self.row, self.people,
            self.kind, self.owned, self.scale, self.minutes, weights,
        )  # fmt: skip


def homes_of(
    loads: Loads, profiles: Profiles, is_home: npt.NDArray[np.bool_], weather: Weather, zone: ZoneInfo, seed: int
) -> PresenceHomes:
    """The homes among the customers, with the energy and the mean reactive power of their profiles' year."""
    row = np.flatnonzero(is_home)
    columns = np.unique(np.concatenate([loads.p_profile[row], loads.q_profile[row]]))
    mean = np.zeros(profiles.millionths.shape[1])
    mean[columns] = profiles.millionths[:, columns].mean(axis=0) * 1e-6
    p_kw = loads.p_kw[row] * mean[loads.p_profile[row]]
    q_kvar = loads.q_kvar[row] * mean[loads.q_profile[row]]
    kvar_per_kw = np.divide(q_kvar, p_kw, out=np.zeros(len(row)), where=p_kw > 0.0)
    return PresenceHomes(row, row, p_kw * 24.0 * _DAYS, kvar_per_kw, weather, zone, seed)


class Now(NamedTuple):
    """The quarter hour: since 1970, its local day and weekday, its middle's local hour, and the part of lamps that people want lit."""

    quarter: int
    day: int
    weekday: int
    hour: float
    lit: float


_LIKELY = appliances.by_quarter()
_ACTIVITY = np.array([appliances.ACTIVITIES.index(one.hours) for one in APPLIANCES])
_RUNS = np.array([[one.first_kw, one.then_kw, one.minutes, one.then_minutes] for one in APPLIANCES])


def _people(ids: Ints, year_kwh: Floats, mean_kwh: Floats, seed: int) -> npt.NDArray[np.uint16]:
    """The persons of each home: how many, by what such homes need, and of which kind, in ascending order so that like homes are alike."""
    apart = np.log(np.maximum(year_kwh, 1e-3))[:, np.newaxis] - np.log(mean_kwh) + 0.5 * _UNLIKE**2
    nearest = apart**2 - (apart**2).min(axis=1, keepdims=True)
    weights = _PERSONS * np.exp(-0.5 * nearest / _UNLIKE**2)
    below = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    persons = 1 + (uniforms(seed, _STREAM, ids, -1)[:, np.newaxis] > below[:, :-1]).sum(axis=1)
    kinds = np.zeros((len(ids), MOST_PERSONS), dtype=np.int64)
    for person in range(MOST_PERSONS):
        drawn = uniforms(seed, _STREAM, ids, -10 - person)
        home, half = _AT_HOME[persons - 1], _HALF_DAYS[persons - 1]
        kind = np.where(drawn < home, occupants.HOME, np.where(drawn < home + half, occupants.HALF_DAY, occupants.AWAY))
        kinds[:, person] = np.where(person < persons, kind, occupants.NOBODY)
    in_order = -np.sort(-kinds, axis=1)
    return np.asarray((in_order << (2 * np.arange(MOST_PERSONS))).sum(axis=1), dtype=np.uint16)


def _owned(ids: Ints, seed: int) -> npt.NDArray[np.uint16]:
    """A bit for each appliance that a home owns, then for each cold one."""
    owned = np.zeros(len(ids), dtype=np.uint16)
    shares = [one.share for one in APPLIANCES] + list(appliances.COLD_SHARE)
    for place, share in enumerate(shares):
        has = uniforms(seed, _STREAM, ids, -20 - place) < share
        owned |= (has.astype(np.uint16) << np.uint16(place)).astype(np.uint16)
    return owned


def _probabilities(shares: list[Floats]) -> Floats:
    """(persons + 1, 7, 96) how likely each number of persons is to be awake at home, of the probability of each."""
    present = np.zeros((MOST_PERSONS + 1, 7, QUARTERS))
    present[0] = 1.0
    for share in shares:
        present[1:] = present[1:] * (1.0 - share) + present[:-1] * share
        present[0] *= 1.0 - share
    return present


def _light_kwh(present: Floats, lit: Floats) -> float:
    """Expected energy of a year of light; lit: (96,) mean of the part of lamps that people want."""
    shared = (appliances.SHARED_LIGHT[:, np.newaxis, np.newaxis] * present).sum(axis=0)
    return float((shared * lit).mean()) * appliances.LIGHT_KW * 24.0 * _DAYS


def _kinds(people: npt.NDArray[np.uint16], mean: Floats, lit: Floats) -> Kinds:
    """What is expected of homes of those persons. mean: (kinds of persons, 7, 96) awake at home; lit: (96,)."""
    likely = appliances.by_quarter()
    persons = np.zeros(len(people), dtype=np.int64)
    per_quarter, kwh = np.zeros((len(people), _COUNT)), np.zeros((len(people), _COUNT + 2))
    for k, one in enumerate(people.tolist()):
        kinds = [one >> place & 3 for place in range(0, 2 * MOST_PERSONS, 2) if one >> place & 3]
        present = _probabilities([mean[kind - 1] for kind in kinds])
        a_day = (likely[:, np.newaxis, :] * (1.0 - present[0])).sum(axis=(1, 2)) / 7.0
        persons[k] = len(kinds)
        per_quarter[k] = _runs(len(kinds)) / _DAYS / a_day[_ACTIVITY]
        kwh[k] = [*(_runs(len(kinds)) * _RUN_KWH), _light_kwh(present, lit), _standby_kw(len(kinds)) * 24.0 * _DAYS]
    return Kinds(persons, np.array([_standby_kw(one) for one in persons.tolist()]), per_quarter, kwh)


def _runs(persons: int) -> Floats:
    """Runs of each appliance in a year."""
    return np.array([one.per_year * float(persons) ** one.power for one in APPLIANCES])


def _standby_kw(persons: int) -> float:
    return float(appliances.STANDBY_KW * float(persons) ** appliances.STANDBY_POWER)


def _mean_kwh(mean: Floats, lit: Floats) -> Floats:
    """(sizes,) what a home of each number of persons needs in a year, on average."""
    of_size = []
    for persons, home, half in zip(range(1, MOST_PERSONS + 1), _AT_HOME, _HALF_DAYS, strict=True):
        share = (1.0 - home - half) * mean[0] + half * mean[1] + home * mean[2]
        owned = np.array([one.share for one in APPLIANCES])
        kwh = float((owned * _runs(persons) * _RUN_KWH).sum()) + _light_kwh(_probabilities([share] * persons), lit)
        of_size.append(
            kwh + _standby_kw(persons) * 24.0 * _DAYS + float((np.array(appliances.COLD_SHARE) * _COLD_KWH).sum())
        )
    return np.array(of_size)


def _expected_kwh(kinds: Kinds, kind: npt.NDArray[np.uint8], owned: npt.NDArray[np.uint16]) -> Floats:
    """(homes,) what each would need in a year at a scale of 1."""
    expected = kinds.kwh[kind, _COUNT:].sum(axis=1)
    for place in range(_COUNT):
        expected += np.where(owned >> place & 1, kinds.kwh[kind, place], 0.0)
    for place, kwh in enumerate(_COLD_KWH, start=_COUNT):
        expected += np.where(owned >> place & 1, kwh, 0.0)
    return np.asarray(expected)


def _mean_darkness(weather: Weather, zone: ZoneInfo) -> Floats:
    """(96,) the part of lamps that people want lit, over a year's days, by the quarter hour of the local day."""
    first = (datetime(_YEAR_OF_LIGHT, 1, 1, tzinfo=zone).timestamp()) // S_PER_QUARTER
    quarters = np.arange(365 * QUARTERS, dtype=np.int64) + int(first)
    hours = (quarters * 0.25 + 0.125 + weather.offset_h - 0.5) - datetime(
        _YEAR_OF_LIGHT, 1, 1, tzinfo=UTC
    ).timestamp() / 3600.0
    radiation = np.interp(hours, np.arange(8760), weather.radiation_w_m2, period=8760)
    place = np.round(4.0 * local_hours(quarters, zone)).astype(np.int64)
    return np.bincount(place, appliances.darkness(radiation), QUARTERS) / np.bincount(place, minlength=QUARTERS)


@kernel(allocates=False)
def _fill(  # type: ignore[no-untyped-def]
    seed, now, likely, runs, shared_light, standby_kw, ids, row, people, kind, owned, scale, minutes, weights
):  # fmt: skip
    """The minutes of a quarter hour, kW, into the homes' rows of `weights`."""
    for h in range(row.shape[0]):
        at, size = row[h], float(scale[h])
        active = active_persons(seed, _STREAM, ids[h], int(people[h]), now.day, now.weekday, now.hour)
        z = bits(seed, _STREAM, ids[h], 64 * now.quarter)
        steady = standby_kw[kind[h]] + LIGHT_KW * shared_light[active] * now.lit * (
            0.5 + float(z >> np.uint64(48)) / 65536.0
        )
        for m in range(15):
            weights[at, m] = size * steady
        _cool(h, now.quarter, seed, ids, owned, size, at, weights)
        for a in range(runs.shape[0]):
            if a % 3 == 0:
                z = bits(seed, _STREAM, ids[h], 64 * now.quarter + 2 + a)
            begins = 15
            left = int(minutes[h, a])
            if active > 0 and (owned[h] >> a) & 1:
                share = (float((z >> np.uint64(21 * (a % 3))) & np.uint64(_MASK21)) + 0.5) / (_MASK21 + 1.0)
                likely_now = size * likely[kind[h], a]
                if share < likely_now:
                    begins = int(15.0 * share / likely_now)
            if left == 0 and begins == 15:
                continue
            long, last = int(runs[a, 2]), int(runs[a, 3])
            m = 0 if left > 0 else begins
            while m < 15:
                if m == begins:
                    left, begins = min(left + long, _LONGEST), 15
                if left == 0:
                    m = begins
                    continue
                of_this = (left - 1) % long + 1  # minutes left of this run, the present one included
                part_kw = runs[a, 0] if of_this > last else runs[a, 1]
                to = min(m + (of_this - last if of_this > last else of_this), begins)
                for minute in range(m, to):
                    weights[at, minute] += part_kw
                left -= to - m
                m = to
            minutes[h, a] = left


@kernel(inline=True, allocates=False)
def _cool(h, quarter, seed, ids, owned, size, at, weights):  # type: ignore[no-untyped-def]
    """Refrigerators and freezers, each running for a part of a period of its own."""
    z = bits(seed, _STREAM, ids[h], -100)
    for unit in range(2):
        if (owned[h] >> (_COUNT + unit)) & 1:
            period = 40 + int((z >> np.uint64(32 * unit)) & np.uint64(31))
            runs = COLD_DUTY * period
            since = (15 * quarter + int((z >> np.uint64(32 * unit + 8)) & np.uint64(0xFFFF))) % period
            for m in range(15):
                minute = since + m - (period if since + m >= period else 0)
                weights[at, m] += size * COLD_KW[unit] * min(max(runs - minute, 0.0), 1.0)

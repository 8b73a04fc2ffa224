"""Electric vehicles: away between departure and arrival, charged at home with up to 11 kW; by travel diaries they are those of `mobility.fleet`.

Every vehicle is at home at midnight. On a day on which it travels it leaves in the morning and comes back
in the afternoon or evening with the trip's energy gone. Without a plan it charges at full power as soon
as it is plugged in; with one it charges where the plan's signal is lowest until its next departure, always so that it
leaves full if that can be done. Where the local market gave it a power, it charges with that. In the place of one whose charger is a real one outside
stands what that draws: it neither travels nor stores.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from statistics import NormalDist
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.bidding.vehicles import QuantileRule
from heptagrid.domains.customers.device import Candidates, Complaint, Device, Surroundings, Words
from heptagrid.domains.customers.gateways import SLOT_H, plan_in_force
from heptagrid.domains.customers.mobility.parameters import DIARIES, FIGURES, Parameters
from heptagrid.domains.customers.standard_profiles import ByLocalQuarter
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.random import Stream, normals, uniforms
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER, Step, clock_shift_ns, midnight_ns
from heptagrid.world.registrations import Need
from heptagrid.world.water_filling import fill

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_QUANTILES = 99  # points at which the distributions of arrival and energy are taken, evenly in probability


class Vehicles(Device[Parameters]):
    """All vehicles as arrays; `owner` is the customer at whose point each charges.

    content_kwh: (vehicles,). baseline_kwh: (vehicles,) what each battery would hold after the same trips, charged at full power from
    arrival on, from which `moved` counts. used_kwh: what was driven, and what real chargers drew. shortfall_kwh: what trips needed and batteries did not hold.
    is_outside: (vehicles,) whether a real charger is in its place and draws what is ordered.
    """

    section = Parameters
    words = Words("vehicle", "vehicles", "charges", "a vehicle that charges at home", "Vehicles charging")
    order = 10
    complaints = MappingProxyType(
        {
            "vehicle_shortfall_kwh": Complaint("Vehicles short of energy", "kWh", 1),
            **FIGURES,
        }
    )
    is_capped = True
    bid_rule = QuantileRule

    def __init__(self, parameters: Parameters, owner: Ints, surroundings: Surroundings) -> None:
        super().__init__(parameters, owner, surroundings)
        count = len(owner)
        self.content_kwh = np.full(count, parameters.battery_kwh)
        self.baseline_kwh = self.content_kwh.copy()
        self.shortfall_kwh = 0.0
        self._day: date | None = None
        self.is_outside = np.zeros(count, dtype=np.bool_)
        self._home = np.ones(count, dtype=np.bool_)
        self._level = np.zeros(count)
        self._planned = np.full(count, -2, dtype=np.int64)

    @classmethod
    def made(cls, parameters: Parameters, owner: Ints, surroundings: Surroundings) -> Vehicles:
        """By travel diaries where the scenario wants them."""
        if parameters.behaviour != DIARIES:
            return cls(parameters, owner, surroundings)
        from heptagrid.domains.customers.mobility.fleet import DiaryVehicles

        return DiaryVehicles(parameters, owner, surroundings)

    @classmethod
    def owners(cls, parameters: Parameters, candidates: Candidates) -> Bools:
        return candidates.is_household & candidates.drawn(parameters.share, Stream.OWNERSHIP, 0)

    def work(self, step: Step, p_kw: Floats, supplied: Bools) -> float:
        """Charge through the step where there is supply."""
        if step.day != self._day:
            self._begin_day(step.day)
        one = self.parameters
        total_kw, driven_kwh, losses_kwh, shortfall_kwh = _charge(
            step.start_ns,
            step.end_ns,
            self.owner,
            Size(one.battery_kwh, one.charger_kw, one.efficiency),
            self._trips,
            State(
                self._home,
                self.content_kwh,
                self.baseline_kwh,
                self.moved.less_kwh,
                self._level,
                self._planned,
                self.is_outside,
            ),
            Caps(self.cap_kw, self.cap_until_ns),
            self.plans.table,
            self.orders.table,
            supplied,
            p_kw,
        )
        self.used_kwh += driven_kwh
        self.losses_kwh += losses_kwh
        self.shortfall_kwh += shortfall_kwh
        return float(total_kw)

    @property
    def rated_kw(self) -> float:
        return self.parameters.charger_kw

    @property
    def stored_kwh(self) -> float:
        """What all vehicle batteries hold."""
        return float(self.content_kwh.sum())

    def contents_kwh(self) -> Floats:
        return self.content_kwh

    def at_home(self) -> Bools:
        return self._home

    def complained(self) -> dict[str, float]:
        return {"vehicle_shortfall_kwh": self.shortfall_kwh}

    @classmethod
    def mean_kw(cls, parameters: Parameters, surroundings: Surroundings) -> Callable[[Ints], Floats]:
        return ByLocalQuarter(_day_kw(parameters), surroundings.zone)

    @classmethod
    def need(cls, parameters: Parameters) -> Need:
        kwh_per_day = parameters.foreseen_kwh_per_day
        if parameters.behaviour == DIARIES:
            kwh_per_day = float(_day_kw(parameters).sum()) / 4.0
        return Need(kwh_per_day, parameters.plugged_from_h, parameters.plugged_to_h)

    def most_kw(self, rows: Ints) -> Floats | float:
        """What the chargers of vehicles, (k,), draw at most."""
        return self.parameters.charger_kw

    def spare_kw(self, rows: Ints, hours: float) -> Floats | None:
        """What vehicles, (k,), could feed in for some hours; None: none of them ever does."""
        return None

    def charging_need(self, at_ns: int) -> tuple[Floats, Ints]:
        """What each would draw until full, (vehicles,) in kWh, 0 of one that is away, and when it leaves next, as they are now; asked for a time soon to come."""
        trips, one = self._trips, self.parameters
        leaves_ns = np.where(at_ns < trips.departure_ns, trips.departure_ns, trips.following_ns)
        need_kwh = (one.battery_kwh - self.content_kwh) / one.efficiency
        return np.where(self._home & ~self.is_outside, need_kwh, 0.0), leaves_ns

    def _begin_day(self, day: date) -> None:
        """The day's trips and the next day's departures, functions of vehicle and day alone."""
        self._day = day
        one = self.parameters
        departure_ns, arrival_ns, travels = self._times(day)
        spread = np.exp(one.trip_spread * self._normals(Stream.VEHICLE_ENERGY, day) - one.trip_spread**2 / 2.0)
        trip_kwh = np.where(travels, np.minimum(one.trip_kwh * spread, one.battery_kwh), 0.0)
        self._trips = Trips(departure_ns, arrival_ns, self._times(day + timedelta(days=1))[0], trip_kwh)

    def _times(self, day: date) -> tuple[Ints, Ints, Bools]:
        one, zone = self.parameters, self.surroundings.zone
        leave_h = one.departure_h + one.departure_sd_h * self._normals(Stream.VEHICLE_DEPARTURE, day)
        back_h = one.arrival_h + one.arrival_sd_h * self._normals(Stream.VEHICLE_ARRIVAL, day)
        leave_h = np.clip(leave_h, 4.0, 12.0)
        back_h = np.clip(back_h, leave_h + 1.0, 23.5)
        midnight, shift = midnight_ns(day, zone), clock_shift_ns(day, zone)
        seed, stream = self.surroundings.seed, int(Stream.VEHICLE_DETAIL)
        travels = np.asarray(uniforms(seed, stream, self.owner, day.toordinal())) < one.travel_share
        leave = midnight + shift + (leave_h * NS_PER_HOUR).astype(np.int64)
        back = midnight + shift + (back_h * NS_PER_HOUR).astype(np.int64)
        return leave, np.where(travels, back, leave), travels

    def _normals(self, stream: Stream, day: date) -> Floats:
        return np.asarray(normals(self.surroundings.seed, int(stream), self.owner, day.toordinal()))


@lru_cache(maxsize=8)
def _day_kw(parameters: Parameters) -> Floats:
    """(96,) mean draw of a vehicle that nobody steers by quarter hour; an arm asks three times while it is built."""
    if parameters.behaviour == DIARIES:
        from heptagrid.domains.customers.mobility.fleet import foreseen_kw

        return foreseen_kw(parameters)
    return charging_kw(parameters, np.arange(96) / 4.0)


def charging_kw(parameters: Parameters, local_hour: Floats) -> Floats:
    """Mean draw of a vehicle that nobody steers over the quarter hours that begin at `local_hour` (0 to 24), the same shape, in kW.

    One that travels comes home at an hour that is normally distributed, and charges at full power until what it used is back.
    """
    one = parameters
    # The normal distribution's quantiles in the middles of parts of equal probability.
    normal = np.array([NormalDist().inv_cdf((k + 0.5) / _QUANTILES) for k in range(_QUANTILES)])
    energy_kwh = one.trip_kwh * np.exp(one.trip_spread * normal - one.trip_spread**2 / 2.0)
    takes_h = np.minimum(energy_kwh, one.battery_kwh) / one.efficiency / one.charger_kw
    arrives_h = np.clip(one.arrival_h + one.arrival_sd_h * normal, one.departure_h + 1.0, 23.5)
    begin, end = arrives_h[:, np.newaxis], arrives_h[:, np.newaxis] + takes_h
    share = np.zeros(len(local_hour))
    for day_h in (0.0, 24.0):  # who comes late charges on beyond midnight
        start = (local_hour + day_h)[:, np.newaxis, np.newaxis]
        charged_h = np.minimum(end, start + 0.25) - np.maximum(begin, start)
        share += np.maximum(charged_h, 0.0).mean(axis=(1, 2)) / 0.25
    return np.asarray(one.travel_share * one.charger_kw * share)


class Size(NamedTuple):
    """What a vehicle can take up."""

    battery_kwh: float
    charger_kw: float
    efficiency: float


class Trips(NamedTuple):
    """The day's trips, (vehicles,) each: departure, arrival, the next day's departure, energy."""

    departure_ns: Ints
    arrival_ns: Ints
    following_ns: Ints
    kwh: Floats


class State(NamedTuple):
    """Where vehicles are and what they hold, (vehicles,) each; level and planned: what each charges below, by which row of the plans; outside: whose chargers are real."""

    home: Bools
    content_kwh: Floats
    baseline_kwh: Floats
    less_kwh: Floats
    level_kw: Floats
    planned: Ints
    outside: Bools


class Caps(NamedTuple):
    """Highest power and until when, (vehicles,) each."""

    kw: Floats
    until_ns: Ints


@kernel
def _charge(start, end, owner, size, trips, state, caps, plans, orders, supplied, point_p):  # type: ignore[no-untyped-def]
    capacity, p_max, efficiency = size
    departure, arrival, following, trip_kwh = trips
    home, content, baseline, less, level, planned, outside = state
    signals = plans.signals
    hours = (end - start) / 3.6e12
    quarter = start // NS_PER_QUARTER
    begins = start % NS_PER_QUARTER == 0
    left_share = 1.0 - (start - quarter * NS_PER_QUARTER) / NS_PER_QUARTER
    total = driven = losses = shortfall = 0.0
    for k in range(owner.shape[0]):
        orders.own_kw[k] = orders.flexible_kw[k] = 0.0
        if outside[k]:
            home[k] = True
            if supplied[owner[k]] and start < orders.until_ns[k] and orders.is_power[k]:
                power = orders.value[k]
                driven += power * hours
                total += power
                orders.own_kw[k] = power
                point_p[owner[k]] += power
            continue
        away = departure[k] <= start < arrival[k]
        if away:
            home[k] = False
            continue
        fresh = False
        if not home[k]:
            home[k] = True
            fresh = True
            used = min(trip_kwh[k], content[k])
            driven += used
            shortfall += trip_kwh[k] - used
            content[k] -= used
            baseline[k] -= min(trip_kwh[k], baseline[k])
        if not supplied[owner[k]]:
            planned[k] = -2  # it plans anew when supply is back
            continue
        by_itself = min(p_max, (capacity - baseline[k]) / efficiency / hours)
        baseline[k] += by_itself * hours * efficiency
        need = (capacity - content[k]) / efficiency
        if need <= 1e-9:
            continue
        power = p_max
        row = plan_in_force(k, quarter, plans)
        if start < orders.until_ns[k]:
            row, power, leaves = -1, min(max(orders.value[k], 0.0), p_max), end
        elif row >= 0:
            leaves = departure[k] if start < departure[k] else following[k]
            slot = quarter - plans.first_quarter[row]
            if begins or fresh or planned[k] != row:
                planned[k] = row
                last = min(leaves // NS_PER_QUARTER - plans.first_quarter[row], plans.slots[row])
                if last > slot:
                    level[k] = fill(signals[row], slot, last, left_share, need, 1, p_max, SLOT_H)
                else:
                    level[k] = np.inf
            power = min(max(level[k] - signals[row, slot], 0.0), p_max)
        else:
            leaves = end
        if start < caps.until_ns[k]:
            power = min(power, caps.kw[k])
        if row >= 0 and need >= p_max * ((leaves - end) / 3.6e12):
            power = p_max
        power = min(power, need / hours)
        content[k] += power * hours * efficiency
        losses += power * hours * (1.0 - efficiency)
        total += power
        orders.flexible_kw[k] = power
        if row >= 0 and row == plans.steered[k]:
            less[k] += (by_itself - power) * hours
        point_p[owner[k]] += power
    return total, driven, losses, shortfall

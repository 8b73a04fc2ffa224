"""Electric vehicles: away between departure and arrival, charged at home with up to 11 kW.

Every vehicle is at home at midnight. On a day on which it travels it leaves in the morning and comes back
in the afternoon or evening with the trip's energy gone. Without a plan it charges at full power as soon
as it is plugged in; with one it fills the plan's valleys until its next departure, always so that it
leaves full if that can be done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.gateways import SLOT_H, PlanBook, plan_in_force
from heptagrid.domains.customers.moved_energy import MovedEnergy
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.random import Stream, normals, uniforms
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER, Step, midnight_ns
from heptagrid.world.water_filling import fill

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_MID = "after Mobilität in Deutschland 2017, times of day of car trips (source not read)"


@dataclass(frozen=True)
class Parameters:
    """How many vehicles there are, how they travel, and how they charge."""

    share: float = parameter(
        0.2,
        info="vehicles per household",
        low=0.0,
        high=1.0,
        source="assumption: half-way to 15 million vehicles for Germany's 41 million households, the 2030 target",
    )
    departure_h: float = parameter(7.5, info="mean local hour of departure", unit="h", low=4.0, high=12.0, source=_MID)
    departure_sd_h: float = parameter(1.2, info="its standard deviation", unit="h", low=0.0, high=4.0, source=_MID)
    arrival_h: float = parameter(17.5, info="mean local hour of arrival", unit="h", low=12.0, high=23.0, source=_MID)
    arrival_sd_h: float = parameter(2.0, info="its standard deviation", unit="h", low=0.0, high=4.0, source=_MID)
    travel_share: float = parameter(
        0.7, info="share of vehicles that travel on a day", low=0.0, high=1.0, source=f"assumption, {_MID}"
    )
    trip_kwh: float = parameter(
        10.0,
        info="mean energy of a day's travel, on days with travel",
        unit="kWh",
        low=0.0,
        high=100.0,
        source="Mobilität in Deutschland 2017: about 37 km per car and day (source not read), at 0.19 kWh/km, over 0.7",
    )
    trip_spread: float = parameter(
        0.6, info="standard deviation of the logarithm of the trip's energy", low=0.0, high=2.0, source="assumption"
    )
    battery_kwh: float = parameter(
        60.0, info="battery capacity", unit="kWh", low=5.0, high=200.0, source="assumption: a mid-size car of the 2020s"
    )
    charger_kw: float = parameter(
        11.0,
        info="charging power",
        unit="kW",
        low=1.0,
        high=22.0,
        source="IEC 61851-1: 16 A on three phases of 230 V; chargers up to 11 kW need only be registered (NAV section 19)",
    )
    efficiency: float = parameter(
        0.9,
        info="efficiency of charging, from grid to battery",
        low=0.5,
        high=1.0,
        source="assumption: on-board chargers reach 0.88 to 0.94",
    )


class Vehicles:
    """All vehicles as arrays; `owner` is the customer at whose point each charges.

    moved: what they drew less, under an aggregator's plan, than their baseline: the same trips, charged at full power from
    arrival on. baseline_kwh: (vehicles,) what each battery would hold so.
    """

    def __init__(self, parameters: Parameters, owner: Ints, ids: Ints, zone: ZoneInfo, seed: int) -> None:
        count = len(owner)
        self.parameters, self.owner = parameters, owner
        self.plans = PlanBook(count)
        self.cap_kw = np.full(count, np.inf)
        self.cap_until_ns = np.zeros(count, dtype=np.int64)
        self.content_kwh = np.full(count, parameters.battery_kwh)
        self.baseline_kwh = self.content_kwh.copy()
        self.moved = MovedEnergy(count)
        self.total_kw = 0.0
        self.driven_kwh = 0.0
        self.losses_kwh = 0.0
        self.shortfall_kwh = 0.0
        self._ids, self._zone, self._seed = ids, zone, seed
        self._day: date | None = None
        self._home = np.ones(count, dtype=np.bool_)
        self._level = np.zeros(count)
        self._planned = np.full(count, -2, dtype=np.int64)

    def advance(self, step: Step, p_kw: Floats, supplied: Bools | None = None) -> None:
        """Charge through the step where there is supply; adds to the net draw of the owners' points."""
        if supplied is None:
            supplied = np.ones(len(p_kw), dtype=np.bool_)
        if step.day != self._day:
            self._begin_day(step.day)
        one = self.parameters
        plans = self.plans
        sums = _charge(
            *(step.start_ns, step.end_ns, self.owner, self._departure, self._arrival, self._next, self._trip_kwh),
            *(one.battery_kwh, one.charger_kw, one.efficiency, self._home, self.content_kwh, self._level),
            *(self._planned, self.cap_kw, self.cap_until_ns, plans.signals, plans.first_quarter),
            *(plans.slots, plans.until_quarter),
            *(plans.steered, plans.priced, self.baseline_kwh, self.moved.less_kwh, supplied, p_kw),
        )
        self.total_kw = sums[0]
        self.driven_kwh += sums[1]
        self.losses_kwh += sums[2]
        self.shortfall_kwh += sums[3]
        self.moved.advance(step)

    @property
    def stored_kwh(self) -> float:
        """What all vehicle batteries hold."""
        return float(self.content_kwh.sum())

    def _begin_day(self, day: date) -> None:
        """The day's trips and the next day's departures, functions of vehicle and day alone."""
        self._day = day
        one = self.parameters
        self._departure, self._arrival, travels = self._times(day)
        spread = np.exp(one.trip_spread * self._drawn(normals, Stream.VEHICLE_ENERGY, day) - one.trip_spread**2 / 2.0)
        self._trip_kwh = np.where(travels, np.minimum(one.trip_kwh * spread, one.battery_kwh), 0.0)
        self._next = self._times(day + timedelta(days=1))[0]

    def _times(self, day: date) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
        one = self.parameters
        leave_h = one.departure_h + one.departure_sd_h * self._drawn(normals, Stream.VEHICLE_DEPARTURE, day)
        back_h = one.arrival_h + one.arrival_sd_h * self._drawn(normals, Stream.VEHICLE_ARRIVAL, day)
        leave_h = np.clip(leave_h, 4.0, 12.0)
        back_h = np.clip(back_h, leave_h + 1.0, 23.5)
        midnight = midnight_ns(day, self._zone)
        shift = midnight_ns(day + timedelta(days=1), self._zone) - midnight - 24 * NS_PER_HOUR
        travels = self._drawn(uniforms, Stream.VEHICLE_DETAIL, day) < one.travel_share
        leave = midnight + shift + (leave_h * NS_PER_HOUR).astype(np.int64)
        back = midnight + shift + (back_h * NS_PER_HOUR).astype(np.int64)
        return leave, np.where(travels, back, leave), travels

    def _drawn(self, draw: object, stream: Stream, day: date) -> Floats:
        return np.asarray(draw(self._seed, int(stream), self._ids, day.toordinal()))  # type: ignore[operator]


@kernel
def _charge(  # type: ignore[no-untyped-def]
    start, end, owner, departure, arrival, following, trip_kwh, capacity, p_max, efficiency, home, content, level,
    planned, cap_kw, cap_until, signals, first_quarter, slots, until_quarter, steered, priced,
    baseline, less, supplied, point_p,
):  # fmt: skip
    hours = (end - start) / 3.6e12
    quarter = start // NS_PER_QUARTER
    begins = start % NS_PER_QUARTER == 0
    left_share = 1.0 - (start - quarter * NS_PER_QUARTER) / NS_PER_QUARTER
    total = driven = losses = shortfall = 0.0
    for k in range(owner.shape[0]):
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
        row = plan_in_force(k, quarter, first_quarter, until_quarter, steered, priced)
        if row >= 0:
            leaves = departure[k] if start < departure[k] else following[k]
            slot = quarter - first_quarter[row]
            if begins or fresh or planned[k] != row:
                planned[k] = row
                last = min(leaves // NS_PER_QUARTER - first_quarter[row], slots[row])
                if last > slot:
                    level[k] = fill(signals[row], slot, last, left_share, need, 1, p_max, SLOT_H)
                else:
                    level[k] = np.inf
            power = min(max(level[k] - signals[row, slot], 0.0), p_max)
        else:
            leaves = end
        if start < cap_until[k]:
            power = min(power, cap_kw[k])
        if row >= 0 and need >= p_max * ((leaves - end) / 3.6e12):
            power = p_max
        power = min(power, need / hours)
        content[k] += power * hours * efficiency
        losses += power * hours * (1.0 - efficiency)
        total += power
        if row >= 0 and row == steered[k]:
            less[k] += (by_itself - power) * hours
        point_p[owner[k]] += power
    return total, driven, losses, shortfall

"""Electric water heaters: a well mixed tank each, heated by a thermostat, by a plan's signal, or as the local market says."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from heptagrid.domains.customers.device import Complaint, Device, Words, stream_of
from heptagrid.domains.customers.gateways import SLOT_H, plan_in_force
from heptagrid.domains.customers.standard_profiles import ByLocalQuarter
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.time import from_ns
from heptagrid.world.water_filling import fill
from heptagrid_extras.tank_rule import TankRule

# Hot water in each hour of the day, as parts of the day's: assumption, showers in the morning, dishes and baths in the evening.
BY_HOUR = np.repeat([0.0, 0.01, 0.13, 0.04, 0.035, 0.06, 0.01], [4, 2, 3, 3, 6, 4, 2])


@dataclass(frozen=True)
class Parameters:
    """How many electric water heaters there are, their tanks, and how much hot water is used."""

    share: float = parameter(0.15, info="share of households with one", low=0.0, high=1.0, source="assumption")
    tank_kwh: float = parameter(9.3, info="heat in it", unit="kWh", low=1.0, high=99.0, source="160 l from 10 to 60 C")
    heater_kw: float = parameter(3.0, info="its power", unit="kW", low=0.1, high=30.0, source="assumption")
    use_kwh: float = parameter(5.0, info="heat of a day's use", unit="kWh", low=0.0, high=50.0, source="assumption")
    loss_share: float = parameter(0.15, info="part of its heat lost a day", low=0.0, high=0.9, source="assumption")


class Tanks(NamedTuple):
    """Heat held, above that of cold water, and whether the heater is on, as they are and as the thermostat alone would have them; energy drawn less."""

    heat_kwh: np.ndarray
    is_on: np.ndarray
    own_heat_kwh: np.ndarray
    own_is_on: np.ndarray
    less_kwh: np.ndarray


class WaterHeaters(Device[Parameters]):
    """All water heaters as arrays; cold_kwh: what was asked for and the tanks did not hold."""

    section = Parameters
    words = Words("water heater", "water heaters", "heats", "an electric water heater", "Water heaters")
    bid_rule = TankRule
    order = 25  # before the batteries, which see what it draws
    complaints = MappingProxyType({"cold_water_kwh": Complaint("Hot water that stayed cold", "kWh", 1)})

    def __init__(self, parameters, owner, surroundings):
        super().__init__(parameters, owner, surroundings)
        full, off = np.full(len(owner), parameters.tank_kwh), np.zeros(len(owner), dtype=np.bool_)
        self.tanks = Tanks(full, off, full.copy(), off.copy(), self.moved.less_kwh)
        self.cold_kwh = 0.0

    @classmethod
    def owners(cls, parameters, candidates):
        return candidates.is_household & candidates.drawn(parameters.share, stream_of("water_heaters"))

    def work(self, step, p_kw, supplied):
        one, hours = self.parameters, step.dt_s / 3600.0
        asked_kwh = one.use_kwh * BY_HOUR[from_ns(step.start_ns, self.surroundings.zone).hour] * hours
        kept_share = (1.0 - one.loss_share) ** (hours / 24.0)
        heater = (one.tank_kwh, one.heater_kw, asked_kwh, kept_share)
        told = self.plans.table, self.orders.table
        sums = _heat(step.start_ns, step.quarter, hours, self.owner, heater, self.tanks, *told, supplied, p_kw)
        self.used_kwh += sums[1]
        self.losses_kwh += sums[2]
        self.cold_kwh += asked_kwh * len(self.owner) - sums[1]
        return sums[0]

    @property
    def rated_kw(self):
        return self.parameters.heater_kw

    @property
    def stored_kwh(self):
        return float(self.tanks.heat_kwh.sum())

    def complained(self):
        return {"cold_water_kwh": self.cold_kwh}

    @classmethod
    def mean_kw(cls, parameters, surroundings):
        return ByLocalQuarter(np.repeat(parameters.use_kwh * BY_HOUR, 4), surroundings.zone)


@kernel
def _tank(k, row, ordered, quarter, hours, heater, heat_kwh, is_on, plans, has_supply):
    full, p_max, asked, kept_share = heater
    is_on[k] = heat_kwh[k] < 0.5 * full or (is_on[k] and heat_kwh[k] < full - 1e-9)
    power = p_max if is_on[k] else 0.0
    if row >= 0 and heat_kwh[k] > 0.25 * full:
        signal, slot = plans.signals[row], quarter - plans.first_quarter[row]
        level = fill(signal, slot, plans.slots[row], 1.0, full - heat_kwh[k] + 1e-6, 1, p_max, SLOT_H)
        power = min(max(level - signal[slot], 0.0), p_max)
    power = min(ordered, p_max) if ordered >= 0.0 else power
    power = min(power, (full - heat_kwh[k]) / hours) if has_supply else 0.0
    heated = heat_kwh[k] + power * hours
    taken = min(asked, heated * kept_share)
    heat_kwh[k] = heated * kept_share - taken
    return power, taken, heated * (1.0 - kept_share)


@kernel
def _heat(start, quarter, hours, owner, heater, tanks, plans, orders, supplied, point_p):
    total = used = lost = 0.0
    for k, at in enumerate(owner):
        row, on = plan_in_force(k, quarter, plans), supplied[at]
        ordered = orders.value[k] if start < orders.until_ns[k] else -1.0
        by_itself, _, _ = _tank(k, -1, -1.0, quarter, hours, heater, tanks.own_heat_kwh, tanks.own_is_on, plans, on)
        power, taken, leaked = _tank(k, row, ordered, quarter, hours, heater, tanks.heat_kwh, tanks.is_on, plans, on)
        orders.flexible_kw[k] = power
        total, used, lost, point_p[at] = total + power, used + taken, lost + leaked, point_p[at] + power
        if row >= 0 and row == plans.steered[k]:
            tanks.less_kwh[k] += (by_itself - power) * hours
    return total, used, lost

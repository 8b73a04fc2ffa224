"""Electric water heaters: tanks under thermostats, from which households draw as they wash, cook, shower and bathe.

The tank is that of `thermal.tank`; the draws are those of Jordan and Vajen (2001), "Realistic domestic hot-water profiles in different time scales", IEA SHC Task 26:
short, medium, shower and bath, each with its flow, length and number a day. A draw lies within one quarter hour, and counts in a step with its mean flow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.device import Candidates, Complaint, Device, Surroundings, Words, stream_of
from heptagrid.domains.customers.gateways import plan_in_force
from heptagrid.domains.customers.standard_profiles import ByLocalQuarter
from heptagrid.domains.customers.thermal.tank import tank_of, through
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.random import normals, uniform, uniforms
from heptagrid.foundation.time import NS_PER_QUARTER, NS_PER_S, S_PER_QUARTER, Step, from_ns

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

J_PER_KWH = 3.6e6
J_PER_LITRE_K = 4180.0
_STREAM = stream_of("hot_water")
_KINDS = np.array([[1.0, 60.0, 28.0], [6.0, 60.0, 12.0], [8.0, 300.0, 2.0], [14.0, 600.0, 0.143]])
"""Short, medium, shower, bath: litres a minute, seconds, number on a day of 200 litres (Jordan and Vajen, table 1)."""
_LITRES = float((_KINDS[:, 0] * _KINDS[:, 1] / 60.0 * _KINDS[:, 2]).sum())
BY_HOUR = np.repeat([0.005, 0.03, 0.095, 0.06, 0.04, 0.035, 0.065, 0.035], [5, 1, 3, 2, 6, 1, 4, 2])
"""Part of the day's draws that begins in each hour: assumption, mornings and evenings, as in figure 3 there."""
BY_HOUR /= BY_HOUR.sum()


@dataclass(frozen=True)
class Parameters:
    """How many electric water heaters there are, their tanks, and what is drawn from them."""

    share: float = parameter(0.0, info="share of households with one", low=0.0, high=1.0, source="assumption: set it for your region")  # fmt: skip
    tank_l: float = parameter(200.0, info="its size", unit="l", low=5.0, high=2000.0, source="assumption: a family's")
    heater_kw: float = parameter(3.0, info="its power", unit="kW", low=0.1, high=30.0, source="assumption")
    loss_w_per_k: float = parameter(
        1.6, info="heat that the tank loses", unit="W/K", low=0.01, high=50.0,
        source="Regulation (EU) 814/2013, energy class C of 200 l: about 70 W at 45 K",
    )  # fmt: skip
    set_c: float = parameter(58.0, info="middle of its thermostat's deadband", unit="C", low=35.0, high=90.0, source="assumption: DVGW W 551 asks for 60 C at the outlet of large tanks")  # fmt: skip
    deadband_k: float = parameter(5.0, info="between off and on", unit="K", low=0.5, high=30.0, source="GridLAB-D, object waterheater: 4 to 10 F")  # fmt: skip
    inlet_c: float = parameter(11.0, info="cold water", unit="C", low=1.0, high=30.0, source="assumption: 10 to 12 C, yearly mean of the ground")  # fmt: skip
    ambient_c: float = parameter(
        18.0, info="where the tank stands", unit="C", low=-10.0, high=40.0, source="assumption"
    )
    use_c: float = parameter(45.0, info="at which water is used, mixed from hot and cold", unit="C", low=30.0, high=60.0, source="Jordan and Vajen (2001): 45 C")  # fmt: skip
    use_l: float = parameter(
        150.0, info="mean use of a household on a day, at that temperature", unit="l", low=0.0, high=1000.0,
        source="assumption: 200 l a day of a single-family house (Jordan and Vajen 2001), 2 persons a household in Germany",
    )  # fmt: skip
    use_spread: float = parameter(0.5, info="standard deviation of the logarithm of households' use", low=0.0, high=1.5, source="assumption")  # fmt: skip
    flex_k: float = parameter(5.0, info="how far a plan or a price may move the set-point, either way", unit="K", low=0.0, high=20.0, source="assumption: stays above 50 C")  # fmt: skip


class Tanks(NamedTuple):
    """(tanks,) each: temperature and part of the hot layer, and whether the heater is on."""

    hot_c: Floats
    part: Floats
    is_on: Bools


class Draws(NamedTuple):
    """What is drawn in the quarter hour that runs, (tanks,) each: from which of its seconds on, for how long, litres by the second."""

    begin_s: Floats
    length_s: Floats
    l_per_s: Floats


class HotWater(Device[Parameters]):
    """All electric water heaters as arrays.

    tanks: as they are; alone: as they would be without the plan that steers them, from the plan's begin. short_l: litres that were drawn too cold, by what they
    lacked; overrides: how often people took an order back.
    """

    section = Parameters
    words = Words("electric water heater", "electric water heaters", "heats water", "an electric water heater", "Electric water heaters")  # fmt: skip
    order = 24
    in_every_run = False
    complaints = MappingProxyType(
        {
            "hot_water_short_l": Complaint("Hot water that came too cold", "l", 0),
            "hot_water_overrides": Complaint("Orders to water heaters that people took back", "", 0),
        }
    )

    def __init__(self, parameters: Parameters, owner: Ints, surroundings: Surroundings) -> None:
        super().__init__(parameters, owner, surroundings)
        one, seed, count = parameters, surroundings.seed, len(owner)
        begins_c = one.set_c + one.deadband_k * (np.asarray(uniforms(seed, _STREAM, owner, 0)) - 0.5)
        self.tanks = Tanks(begins_c, np.ones(count), np.zeros(count, dtype=np.bool_))
        self.alone = Tanks(begins_c.copy(), np.ones(count), np.zeros(count, dtype=np.bool_))
        self.is_steered = np.zeros(count, dtype=np.bool_)
        self.draws = Draws(np.zeros(count), np.zeros(count), np.zeros(count))
        self.overrides = np.zeros(count, dtype=np.int64)
        self.short_l = 0.0
        use = np.exp(one.use_spread * np.asarray(normals(seed, _STREAM, owner, 10)) - 0.5 * one.use_spread**2)
        self._use = use * one.use_l / _LITRES
        self._quarter, self._seconds = -1, -1

    @classmethod
    def owners(cls, parameters: Parameters, candidates: Candidates) -> Bools:
        return candidates.is_household & candidates.drawn(parameters.share, _STREAM)

    def work(self, step: Step, p_kw: Floats, supplied: Bools) -> float:
        """Heat and draw through the step; water runs also without supply."""
        one, seconds = self.parameters, round(step.dt_s)
        if seconds != self._seconds:
            self._seconds = seconds
            heat = one.tank_l * J_PER_LITRE_K, one.loss_w_per_k, one.heater_kw * 1000.0
            self._tank = tank_of(*heat, one.inlet_c, one.ambient_c, one.deadband_k, float(seconds))
        if step.quarter != self._quarter:
            self._quarter = step.quarter
            often = float(BY_HOUR[from_ns(step.start_ns, self.surroundings.zone).hour]) / 4.0
            _draw(self.surroundings.seed, self.owner, step.quarter, often * self._use, _KINDS, self.draws)
        since_s = (step.start_ns - step.quarter * NS_PER_QUARTER) / NS_PER_S
        total_kw, used_j, lost_j, short_l = _work(
            step.start_ns, step.quarter, since_s, (one.set_c, one.use_c, one.flex_k), self._tank, self.owner, self.draws,
            self.tanks, self.alone, self.is_steered, self.overrides, self.plans.table, self.orders.table, supplied, p_kw,
            self.moved.less_kwh,
        )  # fmt: skip
        self.used_kwh += used_j / J_PER_KWH
        self.losses_kwh += lost_j / J_PER_KWH
        self.short_l += short_l
        return float(total_kw)

    @property
    def rated_kw(self) -> float:
        return self.parameters.heater_kw

    @property
    def stored_kwh(self) -> float:
        """Heat in all tanks above cold water."""
        above_k = (self.tanks.part * (self.tanks.hot_c - self.parameters.inlet_c)).sum()
        return float(above_k) * self.parameters.tank_l * J_PER_LITRE_K / J_PER_KWH

    def complained(self) -> dict[str, float]:
        return {"hot_water_short_l": self.short_l, "hot_water_overrides": float(self.overrides.sum())}

    @classmethod
    def mean_kw(cls, parameters: Parameters, surroundings: Surroundings) -> Callable[[Ints], Floats]:
        one = parameters
        drawn_kwh = one.use_l * J_PER_LITRE_K * (one.use_c - one.inlet_c) / J_PER_KWH * BY_HOUR
        lost_kw = one.loss_w_per_k * (one.set_c - one.ambient_c) / 1000.0
        return ByLocalQuarter(np.repeat(drawn_kwh + lost_kw, 4), surroundings.zone)


@kernel(allocates=False)
def _draw(seed, owner, quarter, often, kinds, draws):  # type: ignore[no-untyped-def]
    """The draws of a quarter hour, together as one; often: (tanks,) of a household's mean number a day."""
    for k in range(owner.shape[0]):
        litres = length_s = 0.0
        for kind in range(kinds.shape[0]):
            number = np.floor(often[k] * kinds[kind, 2] + uniform(seed, _STREAM, owner[k], 100 + 8 * quarter + kind))
            litres += number * kinds[kind, 0] * kinds[kind, 1] / 60.0
            length_s += number * kinds[kind, 1]
        length_s = min(length_s, S_PER_QUARTER)
        draws.length_s[k] = length_s
        draws.l_per_s[k] = litres / length_s if length_s > 0.0 else 0.0
        draws.begin_s[k] = (S_PER_QUARTER - length_s) * uniform(seed, _STREAM, owner[k], 100 + 8 * quarter + 7)


@kernel(allocates=False)
def _work(  # type: ignore[no-untyped-def]
    start, quarter, since_s, wishes, tank, owner, draws, tanks, alone, is_steered, overrides, plans, orders, supplied,
    point_p, less_kwh
):  # fmt: skip
    """All tanks through the step: kW that they drew together, J used and lost, and litres that were short."""
    set_c, use_c, flex_k = wishes
    per_kw = 1.0 / (1000.0 * tank.seconds)
    total_kw = used_j = lost_j = short_l = 0.0
    for k in range(owner.shape[0]):
        at = owner[k]
        row = plan_in_force(k, quarter, plans)
        wanted_c = set_c
        if row >= 0:
            wanted_c -= flex_k * plans.shape[row, quarter - plans.first_quarter[row]]
        may_heat = supplied[at]
        if start < orders.until_ns[k]:
            row = -1
            wanted_c = set_c
            if tanks.hot_c[k] < use_c:  # people take the order back
                orders.until_ns[k] = 0
                overrides[k] += 1
            elif orders.is_power[k]:
                may_heat = may_heat and 1000.0 * orders.value[k] >= tank.heater_w
            else:
                wanted_c += orders.value[k]
        steered = row >= 0 and row == plans.steered[k]
        if steered and not is_steered[k]:
            alone.hot_c[k], alone.part[k], alone.is_on[k] = tanks.hot_c[k], tanks.part[k], tanks.is_on[k]
        is_steered[k] = steered

        runs_s = min(since_s + tank.seconds, draws.begin_s[k] + draws.length_s[k]) - max(since_s, draws.begin_s[k])
        litres = draws.l_per_s[k] * max(runs_s, 0.0)
        hot_c = tanks.hot_c[k]
        flow = _mixed(litres, hot_c, use_c, tank)
        if litres > 0.0:
            short_l += litres * max(use_c - hot_c, 0.0) / (use_c - tank.inlet_c)
        filled = through(hot_c, tanks.part[k], tanks.is_on[k], flow, wanted_c, may_heat, tank)
        tanks.hot_c[k], tanks.part[k], tanks.is_on[k] = filled.hot_c, filled.part, filled.is_on
        drawn_kw = filled.heated_j * per_kw
        if steered:
            flow = _mixed(litres, alone.hot_c[k], use_c, tank)
            other = through(alone.hot_c[k], alone.part[k], alone.is_on[k], flow, set_c, supplied[at], tank)
            alone.hot_c[k], alone.part[k], alone.is_on[k] = other.hot_c, other.part, other.is_on
            less_kwh[k] += (other.heated_j - filled.heated_j) / J_PER_KWH
        orders.flexible_kw[k] = drawn_kw
        point_p[at] += drawn_kw
        total_kw += drawn_kw
        used_j += filled.drawn_j
        lost_j += filled.lost_j
    return total_kw, used_j, lost_j, short_l


@kernel(inline=True, allocates=False)
def _mixed(litres, hot_c, use_c, tank):  # type: ignore[no-untyped-def]
    """Heat capacity by the second of what is drawn from the tank, so that mixed with cold water it comes at the temperature of use."""
    if litres == 0.0:
        return 0.0
    part = min((use_c - tank.inlet_c) / max(hot_c - tank.inlet_c, 1e-9), 1.0)
    return part * litres * J_PER_LITRE_K / tank.seconds

"""Heat pumps in two-state thermal houses: indoor air and building mass.

Source: equivalent thermal parameters, as in Sonderegger (1978) and GridLAB-D's house: air loses heat to
the outside and exchanges it with the mass. Heat is constant within a step, so the linear model is stepped
exactly. An inverter heat pump follows a proportional thermostat; its coefficient of performance is the
regression of Ruhnau, Hirth and Praktiknjo (2019), Scientific Data 6:189, for air-source heat pumps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.bidding.heat_pumps import RampRule
from heptagrid.domains.customers.device import Candidates, Complaint, Device, Surroundings, Words, stream_of
from heptagrid.domains.customers.gateways import plan_in_force
from heptagrid.domains.customers.thermal.diverse_houses import Diversity, alike, diverse
from heptagrid.domains.customers.thermal.linear_step import Model, stepped_by_size, stepped_each
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.random import Stream, normals, uniforms
from heptagrid.foundation.time import NS_PER_QUARTER, Step, from_ns
from heptagrid.world.weather import Weather

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

J_PER_KWH = 3.6e6
ALIKE, DIVERSE = "alike", "diverse"
_ANY_KW = 4.5  # houses follow the shape of a signal, whatever its size
_SUN_H = 6  # hours over which a house's mass evens the sun out: assumption, half its own time constant
COLD_BELOW_SET_K = 2.0  # assumption: what people complain of; ISO 7730 category C allows 3 K around the optimum


@dataclass(frozen=True)
class Parameters:
    """How many heat pumps there are, and the houses they heat."""

    share: float = parameter(
        0.12,
        info="share of households with a heat pump",
        low=0.0,
        high=1.0,
        source="assumption: towards 6 million in Germany's 41 million households, the 2030 target",
    )
    loss_w_per_k: float = parameter(
        180.0,
        info="mean heat loss of a house from air to outside",
        unit="W/K",
        low=10.0,
        high=2000.0,
        source="assumption: 140 m2 heated floor at about 1.3 W/(m2 K), a refurbished house (TABULA: 1 to 2)",
    )
    mass_w_per_k: float = parameter(
        900.0, info="heat exchange between air and mass", unit="W/K", low=10.0, high=20000.0,
        source="assumption: 300 m2 of inner surface at 3 W/(m2 K)",
    )  # fmt: skip
    air_kwh_per_k: float = parameter(
        0.5, info="heat capacity of air and furniture", unit="kWh/K", low=0.01, high=10.0,
        source="assumption: five times the air of 350 m3, for furniture",
    )  # fmt: skip
    mass_kwh_per_k: float = parameter(
        9.0, info="heat capacity of the mass", unit="kWh/K", low=0.1, high=200.0,
        source="ISO 13790: 165 kJ/(m2 K) for medium-heavy buildings, times 140 m2, with part of it in walls (assumption)",
    )  # fmt: skip
    spread: float = parameter(
        0.25, info="standard deviation of the logarithm of the houses' size", low=0.0, high=1.0, source="assumption"
    )
    set_c: float = parameter(
        20.5,
        info="mean indoor set-point",
        unit="C",
        low=15.0,
        high=25.0,
        source="assumption: 20 to 21 C (EN 12831: 20 C)",
    )
    band_k: float = parameter(
        1.0, info="proportional band of the thermostat", unit="K", low=0.1, high=5.0, source="assumption"
    )
    gains_w: float = parameter(
        400.0, info="heat from people and appliances", unit="W", low=0.0, high=5000.0,
        source="assumption: 3 W/m2 (DIN V 18599: 45 Wh/(m2 d) for single-family houses is 1.9 W/m2, plus people)",
    )  # fmt: skip
    window_m2: float = parameter(
        6.0, info="effective solar aperture", unit="m2", low=0.0, high=100.0,
        source="assumption: 25 m2 of windows times transmittance, frame and orientation",
    )  # fmt: skip
    design_c: float = parameter(
        -12.0, info="outdoor temperature for which the heat pump is sized", unit="C", low=-30.0, high=10.0,
        source="DIN EN 12831-1 national annex: Hamburg -10 to -12 C (source not read)",
    )  # fmt: skip
    flex_k: float = parameter(
        1.0, info="how far a plan may move the set-point, either way", unit="K", low=0.0, high=4.0,
        source="assumption: within the comfort class of ISO 7730 category B",
    )  # fmt: skip
    slew_k_per_h: float = parameter(
        1.0, info="how fast a plan may move the set-point", unit="K/h", low=0.1, high=20.0,
        source="assumption: so that an inverter is not thrown from one end to the other at each slot",
    )  # fmt: skip
    houses: str = parameter(
        ALIKE, info="whether houses differ in size and set-point alone, or in all that follows, and in the hours at which people want it warm", choices=(ALIKE, DIVERSE),
        source="assumption: alike; hours after Kane, Firth and Lomas (2015)",
    )  # fmt: skip
    loss_spread: float = parameter(
        0.35, info="of diverse houses: standard deviation of the logarithm of the heat loss of one size", low=0.0, high=1.0,
        source="assumption: most of TABULA's German houses lie within a factor of 2 of the mean",
    )  # fmt: skip
    mass_spread: float = parameter(
        0.4, info="of diverse houses: the same of the mass of one size", low=0.0, high=1.0, source="ISO 13790: light to heavy is 110 to 260 kJ/(m2 K), a factor of 1.5 either way"
    )  # fmt: skip
    performance_spread: float = parameter(
        0.15, info="of diverse houses: the same of the heat pumps' performance", low=0.0, high=1.0,
        source="assumption: field trials find seasonal performance of 2 to 4 (Gleeson and Lowe 2013, Energy and Buildings 66: 'a wide range')",
    )  # fmt: skip
    strength_spread: float = parameter(
        0.2, info="of diverse houses: the same of what heat pumps give, against what the house needs", low=0.0, high=1.0, source="assumption: sizes come in steps of 2 to 3 kW of heat"
    )  # fmt: skip
    set_spread_k: float = parameter(
        1.5, info="of diverse houses: standard deviation of the set-points", unit="K", low=0.0, high=5.0, source="assumption: Kane et al. (2015) found rooms of 10 to 26 C"
    )  # fmt: skip
    set_back_k: float = parameter(
        3.0, info="of diverse houses: mean set-back outside the hours at which people want it warm, up to twice of it", unit="K", low=0.0, high=10.0, source="assumption"
    )  # fmt: skip


def performance(outside_c: float) -> float:
    """Coefficient of performance of an air-source heat pump at an outdoor temperature.

    Ruhnau et al. (2019): 6.08 - 0.09 dT + 0.0005 dT^2, times 0.85 for the field; radiators at 40 - outside.
    """
    lift_k = max(40.0 - 1.0 * outside_c, 15.0) - outside_c
    return max(0.85 * (6.08 - 0.09 * lift_k + 0.0005 * lift_k**2), 1.0)


class HeatPumps(Device[Parameters]):
    """All heat pumps and their houses as arrays; what they draw counts as used.

    air_c, mass_c: (houses,) state. baseline_air_c, baseline_mass_c: (houses,) the state that each would have at its own set-point,
    from which `moved` counts. set_c, shift_k: (houses,) set-point, and how far a plan or the local market has moved it.
    """

    section = Parameters
    words = Words("heat pump", "heat pumps", "runs", "a heat pump", "Heat pumps")
    order = 20
    bid_rule = RampRule
    complaints = MappingProxyType({"cold_house_minutes": Complaint("Houses too cold", "house-min", 0)})

    def __init__(self, parameters: Parameters, owner: Ints, surroundings: Surroundings) -> None:
        super().__init__(parameters, owner, surroundings)
        seed, stream = surroundings.seed, int(Stream.HOUSE)
        size = np.exp(parameters.spread * np.asarray(normals(seed, stream, owner, 0)))
        # Set-points differ by up to 1 K either way from house to house: assumption.
        self.set_c = parameters.set_c + 2.0 * (np.asarray(uniforms(seed, stream, owner, 100)) - 0.5)
        self._unlike = alike(len(owner))
        if parameters.houses == DIVERSE:
            self._unlike = _diversity(parameters, owner, seed)
            self.set_c = parameters.set_c + self._unlike.set_k
        self.air_c, self.mass_c = self.set_c.copy(), self.set_c.copy()
        self.shift_k = np.zeros(len(owner))
        self.baseline_air_c, self.baseline_mass_c = self.set_c.copy(), self.set_c.copy()
        self.cold_minutes = 0.0
        self._size = size
        heat_w = parameters.loss_w_per_k * size * self._unlike.loss * (self.set_c - parameters.design_c)
        self._houses = Houses(
            gains_w=parameters.gains_w * size,
            window_m2=parameters.window_m2 * size,
            p_max_kw=self._unlike.strength * heat_w / 1000.0 / performance(parameters.design_c),
            performance=self._unlike.performance,
            back_k=self._unlike.back_k,
            periods_h=self._unlike.periods_h,
        )
        self._dt_s = 0.0

    @classmethod
    def owners(cls, parameters: Parameters, candidates: Candidates) -> Bools:
        return candidates.is_household & candidates.drawn(parameters.share, Stream.OWNERSHIP, 1)

    def work(self, step: Step, p_kw: Floats, supplied: Bools) -> float:
        """Heat through the step where there is supply."""
        if step.dt_s != self._dt_s:
            self._dt_s = step.dt_s
            self._model = self._stepped(step.dt_s)
        local = from_ns(step.start_ns, self.surroundings.zone)
        middle_ns = (step.start_ns + step.end_ns) // 2
        one, weather = self.parameters, self.surroundings.weather
        outside_c = weather.outside_c_at(middle_ns)
        self._performance = performance(outside_c)
        total_kw, cold = _heat(
            step.start_ns,
            step.quarter,
            step.dt_s,
            Outside(outside_c, weather.radiation_w_m2_at(middle_ns), self._performance),
            Control(one.band_k, one.flex_k, one.slew_k_per_h * step.dt_s / 3600.0, local.hour + local.minute / 60.0),
            self.owner,
            self._houses,
            State(self.set_c, self.air_c, self.mass_c, self.shift_k, self.moved.less_kwh),
            Baseline(self.baseline_air_c, self.baseline_mass_c),
            self._model,
            self.plans.table,
            self.orders.table,
            supplied,
            p_kw,
        )
        self.used_kwh += total_kw * step.dt_s / 3600.0
        self.cold_minutes += cold * step.dt_s / 60.0
        return float(total_kw)

    def _stepped(self, dt_s: float) -> Model:
        one, size, unlike = self.parameters, self._size, self._unlike
        air_j_per_k, mass_j_per_k = one.air_kwh_per_k * J_PER_KWH, one.mass_kwh_per_k * J_PER_KWH
        if one.houses == ALIKE:
            return stepped_by_size(one.loss_w_per_k, one.mass_w_per_k, air_j_per_k, mass_j_per_k, size, dt_s)
        loss_w_per_k, mass_j = one.loss_w_per_k * size * unlike.loss, mass_j_per_k * size * unlike.mass
        return stepped_each(loss_w_per_k, one.mass_w_per_k * size, air_j_per_k * size, mass_j, dt_s)

    @property
    def rated_kw(self) -> float:
        return _ANY_KW

    @property
    def most_kw(self) -> Floats:
        """(houses,) what each draws at most."""
        return self._houses.p_max_kw

    @property
    def stored_heat_kwh(self) -> float:
        """Heat in the houses above their set-points, as the electricity that it would take now."""
        if not len(self.owner):
            return 0.0
        one = self.parameters
        heat = self._size * (
            one.air_kwh_per_k * (self.air_c - self.set_c)
            + one.mass_kwh_per_k * self._unlike.mass * (self.mass_c - self.set_c)
        )
        return float(heat.sum()) / self._performance

    def complained(self) -> dict[str, float]:
        return {"cold_house_minutes": self.cold_minutes}

    @classmethod
    def mean_kw(cls, parameters: Parameters, surroundings: Surroundings) -> Callable[[Ints], Floats]:
        return partial(heating_kw, parameters, surroundings.weather)


def _diversity(one: Parameters, owner: Ints, seed: int) -> Diversity:
    spreads = {
        name: getattr(one, name)
        for name in ("loss_spread", "mass_spread", "performance_spread", "strength_spread", "set_spread_k")
    }
    return diverse(owner, seed, stream_of("diverse_houses"), back_k=one.set_back_k, **spreads)


def heating_kw(parameters: Parameters, weather: Weather, quarters: Ints) -> Floats:
    """Mean draw of a heat pump in consecutive quarter hours since 1970, the same shape, in kW.

    A house needs the heat that it loses, less what people and sun give; radiation counts as its mean over the last hours, as the
    mass takes it up and gives it back. The weather's forecast is the weather that comes: assumption, a day ahead temperatures err
    by about 1 K, 4 % of the heat.
    """
    one = parameters
    middles_ns = [int(quarter) * NS_PER_QUARTER + NS_PER_QUARTER // 2 for quarter in quarters]
    before_ns = [middles_ns[0] - k * NS_PER_QUARTER for k in range(4 * _SUN_H - 1, 0, -1)]
    outside_c = np.array([weather.outside_c_at(ns) for ns in middles_ns])
    radiation_w_m2 = np.array([weather.radiation_w_m2_at(ns) for ns in (*before_ns, *middles_ns)])
    sun_w_m2 = np.lib.stride_tricks.sliding_window_view(radiation_w_m2, 4 * _SUN_H).mean(axis=1)
    size = np.exp(one.spread**2 / 2.0)  # mean of the houses' sizes
    heat_w = one.loss_w_per_k * (one.set_c - outside_c) - one.gains_w - one.window_m2 * sun_w_m2
    by_quarter = np.array([performance(float(each)) for each in outside_c])
    most_kw = one.loss_w_per_k * (one.set_c - one.design_c) / 1000.0 / performance(one.design_c)
    return np.asarray(size * np.clip(heat_w / 1000.0 / by_quarter, 0.0, most_kw))


class Outside(NamedTuple):
    """The weather in a step, and what a heat pump makes of it."""

    outside_c: float
    radiation_w_m2: float
    performance: float


class Control(NamedTuple):
    """The thermostat's band, how far a plan may move its set-point, and how far within a step; the local hour."""

    band_k: float
    flex_k: float
    most_k: float
    hour: float


class Houses(NamedTuple):
    """What houses are, (houses,) each; as in `Diversity`."""

    gains_w: Floats
    window_m2: Floats
    p_max_kw: Floats
    performance: Floats
    back_k: Floats
    periods_h: Floats


class State(NamedTuple):
    """Set-points and how far a plan has moved them, temperatures, and energy drawn less, (houses,) each."""

    set_c: Floats
    air_c: Floats
    mass_c: Floats
    shift_k: Floats
    less_kwh: Floats


class Baseline(NamedTuple):
    """Temperatures of the same houses without a plan, (houses,) each."""

    air_c: Floats
    mass_c: Floats


@kernel(inline=True, allocates=False)
def _warm(k, heat, outside_c, model, air, mass):  # type: ignore[no-untyped-def]
    """House `k` through a step with that heat, in W."""
    matrix, by_heat, by_outside = model
    a, m = air[k], mass[k]
    air[k] = matrix[k, 0, 0] * a + matrix[k, 0, 1] * m + by_heat[k, 0] * heat + by_outside[k, 0] * outside_c
    mass[k] = matrix[k, 1, 0] * a + matrix[k, 1, 1] * m + by_heat[k, 1] * heat + by_outside[k, 1] * outside_c


@kernel(allocates=False)
def _heat(  # type: ignore[no-untyped-def]
    start, quarter, dt_s, outside, control, owner, houses, state, baseline, model, plans, orders, supplied, point_p
):  # fmt: skip
    outside_c, radiation, performance = outside
    band, flex, most_k, hour = control
    gains, window, p_max, better, back_k, periods = houses
    set_c, air, mass, shift_k, less = state
    own_air, own_mass = baseline
    total = 0.0
    cold = 0
    for k in range(owner.shape[0]):
        own_set = set_c[k]
        if back_k[k] > 0.0 and not (periods[k, 0] <= hour < periods[k, 1] or periods[k, 2] <= hour < periods[k, 3]):
            own_set -= back_k[k]
        wanted = own_set
        shift = 0.0
        row = plan_in_force(k, quarter, plans)
        if row >= 0:
            shift = plans.shape[row, quarter - plans.first_quarter[row]]
        highest = p_max[k]
        if start < orders.until_ns[k] and orders.is_power[k]:
            row, shift_k[k], highest = -1, 0.0, max(orders.value[k], 0.0)
        elif start < orders.until_ns[k]:
            row, shift_k[k] = -1, orders.value[k]
        else:
            shift_k[k] += min(max(-flex * shift - shift_k[k], -most_k), most_k)
        wanted += shift_k[k]
        part = min(max((wanted + 0.5 * band - air[k]) / band, 0.0), 1.0)
        power = min(part * p_max[k], highest) if supplied[owner[k]] else 0.0
        own_part = min(max((own_set + 0.5 * band - own_air[k]) / band, 0.0), 1.0)
        by_itself = own_part * p_max[k] if supplied[owner[k]] else 0.0
        free = gains[k] + window[k] * radiation
        _warm(k, power * 1000.0 * performance * better[k] + free, outside_c, model, air, mass)
        _warm(k, by_itself * 1000.0 * performance * better[k] + free, outside_c, model, own_air, own_mass)
        if air[k] < set_c[k] - back_k[k] - COLD_BELOW_SET_K:
            cold += 1
        total += power
        orders.flexible_kw[k] = power
        if row >= 0 and row == plans.steered[k]:
            less[k] += (by_itself - power) * dt_s / 3600.0
        point_p[owner[k]] += power
    return total, cold

"""Houses under on/off thermostats: resistance heating, heat pumps that switch, with electric back-up, or another fuel, and air conditioners.

The house and its thermostat are those of `thermal.two_state`, the machines those of `thermal.equipment`. Unlike `heat_pumps`, whose inverters follow a
thermostat in proportion, these run or rest; so they coincide after an outage or when a signal moves many thermostats at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.device import Candidates, Complaint, Device, Surroundings, Words, stream_of
from heptagrid.domains.customers.thermal import equipment
from heptagrid.domains.customers.thermal.house_step import (
    DRAWS,
    GIVES,
    HEAT_PUMP,
    OTHER_FUEL,
    RESISTANCE,
    Control,
    Here,
    Machines,
    Patience,
    State,
    Traits,
    advance,
)
from heptagrid.domains.customers.thermal.two_state import AUX, COOL, HEAT, Shape, Thermostat, course
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.random import Stream, normals, uniforms
from heptagrid.foundation.time import NS_PER_QUARTER, NS_PER_S, Step, from_ns
from heptagrid.world.weather import Weather

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

J_PER_KWH = 3.6e6
_OWNS_A_HEAT_PUMP = 1  # occasion of the draw
_SUN_H = 6  # hours over which a house's mass evens the sun out: assumption, as with heat pumps


@dataclass(frozen=True)
class Parameters:
    """How many houses with on/off thermostats there are, what they are heated and cooled with, and what their people want."""

    share: float = parameter(
        0.0, info="share of households that live in one", low=0.0, high=1.0,
        source="assumption: the town's electric heating is `heat_pumps`; with both, they are of other households until the shares add up to 1",
    )  # fmt: skip
    resistance_share: float = parameter(
        0.3, info="of these, heated by resistance", low=0.0, high=1.0, source="assumption: set it for your region"
    )
    heat_pump_share: float = parameter(
        0.7, info="of these, heated by a heat pump that runs or rests, with resistance as back-up; what is left burns another fuel",
        low=0.0, high=1.0, source="assumption: set it for your region",
    )  # fmt: skip
    cooling_share: float = parameter(
        0.2, info="of these, with an air conditioner", low=0.0, high=1.0, source="assumption: set it for your region"
    )
    loss_w_per_k: float = parameter(
        180.0, info="mean heat loss of a house to the outside", unit="W/K", low=10.0, high=2000.0,
        source="assumption, as of `heat_pumps`: 140 m2 at about 1.3 W/(m2 K)",
    )  # fmt: skip
    exchange_w_per_k: float = parameter(
        900.0, info="heat exchange between air and mass", unit="W/K", low=10.0, high=20000.0,
        source="assumption, as of `heat_pumps`: 300 m2 of inner surface at 3 W/(m2 K)",
    )  # fmt: skip
    air_kwh_per_k: float = parameter(
        0.5, info="heat capacity of air and furniture", unit="kWh/K", low=0.01, high=10.0, source="assumption, as of `heat_pumps`"
    )  # fmt: skip
    mass_kwh_per_k: float = parameter(
        9.0, info="heat capacity of the mass", unit="kWh/K", low=0.1, high=200.0,
        source="assumption, as of `heat_pumps`, after ISO 13790: 165 kJ/(m2 K) for medium-heavy buildings",
    )  # fmt: skip
    spread: float = parameter(
        0.25, info="standard deviation of the logarithm of the houses' size", low=0.0, high=1.0, source="assumption"
    )
    machine_spread: float = parameter(
        0.15, info="standard deviation of the logarithm of what machines give, against what the house's size asks for",
        low=0.0, high=1.0, source="assumption: machines come in steps of 1.5 to 2 kW",
    )  # fmt: skip
    set_c: float = parameter(
        20.5, info="mean set-point of heating, 1 K either way from house to house", unit="C", low=10.0, high=25.0,
        source="assumption: 20 to 21 C (EN 12831: 20 C)",
    )  # fmt: skip
    cool_c: float = parameter(
        25.0, info="mean set-point of cooling, 1 K either way from house to house", unit="C", low=20.0, high=35.0,
        source="assumption: EN 16798-1 category II: 26 C in summer",
    )  # fmt: skip
    deadband_k: float = parameter(
        1.1, info="between off and on", unit="K", low=0.1, high=5.0, source="GridLAB-D, object house: 2 F"
    )
    aux_band_k: float = parameter(
        1.1, info="how far below the deadband back-up heat comes on", unit="K", low=0.0, high=10.0,
        source="GridLAB-D, object house: aux_heat_deadband as the thermostat's, 2 F",
    )  # fmt: skip
    rest_s: int = parameter(
        120, info="how long the thermostat leaves a machine as it is after each act", unit="s", low=1, high=3600,
        source="GridLAB-D, object house: thermostat_cycle_time",
    )  # fmt: skip
    set_back_share: float = parameter(0.5, info="of these, set back at night", low=0.0, high=1.0, source="assumption")
    set_back_k: float = parameter(2.0, info="by how much", unit="K", low=0.0, high=10.0, source="assumption")
    night_from_h: float = parameter(
        22.0, info="local hour from which on, 1 h either way", unit="h", low=0.0, high=24.0, source="assumption"
    )
    night_to_h: float = parameter(
        6.0, info="until when, the same time later", unit="h", low=0.0, high=24.0, source="assumption"
    )
    gains_w: float = parameter(
        400.0, info="mean heat from people and appliances, half of it to the mass, from none to twice of it", unit="W",
        low=0.0, high=5000.0, source="assumption, as of `heat_pumps`; halves: GridLAB-D, mass_internal_gain_fraction",
    )  # fmt: skip
    window_m2: float = parameter(
        6.0, info="effective solar aperture, half of whose heat goes to the mass", unit="m2", low=0.0, high=100.0,
        source="assumption, as of `heat_pumps`; halves: GridLAB-D, mass_solar_gain_fraction",
    )  # fmt: skip
    design_c: float = parameter(
        -12.0, info="outdoor temperature for which resistance, back-up and other heating are sized", unit="C", low=-40.0, high=10.0,
        source="DIN EN 12831-1 national annex: Hamburg -10 to -12 C (source not read)",
    )  # fmt: skip
    oversizing: float = parameter(
        1.2, info="what they give, relative to the loss at that temperature", low=1.0, high=3.0, source="assumption"
    )
    balance_c: float = parameter(
        -5.0, info="outdoor temperature at which a heat pump gives what a house loses", unit="C", low=-30.0, high=15.0,
        source="assumption: bivalence points of -2 to -7 C are common in Germany",
    )  # fmt: skip
    heating_performance: float = parameter(
        3.4, info="rated coefficient of performance of heat pumps, at 8.3 C", low=1.0, high=8.0,
        source="assumption: GridLAB-D's example has 3.0 and 3.5",
    )  # fmt: skip
    defrost_share: float = parameter(
        0.058333, info="share of the time in which a heat pump thaws its coil at 5 C and below", low=0.0, high=0.5,
        source="EnergyPlus 22.2, Coil:Heating:DX:SingleSpeed, defrost time period fraction: 3.5 min an hour",
    )  # fmt: skip
    humidity: float = parameter(
        0.8, info="relative humidity outside", low=0.0, high=1.0,
        source="German Weather Service, mean of Hamburg, about 0.8 (from memory)",
    )  # fmt: skip
    cooling_w: float = parameter(
        4000.0, info="rated capacity of a mean house's air conditioner, at 35 C", unit="W", low=100.0, high=50000.0,
        source="assumption: two split units of 2 kW",
    )  # fmt: skip
    cooling_performance: float = parameter(
        3.5, info="rated coefficient of performance of air conditioners, at 35 C", low=1.0, high=10.0,
        source="GridLAB-D, object house: cooling_COP 3.5",
    )  # fmt: skip
    latent_share: float = parameter(
        0.3, info="part of the cooling that condenses water in very humid air", low=0.0, high=1.0,
        source="GridLAB-D, object house: latent_load_fraction",
    )  # fmt: skip
    flex_k: float = parameter(
        1.0, info="how far a plan or a price may move the set-points, either way", unit="K", low=0.0, high=4.0,
        source="assumption: within the comfort class of ISO 7730 category B",
    )  # fmt: skip
    slew_k_per_h: float = parameter(
        4.0, info="how fast", unit="K/h", low=0.1, high=60.0,
        source="assumption: so that thermostats do not all act at once where a slot begins",
    )  # fmt: skip
    patience_k: float = parameter(
        2.0, info="how far below their set-point people let an order take the air before they take it back", unit="K", low=0.0, high=10.0,
        source="assumption: ISO 7730 category B allows 2 K around the optimum",
    )  # fmt: skip
    fatigue: float = parameter(
        0.8, info="what is left of that patience each time", low=0.0, high=1.0, source="assumption"
    )


def shape_of(one: Parameters) -> Shape:
    """The mean house."""
    return Shape(one.loss_w_per_k, one.exchange_w_per_k, one.air_kwh_per_k * J_PER_KWH, one.mass_kwh_per_k * J_PER_KWH)


def machines(one: Parameters, outside_c: float) -> Machines:
    """The machines of a mean house at an outdoor temperature."""
    full_w = one.oversizing * one.loss_w_per_k * max(one.set_c - one.design_c, 0.0)
    at_balance = equipment.heat_pump(one.balance_c, one.heating_performance, one.humidity, one.defrost_share)
    pump_w = one.loss_w_per_k * (one.set_c - one.balance_c) / at_balance.heat
    pump = equipment.heat_pump(outside_c, one.heating_performance, one.humidity, one.defrost_share)
    cooler = equipment.air_conditioner(outside_c, one.cooling_performance, one.humidity, one.latent_share)
    half, inf = 0.5 * one.deadband_k, np.inf
    gives_w = np.array([[0.0, full_w, 0.0, 0.0], [0.0, full_w, 0.0, 0.0], [0.0, pump_w * pump.heat, full_w, 0.0]])
    draws_w = np.array([[0.0, 0.0, 0.0, 0.0], [0.0, full_w, 0.0, 0.0], [0.0, pump_w * pump.draw, full_w, 0.0]])
    gives_w[:, COOL], draws_w[:, COOL] = one.cooling_w * cooler.heat, one.cooling_w * cooler.draw
    coldest_k, warmest_k = np.tile([-half, -inf, -inf, -half], (3, 1)), np.tile([half, half, half, inf], (3, 1))
    coldest_k[HEAT_PUMP, HEAT] = -half - one.aux_band_k
    by_state = np.stack([gives_w, draws_w, coldest_k, warmest_k], axis=-1).reshape(12, 4)
    return Machines(by_state, np.array([False, False, True]), np.array([0.0, 1.0, pump.draw / pump.heat]))


def expected_kw(one: Parameters, weather: Weather, quarters: Ints) -> Floats:
    """Mean draw of a house in consecutive quarter hours since 1970, the same shape, in kW; radiation counts as its mean over the last hours."""
    middles_ns = [int(quarter) * NS_PER_QUARTER + NS_PER_QUARTER // 2 for quarter in quarters]
    before_ns = [middles_ns[0] - k * NS_PER_QUARTER for k in range(4 * _SUN_H - 1, 0, -1)]
    outside_c = np.array([weather.outside_c_at(ns) for ns in middles_ns])
    radiation_w_m2 = np.array([weather.radiation_w_m2_at(ns) for ns in (*before_ns, *middles_ns)])
    free_w = one.gains_w + one.window_m2 * np.lib.stride_tricks.sliding_window_view(radiation_w_m2, 4 * _SUN_H).mean(
        axis=1
    )
    size = np.exp(one.spread**2 / 2.0)  # mean of the houses' sizes
    expected = np.zeros(len(quarters))
    for k, outside in enumerate(outside_c.tolist()):
        has = machines(one, outside)
        lacks_w = max(one.loss_w_per_k * (one.set_c - outside) - free_w[k], 0.0)
        by_pump_w = min(lacks_w, has.by_state[4 * HEAT_PUMP + HEAT, GIVES])
        by_aux_w = min(lacks_w - by_pump_w, has.by_state[4 * HEAT_PUMP + AUX, GIVES])
        drawn_w = one.resistance_share * min(lacks_w, has.by_state[4 * RESISTANCE + HEAT, GIVES])
        drawn_w += one.heat_pump_share * (by_pump_w * has.draw_per_heat[HEAT_PUMP] + by_aux_w)
        too_warm_w = min(max(free_w[k] - one.loss_w_per_k * (one.cool_c - outside), 0.0), -has.by_state[COOL, GIVES])
        drawn_w += one.cooling_share * too_warm_w * has.by_state[COOL, DRAWS] / -has.by_state[COOL, GIVES]
        expected[k] = size * drawn_w / 1000.0
    return expected


class Houses(Device[Parameters]):
    """All such houses as arrays; what their machines draw counts as used.

    state: (houses,) each, as they are; alone: as they would be without the plan that steers them, from the plan's begin. heat_gained_kwh, heat_lost_kwh: heat
    of machines, sun and people, and heat to the outside, since the start. overrides: how often people took an order back.
    """

    section = Parameters
    words = Words("house with on/off heating", "houses with on/off heating", "heats or cools", "on/off heating", "On/off heating and cooling")  # fmt: skip
    order = 22
    in_every_run = False
    complaints = MappingProxyType(
        {
            "houses_cold_minutes": Complaint("Houses too cold, on/off heating", "house-min", 0),
            "houses_hot_minutes": Complaint("Houses too hot, with air conditioners", "house-min", 0),
            "houses_overrides": Complaint("Orders that people took back", "", 0),
        }
    )

    def __init__(self, parameters: Parameters, owner: Ints, surroundings: Surroundings) -> None:
        super().__init__(parameters, owner, surroundings)
        one, seed, stream, count = parameters, surroundings.seed, stream_of("houses"), len(owner)

        def drawn(occasion: int) -> Floats:
            return np.asarray(uniforms(seed, stream, owner, occasion))

        kind, cooled = drawn(0), drawn(1) < one.cooling_share
        by_resistance, by_pump = one.resistance_share, one.resistance_share + one.heat_pump_share
        electric = np.where(kind < by_resistance, RESISTANCE, HEAT_PUMP)
        night = np.where(drawn(2) < one.set_back_share, one.set_back_k, 0.0)
        self.traits = Traits(
            size=np.exp(one.spread * np.asarray(normals(seed, stream, owner, 10))),
            strength=np.exp(one.machine_spread * np.asarray(normals(seed, stream, owner, 20))),
            gains=2.0 * drawn(3),
            kind=np.where(kind < by_pump, electric, OTHER_FUEL).astype(np.uint8),
            set_c=one.set_c + 2.0 * (drawn(4) - 0.5),
            cool_c=np.where(cooled, one.cool_c + 2.0 * (drawn(5) - 0.5), np.inf),
            night_k=night,
            night_from_h=(one.night_from_h + 2.0 * (drawn(6) - 0.5)) % 24.0,
        )
        begins_c = self.traits.set_c + one.deadband_k * (drawn(7) - 0.5)
        self.state = State(begins_c, begins_c.copy(), np.zeros(count, np.uint8), np.zeros(count, np.int64))
        self.alone = State(begins_c.copy(), begins_c.copy(), np.zeros(count, np.uint8), np.zeros(count, np.int64))
        self.is_steered = np.zeros(count, dtype=np.bool_)
        self.shift_k = np.zeros(count)
        self.patience = Patience(np.full(count, one.patience_k), np.zeros(count, np.int64))
        self.heat_gained_kwh = self.heat_lost_kwh = 0.0
        self.cold_minutes = self.hot_minutes = 0.0
        self._seconds = -1
        self._machines = machines(one, 0.0)

    @classmethod
    def owners(cls, parameters: Parameters, candidates: Candidates) -> Bools:
        """From the other end of the draw that heat pumps are owned by, so that no house has both until the shares add up to more than 1."""
        others = candidates.drawn(1.0 - parameters.share, Stream.OWNERSHIP, _OWNS_A_HEAT_PUMP)
        return np.asarray(candidates.is_household & ~others)

    def work(self, step: Step, p_kw: Floats, supplied: Bools) -> float:
        """Heat and cool through the step where there is supply."""
        one, seconds = self.parameters, round(step.dt_s)
        if seconds != self._seconds:
            self._seconds = seconds
            self._course = course(shape_of(one), seconds)
        middle_ns = (step.start_ns + step.end_ns) // 2
        outside_c = self.surroundings.weather.outside_c_at(middle_ns)
        self._machines = machines(one, outside_c)
        local = from_ns(step.start_ns, self.surroundings.zone)
        here = Here(
            start_ns=step.start_ns,
            start_s=step.start_ns // NS_PER_S,
            quarter=step.quarter,
            seconds=seconds,
            outside_c=outside_c,
            sun_w=one.window_m2 * self.surroundings.weather.radiation_w_m2_at(middle_ns),
            gains_w=one.gains_w,
            hour=local.hour + local.minute / 60.0,
        )
        control = Control(
            one.flex_k, one.slew_k_per_h * seconds / 3600.0, one.fatigue, (one.night_to_h - one.night_from_h) % 24.0
        )
        thermostat = Thermostat(one.deadband_k, one.aux_band_k, int(one.rest_s))
        total_kw, gained_j, lost_j, cold, hot = advance(
            here, control, thermostat, self.owner, self.traits, self._machines, self._course, self.state, self.alone,
            self.is_steered, self.shift_k, self.patience, self.plans.table, self.orders.table, supplied, p_kw,
            self.moved.less_kwh,
        )  # fmt: skip
        self.used_kwh += total_kw * seconds / 3600.0
        self.heat_gained_kwh += gained_j / J_PER_KWH
        self.heat_lost_kwh += lost_j / J_PER_KWH
        self.cold_minutes += cold * seconds / 60.0
        self.hot_minutes += hot * seconds / 60.0
        return float(total_kw)

    @property
    def rated_kw(self) -> float:
        """Of a mean house at the temperature that its heating is sized for."""
        one, at_design = self.parameters, machines(self.parameters, self.parameters.design_c)
        share = one.resistance_share, one.heat_pump_share
        return (
            float(
                share[0] * at_design.by_state[4 * RESISTANCE + HEAT, DRAWS]
                + share[1] * at_design.by_state[4 * HEAT_PUMP + HEAT, DRAWS]
            )
            / 1000.0
        )

    @property
    def heat_held_kwh(self) -> float:
        """Heat in air and mass above 0 C."""
        shape, size = shape_of(self.parameters), self.traits.size
        held_j = size * (shape.air_j_per_k * self.state.air_c + shape.mass_j_per_k * self.state.mass_c)
        return float(held_j.sum()) / J_PER_KWH

    @property
    def stored_heat_kwh(self) -> float:
        """Heat in electrically heated houses above their set-points, as the electricity that it would take now."""
        shape, traits = shape_of(self.parameters), self.traits
        above_air, above_mass = self.state.air_c - traits.set_c, self.state.mass_c - traits.set_c
        heat_j = traits.size * (shape.air_j_per_k * above_air + shape.mass_j_per_k * above_mass)
        return float((heat_j * self._machines.draw_per_heat[traits.kind]).sum()) / J_PER_KWH

    def complained(self) -> dict[str, float]:
        return {
            "houses_cold_minutes": self.cold_minutes,
            "houses_hot_minutes": self.hot_minutes,
            "houses_overrides": float(self.patience.overrides.sum()),
        }

    @classmethod
    def mean_kw(cls, parameters: Parameters, surroundings: Surroundings) -> Callable[[Ints], Floats]:
        return partial(expected_kw, parameters, surroundings.weather)

"""The step of all houses under on/off thermostats: what plans and orders make of their set-points, and what they draw."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.gateways import plan_in_force
from heptagrid.domains.customers.thermal.two_state import AUX, COOL, HEAT, OFF, Equipment, through
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.time import NS_PER_S

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

OTHER_FUEL, RESISTANCE, HEAT_PUMP = 0, 1, 2
UNCOMFORTABLE_K = (
    2.0  # assumption: what people complain of, as with heat pumps; ISO 7730 category C allows 3 K around the optimum
)


class Machines(NamedTuple):
    """What the machines of a mean house give and draw at an outdoor temperature, in W, (3,) by kind of heating; NaN where a kind has none.

    draw_per_heat: electricity that heat takes, 0 of another fuel.
    """

    heat_w: Floats
    heat_draws_w: Floats
    aux_w: Floats
    aux_draws_w: Floats
    cool_w: float
    cool_draws_w: float
    draw_per_heat: Floats


class Traits(NamedTuple):
    """What houses are and what their people want, (houses,) each.

    size: relative to the mean house. strength: of the machines, relative to what the house's size asks for. gains: of people and appliances, relative to the mean.
    night_k: how far the set-point is set back for `night_h` hours from `night_from_h` on.
    """

    size: Floats
    strength: Floats
    gains: Floats
    kind: Ints
    is_cooled: Bools
    set_c: Floats
    cool_c: Floats
    night_k: Floats
    night_from_h: Floats
    night_h: Floats


class State(NamedTuple):
    """(houses,) each: temperatures, what runs, and from when on the thermostat may act."""

    air_c: Floats
    mass_c: Floats
    mode: npt.NDArray[np.int8]
    acts_ns: Ints


class Patience(NamedTuple):
    """left_k: how far below the set-point people let an order take the air before they take it back, less with each time; overrides: how often they did, (houses,)."""

    left_k: Floats
    overrides: Ints


class Here(NamedTuple):
    """The step, and what it brings to a mean house."""

    start_ns: int
    quarter: int
    seconds: int
    outside_c: float
    sun_w: float
    gains_w: float
    hour: float


class Control(NamedTuple):
    """How far a plan may move set-points, how far within a step, and what an override leaves of patience."""

    flex_k: float
    most_k: float
    fatigue: float


@kernel
def _house(k, here, low_c, high_c, most_w, thermostat, traits, machines, course, state, has_supply):  # type: ignore[no-untyped-def]
    """House `k` through the step: what it draws in W, and `Passed` of a house of size 1 with the heat that it gained, in J."""
    kind, strength = traits.kind[k], traits.strength[k]
    mode, rests_s = int(state.mode[k]), (state.acts_ns[k] - here.start_ns) // NS_PER_S
    draw = (
        strength * machines.heat_draws_w[kind],
        strength * machines.aux_draws_w[kind],
        strength * machines.cool_draws_w,
    )
    limit = most_w / traits.size[k]
    heat_w = strength * machines.heat_w[kind] if draw[0] <= limit and has_supply else np.nan
    aux_w = strength * machines.aux_w[kind] if draw[1] <= limit and has_supply else np.nan
    cool_w = strength * machines.cool_w if traits.is_cooled[k] and draw[2] <= limit and has_supply else np.nan
    stops = (
        (mode == HEAT and np.isnan(heat_w)) or (mode == AUX and np.isnan(aux_w)) or (mode == COOL and np.isnan(cool_w))
    )
    if stops:
        mode, rests_s = OFF, thermostat.rest_s
    gains_w = 0.5 * (here.gains_w * traits.gains[k] + here.sun_w)
    has = Equipment(heat_w, aux_w, cool_w)
    passed = through(
        state.air_c[k], state.mass_c[k], mode, rests_s, here.seconds, here.outside_c, gains_w, gains_w, low_c, high_c,
        thermostat, has, course,
    )  # fmt: skip
    state.air_c[k], state.mass_c[k], state.mode[k] = passed.air_c, passed.mass_c, passed.mode
    state.acts_ns[k] = here.start_ns + NS_PER_S * passed.rests_s
    if not has_supply:
        state.acts_ns[k] = here.start_ns + NS_PER_S * (here.seconds + thermostat.rest_s)
    drawn_w, gained_j = 0.0, 2.0 * gains_w * here.seconds
    if passed.heat_s > 0:
        drawn_w, gained_j = drawn_w + draw[0] * passed.heat_s, gained_j + heat_w * passed.heat_s
    if passed.aux_s > 0:
        drawn_w, gained_j = drawn_w + draw[1] * passed.aux_s, gained_j + aux_w * passed.aux_s
    if passed.cool_s > 0:
        drawn_w, gained_j = drawn_w + draw[2] * passed.cool_s, gained_j + cool_w * passed.cool_s
    return traits.size[k] * drawn_w / here.seconds, gained_j, passed.above_k_s


@kernel
def advance(  # type: ignore[no-untyped-def]
    here, control, thermostat, owner, traits, machines, course, state, alone, is_steered, shift_k, patience, plans, orders,
    supplied, point_p, less_kwh
):  # fmt: skip
    """All houses through the step: kW that they drew together, J of heat that they gained and lost, and how many are too cold and too hot."""
    total_kw = gained_j = lost_j = 0.0
    cold = hot = 0
    for k in range(owner.shape[0]):
        at = owner[k]
        row = plan_in_force(k, here.quarter, plans)
        wanted = 0.0
        if row >= 0:
            wanted = -control.flex_k * plans.shape[row, here.quarter - plans.first_quarter[row]]
        most_w = np.inf
        if here.start_ns < orders.until_ns[k]:
            row = -1
            if orders.is_power[k]:
                wanted, most_w = 0.0, 1000.0 * max(orders.value[k], 0.0)
            else:
                wanted = orders.value[k]
        shift_k[k] += min(max(wanted - shift_k[k], -control.most_k), control.most_k)

        own_low = traits.set_c[k]
        if (here.hour - traits.night_from_h[k]) % 24.0 < traits.night_h[k]:
            own_low -= traits.night_k[k]
        if most_w < np.inf and state.air_c[k] < own_low - patience.left_k[k]:
            orders.until_ns[k] = 0  # people take the order back
            patience.left_k[k] *= control.fatigue
            patience.overrides[k] += 1
            most_w = np.inf
        own_high = traits.cool_c[k]
        steered = row >= 0 and row == plans.steered[k]
        if steered and not is_steered[k]:
            alone.air_c[k], alone.mass_c[k], alone.mode[k] = state.air_c[k], state.mass_c[k], state.mode[k]
            alone.acts_ns[k] = state.acts_ns[k]
        is_steered[k] = steered

        drawn_w, gains_j, above_k_s = _house(
            k, here, own_low + shift_k[k], own_high - shift_k[k], most_w, thermostat, traits, machines, course, state, supplied[at]
        )  # fmt: skip
        if steered:
            by_itself_w, _, _ = _house(
                k, here, own_low, own_high, np.inf, thermostat, traits, machines, course, alone, supplied[at]
            )
            less_kwh[k] += (by_itself_w - drawn_w) / 1000.0 * here.seconds / 3600.0
        orders.flexible_kw[k] = drawn_w / 1000.0
        point_p[at] += drawn_w / 1000.0
        total_kw += drawn_w / 1000.0
        gained_j += traits.size[k] * gains_j
        lost_j += traits.size[k] * course.loss_w_per_k * above_k_s
        if state.air_c[k] < own_low - UNCOMFORTABLE_K:
            cold += 1
        if traits.is_cooled[k] and state.air_c[k] > own_high + UNCOMFORTABLE_K:
            hot += 1
    return total_kw, gained_j, lost_j, cold, hot

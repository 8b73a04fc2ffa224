"""The step of all houses under on/off thermostats: what plans and orders make of their set-points, and what they draw."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.gateways import plan_in_force
from heptagrid.domains.customers.thermal.two_state import AUX, COOL, HEAT, OFF, Equipment, through, undisturbed
from heptagrid.foundation.compiled.kernel import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

OTHER_FUEL, RESISTANCE, HEAT_PUMP = 0, 1, 2
GIVES, DRAWS, COLDEST, WARMEST = 0, 1, 2, 3  # columns of `Machines.by_state`
UNCOMFORTABLE_K = (
    2.0  # assumption: what people complain of, as with heat pumps; ISO 7730 category C allows 3 K around the optimum
)


class Machines(NamedTuple):
    """What the machines of a mean house do at an outdoor temperature.

    by_state: (12, 4) for each state (4) of each kind of heating (3): what they give and draw in W, and between which bounds, in K from the set-points that
    `_house` takes them from, the thermostat leaves them so. has_aux: (3,). draw_per_heat: (3,) electricity that heat takes, 0 of another fuel.
    """

    by_state: Floats
    has_aux: Bools
    draw_per_heat: Floats


class Traits(NamedTuple):
    """What houses are and what their people want, (houses,) each.

    size: relative to the mean house. strength: of the machines, relative to what the house's size asks for. gains: of people and appliances, relative to the mean.
    cool_c: infinite without an air conditioner. night_k: how far the set-point is set back from `night_from_h` on.
    """

    size: Floats
    strength: Floats
    gains: Floats
    kind: npt.NDArray[np.uint8]
    set_c: Floats
    cool_c: Floats
    night_k: Floats
    night_from_h: Floats


class State(NamedTuple):
    """(houses,) each: temperatures, what runs, and from which second since 1970 on the thermostat may act."""

    air_c: Floats
    mass_c: Floats
    mode: npt.NDArray[np.uint8]
    acts_s: Ints


class Patience(NamedTuple):
    """left_k: how far below the set-point people let an order take the air before they take it back, less with each time; overrides: how often they did, (houses,)."""

    left_k: Floats
    overrides: Ints


class Here(NamedTuple):
    """The step, and what it brings to a mean house."""

    start_ns: int
    start_s: int
    quarter: int
    seconds: int
    outside_c: float
    sun_w: float
    gains_w: float
    hour: float


class Control(NamedTuple):
    """How far a plan may move set-points, how far within a step, what an override leaves of patience, and for how many hours people set back."""

    flex_k: float
    most_k: float
    fatigue: float
    night_h: float


@kernel(inline=True, allocates=False)
def _house(k, here, low_c, high_c, most_w, thermostat, traits, machines, course, state, has_supply):  # type: ignore[no-untyped-def]
    """House `k` through the step: what it draws in W; of one of its size 1, J gained, and the integral of air less outside in K s."""
    kind, strength, mode = traits.kind[k], traits.strength[k], state.mode[k]
    rests_s = state.acts_s[k] - here.start_s
    gains_w = 0.5 * (here.gains_w * traits.gains[k] + here.sun_w)
    by_state, first = machines.by_state, np.uint64(4 * kind)
    if has_supply and most_w == np.inf:
        row = first + np.uint64(mode)
        given_w = gains_w + strength * by_state[row, GIVES]
        coldest = (high_c if mode == COOL else low_c) + by_state[row, COLDEST]
        warmest = (high_c if mode == OFF else low_c) + by_state[row, WARMEST]
        is_so, air_c, mass_c, above_k_s = undisturbed(
            state.air_c[k], state.mass_c[k], rests_s, here.outside_c, given_w, gains_w, coldest, warmest, course
        )
        if is_so:
            state.air_c[k], state.mass_c[k] = air_c, mass_c
            return (
                traits.size[k] * strength * by_state[row, DRAWS],
                (given_w + gains_w) * here.seconds,
                above_k_s,
            )

    limit_w = most_w / (traits.size[k] * strength)
    heat_w, aux_w, cool_w = strength * by_state[first + np.uint64(HEAT), GIVES], np.nan, np.nan
    if not has_supply or by_state[first + np.uint64(HEAT), DRAWS] > limit_w:
        heat_w = np.nan
    if machines.has_aux[kind] and has_supply and by_state[first + np.uint64(AUX), DRAWS] <= limit_w:
        aux_w = strength * by_state[first + np.uint64(AUX), GIVES]
    if high_c < np.inf and has_supply and by_state[first + np.uint64(COOL), DRAWS] <= limit_w:
        cool_w = strength * by_state[first + np.uint64(COOL), GIVES]
    stops = (
        (mode == HEAT and np.isnan(heat_w)) or (mode == AUX and np.isnan(aux_w)) or (mode == COOL and np.isnan(cool_w))
    )
    if stops:
        mode, rests_s = OFF, thermostat.rest_s
    passed = through(
        state.air_c[k], state.mass_c[k], int(mode), rests_s, here.seconds, here.outside_c, gains_w, gains_w, low_c, high_c,
        thermostat, Equipment(heat_w, aux_w, cool_w), course,
    )  # fmt: skip
    state.air_c[k], state.mass_c[k], state.mode[k] = passed.air_c, passed.mass_c, passed.mode
    state.acts_s[k] = here.start_s + passed.rests_s
    if not has_supply:
        state.acts_s[k] = here.start_s + here.seconds + thermostat.rest_s
    drawn_j, gained_j = 0.0, 2.0 * gains_w * here.seconds
    for runs, seconds in ((HEAT, passed.heat_s), (AUX, passed.aux_s), (COOL, passed.cool_s)):
        drawn_j += strength * by_state[first + np.uint64(runs), DRAWS] * seconds
        gained_j += strength * by_state[first + np.uint64(runs), GIVES] * seconds
    return traits.size[k] * drawn_j / here.seconds, gained_j, passed.above_k_s


@kernel(allocates=False)
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
        if wanted != shift_k[k]:
            shift_k[k] += min(max(wanted - shift_k[k], -control.most_k), control.most_k)

        own_low = traits.set_c[k]
        since_h = here.hour - traits.night_from_h[k]
        if (since_h if since_h >= 0.0 else since_h + 24.0) < control.night_h:
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
            alone.acts_s[k] = state.acts_s[k]
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
        if state.air_c[k] > own_high + UNCOMFORTABLE_K:
            hot += 1
    return total_kw, gained_j, lost_j, cold, hot

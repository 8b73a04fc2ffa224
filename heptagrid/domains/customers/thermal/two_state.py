"""The two-state house, air and mass, under an on/off thermostat that looks once a second; exact between its acts.

Source: equivalent thermal parameters, Sonderegger (1978), "Dynamic models of house heating based on equivalent thermal parameters"; the thermostat is that
of GridLAB-D's house (residential/house_e.cpp): a deadband, auxiliary heat below a second one, and a rest after each act. Heat and outdoor temperature are
constant within a step, so that air and mass follow two exponentials; their values at every whole second are tables that all houses of one shape share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel

Floats = npt.NDArray[np.float64]

OFF, HEAT, AUX, COOL = 0, 1, 2, 3


@dataclass(frozen=True)
class Shape:
    """The house of size 1; a house of size s has s times of each, so that all of one shape share their time constants."""

    loss_w_per_k: float
    exchange_w_per_k: float
    air_j_per_k: float
    mass_j_per_k: float


class Course(NamedTuple):
    """How houses of a shape go through a step of so many seconds.

    mass_per_air: part of the mass in the slow and in the fast exponential, per part of the air; one_over their difference. rate: (2,) in 1/s, both below 0.
    decay: (seconds + 1, 2) exp(rate t). passed_s: (seconds + 1, 2) integral of that. k_per_w: what the loss and the exchange of the shape make of a watt.
    """

    mass_per_air: tuple[float, float]
    one_over: float
    rate: Floats
    decay: Floats
    passed_s: Floats
    k_per_w: tuple[float, float]
    loss_w_per_k: float


def course(shape: Shape, seconds: int) -> Course:
    """The course of a step in closed form: the eigenvalues and eigenvectors of the 2 x 2 system."""
    loss, exchange = shape.loss_w_per_k, shape.exchange_w_per_k
    air, mass = shape.air_j_per_k, shape.mass_j_per_k
    half = 0.5 * ((loss + exchange) / air + exchange / mass)
    faster = half + np.sqrt(half**2 - loss * exchange / (air * mass))
    rate = np.array([-loss * exchange / (air * mass) / faster, -faster])  # the slow one without cancellation
    slow, fast = ((rate * air + loss + exchange) / exchange).tolist()
    decay = np.exp(np.arange(seconds + 1)[:, np.newaxis] * rate)
    passed_s = np.expm1(np.arange(seconds + 1)[:, np.newaxis] * rate) / rate
    return Course((slow, fast), 1.0 / (slow - fast), rate, decay, passed_s, (1.0 / loss, 1.0 / exchange), loss)


class Thermostat(NamedTuple):
    """deadband_k: about each set-point, half of it either way. aux_band_k: how far below the deadband auxiliary heat comes on. rest_s: how long the thermostat
    leaves all as it is after each act, at least 1 s."""

    deadband_k: float
    aux_band_k: float
    rest_s: int


class Equipment(NamedTuple):
    """What a house has at the outdoor temperature of the step: heat to the air by state, in W; NaN where it has none of it or it may not run."""

    heat_w: float
    aux_w: float
    cool_w: float


class Passed(NamedTuple):
    """A house after a step: its state, when its thermostat may act again, seconds of each kind of work, and the integral of air less outside."""

    air_c: float
    mass_c: float
    mode: int
    rests_s: int
    heat_s: int
    aux_s: int
    cool_s: int
    above_k_s: float


@kernel(inline=True, allocates=False)
def _acted(air_c, mode, low_c, high_c, thermostat, has):  # type: ignore[no-untyped-def]
    """The state that the thermostat chooses; the same if nothing is to be done."""
    half = 0.5 * thermostat.deadband_k
    aux_below_c = low_c - half - thermostat.aux_band_k
    if mode == HEAT:
        if not np.isnan(has.aux_w) and air_c < aux_below_c:
            return AUX
        return OFF if air_c > low_c + half else HEAT
    if mode == AUX:
        return OFF if air_c > low_c + half else AUX
    if mode == COOL:
        return OFF if air_c < high_c - half else COOL
    if not np.isnan(has.cool_w) and air_c > high_c + half:
        return COOL
    if not np.isnan(has.heat_w) and air_c < low_c - half:
        return AUX if not np.isnan(has.aux_w) and air_c < aux_below_c else HEAT
    return OFF


@kernel(inline=True, allocates=False)
def _window(mode, low_c, high_c, thermostat, has):  # type: ignore[no-untyped-def]
    """Between which temperatures the thermostat leaves a state as it is: `_acted` answers the same state, and another one beyond."""
    half = 0.5 * thermostat.deadband_k
    if mode == HEAT:
        coldest = -np.inf if np.isnan(has.aux_w) else low_c - half - thermostat.aux_band_k
        return coldest, low_c + half
    if mode == AUX:
        return -np.inf, low_c + half
    if mode == COOL:
        return high_c - half, np.inf
    coldest = -np.inf if np.isnan(has.heat_w) else low_c - half
    warmest = np.inf if np.isnan(has.cool_w) else high_c + half
    return coldest, warmest


@kernel(allocates=False)
def _first_beyond(first, last, rest_c, slow, fast, course, coldest, warmest):  # type: ignore[no-untyped-def]
    """The first second from `first` to `last` at which the air is beyond its bounds, `last` + 1 if none; the air has at most one turning point."""
    decay, rate = course.decay, course.rate
    turn = last
    rises = slow * rate[0] * decay[first, 0] + fast * rate[1] * decay[first, 1] > 0.0
    if (slow * rate[0] * decay[last, 0] + fast * rate[1] * decay[last, 1] > 0.0) != rises:
        begin = first
        while turn - begin > 1:
            middle = (begin + turn) // 2
            if (slow * rate[0] * decay[middle, 0] + fast * rate[1] * decay[middle, 1] > 0.0) == rises:
                begin = middle
            else:
                turn = middle
    begin = first
    for end in (turn, last):
        inside = rest_c + slow * decay[begin, 0] + fast * decay[begin, 1]
        if inside < coldest or inside > warmest:
            return begin
        air = rest_c + slow * decay[end, 0] + fast * decay[end, 1]
        if air < coldest or air > warmest:
            bound = warmest if air > warmest else coldest
            part = (bound - inside) / (
                air - inside
            )  # nearly straight over a minute: look there, then beside it, then halve
            middle, beside = begin + np.int64(part * (end - begin)), True
            while end - begin > 1:
                middle = min(max(middle, begin + 1), end - 1)
                air = rest_c + slow * decay[middle, 0] + fast * decay[middle, 1]
                if air < coldest or air > warmest:
                    end, middle = middle, middle - 1 if beside else (begin + middle) // 2
                else:
                    begin, middle = middle, middle + 1 if beside else (middle + end) // 2
                beside = not beside
            return end
        begin = end
    return last + 1


@kernel(inline=True, allocates=False)
def undisturbed(air_c, mass_c, rests_s, outside_c, air_w, mass_w, coldest, warmest, course):  # type: ignore[no-untyped-def]
    """A house of size 1 through a step in which its thermostat does not act: whether that is so, air, mass, and the integral of air less outside.

    air_w: all heat to the air; coldest, warmest: between which the thermostat leaves all as it is.
    """
    seconds = course.decay.shape[0] - 1
    rise_k = (air_w + mass_w) * course.k_per_w[0]
    rest_c = outside_c + rise_k
    mass_rest_c = rest_c + mass_w * course.k_per_w[1]
    from_rest_k = air_c - rest_c
    slow = ((mass_c - mass_rest_c) - course.mass_per_air[1] * from_rest_k) * course.one_over
    fast = from_rest_k - slow
    slow_end, fast_end = slow * course.decay[seconds, 0], fast * course.decay[seconds, 1]
    end_c = rest_c + slow_end + fast_end
    slope = slow * course.rate[0] + fast * course.rate[1]
    slope_end = slow_end * course.rate[0] + fast_end * course.rate[1]
    inside = coldest <= air_c <= warmest and coldest <= end_c <= warmest and slope * slope_end > 0.0
    above_k_s = rise_k * seconds + slow * course.passed_s[seconds, 0] + fast * course.passed_s[seconds, 1]
    mass_end_c = mass_rest_c + course.mass_per_air[0] * slow_end + course.mass_per_air[1] * fast_end
    return inside or rests_s >= seconds, end_c, mass_end_c, above_k_s


@kernel(allocates=False)
def through(  # type: ignore[no-untyped-def]
    air_c, mass_c, mode, rests_s, seconds, outside_c, air_w, mass_w, low_c, high_c, thermostat, has, course
):  # fmt: skip
    """A house of size 1 through a step, `Passed`.

    rests_s: seconds from the step's begin before which its thermostat does not act. air_w, mass_w: gains of air and mass besides the equipment's, which goes to
    the air. low_c, high_c: set-points of heating and cooling. The thermostat looks at every whole second before the last.
    """
    mass_slow, mass_fast = course.mass_per_air
    slow_rate, fast_rate = course.rate[0], course.rate[1]
    heat_s = aux_s = cool_s = now = 0
    above_k_s = 0.0
    while True:
        given_w = air_w
        if mode != OFF:
            given_w += has.heat_w if mode == HEAT else (has.aux_w if mode == AUX else has.cool_w)
        rise_k = (given_w + mass_w) * course.k_per_w[0]
        rest_c = outside_c + rise_k
        mass_rest_c = rest_c + mass_w * course.k_per_w[1]
        slow = ((mass_c - mass_rest_c) - mass_fast * (air_c - rest_c)) * course.one_over
        fast = (air_c - rest_c) - slow

        acts = seconds - now
        slow_end, fast_end = slow * course.decay[acts, 0], fast * course.decay[acts, 1]
        end_c = rest_c + slow_end + fast_end
        looks = max(rests_s - now, 0)
        if looks < acts:
            coldest, warmest = _window(mode, low_c, high_c, thermostat, has)
            rises = slow * slow_rate + fast * fast_rate > 0.0
            turns = (slow_end * slow_rate + fast_end * fast_rate > 0.0) != rises
            if turns or min(air_c, end_c) < coldest or max(air_c, end_c) > warmest:  # there may be an act
                acts = _first_beyond(looks, acts - 1, rest_c, slow, fast, course, coldest, warmest)
                slow_end, fast_end = slow * course.decay[acts, 0], fast * course.decay[acts, 1]

        if mode == HEAT:
            heat_s += acts
        elif mode == AUX:
            aux_s += acts
        elif mode == COOL:
            cool_s += acts
        above_k_s += rise_k * acts + slow * course.passed_s[acts, 0] + fast * course.passed_s[acts, 1]
        air_c = rest_c + slow_end + fast_end
        mass_c = mass_rest_c + mass_slow * slow_end + mass_fast * fast_end
        now += acts
        if now == seconds:
            return Passed(air_c, mass_c, mode, rests_s, heat_s, aux_s, cool_s, above_k_s)
        mode = _acted(air_c, mode, low_c, high_c, thermostat, has)
        rests_s = now + thermostat.rest_s

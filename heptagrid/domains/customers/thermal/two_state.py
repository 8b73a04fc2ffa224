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
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class Shape:
    """The house of size 1; a house of size s has s times of each, so that all of one shape share their time constants."""

    loss_w_per_k: float
    exchange_w_per_k: float
    air_j_per_k: float
    mass_j_per_k: float


class Course(NamedTuple):
    """How houses of a shape go through a step of so many seconds.

    mass_per_air: (2,) part of the mass in each exponential, per part of the air. rate: (2,) in 1/s, both below 0. decay: (seconds + 1, 2) exp(rate t).
    passed_s: (seconds + 1, 2) integral of that. loss_w_per_k, exchange_w_per_k: of the shape.
    """

    mass_per_air: Floats
    rate: Floats
    decay: Floats
    passed_s: Floats
    loss_w_per_k: float
    exchange_w_per_k: float


def course(shape: Shape, seconds: int) -> Course:
    """The course of a step in closed form: the eigenvalues and eigenvectors of the 2 x 2 system."""
    loss, exchange = shape.loss_w_per_k, shape.exchange_w_per_k
    air, mass = shape.air_j_per_k, shape.mass_j_per_k
    half = 0.5 * ((loss + exchange) / air + exchange / mass)
    fast = half + np.sqrt(half**2 - loss * exchange / (air * mass))
    rate = np.array([-loss * exchange / (air * mass) / fast, -fast])  # the slow one without cancellation
    mass_per_air = (rate * air + loss + exchange) / exchange
    decay = np.exp(np.arange(seconds + 1)[:, np.newaxis] * rate)
    passed_s = np.expm1(np.arange(seconds + 1)[:, np.newaxis] * rate) / rate
    return Course(mass_per_air, rate, decay, passed_s, loss, exchange)


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


@kernel(inline=True)
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


@kernel(inline=True)
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


@kernel
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
        air = rest_c + slow * decay[begin, 0] + fast * decay[begin, 1]
        if air < coldest or air > warmest:
            return begin
        air = rest_c + slow * decay[end, 0] + fast * decay[end, 1]
        if air < coldest or air > warmest:
            while end - begin > 1:
                middle = (begin + end) // 2
                air = rest_c + slow * decay[middle, 0] + fast * decay[middle, 1]
                if air < coldest or air > warmest:
                    end = middle
                else:
                    begin = middle
            return end
        begin = end
    return last + 1


@kernel(inline=True)
def through(  # type: ignore[no-untyped-def]
    air_c, mass_c, mode, rests_s, seconds, outside_c, air_w, mass_w, low_c, high_c, thermostat, has, course
):  # fmt: skip
    """A house of size 1 through a step, `Passed`.

    rests_s: seconds from the step's begin before which its thermostat does not act. air_w, mass_w: gains of air and mass besides the equipment's, which goes to
    the air. low_c, high_c: set-points of heating and cooling. The thermostat looks at every whole second before the last.
    """
    mass_slow, mass_fast = course.mass_per_air[0], course.mass_per_air[1]
    heat_s = aux_s = cool_s = now = 0
    above_k_s = 0.0
    while True:
        given_w = air_w
        if mode == HEAT:
            given_w += has.heat_w
        elif mode == AUX:
            given_w += has.aux_w
        elif mode == COOL:
            given_w += has.cool_w
        rise_k = (given_w + mass_w) / course.loss_w_per_k
        rest_c = outside_c + rise_k
        mass_rest_c = rest_c + mass_w / course.exchange_w_per_k
        slow = ((mass_c - mass_rest_c) - mass_fast * (air_c - rest_c)) / (mass_slow - mass_fast)
        fast = (air_c - rest_c) - slow

        span = seconds - now
        acts = span
        looks = max(rests_s - now, 0)
        if looks < span:
            coldest, warmest = _window(mode, low_c, high_c, thermostat, has)
            decay, rate = course.decay, course.rate
            first = rest_c + slow * decay[looks, 0] + fast * decay[looks, 1]
            last = rest_c + slow * decay[span - 1, 0] + fast * decay[span - 1, 1]
            rises = slow * rate[0] * decay[looks, 0] + fast * rate[1] * decay[looks, 1] > 0.0
            rises_later = slow * rate[0] * decay[span, 0] + fast * rate[1] * decay[span, 1] > 0.0
            if min(first, last) < coldest or max(first, last) > warmest or rises != rises_later:  # there may be an act
                acts = _first_beyond(looks, span - 1, rest_c, slow, fast, course, coldest, warmest)

        if mode == HEAT:
            heat_s += acts
        elif mode == AUX:
            aux_s += acts
        elif mode == COOL:
            cool_s += acts
        above_k_s += rise_k * acts + slow * course.passed_s[acts, 0] + fast * course.passed_s[acts, 1]
        slow, fast = slow * course.decay[acts, 0], fast * course.decay[acts, 1]
        air_c = rest_c + slow + fast
        mass_c = mass_rest_c + mass_slow * slow + mass_fast * fast
        now += acts
        if now == seconds:
            return Passed(air_c, mass_c, mode, rests_s, heat_s, aux_s, cool_s, above_k_s)
        mode = _acted(air_c, mode, low_c, high_c, thermostat, has)
        rests_s = now + thermostat.rest_s

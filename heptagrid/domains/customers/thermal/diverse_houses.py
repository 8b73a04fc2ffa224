"""Houses that are unlike: how well they are insulated, how heavy they are, how good and how large their heat pump is, how warm and when people want it.

All of it is drawn from the seed, one house after the other. Times: Kane, Firth and Lomas (2015), "How are UK homes heated? A city-wide, socio-technical survey and
implications for energy modelling", Energy and Buildings 86: of 249 homes in Leicester 51 % of those with central heating were heated for two periods a day, 33 % for one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.random import normals, uniforms

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TWO_PERIODS_SHARE, ONE_PERIOD_SHARE = 0.51, 0.33
# Local hours at which people want it warm, and standard deviations: assumption.
_MORNING_H, _MORNING_ENDS_H, _EVENING_H, _NIGHT_H = 6.5, 9.5, 16.0, 22.5
_SD_H = (1.0, 1.5, 1.5, 1.0)


class Diversity(NamedTuple):
    """(houses,) each. loss, mass: relative to what their size asks for. performance, strength: of the heat pump, relative to the others and to what the house needs.
    set_k: set-point, above the mean. back_k: by how much it is set back outside the two `periods_h`, (houses, 4): from, to, from, to, local hours."""

    loss: Floats
    mass: Floats
    performance: Floats
    strength: Floats
    set_k: Floats
    back_k: Floats
    periods_h: Floats


def alike(count: int) -> Diversity:
    """Houses that differ in size and set-point alone, which are told elsewhere."""
    one = np.ones(count)
    return Diversity(one, one, one, one, np.zeros(count), np.zeros(count), np.tile([0.0, 24.0, 0.0, 24.0], (count, 1)))


def diverse(
    owner: Ints,
    seed: int,
    stream: int,
    *,
    loss_spread: float,
    mass_spread: float,
    performance_spread: float,
    strength_spread: float,
    set_spread_k: float,
    back_k: float,
) -> Diversity:
    """Of each owner; spreads are standard deviations, of logarithms where they are of a factor, whose mean stays 1."""

    def about_one(spread: float, occasion: int) -> Floats:
        return np.exp(spread * np.asarray(normals(seed, stream, owner, occasion)) - 0.5 * spread**2)

    def hour(mean: float, sd: float, occasion: int) -> Floats:
        return np.asarray(mean + sd * np.asarray(normals(seed, stream, owner, occasion)))

    habit = np.asarray(uniforms(seed, stream, owner, 200))
    two, one = habit < TWO_PERIODS_SHARE, habit < TWO_PERIODS_SHARE + ONE_PERIOD_SHARE
    means = (_MORNING_H, _MORNING_ENDS_H, _EVENING_H, _NIGHT_H)
    begins, ends, again, night = (
        hour(mean, sd, 210 + k) for k, (mean, sd) in enumerate(zip(means, _SD_H, strict=True))
    )
    ends = np.where(two, np.maximum(ends, begins + 1.0), night)
    return Diversity(
        loss=about_one(loss_spread, 220),
        mass=about_one(mass_spread, 221),
        performance=about_one(performance_spread, 222),
        strength=about_one(strength_spread, 223),
        set_k=set_spread_k * np.asarray(normals(seed, stream, owner, 224)),
        back_k=np.where(one, back_k * 2.0 * np.asarray(uniforms(seed, stream, owner, 201)), 0.0),
        periods_h=np.stack([begins, ends, np.where(two, again, begins), night], axis=1),
    )

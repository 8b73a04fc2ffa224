"""How clear a sky is within an hour: the distribution of the clear-sky index about the hour's, and the clear sky of a profile.

Source: Skartveit and Olseth, "The probability density and autocorrelation of short-term global and beam irradiance", Solar Energy 49 (1992), measured at four
stations; the equations were read in a third party's program, and the distributions that they give have the mean and the spread that are asked for.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.random import uniform
from heptagrid.world.clouds.field import STREAM

Floats = npt.NDArray[np.float64]

NODES = 65
REACH = 3.2  # the nodes of a distribution lie evenly between these standard normal numbers
CLEAREST = 0.999  # hours of a greater index are clear throughout
_MINUTE, _SHORTEST = 1.0, 5.0  # the equations hold for means over five minutes, and lead from there to shorter ones
_STEPS = 240
_WEIBULL = 3
_WINDOW_DAYS = 15

# The modes' variances, and how far the least and the greatest index lie from the mean, by the hour's index: up to 0.3, 0.6, 0.9, 1.
_LOW_VARIANCE, _HIGH_VARIANCE = 0.014, 0.006
_CLASSES = (0.3, 0.6, 0.9)
_TO_LEAST = (-0.03, 0.20, 0.47, 2.0)
_TO_GREATEST = (1.66, 4.26, 0.89, 0.38)


def clear_sky(relative: Floats) -> Floats:
    """What each column gives under a clear sky: at each quarter hour the greatest at the same time of day within 15 days.

    relative: (quarters, columns) over a year; returns the same shape.
    """
    quarters, columns = relative.shape
    days = -(-quarters // 96)
    padded = np.zeros((days * 96, columns))
    padded[:quarters] = relative
    by_day = padded.reshape(days, 96, columns)
    greatest = by_day.copy()
    for shift in range(1, min(_WINDOW_DAYS, days - 1) + 1):
        np.maximum(greatest[shift:], by_day[:-shift], out=greatest[shift:])
        np.maximum(greatest[:-shift], by_day[shift:], out=greatest[:-shift])
    return np.asarray(greatest.reshape(-1, columns)[:quarters])


def spread(index: float, before: float, after: float, seed: int, hour: int) -> float:
    """The standard deviation of the minutes' index in an hour of a mean index, from the hours beside it; the hour's luck is drawn from the seed."""
    between = math.sqrt(0.5 * ((index - before) ** 2 + (after - index) ** 2))
    expected = 0.87 * index**2 * (1.0 - index) + 0.39 * math.sqrt(index) * between
    shape = 0.88 + 42.0 * expected**2
    drawn = float(uniform(seed, STREAM, hour, _WEIBULL))
    luck = math.exp(math.log(-math.log(drawn)) / shape) / math.gamma(1.0 + 1.0 / shape)
    of_five = expected * luck
    shorter = ((_SHORTEST - _MINUTE) / _SHORTEST) ** 1.5
    return float(of_five * max(1.0, 1.0 + shorter * (0.6 - 1.3 * of_five) * (index - 0.2)))


def distribution(index: float, deviation: float) -> Floats:
    """The index at the standard normal numbers from -REACH to REACH, (NODES,), ascending: two modes of beta distributions between the least and the greatest."""
    if index <= 0.0 or index >= CLEAREST or deviation < 1e-4:
        return np.full(NODES, max(index, 0.0))
    from scipy.special import betainc, ndtr  # few runs have clouds

    row = sum(index > bound for bound in _CLASSES)
    least = max(0.0, (index - 0.03) * math.exp(-11.0 * _TO_LEAST[row] * deviation**1.4) - 0.09)
    greatest = 1.5 + (index - 1.5) * math.exp(-9.0 * _TO_GREATEST[row] * deviation**1.3)
    mean, width = (index - least) / (greatest - least), deviation / (greatest - least)
    low = mean * (0.01 + 0.98 * math.exp(-60.0 * width**3.3))
    high = 1.0 - (1.0 - mean) * (0.01 + 0.98 * math.exp(-11.0 * width**2))
    share = (high - mean) / (high - low)
    parts = np.linspace(0.0, 1.0, _STEPS + 1)
    cumulated = share * betainc(*_beta(low, _LOW_VARIANCE), parts)
    cumulated += (1.0 - share) * betainc(*_beta(high, _HIGH_VARIANCE), parts)
    ranks = ndtr(np.linspace(-REACH, REACH, NODES))
    return np.asarray(least + (greatest - least) * np.interp(ranks, cumulated, parts))


def _beta(mode: float, variance: float) -> tuple[float, float]:
    """The parameters of a beta distribution of that mean, of at most that variance, without a mode at either end."""
    variance = min(variance, mode**2 * (1.0 - mode) / (1.0 + mode), mode * (1.0 - mode) ** 2 / (2.0 - mode))
    kept = mode * (1.0 - mode) / variance - 1.0
    return max(mode * kept, 1.0), max((1.0 - mode) * kept, 1.0)

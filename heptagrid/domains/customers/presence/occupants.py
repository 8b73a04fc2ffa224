"""Who is awake at home: each person's day is drawn anew from the seed, so that presence is a function of home, person and time.

A day has a time to get up and one to go to bed; who works or goes to school is away in between, others go out for an hour or a few, some also in the evening.
So stays and absences have lengths of their own, a semi-Markov chain whose day repeats, after the chain of Richardson, Thomson and Infield (2008), "A
high-resolution domestic building occupancy model for energy demand simulations", Energy and Buildings 40, which was made of diaries by minutes of ten.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.random import bits

Floats = npt.NDArray[np.float64]

NOBODY, AWAY, HALF_DAY, HOME = 0, 1, 2, 3  # kinds of persons: away on working days, for half of them, at home by day
KINDS = 3
MOST_PERSONS = 5
QUARTERS = 96
_SAMPLED = 2048
_SAMPLE_SEED, _SAMPLE_STREAM = 20, 160_000  # of the mean presence, the same in every run

_OFF = 0.15  # working days that are free: assumption, 30 days of leave and 9 holidays of 260
# Hours, and standard deviations: assumption, such that half of all sleep or wash at 22:30, nearly all at 3, and as many sleep as work or study at
# 8:10 (German time use survey 2022, Sozialbericht 2024, chapter 5.5.1).
_UP_H, _UP_SD = 6.5, 0.8
_UP_FREE_H, _UP_FREE_SD = 8.1, 1.1
_BED_H, _BED_SD, _LATER_H = 22.5, 0.9, 0.7
_LEAVES_AFTER_H, _LEAVES_SD = 1.1, 0.3
_AWAY_H, _AWAY_SD = 9.2, 1.0
_HALF_H, _HALF_SD = 5.5, 1.0
_OUT, _OUT_FROM_H, _OUT_SPAN_H, _OUT_LEAST_H, _OUT_MORE_H = 0.7, 9.5, 7.5, 0.7, 3.6
_EVENING, _EVENING_FROM_H, _EVENING_SPAN_H, _EVENING_LEAST_H, _EVENING_MORE_H = 0.22, 17.5, 2.5, 1.0, 2.5
_PER_SD = 6.0**0.5  # the sum of two uniform numbers has a standard deviation of 1 / sqrt(6)


@kernel(inline=True, allocates=False)
def _onward(z):  # type: ignore[no-untyped-def]
    """Further bits from mixed ones: the linear congruential step of MMIX (Knuth), of which the upper bits are used."""
    return z * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)


@kernel(inline=True, allocates=False)
def _share(z, place):  # type: ignore[no-untyped-def]
    """A number in (0, 1) from 16 of the bits."""
    return (float((z >> np.uint64(place)) & np.uint64(0xFFFF)) + 0.5) * (1.0 / 65536.0)


@kernel(inline=True, allocates=False)
def _about(mean, sd, z):  # type: ignore[no-untyped-def]
    """A number of a triangular distribution, from the upper 32 bits."""
    return mean + sd * _PER_SD * (_share(z, 48) + _share(z, 32) - 1.0)


@kernel(inline=True, allocates=False)
def is_active(z, kind, weekday, hour):  # type: ignore[no-untyped-def]
    """Whether a person is awake at home. z: bits of person and day; weekday: 0 is Monday; hour: of the day, from 24 on of the night after it."""
    free = kind == HOME or weekday >= 5 or _share(z, 16) < _OFF
    z = _onward(z)
    up = _about(_UP_FREE_H, _UP_FREE_SD, z) if free else _about(_UP_H, _UP_SD, z)
    if hour < up:
        return False
    z = _onward(z)
    later = _LATER_H if weekday == 4 or weekday == 5 else 0.0
    if hour >= _about(_BED_H + later, _BED_SD, z):
        return False
    z = _onward(z)
    if free:
        if _share(z, 48) < _OUT:
            begin = _OUT_FROM_H + _OUT_SPAN_H * _share(z, 32)
            if begin <= hour < begin + _OUT_LEAST_H + _OUT_MORE_H * _share(z, 16):
                return False
    else:
        begin = up + _about(_LEAVES_AFTER_H, _LEAVES_SD, z)
        z = _onward(z)
        away = _about(_AWAY_H, _AWAY_SD, z) if kind == AWAY else _about(_HALF_H, _HALF_SD, z)
        if begin <= hour < begin + away:
            return False
    z = _onward(z)
    if _share(z, 48) < _EVENING:
        begin = _EVENING_FROM_H + _EVENING_SPAN_H * _share(z, 32)
        if begin <= hour < begin + _EVENING_LEAST_H + _EVENING_MORE_H * _share(z, 16):
            return False
    return True


@kernel(inline=True, allocates=False)
def active_persons(seed, stream, home, people, day, weekday, hour):  # type: ignore[no-untyped-def]
    """How many of a home's persons are awake at home. people: their kinds, two bits each; day: the local date as a number."""
    count = 0
    today = bits(seed, stream, home, 2 * day)
    before = bits(seed, stream, home, 2 * (day - 1)) if hour < 4.0 else today
    while people > 0:
        kind = people & 3
        today, before = _onward(today), _onward(before)
        if is_active(today, kind, weekday, hour) or (
            hour < 4.0 and is_active(before, kind, (weekday + 6) % 7, hour + 24.0)
        ):
            count += 1
        people >>= 2
    return count


def mean_presence() -> Floats:
    """The share of persons awake at home, (kinds, weekdays, quarter hours of the day), of two thousand days of each."""
    share = np.zeros((KINDS, 7, QUARTERS))
    _sample(_SAMPLE_SEED, _SAMPLE_STREAM, _SAMPLED, share)
    return share


@kernel(allocates=False)
def _sample(seed, stream, count, share):  # type: ignore[no-untyped-def]
    for kind in range(share.shape[0]):
        for weekday in range(7):
            for quarter in range(share.shape[2]):
                for home in range(count):
                    share[kind, weekday, quarter] += active_persons(
                        seed, stream, home, kind + 1, 7 * kind + weekday, weekday, 0.25 * quarter + 0.125
                    )
                share[kind, weekday, quarter] /= count

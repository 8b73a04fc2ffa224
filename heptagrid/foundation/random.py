"""Random numbers that are a pure function of who asks and when, never of order, thread or step.

A number is drawn from (seed, stream, entity, occasion): the stream says what it is for, the entity is
a global id, the occasion an absolute time or a count. The mixing is SplitMix64's finaliser (Steele, Lea
and Flood, OOPSLA 2014), applied to one coordinate after another.
"""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel

Number = int | np.int64


class Stream(IntEnum):
    """What a random number is for; a new purpose takes the next free number."""

    BASE_DEMAND = 1
    OWNERSHIP = 2
    VEHICLE_ARRIVAL = 3
    VEHICLE_DEPARTURE = 4
    VEHICLE_ENERGY = 5
    VEHICLE_DETAIL = 6
    HOUSE = 7
    BATTERY = 8
    METER_OFFSET = 9
    LINK_LOSS = 10
    CLASS_BREAK = 11
    BACK_OFF = 12
    ENROLMENT = 13
    SAMPLE = 14
    DEVICE_OFFSET = 15
    FIRMWARE = 16
    TIME_OUT = 17
    RETAILER = 18
    AGGREGATOR = 19
    CITY = 20
    FORECAST = 40
    APPRAISAL = 41
    SHADOWING = 42


@kernel(inline=True)
def _mixed(z: np.uint64) -> np.uint64:
    z = np.uint64(z + np.uint64(0x9E3779B97F4A7C15))
    z = np.uint64((z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9))
    z = np.uint64((z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB))
    return np.uint64(z ^ (z >> np.uint64(31)))


@kernel
def bits(seed: Number, stream: Number, entity: Number, occasion: Number) -> np.uint64:
    """64 random bits for (seed, stream, entity, occasion)."""
    z = _mixed(np.uint64(seed))
    z = _mixed(z ^ np.uint64(stream))
    z = _mixed(z ^ np.uint64(entity))
    return _mixed(z ^ np.uint64(occasion))


@kernel
def uniform(seed: Number, stream: Number, entity: Number, occasion: Number) -> float:
    """A float64 in the open interval (0, 1) for (seed, stream, entity, occasion)."""
    return (float(bits(seed, stream, entity, occasion) >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)


@kernel
def normal(seed: Number, stream: Number, entity: Number, occasion: Number) -> float:
    """A standard normal float64 (Box and Muller 1958) for (seed, stream, entity, occasion)."""
    first = uniform(seed, stream, entity, 2 * occasion)
    second = uniform(seed, stream, entity, 2 * occasion + 1)
    return math.sqrt(-2.0 * math.log(first)) * math.cos(2.0 * math.pi * second)


@kernel
def uniforms(seed: int, stream: int, entities: np.ndarray, occasion: int) -> np.ndarray:
    """`uniform` for each of `entities` ((n,) int64): (n,) float64."""
    drawn = np.empty(entities.shape[0])
    for k in range(entities.shape[0]):
        drawn[k] = uniform(seed, stream, entities[k], occasion)
    return drawn


@kernel
def normals(seed: int, stream: int, entities: np.ndarray, occasion: int) -> np.ndarray:
    """`normal` for each of `entities` ((n,) int64): (n,) float64."""
    drawn = np.empty(entities.shape[0])
    for k in range(entities.shape[0]):
        drawn[k] = normal(seed, stream, entities[k], occasion)
    return drawn

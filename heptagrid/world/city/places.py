"""The areas of a city: how many customers each has, and where it lies."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from heptagrid.foundation.sums import dot
from heptagrid.world.city.draws import Draws
from heptagrid.world.city.neighbourhoods import AREAS, KINDS
from heptagrid.world.city.streets import CLOSED

FEWEST, MOST = 10_000, 14_000
"""Customers of a whole area."""
_GOLDEN = math.pi * (3.0 - math.sqrt(5.0))


@dataclass(frozen=True)
class Place:
    """An area. number: from 0; character: of `AREAS`; east_km, north_km: its primary substation from the middle of the city."""

    number: int
    customers: int
    character: str
    east_km: float
    north_km: float


def places(customers: int, seed: int) -> list[Place]:
    """The areas of a city with so many customers; a greater city has the same ones and more, but for its last one.

    They lie on a sunflower's spiral (Vogel, Mathematical Biosciences 44, 1979), each on as much land as its streets take.
    """
    found: list[Place] = []
    land_km2, left = 0.0, customers
    while left > 0:
        number = len(found)
        whole, character = whole_area(seed, number)
        own_km2 = land_km2_of(character, whole)
        radius_km = math.sqrt((land_km2 + own_km2 / 2.0) / math.pi) if number else 0.0
        angle = number * _GOLDEN
        place = Place(number, min(whole, left), character, radius_km * math.cos(angle), radius_km * math.sin(angle))
        found.append(place)
        land_km2 += own_km2
        left -= place.customers
    return found


def land_km2_of(character: str, customers: int) -> float:
    """What the streets of so many customers take."""
    shares = AREAS[character][1]
    line_m = 1.0 / dot(shares, [1.0 / one.line_m for one in KINDS])
    street_m = dot(shares, [one.street_m for one in KINDS])
    return customers * line_m * street_m / (2.0 * (1.0 - CLOSED)) / 1e6


def whole_area(seed: int, number: int) -> tuple[int, str]:
    """Customers of an area that is not the last, and its character."""
    draws = Draws(seed, number)
    whole = FEWEST + int(draws.uniform(1)[0] * (MOST - FEWEST + 1))
    shares = np.array([share for share, _ in AREAS.values()])
    return whole, list(AREAS)[int(draws.choice(shares, 1)[0])]

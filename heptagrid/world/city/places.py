"""The areas of a city: how many customers each has, and where it lies."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.sums import dot
from heptagrid.world.city.draws import Draws
from heptagrid.world.city.neighbourhoods import AREAS, KINDS
from heptagrid.world.city.streets import CLOSED

Floats = npt.NDArray[np.float64]

FEWEST, MOST = 10_000, 14_000
"""Customers of a whole area."""
_GOLDEN = math.pi * (3.0 - math.sqrt(5.0))
_DIRECTIONS = 64
"""In which an area looks for room, the first turned on by the golden angle from area to area."""
_EDGE = 4.0
"""How far inside the city's edge it begins to look, in its own radii."""


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

    Each is a circle of as much land as its streets take, as near to the middle as it finds room beside the earlier ones: no two lie upon one another.
    """
    found: list[Place] = []
    circles = np.empty((0, 3))  # east, north, radius
    left = customers
    while left > 0:
        number = len(found)
        whole, character = whole_area(seed, number)
        own_km = math.sqrt(land_km2_of(character, whole) / math.pi)
        east_km, north_km = _nearest_room(circles, own_km, number * _GOLDEN) if number else (0.0, 0.0)
        place = Place(number, min(whole, left), character, east_km, north_km)
        found.append(place)
        circles = np.vstack([circles, [[east_km, north_km, own_km]]])
        left -= place.customers
    return found


def _nearest_room(circles: Floats, own_km: float, first_angle: float) -> tuple[float, float]:
    """The middle of a circle that touches none of these (n, 3), in one of some directions, nearest to the middle of all."""
    away_km = np.hypot(circles[:, 0], circles[:, 1])
    least_km = max(0.0, float((away_km + circles[:, 2]).max()) - _EDGE * own_km)
    circles = circles[away_km + circles[:, 2] > least_km - own_km]
    angle = first_angle + np.arange(_DIRECTIONS)[:, np.newaxis] * (2.0 * math.pi / _DIRECTIONS)
    away_km = np.hypot(circles[:, 0], circles[:, 1])
    turned = angle - np.arctan2(circles[:, 1], circles[:, 0])
    along, beside = away_km * np.cos(turned), away_km * np.sin(turned)
    # Of the ray in each direction the stretches in which a circle of this size would lie upon another.
    half = np.sqrt(np.maximum((circles[:, 2] + own_km) ** 2 - beside**2, 0.0))
    begin, end = np.where(half > 0.0, along - half, np.inf), np.where(half > 0.0, along + half, -np.inf)
    by_begin = np.argsort(begin, axis=1, kind="stable")
    begin = np.append(np.take_along_axis(begin, by_begin, axis=1), np.full((_DIRECTIONS, 1), np.inf), axis=1)
    end = np.append(
        np.zeros((_DIRECTIONS, 1)), np.maximum.accumulate(np.take_along_axis(end, by_begin, axis=1), axis=1), axis=1
    )
    end = np.maximum(end, least_km)
    free_km = np.take_along_axis(end, np.argmax(begin >= end, axis=1)[:, np.newaxis], axis=1)[:, 0]
    best = int(np.argmin(free_km))
    radius_km = float(free_km[best]) * (1.0 + 1e-9)
    return radius_km * math.cos(angle[best, 0]), radius_km * math.sin(angle[best, 0])


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

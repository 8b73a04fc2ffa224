"""Streets of an area: a grid whose crossings are moved at random, and the places of customers along them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.sums import dot
from heptagrid.world.city.draws import Draws
from heptagrid.world.city.neighbourhoods import AREAS, KINDS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOVED = 0.25
"""How far a crossing lies from its place in the grid, standard deviation, in streets' distances: assumption."""
CLOSED = 0.12
"""Share of the grid's streets that are not there, for parks, water and dead ends: assumption. Every crossing can still be reached."""
PATCH = 6
"""Crossings on the side of a patch whose houses are of one kind: assumption."""


@dataclass(frozen=True)
class Streets:
    """A graph: crossings, then customers on the streets between them; metres from the middle of the area.

    x_m, y_m: (nodes,). ends: (parts, 2) the nodes of each part of a street, neighbours along it; length_m: (parts,). customer: (customers,) the node of each; kind: (customers,) of its neighbourhood.
    """

    x_m: Floats
    y_m: Floats
    ends: Ints
    length_m: Floats
    customer: Ints
    kind: Ints


def streets(draws: Draws, character: str, customers: int) -> Streets:
    """Streets for so many customers: those farthest from the middle are left out until it is as many."""
    _, shares = AREAS[character]
    weights = np.array(shares)
    line_m = np.array([one.line_m for one in KINDS])
    street_m = dot(weights, [one.street_m for one in KINDS])
    per_street = dot(weights, street_m / line_m) * 2.0 * (1.0 - CLOSED)
    side = 2 + math.ceil(math.sqrt(1.4 * customers / per_street))
    column, row = (one.ravel() for one in np.meshgrid(np.arange(side), np.arange(side), indexing="ij"))
    x_m = (column + MOVED * draws.normal(side * side) - (side - 1) / 2.0) * street_m
    y_m = (row + MOVED * draws.normal(side * side) - (side - 1) / 2.0) * street_m
    ends = _open_streets(draws, side)
    patches = side // PATCH + 1
    kind_of_patch = draws.choice(weights, patches * patches)
    kind = kind_of_patch[column[ends[:, 0]] // PATCH * patches + row[ends[:, 0]] // PATCH]
    length_m = np.hypot(x_m[ends[:, 1]] - x_m[ends[:, 0]], y_m[ends[:, 1]] - y_m[ends[:, 0]])
    count = np.floor(length_m / line_m[kind] + draws.uniform(len(ends))).astype(np.int64)
    return _populated(x_m, y_m, ends, kind, count, customers)


def _open_streets(draws: Draws, side: int) -> Ints:
    """(streets, 2) crossings at the ends of the streets of a grid: a spanning tree of it, and of the others as many as are not closed."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    number = np.arange(side * side).reshape(side, side)
    across = np.stack([number[:-1].ravel(), number[1:].ravel()], axis=1)
    along = np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], axis=1)
    ends = np.concatenate([across, along])
    luck = draws.uniform(len(ends))
    tree = minimum_spanning_tree(
        coo_array((luck, (ends[:, 0], ends[:, 1])), shape=(side * side, side * side)).tocsr()
    ).tocoo()
    in_tree = np.isin(ends[:, 0] * side * side + ends[:, 1], tree.row.astype(np.int64) * side * side + tree.col)
    return ends[in_tree | (luck >= CLOSED)]


def _populated(x_m: Floats, y_m: Floats, ends: Ints, kind: Ints, count: Ints, customers: int) -> Streets:
    """Put customers at equal distances along each street, nearest to the middle first."""
    street = np.repeat(np.arange(len(ends)), count)
    place = np.arange(len(street)) - np.repeat(np.cumsum(count) - count, count)
    part = (place + 1.0) / (count[street] + 1.0)
    from_x, from_y = x_m[ends[street, 0]], y_m[ends[street, 0]]
    at_x = from_x + part * (x_m[ends[street, 1]] - from_x)
    at_y = from_y + part * (y_m[ends[street, 1]] - from_y)
    kept = np.zeros(len(street), dtype=np.bool_)
    kept[np.argsort(np.hypot(at_x, at_y), kind="stable")[:customers]] = True
    street, at_x, at_y = street[kept], at_x[kept], at_y[kept]
    crossings = len(x_m)
    node = crossings + np.arange(len(street))
    # Along each street: its first crossing, its customers in order, its last crossing.
    held = np.bincount(street, minlength=len(ends))
    begins = np.cumsum(held) - held
    first, last = begins, begins + held - 1
    used = np.flatnonzero(held > 0)
    follows = np.flatnonzero(np.diff(street) == 0)
    parts = np.concatenate(
        [
            np.stack([ends[used, 0], node[first[used]]], axis=1),
            np.stack([node[follows], node[follows + 1]], axis=1),
            np.stack([node[last[used]], ends[used, 1]], axis=1),
            ends[held == 0],
        ]
    )
    x, y = np.concatenate([x_m, at_x]), np.concatenate([y_m, at_y])
    length_m = np.hypot(x[parts[:, 1]] - x[parts[:, 0]], y[parts[:, 1]] - y[parts[:, 0]])
    return Streets(x, y, parts, length_m, node, kind[street])

"""Which places hear each other: pairs by link budget and log-normal shadowing, found over a grid of squares.

The shadowing of a pair is a pure function of the seed and the two ids (Rappaport, Wireless Communications, section 4.9.1: normal in decibels),
so a part of a city has the hops of the whole. Neighbouring pairs are independent of each other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import prange

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.random import Stream, normal
from heptagrid.planes.messages.tables import Floats, Ints
from heptagrid.planes.messages.technology import LinkBudget

_SHADOWING = int(Stream.SHADOWING)
_SURE = 6.0  # standard deviations beyond which no draw is looked at
Counts = npt.NDArray[np.int32]
Singles = npt.NDArray[np.float32]


class Fading(NamedTuple):
    """How a signal fades: a link budget as kernels take it, and its shadowing. least_db: margin below which a hop is none."""

    sent_dbm: float
    sensitivity_dbm: float
    loss_1m_db: float
    exponent: float
    db_per_km: float
    waterfall_db: float
    reference_odds: float
    shadowing_db: float
    least_db: float
    seed: int


class Hops(NamedTuple):
    """Hops between places, as rows: of place k those from at[k] to at[k + 1].

    at: (places + 1,). to: (hops,) meters. transmissions: (hops,) expected, of a frame and its acknowledgement.
    """

    at: Ints
    to: Counts
    transmissions: Singles


def fading(budget: LinkBudget, shadowing_db: float, most_transmissions: float, seed: int) -> Fading:
    """A budget with shadowing; a hop takes `most_transmissions` at most."""
    odds = 1.0 / budget.reference_error - 1.0
    error = 1.0 - most_transmissions**-0.5
    least_db = budget.waterfall_db * np.log10((1.0 / error - 1.0) / odds) if error > 0.0 else np.inf
    return Fading(
        budget.sent_dbm,
        budget.sensitivity_dbm,
        budget.loss_1m_db,
        budget.exponent,
        budget.db_per_km,
        budget.waterfall_db,
        odds,
        shadowing_db,
        float(least_db),
        seed,
    )


def hops_over_air(xy_m: Floats, ids: Ints, meters: int, relays: bool, farthest_m: float, fade: Fading) -> Hops:
    """Hops from each place behind the first `meters` to these, by the distance between (places, 2); where meters relay, among them too."""
    cells = _cells(xy_m, meters, farthest_m)
    begin = 0 if relays else meters
    found = _counted(xy_m, ids, meters, begin, farthest_m, fade, *cells)
    at = np.concatenate([[0], np.cumsum(found)])
    half = np.empty(at[-1], dtype=np.int32), np.empty(at[-1], dtype=np.float32)
    _listed(xy_m, ids, meters, begin, farthest_m, fade, *cells, at, *half)
    return Hops(*_both_ways(at, *half, meters))


def hops_over_lines(
    parent: Ints, depth_m: Floats, root: Ints, node: Ints, ids: Ints, meters: int, farthest_m: float, fade: Fading
) -> Hops:
    """The same by the length of line between places of a forest: (nodes,) parent, metres and root; (places,) node of each."""
    order = np.argsort(root[node[:meters]], kind="stable").astype(np.int64)
    sorted_root = root[node[:meters]][order]
    first = np.searchsorted(sorted_root, root[node])
    last = np.searchsorted(sorted_root, root[node], side="right")
    found = _along(parent, depth_m, node, ids, meters, farthest_m, fade, order, first, last)
    at = np.concatenate([[0], np.cumsum(found)])
    to, transmissions = np.empty(at[-1], dtype=np.int32), np.empty(at[-1], dtype=np.float32)
    _laid(parent, depth_m, node, ids, meters, farthest_m, fade, order, first, last, at, to, transmissions)
    return Hops(at, to, transmissions)


@kernel(inline=True)
def margin_db(fade, far_m, one, other):  # type: ignore[no-untyped-def]
    """Received power above the sensitivity between two ids, `far_m` apart."""
    far = max(1.0, far_m)
    loss_db = fade.loss_1m_db + 10.0 * fade.exponent * np.log10(far) + fade.db_per_km * far / 1000.0
    margin = fade.sent_dbm - loss_db - fade.sensitivity_dbm
    if fade.shadowing_db > 0.0:
        low, high = min(one, other), max(one, other)
        margin += fade.shadowing_db * normal(fade.seed, _SHADOWING, low, high)
    return margin


@kernel(inline=True)
def transmissions_at(fade, margin):  # type: ignore[no-untyped-def]
    """Expected transmissions of a frame and its acknowledgement at a margin."""
    odds = fade.reference_odds * 10.0 ** (margin / fade.waterfall_db)
    return (1.0 + 1.0 / odds) ** 2


@kernel
def shadows_db(seed, shadowing_db, ones, others):  # type: ignore[no-untyped-def]
    """Shadowing of (n,) pairs of ids."""
    drawn = np.empty(len(ones))
    for k in range(len(ones)):
        drawn[k] = shadowing_db * normal(seed, _SHADOWING, min(ones[k], others[k]), max(ones[k], others[k]))
    return drawn


@kernel
def margins_over_air(xy_m, ids, ones, others, fade):  # type: ignore[no-untyped-def]
    """Received power above the sensitivity over (n,) pairs of places."""
    found = np.empty(len(ones))
    for k in range(len(ones)):
        x, y = xy_m[ones[k], 0] - xy_m[others[k], 0], xy_m[ones[k], 1] - xy_m[others[k], 1]
        found[k] = margin_db(fade, np.sqrt(x * x + y * y), ids[ones[k]], ids[others[k]])
    return found


@kernel
def margins_over_lines(parent, depth_m, node, ids, ones, others, fade):  # type: ignore[no-untyped-def]
    """The same along lines."""
    found = np.empty(len(ones))
    for k in range(len(ones)):
        far_m = _line_m(parent, depth_m, node[ones[k]], node[others[k]])
        found[k] = margin_db(fade, far_m, ids[ones[k]], ids[others[k]])
    return found


def _cells(xy_m: Floats, meters: int, side_m: float) -> tuple[Ints, Ints, int, int, Ints]:
    """Squares of a grid: (places,) column and row of each, how many of both, and where each square's meters begin in an order of them."""
    corner = xy_m.min(axis=0)
    column, row = ((xy_m - corner) // side_m).astype(np.int64).T
    columns, rows = int(column.max()) + 1, int(row.max()) + 1
    square = row[:meters] * columns + column[:meters]
    order = np.argsort(square, kind="stable")
    starts = np.searchsorted(square[order], np.arange(columns * rows + 1))
    return np.ascontiguousarray(column), np.ascontiguousarray(row), columns, rows, np.concatenate([starts, order])


@kernel(inline=True)
def _hop(xy_m, ids, i, j, far_m2, fade):  # type: ignore[no-untyped-def]
    """Expected transmissions between two places; 0 for no hop."""
    x, y = xy_m[i, 0] - xy_m[j, 0], xy_m[i, 1] - xy_m[j, 1]
    far2 = x * x + y * y
    if far2 > far_m2:
        return 0.0
    return _over(fade, np.sqrt(far2), ids[i], ids[j])


@kernel(inline=True)
def _over(fade, far_m, one, other):  # type: ignore[no-untyped-def]
    margin = margin_db(fade, far_m, one, other)
    return transmissions_at(fade, margin) if margin >= fade.least_db else 0.0


@kernel(parallel=True)
def _counted(xy_m, ids, meters, begin, farthest_m, fade, column, row, columns, rows, squares):  # type: ignore[no-untyped-def]
    """(places,) hops that each place lists: a meter those to meters behind it, another place those to all meters."""
    found = np.zeros(len(xy_m), dtype=np.int64)
    for i in prange(begin, len(xy_m)):
        for r in range(max(0, row[i] - 1), min(rows, row[i] + 2)):
            for c in range(max(0, column[i] - 1), min(columns, column[i] + 2)):
                s = r * columns + c
                for k in range(squares[s], squares[s + 1]):
                    j = squares[columns * rows + 1 + k]
                    if j > i or i >= meters:
                        found[i] += _hop(xy_m, ids, i, j, farthest_m * farthest_m, fade) > 0.0
    return found


@kernel(parallel=True)
def _listed(xy_m, ids, meters, begin, farthest_m, fade, column, row, columns, rows, squares, at, to, transmissions):  # type: ignore[no-untyped-def]
    """Write these hops."""
    for i in prange(begin, len(xy_m)):
        n = at[i]
        for r in range(max(0, row[i] - 1), min(rows, row[i] + 2)):
            for c in range(max(0, column[i] - 1), min(columns, column[i] + 2)):
                s = r * columns + c
                for k in range(squares[s], squares[s + 1]):
                    j = squares[columns * rows + 1 + k]
                    if j > i or i >= meters:
                        one = _hop(xy_m, ids, i, j, farthest_m * farthest_m, fade)
                        if one > 0.0:
                            to[n], transmissions[n] = j, one
                            n += 1


@kernel
def _both_ways(at, to, transmissions, meters):  # type: ignore[no-untyped-def]
    """Rows in which meters list those before them too."""
    places = len(at) - 1
    begin = np.zeros(places + 1, dtype=np.int64)
    for i in range(places):
        begin[i + 1] += at[i + 1] - at[i]
        if i < meters:
            for k in range(at[i], at[i + 1]):
                begin[to[k] + 1] += 1
    for i in range(places):
        begin[i + 1] += begin[i]
    end = begin[:-1].copy()
    whom = np.empty(begin[-1], dtype=np.int32)
    cost = np.empty(begin[-1], dtype=np.float32)
    for i in range(places):
        for k in range(at[i], at[i + 1]):
            j = to[k]
            whom[end[i]], cost[end[i]] = j, transmissions[k]
            end[i] += 1
            if i < meters:
                whom[end[j]], cost[end[j]] = i, transmissions[k]
                end[j] += 1
    return begin, whom, cost


@kernel(inline=True)
def _line_m(parent, depth_m, a, b):  # type: ignore[no-untyped-def]
    """Metres of line between two nodes of a tree, whose parents have lower numbers."""
    far = depth_m[a] + depth_m[b]
    while a != b:
        if a > b:
            a = parent[a]
        else:
            b = parent[b]
    return far - 2.0 * depth_m[a]


@kernel(parallel=True)
def _along(parent, depth_m, node, ids, meters, farthest_m, fade, order, first, last):  # type: ignore[no-untyped-def]
    found = np.zeros(len(node), dtype=np.int64)
    for i in prange(len(node)):
        for k in range(first[i], last[i]):
            j = order[k]
            far_m = _line_m(parent, depth_m, node[i], node[j])
            if j != i and far_m <= farthest_m:
                found[i] += _over(fade, far_m, ids[i], ids[j]) > 0.0
    return found


@kernel(parallel=True)
def _laid(parent, depth_m, node, ids, meters, farthest_m, fade, order, first, last, at, to, transmissions):  # type: ignore[no-untyped-def]
    for i in prange(len(node)):
        n = at[i]
        for k in range(first[i], last[i]):
            j = order[k]
            far_m = _line_m(parent, depth_m, node[i], node[j])
            if j != i and far_m <= farthest_m:
                one = _over(fade, far_m, ids[i], ids[j])
                if one > 0.0:
                    to[n], transmissions[n] = j, one
                    n += 1

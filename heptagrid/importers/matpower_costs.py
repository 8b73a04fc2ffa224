"""Costs of generators in a MATPOWER case (`mpc.gencost`): polynomials, and straight pieces between points.

Source: MATPOWER's manual, appendix B, table B-4. Only costs that rise ever faster (convex ones) are taken: a market of prices alone cannot hold others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from heptagrid.importers.matlab.values import Matrix, Value
from heptagrid.world.market_case import Floats, Ints

_PIECES, _POLYNOMIAL = 1, 2
_FIRST = 4  # column of the first coefficient or point
_MOST = 1e12  # of a coefficient, or of the cost at a point: beyond, sums lose cents
_SLACK = 1e-9  # of slopes, relative: rounding in the file
_SAMPLES = 65  # points at which a polynomial of the third degree or more is looked at


class Costs(NamedTuple):
    """As in `heptagrid.world.market_case.MarketUnits`, of the rows of `mpc.gen`."""

    polynomial: Floats
    segment_unit: Ints
    segment_slope: Floats
    segment_usd: Floats


def costs_of(table: Value | None, low_mw: Floats, high_mw: Floats, is_on: np.ndarray, problems: list[str]) -> Costs:
    """The costs of generators with these bounds; what is wrong with them is added to `problems`.

    low_mw, high_mw, is_on: (generators,); the costs of those that are off are not looked at.
    """
    count = len(low_mw)
    nothing = Costs(np.zeros((count, 1)), np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    if not isinstance(table, np.ndarray) or (count and (table.ndim != 2 or table.shape[1] < _FIRST)):
        problems.append("mpc.gencost must be a matrix of a row for each generator: model, start, stop, n, coefficients")
        return nothing
    if len(table) not in (count, 2 * count):
        problems.append(
            f"mpc.gencost has {len(table)} rows for {count} generators; one each (or two, with reactive power)"
        )
        return nothing
    model, n = table[:count, 0], np.where(is_on, table[:count, 3], 0.0)
    figures = table[:count, _FIRST:]
    before = len(problems)
    for k in np.flatnonzero(is_on & ~np.isin(model, (_PIECES, _POLYNOMIAL))):
        problems.append(
            f"generator {k + 1}: its cost is of model {model[k]:g}; 1 (pieces) or 2 (polynomial) is expected"
        )
    room = np.where(model == _PIECES, figures.shape[1] // 2, figures.shape[1])
    least = np.where(model == _PIECES, 2, 0)
    for k in np.flatnonzero(is_on & ~((n >= least) & (n <= room) & (n == np.floor(n)))):
        problems.append(f"generator {k + 1}: its cost has n = {n[k]:g}; there is room for {room[k]:g} in mpc.gencost")
    if len(problems) > before:
        return nothing
    number = np.where(is_on, n, 0.0).astype(np.int64)
    polynomial = _polynomials(figures, np.where(model == _POLYNOMIAL, number, 0))
    _check_polynomials(polynomial, low_mw, high_mw, problems)
    return Costs(polynomial, *_pieces(figures, np.where(model == _PIECES, number, 0), problems))


def _polynomials(figures: Matrix, n: Ints) -> Floats:
    """(generators, degrees) from the constant upward."""
    degrees = int(max(n.max(initial=1), 1))
    column = n[:, np.newaxis] - 1 - np.arange(degrees)
    taken = (
        np.take_along_axis(figures, np.maximum(column, 0), axis=1) if figures.shape[1] else np.zeros((len(n), degrees))
    )
    return np.where(column >= 0, taken, 0.0)


def _check_polynomials(polynomial: Floats, low_mw: Floats, high_mw: Floats, problems: list[str]) -> None:
    for k in np.flatnonzero(~(np.abs(polynomial) <= _MOST).all(axis=1)):
        problems.append(f"generator {k + 1}: a coefficient of its cost is no number, or beyond {_MOST:g}")
    if problems or polynomial.shape[1] < 3:
        return
    power = np.arange(2, polynomial.shape[1])
    p_mw = low_mw + np.linspace(0.0, 1.0, _SAMPLES)[:, np.newaxis] * (high_mw - low_mw)
    terms = power * (power - 1) * polynomial[:, 2:] * p_mw[:, :, np.newaxis] ** (power - 2)
    bend = terms.sum(axis=2)
    is_wrong = (bend < -_SLACK * np.abs(terms).sum(axis=2)).any(axis=0) & (low_mw < high_mw)
    for k in np.flatnonzero(is_wrong):
        problems.append(
            f"generator {k + 1}: its cost rises ever slower within its bounds; a market of prices cannot hold that"
        )


def _pieces(figures: Matrix, n: Ints, problems: list[str]) -> tuple[Ints, Floats, Floats]:
    """Unit, slope and value at 0 MW of each piece, unit after unit."""
    most = int(n.max(initial=0))
    p_mw, usd = figures[:, 0 : 2 * most : 2], figures[:, 1 : 2 * most : 2]
    inside = np.arange(max(most - 1, 0)) < n[:, np.newaxis] - 1
    width = np.where(inside, np.diff(p_mw, axis=1), 1.0)
    is_wrong = (~(width > 0.0) | ~(np.abs(np.where(inside, np.diff(usd, axis=1), 0.0)) <= _MOST)).any(axis=1)
    for k in np.flatnonzero(is_wrong):
        problems.append(f"generator {k + 1}: the points of its cost must be numbers, in rising order of MW")
    if is_wrong.any():
        return np.empty(0, dtype=np.int64), np.empty(0), np.empty(0)
    slope = np.diff(usd, axis=1) / width
    falls = np.diff(slope, axis=1) < -_SLACK * np.abs(slope[:, 1:])
    for k in np.flatnonzero((falls & inside[:, 1:]).any(axis=1)):
        problems.append(
            f"generator {k + 1}: its cost rises ever slower from piece to piece; a market of prices cannot hold that"
        )
    unit, piece = np.nonzero(inside)
    at_zero = usd[unit, piece] - slope[unit, piece] * p_mw[unit, piece]
    return unit, slope[unit, piece], at_zero

"""Units in a program: their output within bounds, and what it costs: straight, in straight pieces, or bent.

A bent cost is the highest of its tangents: a column that is no less than any of them stands for it. Tangents are added where the program's answer lies below
the cost itself, since HiGHS takes straight costs alone for programs of any size. Source: Kelley, "The cutting-plane method for solving
convex programs", Journal of the SIAM 8 (1960).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.formulations.program import Program
from heptagrid.world.market_case import Bools, Floats, Ints, MarketUnits

_FIRST_TANGENTS = 5  # of a bent cost, evenly over its bounds
_HALVINGS = 60
_SAME = 1e-12  # of pieces that meet, relative


class UnitCosts:
    """What units cost at an output: value, slopes, bend; p_mw is (..., units) throughout."""

    def __init__(self, units: MarketUnits) -> None:
        self.units = units
        self._degrees = units.polynomial.shape[1]
        count = np.bincount(units.segment_unit, minlength=len(units.names))
        self._in_pieces = np.flatnonzero(count)
        self._begins = (np.cumsum(count) - count)[self._in_pieces]
        self._piece_of = np.repeat(np.arange(len(self._in_pieces)), count[self._in_pieces])

    @property
    def is_bent(self) -> Bools:
        """(units,) whether the cost is no straight line over the unit's bounds."""
        bent: Bools = np.any(self.units.polynomial[:, 2:] != 0.0, axis=1)
        bent[self._in_pieces] = True
        return bent

    def value(self, p_mw: Floats) -> Floats:
        """What an hour costs at that output, (..., units)."""
        usd = np.zeros(np.shape(p_mw))
        for k in range(self._degrees - 1, -1, -1):
            usd = usd * p_mw + self.units.polynomial[:, k]
        if len(self._in_pieces):
            usd[..., self._in_pieces] += self._highest(p_mw)[0]
        return usd

    def slopes(self, p_mw: Floats) -> tuple[Floats, Floats]:
        """What one MW less saves and one more costs, (..., units) each: the same but where straight pieces meet."""
        slope = np.zeros(np.shape(p_mw))
        for k in range(self._degrees - 1, 0, -1):
            slope = slope * p_mw + k * self.units.polynomial[:, k]
        below, above = slope, slope.copy()
        if len(self._in_pieces):
            _, least, most = self._highest(p_mw)
            below[..., self._in_pieces] += least
            above[..., self._in_pieces] += most
        return below, above

    def bend(self, p_mw: Floats) -> Floats:
        """How fast the slope of the polynomial rises, (..., units)."""
        bend = np.zeros(np.shape(p_mw))
        for k in range(self._degrees - 1, 1, -1):
            bend = bend * p_mw + k * (k - 1) * self.units.polynomial[:, k]
        return bend

    def best_output(self, price: Floats, low_mw: Floats, high_mw: Floats) -> Floats:
        """Where within bounds a unit gains most at a price, (units,): what its cost rises to there is the price."""
        low, high = low_mw.astype(np.float64), high_mw.astype(np.float64)
        straight = ~self.is_bent
        p_mw = np.where(price > self.slopes(low)[1], high, low)
        if straight.all():
            return p_mw
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            above = self.slopes(middle)[1] < price
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        ends = np.where(
            self.slopes(high_mw)[0] <= price, high_mw, np.where(self.slopes(low_mw)[1] >= price, low_mw, high)
        )
        return np.where(straight, p_mw, ends)

    def _highest(self, p_mw: Floats) -> tuple[Floats, Floats, Floats]:
        """Of the units in pieces: value, and the least and the greatest slope of the pieces that reach it."""
        units = self.units
        usd = units.segment_slope * p_mw[..., units.segment_unit] + units.segment_usd
        value = np.maximum.reduceat(usd, self._begins, axis=-1)
        reached = usd >= (value - _SAME * np.maximum(np.abs(value), 1.0))[..., self._piece_of]
        least = np.minimum.reduceat(np.where(reached, units.segment_slope, np.inf), self._begins, axis=-1)
        most = np.maximum.reduceat(np.where(reached, units.segment_slope, -np.inf), self._begins, axis=-1)
        return value, least, most


@dataclass(frozen=True)
class UnitColumns:
    """Columns of a program: output (..., units), and usd (..., bent) what those units cost that `bent` (bent,) names."""

    output: Ints
    usd: Ints
    bent: Ints


def put_units(
    program: Program, costs: UnitCosts, shape: tuple[int, ...] = (), low_mw: npt.ArrayLike | None = None
) -> UnitColumns:
    """Columns for the output of units, within their bounds and at their costs, but for what they cost at 0 MW if straight.

    shape: of periods before the units. low_mw: (..., units) in the place of the units' own lower bounds, as of units that may be off.
    """
    units = costs.units
    bent = np.flatnonzero(costs.is_bent)
    straight = np.where(costs.is_bent, 0.0, units.polynomial[:, 1] if units.polynomial.shape[1] > 1 else 0.0)
    low, high = np.broadcast_to(units.low_mw if low_mw is None else low_mw, (*shape, len(units.names))), units.high_mw
    output = program.columns(low, high, straight)
    usd = program.columns(np.full((*shape, len(bent)), -np.inf), np.inf, 1.0)
    return UnitColumns(output, usd, bent)


def put_first_cuts(program: Program, costs: UnitCosts, columns: UnitColumns, on: Ints | None = None) -> None:
    """The pieces of costs in straight pieces, all of them, and a few tangents of those that bend. on: as `put_tangents`."""
    units = costs.units
    if not len(columns.bent):
        return
    _put_pieces(program, units, columns, on)
    curved = np.broadcast_to((units.polynomial[columns.bent, 2:] != 0.0).any(axis=1), columns.usd.shape)
    for part in np.linspace(0.0, 1.0, _FIRST_TANGENTS):
        at_mw = units.low_mw + part * (units.high_mw - units.low_mw)
        put_tangents(program, costs, columns, np.broadcast_to(at_mw, columns.output.shape), curved, on)


def put_tangents(
    program: Program, costs: UnitCosts, columns: UnitColumns, p_mw: Floats, where: Bools, on: Ints | None = None
) -> None:
    """The tangents at an output, (..., units), of the bent costs that `where`, (..., bent), names.

    on: (..., units) columns that are 1 while a unit runs, 0 while it costs nothing; without them all run.
    """
    value, slope = costs.value(p_mw), costs.slopes(p_mw)[1]
    at_zero = value - slope * p_mw
    *period, bent = np.nonzero(where)
    unit = columns.bent[bent]
    each = (*period, unit)
    rows = program.rows(np.zeros(len(unit)) if on is not None else at_zero[each], np.inf)
    program.put(rows, columns.usd[(*period, bent)], 1.0)
    program.put(rows, columns.output[each], -slope[each])
    if on is not None:
        program.put(rows, on[each], -at_zero[each])


def _put_pieces(program: Program, units: MarketUnits, columns: UnitColumns, on: Ints | None) -> None:
    place = np.full(len(units.names), -1)
    place[columns.bent] = np.arange(len(columns.bent))
    unit, at_zero = units.segment_unit, units.segment_usd
    usd, output = columns.usd[..., place[unit]], columns.output[..., unit]
    rows = program.rows(np.broadcast_to(np.zeros(len(unit)) if on is not None else at_zero, usd.shape), np.inf)
    program.put(rows, usd, 1.0)
    program.put(rows, output, -units.segment_slope)
    if on is not None:
        program.put(rows, on[..., unit], -at_zero)

"""The network in a program: flows by angles (the direct-current approximation), with limits of branches added where they bind.

Two models, by the programs that use them: `powermodels` takes a branch's susceptance as x / (r² + x²) and ignores taps and phase shifts
(Coffrin et al., "PowerModels.jl", Power Systems Computation Conference 2018; `DCPPowerModel`); `matpower` takes 1 / (x tap) and the shifts
(MATPOWER's manual, section 3.7), and no direct-current lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.sparse import coo_matrix, diags, hstack
from scipy.sparse.csgraph import connected_components

from heptagrid.foundation.errors import NetworkError
from heptagrid.planes.money.formulations.program import Program
from heptagrid.world.market_case import Floats, Ints, MarketCase

LEAST_PU = 1e-10
"""Of an impedance: below, the flows of a branch have too few digits."""
DcModel = Literal["powermodels", "matpower"]


@dataclass(frozen=True)
class AngleNetwork:
    """A network whose flows are straight in its angles.

    mw_per_rad, shift_mw: (branches,) a branch's flow in MW is mw_per_rad times the angle at `from` less that at `to`, less shift_mw. low_mw,
    high_mw: (branches,) of that flow, from ratings and angle limits, infinite without any. island: (buses,) the number of the part of the
    network that a bus is in.
    """

    case: MarketCase
    mw_per_rad: Floats
    shift_mw: Floats
    low_mw: Floats
    high_mw: Floats
    island: Ints

    def angle_bounds(self) -> tuple[Floats, Floats]:
        """Of the angles at the buses: the first bus of every island has 0, the others any."""
        high = np.full(len(self.island), np.inf)
        high[np.unique(self.island, return_index=True)[1]] = 0.0
        return -high, high

    def needed_mw(self, load_mw: Floats) -> Floats:
        """What units, branches and direct-current lines must bring to each bus, (..., buses), for its load."""
        branches, lines, needed = self.case.branches, self.case.direct_lines, np.zeros(len(self.island))
        np.add.at(needed, branches.from_bus, -self.shift_mw)
        np.add.at(needed, branches.to_bus, self.shift_mw)
        np.add.at(needed, lines.to_bus, lines.loss_mw)
        return load_mw + needed

    def limits_mw(self) -> tuple[Floats, Floats]:
        """Of what a branch's angles alone let through, (branches,) each."""
        return self.low_mw + self.shift_mw, self.high_mw + self.shift_mw

    def balance_matrix(self) -> Any:
        """(buses, units + buses + lines), sparse: what outputs, angles and direct-current lines bring to each bus, in MW."""
        lines, unit_bus, buses = self.case.direct_lines, self.case.units.bus, len(self.island)
        units, n = len(unit_bus), len(lines.names)
        given = coo_matrix((np.ones(units), (unit_bus, np.arange(units))), (buses, units))
        place = np.concatenate([lines.from_bus, lines.to_bus]), np.tile(np.arange(n), 2)
        direct = coo_matrix((np.concatenate([np.full(n, -1.0), 1.0 - lines.loss_share]), place), (buses, n))
        return hstack([given, -self._incidence() @ self.flow_matrix(), direct]).tocsr()

    def flows_mw(self, angle_rad: Floats) -> Floats:
        """What flows into each branch at its `from` end, (..., branches), at angles (..., buses)."""
        branches = self.case.branches
        return self.mw_per_rad * (angle_rad[..., branches.from_bus] - angle_rad[..., branches.to_bus]) - self.shift_mw

    def flow_matrix(self) -> Any:
        """(branches, buses), sparse: what a branch's angles let through, in MW a rad."""
        return (diags(self.mw_per_rad) @ self._incidence().T).tocsr()

    def bus_matrix(self) -> Any:
        """(buses, buses), sparse: what leaves each bus, in MW a rad of every angle."""
        return (self._incidence() @ self.flow_matrix()).tocsr()

    def _incidence(self) -> Any:
        """(buses, branches), sparse: 1 where a branch begins, -1 where it ends."""
        branches, count = self.case.branches, len(self.mw_per_rad)
        place = np.concatenate([branches.from_bus, branches.to_bus]), np.tile(np.arange(count), 2)
        return coo_matrix((np.repeat([1.0, -1.0], count), place), (len(self.island), count)).tocsr()


def angle_network(case: MarketCase, model: DcModel) -> AngleNetwork:
    """The network of a case in one of the two models.

    Raises
    ------
    NetworkError
        For branches without reactance in the model of MATPOWER, and impedances too small to compute with.
    """
    branches, buses = case.branches, len(case.bus_names)
    reactance = branches.x_pu * branches.tap if model == "matpower" else np.hypot(branches.r_pu, branches.x_pu)
    small = np.flatnonzero((np.abs(reactance) < LEAST_PU) & (reactance != 0.0))
    if len(small):
        names = ", ".join(branches.names[small[:10]])
        raise NetworkError(
            f"{case.name}: impedances below {LEAST_PU:g} pu are none that flows can be computed with: branch {names}; make its buses one"
        )
    if model == "matpower":
        without = np.flatnonzero(reactance == 0.0)
        if len(without):
            names = ", ".join(branches.names[without[:10]])
            raise NetworkError(
                f"{case.name}: branches without reactance have no flow in this model: {names}; --dc-model powermodels"
            )
        mw_per_rad = case.base_mva / reactance
        shift_rad = branches.shift_rad
    else:
        mw_per_rad = case.base_mva * branches.x_pu / reactance**2
        shift_rad = np.zeros(len(branches.names))
    shift_mw = mw_per_rad * shift_rad
    with np.errstate(invalid="ignore"):
        ends = np.sort(
            np.nan_to_num(
                mw_per_rad * [branches.angle_low_rad, branches.angle_high_rad], nan=0.0, posinf=np.inf, neginf=-np.inf
            ),
            axis=0,
        )
    low = np.maximum(-branches.limit_mw, ends[0] - shift_mw)
    high = np.minimum(branches.limit_mw, ends[1] - shift_mw)
    joins = coo_matrix((np.ones(len(mw_per_rad)), (branches.from_bus, branches.to_bus)), (buses, buses))
    island = connected_components(joins, directed=False)[1].astype(np.int64)
    return AngleNetwork(case, mw_per_rad, shift_mw, low, high, island)


@dataclass(frozen=True)
class NetworkColumns:
    """angle: (..., buses) columns in rad; direct: (..., lines) of what enters direct-current lines; balance: (..., buses) rows."""

    angle: Ints
    direct: Ints
    balance: Ints


def put_network(program: Program, network: AngleNetwork, output: Ints, load_mw: Floats) -> NetworkColumns:
    """Angles, direct-current lines, and the balance of every bus: what is given there less what leaves it is its load.

    output: (..., units) columns. load_mw: (..., buses), of the same periods. The first bus of every island has the angle 0.
    """
    periods, lines = output.shape[:-1], network.case.direct_lines
    low, high = network.angle_bounds()
    angle = program.columns(np.broadcast_to(low, (*periods, len(low))), high)
    direct = program.columns(np.broadcast_to(lines.low_mw, (*periods, len(lines.names))), lines.high_mw)
    needed = network.needed_mw(load_mw)
    balance = program.rows(needed, needed)
    entries = network.balance_matrix().tocoo()
    columns = np.concatenate([output, angle, direct], axis=-1)
    program.put(balance[..., entries.row], columns[..., entries.col], entries.data)
    return NetworkColumns(angle, direct, balance)


def put_limits(
    program: Program, network: AngleNetwork, columns: NetworkColumns, period: tuple[Any, ...], branch: Ints
) -> Ints:
    """The limits of these branches, in these periods: their rows, (n,). period: indices of each, (n,) a dimension, none of a single hour."""
    branches = network.case.branches
    low, high = network.limits_mw()
    rows = program.rows(low[branch], high[branch])
    program.put(rows, columns.angle[(*period, branches.from_bus[branch])], network.mw_per_rad[branch])
    program.put(rows, columns.angle[(*period, branches.to_bus[branch])], -network.mw_per_rad[branch])
    return rows

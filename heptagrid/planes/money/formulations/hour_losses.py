"""Losses in the program of an hour with angles: one column for each island's losses, no less than tangents of what its flows lose.

As `heptagrid.planes.money.formulations.losses` for a day's program: taken out at the ends of the branches that lose them, in shares that the program keeps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import spsolve

from heptagrid.planes.money.formulations.losses import TOLERANCE
from heptagrid.planes.money.formulations.network import AngleNetwork
from heptagrid.world.market_case import Bools, Floats

_LEAST_MW = 1e-6  # of losses that need not be nearer


class HourLosses:
    """What an hour's flows lose, and where a program takes it out.

    share: (buses,) of its island's losses, each island's sum 1. most_mw: that can be lost, as much as is given.
    """

    def __init__(self, network: AngleNetwork, share: Floats) -> None:
        self.network, self.share = network, share
        branches = network.case.branches
        self.islands = int(network.island.max(initial=-1)) + 1
        self.most_mw = float(np.maximum(network.case.units.high_mw, 0.0).sum())
        self._mw_per_mw2 = branches.r_pu / network.case.base_mva
        self._island_of = network.island[branches.from_bus]
        self._flows = network.flow_matrix()
        self.slopes: list[Floats] = []  # of each tangent, (branches,) of the flows

    def place(self) -> Any:
        """(buses, islands), sparse: what a MW that is lost takes from each bus."""
        buses = len(self.share)
        return csr_matrix((-self.share, (np.arange(buses), self.network.island)), (buses, self.islands))

    def lost_mw(self, angle_rad: Floats) -> Floats:
        """(islands,) what the flows at angles, (buses,), lose."""
        flow = self.network.flows_mw(angle_rad)
        return np.bincount(self._island_of, self._mw_per_mw2 * flow**2, self.islands).astype(np.float64)

    def is_short(self, angle_rad: Floats, lost_mw: Floats) -> Bools:
        """(islands,) whose losses lie below those of the flows."""
        true = self.lost_mw(angle_rad)
        return np.asarray(lost_mw < true - np.maximum(TOLERANCE * true, _LEAST_MW))

    def tangent(self, angle_rad: Floats, island: int) -> tuple[Floats, float]:
        """Of an island's losses: (buses,) their slopes in the angles, and its value where all angles are 0; it is kept among `slopes`."""
        mine = self._island_of == island
        flow = np.where(mine, self.network.flows_mw(angle_rad), 0.0)
        slope = 2.0 * self._mw_per_mw2 * flow
        self.slopes.append(slope)
        at_rest = -float((self._mw_per_mw2 * flow) @ flow) - float(slope @ self.network.shift_mw)
        return np.asarray(self._flows.T @ slope), at_rest

    def shares(self, angle_rad: Floats) -> Floats:
        """(buses,) where the flows at angles lose: half of a branch's losses at either end; as before in an island that loses nothing."""
        branches, flow = self.network.case.branches, self.network.flows_mw(angle_rad)
        lost = 0.5 * self._mw_per_mw2 * flow**2
        buses = len(self.share)
        at_bus = np.bincount(branches.from_bus, lost, buses) + np.bincount(branches.to_bus, lost, buses)
        total = np.bincount(self.network.island, at_bus, self.islands)[self.network.island]
        return np.where(total > 0.0, at_bus / np.where(total > 0.0, total, 1.0), self.share)

    def prices(self, dual: Floats) -> Floats:
        """(buses,) of a price what is for losses, from what the tangents' rows are worth, (tangents,); 0 at the first bus of every island."""
        worth = sum((one * slope for one, slope in zip(dual, self.slopes, strict=True)), np.zeros(self._flows.shape[0]))
        free = np.ones(len(self.share), dtype=np.bool_)
        free[np.unique(self.network.island, return_index=True)[1]] = False
        price, at = np.zeros(len(self.share)), np.flatnonzero(free)
        if len(at):
            matrix = self.network.bus_matrix()[at][:, at].tocsc()
            price[at] = spsolve(matrix, -(self._flows.T @ worth)[at])
        return price


def shares_of_load(network: AngleNetwork) -> Floats:
    """(buses,) of each island's load, to begin with; evenly, where there is none."""
    taken, islands = np.maximum(network.case.load_mw, 0.0), network.island
    total, count = np.bincount(islands, taken)[islands], np.bincount(islands)[islands]
    return np.where(total > 0.0, taken / np.where(total > 0.0, total, 1.0), 1.0 / count)

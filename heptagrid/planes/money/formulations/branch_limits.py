"""Limits of branches, also after the failure of another one: added to a program where a point breaks them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.formulations.day import DayColumns, injections
from heptagrid.planes.money.formulations.program import Program
from heptagrid.planes.money.formulations.transfer import outage_factors, transfer_factors
from heptagrid.world.commitment_case import BranchNetwork, CommitmentCase

Floats = npt.NDArray[np.float64]

TOLERANCE_MW = 1e-4  # by which a branch may be loaded beyond its rating before its limit is added


class BranchLimits:
    """The branches' limits of a program: which there are, and which are broken."""

    def __init__(
        self,
        case: CommitmentCase,
        network: BranchNetwork,
        columns: DayColumns,
        with_outages: bool,
        reference: int = 0,
    ) -> None:
        """Set up; with_outages: whether each branch may fail, and the others then carry no more than their emergency rating. reference: a bus."""
        self._case, self._network, self._columns = case, network, columns
        self.factors = transfer_factors(network, case.load_mw.shape[1], reference)
        self._outage = outage_factors(network, self.factors) if with_outages else None
        self._known: set[tuple[int, int, int]] = set()  # period, branch, outage or -1
        self.rows: list[tuple[int, int, int, int]] = []  # row, period, branch, outage

    def flows_mw(self, x: Floats) -> Floats:
        """(periods, branches)."""
        return self.fed_in_mw(x) @ self.factors.T

    def fed_in_mw(self, x: Floats) -> Floats:
        """(periods, buses) what each bus feeds into the network."""
        fed_in = -self._case.load_mw
        for column, bus, value in injections(self._case, self._columns):
            np.add.at(fed_in.T, bus, (x[column] * value).T)
        return fed_in

    def add_broken(self, program: Program, x: Floats) -> int:
        """Add the limits that a point breaks; how many."""
        network = self._network
        flow = self.flows_mw(x)
        over = np.abs(flow) - network.rating_mw
        wanted = [(int(t), int(k), -1) for t, k in np.argwhere(over > TOLERANCE_MW)]
        if self._outage is not None:
            wanted += self._after_outages(flow)
        return self.add(program, wanted)

    def add(self, program: Program, limits: Iterable[tuple[int, int, int]]) -> int:
        """Add limits, (period, branch, outage or -1) each, that the program has not got yet; how many."""
        new = [one for one in limits if one not in self._known]
        self._known.update(new)
        for period, branch, outage in new:
            self._add(program, period, branch, outage)
        return len(new)

    def _after_outages(self, flow: Floats) -> list[tuple[int, int, int]]:
        """Of each period and outage the branches that would be loaded beyond their emergency rating."""
        network = self._network
        assert self._outage is not None
        found = []
        for period, now in enumerate(flow):
            after = now[:, np.newaxis] + self._outage * now[np.newaxis, :]
            over = np.abs(after) - network.emergency_mw[:, np.newaxis]
            np.fill_diagonal(over, -1.0)
            worst = np.nanargmax(np.where(np.isnan(over), -1.0, over), axis=1)
            broken = over[np.arange(len(worst)), worst] > TOLERANCE_MW
            found += [(period, int(k), int(worst[k])) for k in np.flatnonzero(broken)]
        return found

    def _add(self, program: Program, period: int, branch: int, outage: int) -> None:
        network = self._network
        factors, limit_mw = self.of(branch, outage), network.rating_mw[branch]
        if outage >= 0:
            limit_mw = network.emergency_mw[branch]
        taken_mw = float(factors @ self._case.load_mw[period])
        row = program.rows(taken_mw - limit_mw, taken_mw + limit_mw)
        self.rows.append((int(row), period, branch, outage))
        for column, bus, value in injections(self._case, self._columns):
            program.put(row, column[period], factors[bus] * np.broadcast_to(value, column.shape)[period])

    def of(self, branch: int, outage: int) -> Floats:
        """(buses,) what a MW at each bus puts on a branch, after an outage or, -1, without one."""
        if outage < 0:
            return np.asarray(self.factors[branch])
        assert self._outage is not None
        return np.asarray(self.factors[branch] + self._outage[branch, outage] * self.factors[outage])

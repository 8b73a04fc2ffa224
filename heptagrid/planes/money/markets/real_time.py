"""Real-time dispatch: with units on or off as committed, the cheapest outputs of one short period, and what a MWh is worth at each bus.

One linear program is kept between periods: only bounds of columns change, and limits of branches that were added once, also after outages, stay. Each unit
gives within its ramp of what it gave in the period before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import MarketError
from heptagrid.planes.money.formulations.branch_limits import TOLERANCE_MW
from heptagrid.planes.money.formulations.program import INFINITE, OPTIMAL, Program
from heptagrid.planes.money.formulations.transfer import outage_factors, transfer_factors
from heptagrid.world.commitment_case import CommitmentCase

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_MOST_ROUNDS = 40


@dataclass(frozen=True)
class RealTime:
    """A period's dispatch.

    unit_mw: (units,); source_mw: (sources,); unserved_mw: (buses,); price: (buses,) of a MWh; flow_mw: (branches,). cost: of the period, without what is
    unserved. unit_cost: (units,) of it. rounds: programs that were solved. rent: of limits that bind, for the period.
    beyond_mw: (2,) by how much all branches together are beyond their ratings, and after outages beyond their emergency ratings.
    """

    unit_mw: Floats
    source_mw: Floats
    unserved_mw: Floats
    price: Floats
    flow_mw: Floats
    unit_cost: Floats
    cost: float
    rent: float
    rounds: int
    beyond_mw: Floats


class RealTimeMarket:
    """Dispatches period after period."""

    def __init__(
        self,
        case: CommitmentCase,
        unit_mw: Floats,
        minutes: float = 5.0,
        *,
        with_outages: bool = True,
        limits: Iterable[tuple[int, int]] = (),
        beyond_cost: tuple[float, float] | None = None,
    ) -> None:
        """Begin with what each unit gives, (units,); the case's loads and sources are not used, each period says its own.

        Parameters
        ----------
        limits : that another market has met.
        beyond_cost : of a MWh beyond a branch's rating, and beyond its emergency rating after an outage; without it nothing goes beyond.
        """
        self._case, self._hours = case, minutes / 60.0
        self._last_mw = unit_mw.copy()
        self._on = unit_mw > 0.0
        units, buses = case.units, len(case.bus_names)
        program = self._program = Program()
        everybody, hours = np.arange(len(units)), self._hours
        self._is_on = program.columns(np.zeros(len(units)), 1.0, units.no_load * hours)
        self._output = program.columns(np.zeros(len(units)), 0.0)
        blocks = program.columns(0.0, units.block_mw, units.block_cost * hours)
        row = program.rows(np.zeros(len(units)), 0.0)
        program.put(row, self._output, 1.0)
        program.put(row, self._is_on, -units.p_min_mw)
        program.put(row[:, np.newaxis], blocks, -1.0)
        self._sources = program.columns(np.zeros(len(case.sources)), 0.0)
        self._stored = program.columns(np.zeros(len(case.storages)), 0.0)
        self._load = program.columns(np.zeros(buses), 0.0)
        self._unserved = program.columns(np.zeros(buses), 0.0, case.unserved_cost * hours)
        surplus = program.columns(np.zeros(buses), INFINITE, case.unserved_cost * hours)
        network = case.network
        link_mw = network.link_mw if network is not None else np.empty(0)
        links = program.columns(-link_mw, link_mw)
        at = np.arange(buses)
        feeds = [
            (self._output, units.bus[everybody], 1.0),
            (self._sources, case.sources.bus, 1.0),
            (self._stored, case.storages.bus, 1.0),
            (self._load, at, -1.0),
            (self._unserved, at, 1.0),
            (surplus, at, -1.0),
        ]
        if network is not None:
            feeds += [(links, network.link_from, -1.0), (links, network.link_to, 1.0)]
        self._beyond: list[tuple[Ints, Ints]] = []  # without and after an outage: above, below, (branches,) each
        for cost in beyond_cost or ():
            nothing = np.zeros(0 if network is None else len(network.from_bus))
            above, below = (program.columns(nothing, INFINITE, cost * hours) for _ in range(2))
            self._beyond.append((above, below))
        from scipy.sparse import csr_matrix

        column, bus = np.concatenate([one[0] for one in feeds]), np.concatenate([one[1] for one in feeds])
        value = np.concatenate([np.full(len(one[0]), one[2]) for one in feeds])
        self._feeds = csr_matrix((value, (bus, column)), (buses, program.columns_count))
        self._balance = program.rows(np.zeros(1), 0.0)
        program.put(self._balance, column, value)
        self._factors = np.zeros((0, buses)) if network is None else transfer_factors(network, buses)
        self._outage = outage_factors(network, self._factors) if network is not None and with_outages else None
        self._limits: dict[tuple[int, int], int] = {}  # branch and outage, or -1, to row
        for branch, outage in limits:
            self._add(branch, outage)

    @property
    def limits_met(self) -> tuple[tuple[int, int], ...]:
        """The limits that the program has got: branches, and after which other's outage, -1 without one."""
        return tuple(self._limits)

    @property
    def limits(self) -> int:
        """How many limits of branches the program has got."""
        return len(self._limits)

    def dispatch(self, load_mw: Floats, low_mw: Floats, high_mw: Floats, on: Bools, stored_mw: Floats) -> RealTime:
        """Dispatch the next period.

        Parameters
        ----------
        load_mw : (buses,).
        low_mw, high_mw : (sources,) between which each gives.
        on : (units,) as committed.
        stored_mw : (storages,) discharged less charged, as committed.

        Raises
        ------
        MarketError
            If the solver finds no answer, for which there is no reason: what cannot be served may be left. Also where limits are
            still broken after many rounds.
        """
        low, high = self._range(on)
        program = self._program
        for columns, least, most in (
            (self._is_on, on.astype(np.float64), on.astype(np.float64)),
            (self._output, low, high),
            (self._sources, low_mw, high_mw),
            (self._stored, stored_mw, stored_mw),
            (self._load, load_mw, load_mw),
            (self._unserved, np.zeros(len(load_mw)), np.maximum(load_mw, 0.0)),
        ):
            program.change_columns(columns, least, most)
        rounds, is_whole = 0, False
        while not is_whole and rounds < _MOST_ROUNDS:
            found = program.solve()
            if found.status != OPTIMAL:
                raise MarketError(f"real-time dispatch of {self._case.name}: {found.status}")
            flow = self._factors @ (self._feeds @ found.x)
            rounds += 1
            is_whole = not self._add_broken(flow)
        if not is_whole:
            raise MarketError(
                f"real-time dispatch of {self._case.name}: after {rounds} rounds branches are still loaded beyond their limits"
            )
        self._last_mw, self._on = found.x[self._output], on.copy()
        return self._told(found.x, found.dual / self._hours, flow, rounds)

    def _range(self, on: Bools) -> tuple[Floats, Floats]:
        """(units,) least and most that each can give: within the ramp of what it gave; a unit that starts begins at its minimum."""
        units, hours = self._case.units, self._hours
        from_mw = np.where(self._on, self._last_mw, units.p_min_mw)
        low = np.clip(from_mw - units.down_mw_per_h * hours, units.p_min_mw, units.p_max_mw)
        high = np.clip(from_mw + units.ramp_mw_per_h * hours, units.p_min_mw, units.p_max_mw)
        return np.where(on, low, 0.0), np.where(on, high, 0.0)

    def _told(self, x: Floats, dual: Floats, flow: Floats, rounds: int) -> RealTime:
        case, units = self._case, self._case.units
        limits = np.array(list(self._limits), dtype=np.int64).reshape(-1, 2)
        worth = dual[np.array(list(self._limits.values()), dtype=np.int64)]
        of_limit = np.array([self._of(branch, outage) for branch, outage in limits.tolist()])
        price = np.repeat(dual[self._balance], len(case.bus_names))
        rent = 0.0
        if len(limits):
            price = price + worth @ of_limit
            rent = -float(worth @ (of_limit @ (self._feeds @ x))) * self._hours
        output = x[self._output]
        on = x[self._is_on]
        below = np.concatenate([np.zeros((len(units), 1)), np.cumsum(units.block_mw, axis=1)[:, :-1]], axis=1)
        in_block = np.clip((output - on * units.p_min_mw)[:, np.newaxis] - below, 0.0, units.block_mw)
        cost = ((in_block * units.block_cost).sum(axis=1) + on * units.no_load) * self._hours
        return RealTime(
            unit_mw=output,
            source_mw=x[self._sources],
            unserved_mw=x[self._unserved],
            price=price,
            flow_mw=flow,
            unit_cost=cost,
            cost=float(cost.sum()),
            rent=rent,
            rounds=rounds,
            beyond_mw=np.array([x[above].sum() + x[below].sum() for above, below in self._beyond] or [0.0, 0.0]),
        )

    def _of(self, branch: int, outage: int) -> Floats:
        """(buses,) what a MW at each puts on a branch, after an outage or, -1, without one."""
        if outage < 0:
            return np.asarray(self._factors[branch])
        assert self._outage is not None
        return np.asarray(self._factors[branch] + self._outage[branch, outage] * self._factors[outage])

    def _add_broken(self, flow: Floats) -> bool:
        network = self._case.network
        if network is None:
            return False
        wanted = [(int(k), -1) for k in np.flatnonzero(np.abs(flow) > network.rating_mw + TOLERANCE_MW)]
        if self._outage is not None:
            after = flow[:, np.newaxis] + self._outage * flow[np.newaxis, :]
            over = np.nan_to_num(np.abs(after) - network.emergency_mw[:, np.newaxis], nan=-1.0)
            np.fill_diagonal(over, -1.0)
            worst = over.argmax(axis=1)
            broken = over[np.arange(len(worst)), worst] > TOLERANCE_MW
            wanted += [(int(k), int(worst[k])) for k in np.flatnonzero(broken)]
        new = [one for one in wanted if one not in self._limits]
        for branch, outage in new:
            self._add(branch, outage)
        return bool(new)

    def _add(self, branch: int, outage: int) -> None:
        network = self._case.network
        assert network is not None
        limit = float(network.rating_mw[branch] if outage < 0 else network.emergency_mw[branch])
        row = self._program.rows(-limit, limit)
        self._limits[branch, outage] = int(row)
        of_column = self._of(branch, outage) @ self._feeds
        has = np.flatnonzero(of_column)
        self._program.put(row, has, of_column[has])
        if self._beyond:
            above, below = self._beyond[outage >= 0]
            self._program.put(row, above[branch], -1.0)
            self._program.put(row, below[branch], 1.0)

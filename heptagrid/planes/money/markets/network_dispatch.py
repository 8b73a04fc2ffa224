"""Dispatch of the fleet within its network: every few minutes the cheapest outputs that load no branch beyond its rating, nor after the loss of another.

Each dispatch is a program of its own, which knows the limits that those before have met, so that it does not hang on the solver's last basis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.markets.day_case import branch_network
from heptagrid.planes.money.markets.real_time import RealTime, RealTimeMarket
from heptagrid.world.bulk import STORAGE, THERMAL, TOWER, WATER, BulkSystem, UnitCosts
from heptagrid.world.commitment_case import CommitmentCase, CommittedUnits, Reserves, Reservoirs, Sources, Storages

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# Assumptions, in the order in which what cannot be had is given up; below the last lies what a MW less on a branch costs by moving units.
UNSERVED_EUR_PER_MWH = 50_000.0
BEYOND_EUR_PER_MWH = (5_000.0, 500.0)  # a branch's rating, and its emergency rating after the loss of another


@dataclass(frozen=True)
class Seen:
    """What the dispatcher knows. load_mw: (buses,), losses included. output_mw, is_on: (units,) as reported. on, planned_mw: (units,) of the hour's schedule."""

    load_mw: Floats
    output_mw: Floats
    is_on: Bools
    on: Bools
    planned_mw: Floats


class NetworkDispatch:
    """The dispatcher; thermal units move, wind and sun give what was planned or less, water, towers and storages what was planned."""

    def __init__(self, system: BulkSystem, costs: UnitCosts, minutes: float) -> None:
        units = system.units
        self._units, self._minutes = units, minutes
        self._thermal, self._stored = units.of(THERMAL), units.of(STORAGE)
        self._given = np.setdiff1d(np.arange(len(units)), np.concatenate([self._thermal, self._stored]))
        self._may_give_less = ~np.isin(units.kind[self._given], (WATER, TOWER))
        self._case = _case(system, costs, self._thermal, self._given, self._stored)
        self._limits: tuple[tuple[int, int], ...] = ()

    def targets_mw(self, seen: Seen) -> Floats:
        """(units,) what each is asked to give."""
        found = self.dispatch(seen)
        result = np.zeros(len(self._units))
        result[self._thermal], result[self._given] = found.unit_mw, found.source_mw
        result[self._stored] = np.where(seen.on, seen.planned_mw, 0.0)[self._stored]
        return result

    def dispatch(self, seen: Seen) -> RealTime:
        """The period that begins now.

        Raises
        ------
        MarketError
            As `RealTimeMarket.dispatch`.
        """
        thermal, given = self._thermal, self._given
        before_mw = np.where(seen.is_on, seen.output_mw, 0.0)[thermal]
        market = RealTimeMarket(
            self._case, before_mw, self._minutes, limits=self._limits, beyond_cost=BEYOND_EUR_PER_MWH
        )
        planned = np.where(seen.on, seen.planned_mw, 0.0)
        most = np.maximum(planned[given], 0.0)
        least = np.where(self._may_give_less, 0.0, most)
        found = market.dispatch(seen.load_mw, least, most, seen.on[thermal], planned[self._stored])
        self._limits = market.limits_met
        return found


def with_losses(load_mw: Floats, given_mw: float) -> Floats:
    """(buses,) loads with what is given beyond them, the losses, by load; where these fall is not known."""
    taken = np.maximum(load_mw, 0.0)
    total = float(taken.sum())
    return load_mw + (given_mw - float(load_mw.sum())) * (taken / total if total > 0.0 else 1.0 / len(taken))


def _case(system: BulkSystem, costs: UnitCosts, thermal: Ints, given: Ints, stored: Ints) -> CommitmentCase:
    """Thermal units with their blocks; all others give between what each dispatch says. Loads and hours come with it as well."""
    units, buses = system.units, len(system.bus_numbers)
    mine = units.taken(thermal)
    no_mw = np.zeros((1, len(given)))
    always = np.ones(len(thermal), dtype=np.int64)
    return CommitmentCase(
        name="the bulk system",
        bus_names=system.bus_names,
        load_mw=np.zeros((1, buses)),
        units=CommittedUnits(
            names=mine.names,
            bus=mine.bus,
            p_min_mw=mine.p_min_mw,
            p_max_mw=mine.p_min_mw + costs.block_mw[thermal].sum(axis=1),
            block_mw=costs.block_mw[thermal],
            block_cost=costs.block_eur[thermal],
            no_load=costs.no_load_eur_per_h[thermal],
            starts=costs.start_eur[thermal],
            cold_after_h=mine.heat.off_h,
            min_up_h=always,
            min_down_h=always,
            ramp_mw_per_h=mine.ramp_mw_per_min * 60.0,
            on_h=always,
            before_mw=np.full(len(thermal), np.nan),
        ),
        sources=Sources(units.names[given], units.bus[given], no_mw, no_mw),
        storages=Storages(units.names[stored], units.bus[stored], *(np.zeros(len(stored)) for _ in range(5))),
        reservoirs=Reservoirs.none(periods=1),
        reserves=Reserves.none(periods=1, units=len(thermal), sources=len(given)),
        network=branch_network(system),
        currency="EUR",
        unserved_cost=UNSERVED_EUR_PER_MWH,
    )

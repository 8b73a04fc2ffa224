"""A day of the bulk system as a market's case: what was offered, what is asked for where, and how the units stood before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.world.bulk import NUCLEAR, STORAGE, SUN, THERMAL, TOWER, WATER, WIND, BulkSystem, BulkUnits
from heptagrid.world.commitment_case import (
    BranchNetwork,
    CommitmentCase,
    CommittedUnits,
    Reserves,
    Reservoirs,
    Sources,
    Storages,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LONG_H = 10_000  # a unit in its state for so long is free to change it
RESERVE_MIN = 60.0  # within which held capacity must be there: by the next hour
FILLED = 0.5  # of a storage at the day's beginning and end


@dataclass(frozen=True)
class Offers:
    """What units offer for a day.

    low_mw, high_mw: (hours, units) between which each gives while it is on; of a tower high is what its unit can. inflow_mwh: (hours, units) into tanks.
    block_mw, block_eur: (units, blocks) above the minimum; no_load_eur_per_h: (units,); start_eur: (units, heats), the hottest first. A unit that offers
    nothing has a high_mw of 0.
    """

    low_mw: Floats
    high_mw: Floats
    inflow_mwh: Floats
    block_mw: Floats
    block_eur: Floats
    no_load_eur_per_h: Floats
    start_eur: Floats


@dataclass(frozen=True)
class Before:
    """How a day begins: (units,) hours on, below 0 off; (towers,) MWh in their tanks, as both arms expected them and as they are by this arm's schedules."""

    on_h: Ints
    tank_mwh: Floats
    own_tank_mwh: Floats

    @staticmethod
    def unknown(units: BulkUnits) -> Before:
        """Every unit has been on for long and may stop at once, and the tanks are empty."""
        empty = np.zeros(len(units.of(TOWER)))
        return Before(np.full(len(units), LONG_H, dtype=np.int64), empty, empty)


@dataclass(frozen=True)
class Rows:
    """Which units a case has as units, thermal ones and towers; as sources; as storages."""

    committed: Ints
    sources: Ints
    storages: Ints

    @staticmethod
    def of(units: BulkUnits) -> Rows:
        return Rows(units.of(THERMAL, TOWER), units.of(WATER, SUN, WIND), units.of(STORAGE))

    def together(self, unit_mw: Floats, source_mw: Floats, stored_mw: Floats) -> Floats:
        """(hours, units) of all, from those of each."""
        result = np.zeros((len(unit_mw), len(self.committed) + len(self.sources) + len(self.storages)))
        result[:, self.committed], result[:, self.sources], result[:, self.storages] = unit_mw, source_mw, stored_mw
        return result


def day_case(
    system: BulkSystem, offers: Offers, load_mw: Floats, before: Before, reserve_mw: Floats, unserved_eur: float
) -> CommitmentCase:
    """The case.

    Parameters
    ----------
    load_mw : (hours, buses) with what is lost on the way.
    reserve_mw : (hours,) capacity that thermal units hold beyond what they give.
    unserved_eur : what a MWh costs that is not served, or of which there is too much.
    """
    units = system.units
    rows, hours = Rows.of(units), len(load_mw)
    storages = rows.storages
    return CommitmentCase(
        name="the bulk system's day",
        bus_names=system.bus_names,
        load_mw=load_mw,
        units=_committed(units, rows.committed, offers, before),
        sources=Sources(
            units.names[rows.sources],
            units.bus[rows.sources],
            offers.low_mw[:, rows.sources],
            offers.high_mw[:, rows.sources],
        ),
        storages=Storages(
            names=units.names[storages],
            bus=units.bus[storages],
            charge_mw=np.maximum(-offers.low_mw[:, storages].min(axis=0), 0.0),
            discharge_mw=np.maximum(offers.high_mw[:, storages].max(axis=0), 0.0),
            volume_mwh=units.volume_mwh[storages],
            begin_mwh=FILLED * units.volume_mwh[storages],
            efficiency=units.efficiency[storages],
        ),
        reservoirs=_tanks(units, rows.committed, offers, before),
        reserves=_reserve(units, rows, reserve_mw, hours),
        network=branch_network(system),
        currency="EUR",
        unserved_cost=unserved_eur,
        short_cost=0.5 * unserved_eur,  # assumption: below what unserved load costs
    )


def branch_network(system: BulkSystem) -> BranchNetwork:
    """The system's branches."""
    return BranchNetwork(
        names=system.branch_names,
        from_bus=system.branch_from,
        to_bus=system.branch_to,
        susceptance_pu=1.0 / (system.branch_x_pu * system.branch_ratio),
        rating_mw=system.branch_rating_mw,
        emergency_mw=system.branch_emergency_mw,
        loss_mw_per_mw2=system.branch_r_pu / system.base_mva,
    )


def _committed(units: BulkUnits, rows: Ints, offers: Offers, before: Before) -> CommittedUnits:
    """Thermal units and towers. A tower is always on, for its tank decides what it can give, and so is a nuclear unit: a day is too short to see its start."""
    mine, is_tower = units.taken(rows), units.kind[rows] == TOWER
    offered_mw = offers.high_mw[:, rows].max(axis=0)
    is_offered = offered_mw > 0.0
    low_mw = np.where(is_offered, np.where(is_tower, 0.0, mine.p_min_mw), 0.0)
    block_mw = np.where(is_offered[:, np.newaxis], offers.block_mw[rows], 0.0)
    on_h = np.where(is_tower, LONG_H, before.on_h[rows])
    return CommittedUnits(
        names=mine.names,
        bus=mine.bus,
        p_min_mw=low_mw,
        p_max_mw=low_mw + block_mw.sum(axis=1),
        block_mw=block_mw,
        block_cost=offers.block_eur[rows],
        no_load=np.where(is_offered, offers.no_load_eur_per_h[rows], 0.0),
        starts=np.maximum.accumulate(np.where(is_offered[:, np.newaxis], offers.start_eur[rows], 0.0), axis=1),
        cold_after_h=mine.heat.off_h,
        min_up_h=np.maximum(np.ceil(mine.min_up_h), 1).astype(np.int64),
        min_down_h=np.maximum(np.ceil(mine.min_down_h), 1).astype(np.int64),
        ramp_mw_per_h=mine.ramp_mw_per_min * 60.0,
        on_h=on_h,
        before_mw=np.full(len(rows), np.nan),
        must_run=is_tower | ((mine.heat.fuel == NUCLEAR) & is_offered & (on_h > 0)),
    )


def _tanks(units: BulkUnits, committed: Ints, offers: Offers, before: Before) -> Reservoirs:
    towers = units.of(TOWER)
    return Reservoirs(
        unit=np.searchsorted(committed, towers).astype(np.int64),
        volume_mwh=units.volume_mwh[towers],
        begin_mwh=before.tank_mwh,
        start_mwh=np.zeros(len(towers)),
        inflow_mwh=offers.inflow_mwh[:, towers],
    )


def _reserve(units: BulkUnits, rows: Rows, reserve_mw: Floats, hours: int) -> Reserves:
    """Capacity that thermal units hold upwards."""
    return Reserves(
        names=np.array(["held capacity"]),
        required_mw=reserve_mw.reshape(hours, 1),
        within_min=np.array([RESERVE_MIN]),
        is_up=np.ones(1, dtype=np.bool_),
        units=(units.kind[rows.committed] == THERMAL)[np.newaxis],
        sources=np.zeros((1, len(rows.sources)), dtype=np.bool_),
    )

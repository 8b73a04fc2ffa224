"""A market's case for a day: units, sources that give what they have, storages, reserves, network and load, hour by hour.

Money is in the case's own currency; periods are of one length.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]
Bools = npt.NDArray[np.bool_]

_NO_NAMES: Names = np.empty(0, dtype=np.str_)
_NOBODY: Ints = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class CommittedUnits:
    """Units that are on or off, (units,) each.

    block_mw, block_cost: (units, blocks) sizes of the blocks above p_min and what a MWh of each costs, ascending; blocks of no size are none.
    no_load: cost of a period at p_min. starts: (units, heats) cost of a start, the hottest first; cold_after_h: (units, heats) for how many
    hours a unit must have been off for that start, the first 0. on_h: for how many hours it has been on at the beginning, below 0 off; before_mw: what it
    gave then, NaN where that is not known. ramp_mw_per_h: up, and down where no other is given. min_up_h, min_down_h: in whole periods.

    The rest may be left out. ramp_down_mw_per_h: as upwards. start_mw, stop_mw: the most in the period of a start and in the last before a stop; what an
    hour's ramp adds to the minimum. stop_cost: of a stop; none. must_run: who stays on; nobody.
    """

    names: Names
    bus: Ints
    p_min_mw: Floats
    p_max_mw: Floats
    block_mw: Floats
    block_cost: Floats
    no_load: Floats
    starts: Floats
    cold_after_h: Floats
    min_up_h: Ints
    min_down_h: Ints
    ramp_mw_per_h: Floats
    on_h: Ints
    before_mw: Floats
    ramp_down_mw_per_h: Floats | None = None
    start_mw: Floats | None = None
    stop_mw: Floats | None = None
    stop_cost: Floats | None = None
    must_run: Bools | None = None

    def __len__(self) -> int:
        return len(self.names)

    @property
    def room_mw(self) -> Floats:
        """(units,) between minimum and most."""
        return self.p_max_mw - self.p_min_mw

    @property
    def down_mw_per_h(self) -> Floats:
        """(units,) ramp downwards."""
        return self.ramp_mw_per_h if self.ramp_down_mw_per_h is None else self.ramp_down_mw_per_h

    @property
    def start_room_mw(self) -> Floats:
        """(units,) what may be given above the minimum in the period of a start."""
        given = self.ramp_mw_per_h if self.start_mw is None else self.start_mw - self.p_min_mw
        return np.clip(given, 0.0, self.room_mw)

    @property
    def stop_room_mw(self) -> Floats:
        """(units,) what may be given above the minimum in the last period before a stop."""
        given = self.down_mw_per_h if self.stop_mw is None else self.stop_mw - self.p_min_mw
        return np.clip(given, 0.0, self.room_mw)

    @property
    def is_always_on(self) -> Bools:
        """(units,) who must run."""
        return np.zeros(len(self), dtype=np.bool_) if self.must_run is None else self.must_run

    @property
    def cost_of_stop(self) -> Floats:
        """(units,)."""
        return np.zeros(len(self)) if self.stop_cost is None else self.stop_cost


@dataclass(frozen=True)
class Sources:
    """What gives between bounds that change with time and costs nothing: wind, sun, water; (sources,) names and buses, (periods, sources) bounds."""

    names: Names
    bus: Ints
    low_mw: Floats
    high_mw: Floats

    @staticmethod
    def none(periods: int) -> Sources:
        """Nobody."""
        return Sources(_NO_NAMES, _NOBODY, np.zeros((periods, 0)), np.zeros((periods, 0)))

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Storages:
    """Storages, (storages,) each: power of charging and discharging, volume, content at the beginning, which is kept at the end, and round-trip efficiency."""

    names: Names
    bus: Ints
    charge_mw: Floats
    discharge_mw: Floats
    volume_mwh: Floats
    begin_mwh: Floats
    efficiency: Floats

    @staticmethod
    def none() -> Storages:
        """Nobody."""
        return Storages(_NO_NAMES, _NOBODY, *(np.empty(0),) * 5)

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Reservoirs:
    """What units can give is what flows into their reservoirs: (reservoirs,) their unit, volume, content at the beginning and the energy of a start.

    inflow_mwh: (periods, reservoirs).
    """

    unit: Ints
    volume_mwh: Floats
    begin_mwh: Floats
    start_mwh: Floats
    inflow_mwh: Floats

    @staticmethod
    def none(periods: int) -> Reservoirs:
        """Nobody's."""
        return Reservoirs(_NOBODY, *(np.empty(0),) * 3, np.zeros((periods, 0)))

    def __len__(self) -> int:
        return len(self.unit)


@dataclass(frozen=True)
class Reserves:
    """Products of reserve, (products,): requirement by period, within how many minutes, upwards or downwards, and who may give it.

    required_mw: (periods, products). units: (products, units), sources: (products, sources) whether each is eligible. in_ramp: (products,) whether a unit
    holds no more than it could give after the period before, by its ramp and the limits of starts and stops; left out, none.
    """

    names: Names
    required_mw: Floats
    within_min: Floats
    is_up: Bools
    units: Bools
    sources: Bools
    in_ramp: Bools | None = None

    @staticmethod
    def none(periods: int, units: int, sources: int) -> Reserves:
        """No product."""
        no, of_units, of_sources = (np.zeros(shape, dtype=np.bool_) for shape in (0, (0, units), (0, sources)))
        return Reserves(_NO_NAMES, np.zeros((periods, 0)), np.empty(0), no, of_units, of_sources)

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class BranchNetwork:
    """Branches between buses, (branches,): susceptance and rating, and the rating for a while after an outage. Links carry what they are told to, (links,).

    loss_mw_per_mw2: (branches,) what the square of a flow loses, at 1 pu; left out, losses are not known.
    """

    names: Names
    from_bus: Ints
    to_bus: Ints
    susceptance_pu: Floats
    rating_mw: Floats
    emergency_mw: Floats
    link_from: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    link_to: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    link_mw: Floats = field(default_factory=lambda: np.empty(0))
    loss_mw_per_mw2: Floats = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True)
class CommitmentCase:
    """All of it. load_mw: (periods, buses). unserved_cost, short_cost: of a MWh of load, and a MW of reserve for an hour, that is lacking."""

    name: str
    bus_names: Names
    load_mw: Floats
    units: CommittedUnits
    sources: Sources
    storages: Storages
    reservoirs: Reservoirs
    reserves: Reserves
    network: BranchNetwork | None
    currency: str = "USD"
    unserved_cost: float = 10_000.0
    short_cost: float = 4_000.0

    @property
    def periods(self) -> int:
        return len(self.load_mw)

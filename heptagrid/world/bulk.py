"""The bulk system above the towns: buses, branches, units, and the loads that are not the scenario's own."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]

HOURS = 8784  # of a leap year
NUCLEAR = "nuclear"
"""The fuel whose units run through."""
CONVERTER, GAS = "none", "gas"
"""Words for turbines: of what has none, wind, sun and storages behind converters; and of gas turbines."""
THERMAL, WATER, SUN, WIND, TOWER, STORAGE = "thermal", "water", "sun", "wind", "tower", "storage"
STORES = (TOWER, STORAGE)
"""Kinds that give what was stored before."""


@dataclass(frozen=True)
class UnitHeat:
    """What thermal units burn, (units,) each; of others nothing.

    fuel: a word, "" of those that burn none. block_mw, block_mmbtu_per_mwh: (units, blocks) of output above the minimum, and the higher heating value that
    a MWh of each takes. no_load_mmbtu_per_h: at the minimum. start_mmbtu: (units, heats) of a start, the hottest first; off_h: (units, heats) for how many
    hours a unit has been off for that start, the first 0. start_usd, vom_usd_per_mwh: of a start, and of a MWh, beside the fuel.
    co2_kg_per_mmbtu: of the fuel.
    """

    fuel: Names
    block_mw: Floats
    block_mmbtu_per_mwh: Floats
    no_load_mmbtu_per_h: Floats
    start_mmbtu: Floats
    off_h: Floats
    start_usd: Floats
    vom_usd_per_mwh: Floats
    co2_kg_per_mmbtu: Floats


@dataclass(frozen=True)
class UnitCosts:
    """What units cost, and what they emit, (units,) each.

    block_mw, block_eur, block_t: (units, blocks) sizes of the blocks of output above the minimum, ascending in cost, and of a MWh of each its cost and its
    carbon dioxide in tonnes. no_load_eur_per_h, no_load_t_per_h: at the minimum. start_eur, off_h: (units, heats) of a start, and after how many hours off.
    """

    block_mw: Floats
    block_eur: Floats
    block_t: Floats
    no_load_eur_per_h: Floats
    no_load_t_per_h: Floats
    start_eur: Floats
    off_h: Floats

    def per_h(self, p_mw: Floats, p_min_mw: Floats) -> tuple[float, float]:
        """EUR and tonnes of carbon dioxide an hour, starts apart, at outputs (units,); who gives nothing costs nothing.

        p_min_mw: (units,) the output at which the blocks begin; who gives less, as while the frequency is high, burns what it burns there.
        """
        on = p_mw > 1e-6
        above = np.where(on, p_mw - np.maximum(p_min_mw, 0.0), 0.0)
        below = np.cumsum(self.block_mw, axis=1) - self.block_mw
        in_block = np.clip(above[:, np.newaxis] - below, 0.0, self.block_mw)
        eur = float((in_block * self.block_eur).sum()) + float(self.no_load_eur_per_h[on].sum())
        tonnes = float((in_block * self.block_t).sum()) + float(self.no_load_t_per_h[on].sum())
        return eur, tonnes


@dataclass(frozen=True)
class BulkUnits:
    """Generating units, (units,) each.

    kind: `thermal`, which is on or off; `water`, `sun` and `wind`, which give what there is, water just that, the others up to it; `tower`, a solar thermal
    unit with a tank; `storage`. p_min_mw: below 0 of what can take. mva, inertia_s: rating of the machine, and its inertia constant on that base, 0 without
    one. turbine: what drives it, a word. volume_mwh, efficiency: of tanks and storages, round trip.
    """

    names: Names
    bus: Ints
    kind: Names
    p_max_mw: Floats
    p_min_mw: Floats
    ramp_mw_per_min: Floats
    min_up_h: Floats
    min_down_h: Floats
    mva: Floats
    inertia_s: Floats
    turbine: Names
    q_min_mvar: Floats
    q_max_mvar: Floats
    volume_mwh: Floats
    efficiency: Floats
    heat: UnitHeat

    def __len__(self) -> int:
        return len(self.bus)

    def of(self, *kinds: str) -> Ints:
        """The units of these kinds, ascending."""
        return np.flatnonzero(np.isin(self.kind, kinds)).astype(np.int64)

    def taken(self, rows: Ints) -> BulkUnits:
        """Some of the units, in this order."""
        heat = replace(self.heat, **{one.name: getattr(self.heat, one.name)[rows] for one in fields(self.heat)})
        mine = {one.name: getattr(self, one.name)[rows] for one in fields(self) if one.name != "heat"}
        return BulkUnits(**mine, heat=heat)


@dataclass(frozen=True)
class BulkSystem:
    """Buses by position; `bus` fields hold positions.

    bus_area, bus_share: number of each bus's area, and its part of that area's load. load_mw: (8784, areas) of a leap year's hours, local time; roof_mw:
    (8784, roofs) of photovoltaics that lower the load at roof_bus; series_mw: (8784, series) of what the units series_unit can give, and of a tower what
    flows into its tank.

    For a flow with voltages: mvar_per_mw of the loads at each bus, shunt_mw and shunt_mvar drawn at 1 pu, held_pu where a unit
    holds the voltage, branch_b_pu of the lines' charging, and the synchronous condensers.
    """

    bus_numbers: Ints
    bus_names: Names
    bus_area: Ints
    bus_share: Floats
    bus_kv: Floats
    bus_latitude: Floats
    bus_longitude: Floats
    branch_names: Names
    branch_from: Ints
    branch_to: Ints
    branch_r_pu: Floats
    branch_x_pu: Floats
    branch_rating_mw: Floats
    branch_emergency_mw: Floats
    branch_ratio: Floats
    units: BulkUnits
    load_mw: npt.NDArray[np.float32]
    roof_bus: Ints
    roof_mw: npt.NDArray[np.float32]
    series_unit: Ints
    series_mw: npt.NDArray[np.float32]
    mvar_per_mw: Floats
    shunt_mw: Floats
    shunt_mvar: Floats
    held_pu: Floats
    branch_b_pu: Floats
    condenser_bus: Ints
    condenser_q_min_mvar: Floats
    condenser_q_max_mvar: Floats
    base_mva: float = 100.0

    def rest_mw(self, local: datetime) -> Floats:
        """(buses,) what the other loads take in the local hour of that calendar date, less what roofs there give."""
        hour = hour_of_year(local)
        taken = self.load_mw[hour].astype(np.float64)[self.bus_area] * self.bus_share
        np.subtract.at(taken, self.roof_bus, self.roof_mw[hour])
        return np.asarray(taken)

    def bounds_mw(self, local: datetime) -> tuple[Floats, Floats]:
        """(units,) least and most that each can give in the local hour of that calendar date, while it is on; of a tower what its unit can."""
        low, high = self.units.p_min_mw.copy(), self.units.p_max_mw.copy()
        given = self.series_mw[hour_of_year(local)]
        kind = self.units.kind[self.series_unit]
        gives = kind != TOWER
        high[self.series_unit[gives]] = given[gives]
        must = kind == WATER
        low[self.series_unit[must]] = given[must]
        return low, high

    def inflow_mw(self, local: datetime) -> Floats:
        """(towers,) what flows into the tanks in the local hour of that calendar date, in the order of the units."""
        towers = np.flatnonzero(self.units.kind[self.series_unit] == TOWER)
        order = np.argsort(self.series_unit[towers], kind="stable")
        return np.asarray(self.series_mw[hour_of_year(local), towers[order]], dtype=np.float64)


def hour_of_year(local: datetime) -> int:
    """The position of a local hour in a leap year's hours, by its calendar date."""
    day = datetime(2020, local.month, local.day).timetuple().tm_yday - 1
    return day * 24 + local.hour

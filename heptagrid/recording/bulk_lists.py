"""Lists of the bulk system above the towns: its buses, its branches, its units, and their blocks with what a MWh of each costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from heptagrid.foundation.beside import Promise, begin
from heptagrid.recording.tables import write_columns
from heptagrid.world.bulk import BulkSystem, UnitCosts


def write_bulk_lists(folder: Path, system: BulkSystem, costs: UnitCosts) -> list[Promise[None]]:
    """Begin to write `bus_list`, `branch_list`, `unit_list` and `unit_blocks` of a run."""
    lists = {
        "bus_list": _buses(system),
        "branch_list": _branches(system),
        "unit_list": _units(system),
        "unit_blocks": _blocks(system, costs),
    }
    return [begin(write_columns, folder / f"{name}.parquet", columns) for name, columns in lists.items()]


def _buses(system: BulkSystem) -> dict[str, Any]:
    return {
        "bus": system.bus_numbers.astype(np.int32),
        "name": system.bus_names.tolist(),
        "area": (system.bus_area + 1).astype(np.int32),
        "vn_kv": system.bus_kv,
        "longitude_deg": system.bus_longitude,
        "latitude_deg": system.bus_latitude,
    }


def _branches(system: BulkSystem) -> dict[str, Any]:
    return {
        "branch": system.branch_names.tolist(),
        "from_bus": system.bus_numbers[system.branch_from].astype(np.int32),
        "to_bus": system.bus_numbers[system.branch_to].astype(np.int32),
        "rating_mw": system.branch_rating_mw,
    }


def _units(system: BulkSystem) -> dict[str, Any]:
    units = system.units
    return {
        "unit": np.arange(len(units), dtype=np.int32),
        "name": units.names.tolist(),
        "bus": system.bus_numbers[units.bus].astype(np.int32),
        "kind": units.kind.tolist(),
        "fuel": units.heat.fuel.tolist(),
        "p_max_mw": units.p_max_mw,
    }


def _blocks(system: BulkSystem, costs: UnitCosts) -> dict[str, Any]:
    """The blocks of all units; the least output of a thermal one is its first, at what it costs a MWh."""
    units = system.units
    least = np.maximum(units.p_min_mw, 0.0)
    to_mw = np.column_stack([least, least[:, np.newaxis] + np.cumsum(costs.block_mw, axis=1)])
    from_mw = np.column_stack([np.zeros(len(units)), to_mw[:, :-1]])
    first_eur, first_t = (
        np.divide(one, least, out=np.zeros(len(units)), where=least > 0.0)
        for one in (costs.no_load_eur_per_h, costs.no_load_t_per_h)
    )
    eur, tonnes = np.column_stack([first_eur, costs.block_eur]), np.column_stack([first_t, costs.block_t])
    which = to_mw - from_mw > 1e-9
    unit = np.repeat(np.arange(len(units)), to_mw.shape[1])[which.ravel()]
    return {
        "unit": unit.astype(np.int32),
        "name": units.names[unit].tolist(),
        "bus": system.bus_numbers[units.bus[unit]].astype(np.int32),
        "kind": units.kind[unit].tolist(),
        "fuel": units.heat.fuel[unit].tolist(),
        "from_mw": from_mw[which],
        "to_mw": to_mw[which],
        "eur_per_mwh": eur[which],
        "t_per_mwh": tonnes[which],
    }

"""Reads the 24-bus Reliability Test System as `tools/build_rts.py` writes it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from heptagrid.foundation.errors import HeptagridError
from heptagrid.world.bulk import BulkSystem, BulkUnits


def read_bulk(folder: Path) -> BulkSystem:
    """Read buses, branches, units and hourly load.

    Raises
    ------
    HeptagridError
        If a file is missing or lacks a column.
    """
    names = ("buses", "branches", "units", "load", "condensers")
    buses, branches, units, load, condensers = (_columns(folder / f"{name}.csv") for name in names)
    try:
        number = buses["bus"].astype(np.int64)
        position = np.zeros(int(number.max()) + 1, dtype=np.int64)
        position[number] = np.arange(len(number))
        return BulkSystem(
            bus_numbers=number,
            bus_share=buses["load_mw"] / buses["load_mw"].sum(),
            bus_kv=buses["base_kv"],
            branch_from=position[branches["from_bus"].astype(np.int64)],
            branch_to=position[branches["to_bus"].astype(np.int64)],
            branch_r_pu=branches["r_pu"],
            branch_x_pu=branches["x_pu"],
            branch_rating_mw=branches["rating_mw"],
            branch_ratio=branches["ratio"],
            units=BulkUnits(
                position[units["bus"].astype(np.int64)],
                *(units[name] for name in ("p_max_mw", "p_min_mw", "cost_2", "cost_1", "cost_0", "ramp_mw_per_min")),
                *(units[name] for name in ("min_up_h", "min_down_h", "start_usd", "mva", "inertia_s", "turbine")),
                *(units[name] for name in ("q_min_mvar", "q_max_mvar")),
            ),
            load_mw=load["load_mw"],
            mvar_per_mw=np.divide(
                buses["load_mvar"], buses["load_mw"], out=np.zeros(len(number)), where=buses["load_mw"] > 0.0
            ),
            shunt_mw=buses["shunt_mw"],
            shunt_mvar=-buses["shunt_mvar"],  # MATPOWER's is fed in
            held_pu=buses["held_pu"],
            branch_b_pu=branches["b_pu"],
            condenser_bus=position[condensers["bus"].astype(np.int64)],
            condenser_q_min_mvar=condensers["q_min_mvar"],
            condenser_q_max_mvar=condensers["q_max_mvar"],
        )
    except KeyError as missing:
        raise HeptagridError(f"{folder} lacks the column {missing}; rebuild it with tools/build_rts.py") from None


def _columns(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open(encoding="utf-8") as file:
            header, *rows = list(csv.reader(file))
    except (OSError, ValueError) as problem:
        raise HeptagridError(f"{path} cannot be read ({problem}); rebuild it with tools/build_rts.py") from None
    columns = {name: [row[k] for row in rows] for k, name in enumerate(header) if name != "source"}
    return {
        name: np.array(values) if name == "turbine" else np.array(values, dtype=float)
        for name, values in columns.items()
    }

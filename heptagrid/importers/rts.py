"""Reads the bulk system, the Reliability Test System of the Grid Modernization Laboratory Consortium, as `tools/build_rts.py` writes it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import HeptagridError
from heptagrid.world.bulk import BulkSystem, BulkUnits, UnitHeat

_WORDS = ("name", "unit", "kind", "fuel", "turbine")
_BLOCKS = (1, 2, 3, 4)
_HEATS = ("hot", "warm", "cold")

Columns = dict[str, np.ndarray]


def read_bulk(folder: Path) -> BulkSystem:
    """Read buses, branches, units and hourly series.

    Raises
    ------
    HeptagridError
        If a file is missing or lacks a column.
    """
    buses, branches, units, condensers = (
        _columns(folder / f"{name}.csv") for name in ("buses", "branches", "units", "condensers")
    )
    series = _series(folder / "series.npz")
    try:
        return _system(buses, branches, units, condensers, series)
    except KeyError as missing:
        raise HeptagridError(f"{folder} lacks the column {missing}; rebuild it with tools/build_rts.py") from None


def _system(buses: Columns, branches: Columns, units: Columns, condensers: Columns, series: Columns) -> BulkSystem:
    number = buses["bus"].astype(np.int64)
    position = np.zeros(int(number.max()) + 1, dtype=np.int64)
    position[number] = np.arange(len(number))
    areas, area = np.unique(buses["area"], return_inverse=True)
    of_area_mw = np.bincount(area, buses["load_mw"], minlength=len(areas))
    unit_of = {str(name): k for k, name in enumerate(units["unit"])}
    return BulkSystem(
        bus_numbers=number,
        bus_names=buses["name"],
        bus_area=area.astype(np.int64),
        bus_share=buses["load_mw"] / of_area_mw[area],
        bus_kv=buses["base_kv"],
        bus_latitude=buses["lat"],
        bus_longitude=buses["lng"],
        branch_names=branches["name"],
        branch_from=position[branches["from_bus"].astype(np.int64)],
        branch_to=position[branches["to_bus"].astype(np.int64)],
        branch_r_pu=branches["r_pu"],
        branch_x_pu=branches["x_pu"],
        branch_rating_mw=branches["rating_mw"],
        branch_emergency_mw=branches["emergency_mw"],
        branch_ratio=branches["ratio"],
        units=_units(units, position),
        load_mw=series["load_mw"],
        roof_bus=position[series["roof_bus"]],
        roof_mw=series["roof_mw"],
        series_unit=np.array([unit_of[str(name)] for name in series["source"]], dtype=np.int64),
        series_mw=series["source_mw"],
        mvar_per_mw=np.divide(
            buses["load_mvar"], buses["load_mw"], out=np.zeros(len(number)), where=buses["load_mw"] > 0.0
        ),
        shunt_mw=buses["shunt_mw"],
        shunt_mvar=-buses["shunt_mvar"],  # the table's is fed in
        held_pu=buses["held_pu"],
        branch_b_pu=branches["b_pu"],
        condenser_bus=position[condensers["bus"].astype(np.int64)],
        condenser_q_min_mvar=condensers["q_min_mvar"],
        condenser_q_max_mvar=condensers["q_max_mvar"],
    )


def _units(units: Columns, position: npt.NDArray[np.int64]) -> BulkUnits:
    def side_by_side(name: str, which: tuple[object, ...]) -> npt.NDArray[np.float64]:
        return np.stack([units[name.format(one)] for one in which], axis=1)

    off_h = np.stack([np.zeros(len(units["unit"])), units["warm_after_h"], units["cold_after_h"]], axis=1)
    own = ("kind", "p_max_mw", "p_min_mw", "ramp_mw_per_min", "min_up_h", "min_down_h", "mva", "inertia_s", "turbine")
    return BulkUnits(
        names=units["unit"],
        bus=position[units["bus"].astype(np.int64)],
        **{name: units[name] for name in (*own, "q_min_mvar", "q_max_mvar", "volume_mwh", "efficiency")},
        heat=UnitHeat(
            fuel=units["fuel"],
            block_mw=side_by_side("block_{}_mw", _BLOCKS),
            block_mmbtu_per_mwh=side_by_side("block_{}_mmbtu_per_mwh", _BLOCKS),
            no_load_mmbtu_per_h=units["no_load_mmbtu_per_h"],
            start_mmbtu=side_by_side("start_{}_mmbtu", _HEATS),
            off_h=off_h,
            start_usd=units["start_usd"],
            vom_usd_per_mwh=units["vom_usd_per_mwh"],
            co2_kg_per_mmbtu=units["co2_kg_per_mmbtu"],
        ),
    )


def _columns(path: Path) -> Columns:
    try:
        with path.open(encoding="utf-8") as file:
            header, *rows = list(csv.reader(file))
        columns = {name: [row[k] for row in rows] for k, name in enumerate(header)}
        return {
            name: np.array(values, dtype=np.str_ if name in _WORDS else np.float64) for name, values in columns.items()
        }
    except (OSError, ValueError, IndexError) as problem:
        raise HeptagridError(f"{path} cannot be read ({problem}); rebuild it with tools/build_rts.py") from None


def _series(path: Path) -> Columns:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError) as problem:
        raise HeptagridError(f"{path} cannot be read ({problem}); rebuild it with tools/build_rts.py") from None

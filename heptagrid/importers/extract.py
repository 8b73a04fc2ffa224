"""Reads a compact extract of a distribution grid and its profiles, as `tools/build_town.py` writes it."""

from __future__ import annotations

import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import HeptagridError
from heptagrid.foundation.time import midnight_ns
from heptagrid.world.grid import Buses, BusSwitches, Grid, Lines, Loads, Profiles, Transformers, Units

T = TypeVar("T")


def read_grid(folder: Path) -> Grid:
    """Read `grid.npz` of an extract.

    Raises
    ------
    HeptagridError
        If the file is missing, broken or lacks an array; the message names it.
    """
    path = Path(folder) / "grid.npz"
    arrays = _read_arrays(path)
    try:
        return Grid(
            buses=_table(Buses, "buses", arrays),
            lines=_table(Lines, "lines", arrays),
            transformers=_table(Transformers, "transformers", arrays),
            switches=_table(BusSwitches, "switches", arrays),
            loads=_table(Loads, "loads", arrays),
            units=_table(Units, "units", arrays),
            infeed_bus=int(arrays["infeed_bus"]),
            infeed_v_pu=float(arrays["infeed_v_pu"]),
            frequency_hz=float(arrays.get("frequency_hz", 50.0)),
            stations=arrays.get("stations"),
        )
    except KeyError as missing:
        raise HeptagridError(f"{path} lacks the array {missing}; rebuild it with tools/build_town.py") from None


def write_grid(folder: Path, grid: Grid, profile_names: npt.NDArray[np.str_]) -> None:
    """Write `grid.npz` as `read_grid` reads it, with the names of the profiles' columns."""
    arrays: dict[str, Any] = {
        f"{table}_{one.name}": getattr(getattr(grid, table), one.name)
        for table in ("buses", "lines", "transformers", "switches", "loads", "units")
        for one in fields(getattr(grid, table))
    }
    arrays |= {name: np.asarray(getattr(grid, name)) for name in ("infeed_bus", "infeed_v_pu", "frequency_hz")}
    if grid.stations is not None:
        arrays["stations"] = grid.stations
    np.savez_compressed(folder / "grid.npz", **arrays, profile_names=profile_names)


def read_profiles(folder: Path) -> Profiles:
    """Memory-map `profiles.npy` of an extract; its columns' names stand in `grid.npz`.

    Raises
    ------
    HeptagridError
        If a file is missing or broken.
    """
    from datetime import date
    from zoneinfo import ZoneInfo

    path = Path(folder) / "profiles.npy"
    try:
        millionths = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as problem:
        raise HeptagridError(f"{path} cannot be read ({problem}); rebuild it with tools/build_town.py") from None
    names = _read_arrays(Path(folder) / "grid.npz")["profile_names"]
    return Profiles(names, millionths, midnight_ns(date(2016, 1, 1), ZoneInfo("Europe/Berlin")))


def _read_arrays(path: Path) -> Any:
    try:
        return np.load(path)
    except (OSError, ValueError, zipfile.BadZipFile) as problem:
        raise HeptagridError(f"{path} cannot be read ({problem}); rebuild it with tools/build_town.py") from None


def _table(table: type[T], name: str, arrays: Any) -> T:
    return table(*(arrays[f"{name}_{one.name}"] for one in fields(table)))  # type: ignore[arg-type]

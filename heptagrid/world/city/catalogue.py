"""What a city is built of: cables, transformers, loads and units as they stand in a grid of SimBench's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import NetworkError
from heptagrid.world.city.neighbourhoods import KINDS
from heptagrid.world.grid import Grid

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cable:
    """A type of cable, per kilometre."""

    r_ohm: float
    x_ohm: float
    c_nf: float
    max_i_ka: float


@dataclass(frozen=True)
class Catalogue:
    """Of a grid: rows of its loads and units by kind of neighbourhood, units of a load there, local transformers from small to great, the greatest one to medium voltage, and cables of both levels, thick ones first."""

    grid: Grid
    loads: tuple[Ints, ...]
    units: tuple[Ints, ...]
    local: Ints
    primary: int
    low: tuple[Cable, Cable]
    medium: tuple[Cable, Cable]


def catalogue(grid: Grid) -> Catalogue:
    """Read it from a grid whose names begin with SimBench's networks, LV1 to LV6.

    Raises
    ------
    NetworkError
        If it lacks a neighbourhood.
    """
    of_load = np.array([name[:3] for name in grid.loads.names])
    of_unit = np.array([name[:3] for name in grid.units.names])
    loads = tuple(np.flatnonzero(of_load == f"LV{one.network}") for one in KINDS)
    units = tuple(np.flatnonzero(of_unit == f"LV{one.network}") for one in KINDS)
    missing = [f"LV{one.network}" for one, rows in zip(KINDS, loads, strict=True) if not len(rows)]
    if missing:
        raise NetworkError(
            f"a city is built of SimBench's neighbourhoods; the grid has no loads of {', '.join(missing)}"
        )
    transformers = grid.transformers
    is_local = transformers.vn_lv_kv < 1.0
    _, first = np.unique(np.where(is_local, transformers.sn_mva, np.inf), return_index=True)
    return Catalogue(
        grid,
        loads,
        units,
        first[is_local[first]],
        int(np.argmax(np.where(is_local, 0.0, transformers.sn_mva))),
        _cables(grid, 0.0, 1.0),
        _cables(grid, 1.0, 60.0),
    )


def _cables(grid: Grid, above_kv: float, below_kv: float) -> tuple[Cable, Cable]:
    """The cables with the least and with the most frequent resistance of a level; overhead lines, whose capacitance is small, are none."""
    lines = grid.lines
    kv = grid.buses.vn_kv[lines.from_bus]
    at = np.flatnonzero((kv > above_kv) & (kv < below_kv) & (lines.c_nf > 100.0 * lines.length_km))
    r_ohm = np.round(lines.r_ohm[at] / lines.length_km[at], 6)
    found, count = np.unique(r_ohm, return_counts=True)
    chosen = (at[np.argmax(r_ohm == found[0])], at[np.argmax(r_ohm == found[np.argmax(count)])])
    return (_cable(grid, int(chosen[0])), _cable(grid, int(chosen[1])))


def _cable(grid: Grid, line: int) -> Cable:
    lines, km = grid.lines, float(grid.lines.length_km[line])
    return Cable(
        float(lines.r_ohm[line]) / km,
        float(lines.x_ohm[line]) / km,
        float(lines.c_nf[line]) / km,
        float(lines.max_i_ka[line]),
    )

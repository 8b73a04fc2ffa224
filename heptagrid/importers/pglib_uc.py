"""A unit-commitment case of the Power Grid Library: one bus, thermal and renewable generators, a reserve within the ramps.

The model is that of its MODEL.pdf. Two rules of it differ from the plain ones: what is held as reserve counts against the ramp upwards and the limits of starts
and stops; and these limits never exceed minimum and ramp, for there a ramp also binds a unit that starts or stops.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.importers.commitment_json import (
    Problems,
    check_units,
    piecewise_blocks,
    rising,
    spinning_reserve,
    start_table,
)
from heptagrid.world.commitment_case import CommitmentCase, CommittedUnits, Reservoirs, Sources, Storages

Floats = npt.NDArray[np.float64]


def pglib_case(data: Mapping[str, Any], source: str) -> CommitmentCase:
    """The case in the object of a file.

    Raises
    ------
    FileError
        For what is missing or no figure; the message names it.
    """
    problems = Problems(source)
    periods = _periods(data, problems)
    demand = problems.series("demand", data.get("demand"), periods, "demand")
    required = problems.series("reserves", data.get("reserves", 0.0), periods, "reserves")
    thermal, renewable = (_table(data, f"{kind}_generators", problems) for kind in ("thermal", "renewable"))
    units = _units(thermal, problems)
    low, high = (
        np.array([problems.series(name, one.get(key), periods, key) for name, one in renewable.items()])
        .reshape(len(renewable), periods)
        .T
        for key in ("power_output_minimum", "power_output_maximum")
    )
    problems.check()
    return CommitmentCase(
        name=source,
        bus_names=np.array(["all"]),
        load_mw=demand[:, np.newaxis],
        units=units,
        sources=Sources(np.array(list(renewable), dtype=np.str_), np.zeros(len(renewable), dtype=np.int64), low, high),
        storages=Storages.none(),
        reservoirs=Reservoirs.none(periods),
        reserves=spinning_reserve("spinning", required, len(units), len(renewable)),
        network=None,
    )


def _table(data: Mapping[str, Any], key: str, problems: Problems) -> Mapping[str, Mapping[str, Any]]:
    """Generators by their names."""
    found = data.get(key) or {}
    if not isinstance(found, Mapping) or not all(isinstance(one, Mapping) for one in found.values()):
        problems.add(f"{key} is no object of generators by their names")
        problems.check()
    assert isinstance(found, Mapping)
    return found


def _periods(data: Mapping[str, Any], problems: Problems) -> int:
    periods = data.get("time_periods")
    if not isinstance(periods, int) or isinstance(periods, bool) or periods < 1:
        problems.add(f"time_periods is {periods!r}, not a number of periods")
        problems.check()
    assert isinstance(periods, int)
    return periods


def _units(thermal: Mapping[str, Mapping[str, Any]], problems: Problems) -> CommittedUnits:
    def column(key: str) -> Floats:
        return np.array([problems.number(name, one, key) for name, one in thermal.items()], dtype=np.float64)

    low, high = column("power_output_minimum"), column("power_output_maximum")
    up, down = column("ramp_up_limit"), column("ramp_down_limit")
    is_on = column("unit_on_t0") > 0.5
    curves, starts = [], []
    for name, one in thermal.items():
        curves.append(_pairs(name, one, "piecewise_production", ("mw", "cost"), problems))
        starts.append(_pairs(name, one, "startup", ("lag", "cost"), problems))
        rising(name, curves[-1], problems)
    block_mw, block_cost, no_load = piecewise_blocks(curves)
    cost, lag = start_table(starts)
    times = {
        key: np.nan_to_num(column(key)).astype(np.int64)
        for key in ("time_up_minimum", "time_down_minimum", "time_up_t0", "time_down_t0")
    }
    units = CommittedUnits(
        names=np.array(list(thermal), dtype=np.str_),
        bus=np.zeros(len(thermal), dtype=np.int64),
        p_min_mw=low,
        p_max_mw=high,
        block_mw=block_mw,
        block_cost=block_cost,
        no_load=no_load,
        starts=cost,
        cold_after_h=lag,
        min_up_h=np.maximum(times["time_up_minimum"], 1),
        min_down_h=np.maximum(times["time_down_minimum"], 1),
        ramp_mw_per_h=up,
        on_h=np.where(is_on, np.maximum(times["time_up_t0"], 1), -times["time_down_t0"]),
        before_mw=np.where(is_on, column("power_output_t0"), 0.0),
        ramp_down_mw_per_h=down,
        start_mw=np.minimum(column("ramp_startup_limit"), low + up),
        stop_mw=np.minimum(column("ramp_shutdown_limit"), low + down),
        must_run=column("must_run") > 0.5,
    )
    check_units(units, problems)
    return units


def _pairs(
    name: str, data: Mapping[str, Any], key: str, columns: tuple[str, str], problems: Problems
) -> list[tuple[float, float]]:
    rows = data.get(key)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        problems.add(f"{name}: {key} is missing or not a list of {columns[0]} and {columns[1]}")
        return [(0.0, 0.0)]
    first, second = columns
    return [(problems.number(name, row, first), problems.number(name, row, second)) for row in rows]

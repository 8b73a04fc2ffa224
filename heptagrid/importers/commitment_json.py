"""Reads unit-commitment cases in JSON: those of the Power Grid Library (pglib-uc), and those of Egret, told apart by their keys.

Sources: https://github.com/power-grid-lib/pglib-uc (MODEL.pdf) and https://github.com/grid-parity-exchange/Egret (`egret/models/unit_commitment.py`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import FileError
from heptagrid.world.commitment_case import CommittedUnits, Reserves

Floats = npt.NDArray[np.float64]

HOUR_MIN = 60.0


class Problems:
    """What is wrong with a file, in the order in which it was found."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: list[str] = []

    def add(self, line: str) -> None:
        """Note a problem."""
        self.lines.append(line)

    def check(self) -> None:
        """Raise what there is.

        Raises
        ------
        FileError
            With all of it.
        """
        if self.lines:
            raise FileError(self.source, self.lines)

    def number(self, owner: str, data: Mapping[str, Any], key: str, default: float | None = None) -> float:
        """A figure, finite; NaN, and a problem, if there is none."""
        value = data.get(key, default)
        if isinstance(value, bool):
            value = int(value)
        if not isinstance(value, int | float) or not np.isfinite(value):
            said = "is missing" if key not in data else f"is {data[key]!r}, not a number"
            self.add(f"{owner}: {key} {said}")
            return float("nan")
        return float(value)

    def series(self, owner: str, value: Any, periods: int, key: str) -> Floats:
        """(periods,) figures: as many, or one for all."""
        if isinstance(value, Mapping) and value.get("data_type") == "time_series":
            value = value.get("values")
        if isinstance(value, int | float) and not isinstance(value, bool):
            return np.full(periods, float(value))
        try:
            found = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            found = np.empty(0)
        if found.shape != (periods,) or not np.isfinite(found).all():
            self.add(f"{owner}: {key} is not {periods} numbers")
            return np.zeros(periods)
        return found


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file.

    Raises
    ------
    FileError
        If there is no such file, or it is not JSON.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as problem:
        raise FileError(str(path), [f"it cannot be read as JSON ({problem})"]) from None
    if not isinstance(found, dict):
        raise FileError(str(path), ["it holds no object at its top"])
    return found


def is_pglib(data: Mapping[str, Any]) -> bool:
    """Whether these are the keys of a pglib-uc case."""
    return "thermal_generators" in data and "demand" in data


def is_egret(data: Mapping[str, Any]) -> bool:
    """Whether these are the keys of an Egret case."""
    return isinstance(data.get("elements"), dict) and isinstance(data.get("system"), dict)


def read_commitment_json(source: str, ignore: Collection[str] = ()) -> Any:
    """The `CommitmentCase` in a file; `ignore` names kinds of Egret's elements that are left out.

    Raises
    ------
    FileError
        For a file that is in neither format, breaks a rule, or holds what cannot be represented.
    """
    from heptagrid.importers.egret_uc import egret_case
    from heptagrid.importers.pglib_uc import pglib_case

    data = read_json(Path(source))
    if is_pglib(data):
        return pglib_case(data, source)
    if is_egret(data):
        return egret_case(data, source, ignore)
    raise FileError(
        source,
        ["it has neither the keys of pglib-uc (thermal_generators, demand) nor those of Egret (elements, system)"],
    )


def piecewise_blocks(curves: Sequence[Sequence[tuple[float, float]]]) -> tuple[Floats, Floats, Floats]:
    """Blocks of (MW, cost) points: sizes and costs of a MWh (units, blocks), and the costs of the first points (units,)."""
    most = max([len(points) - 1 for points in curves], default=0)
    block_mw, block_cost = np.zeros((len(curves), max(most, 1))), np.zeros((len(curves), max(most, 1)))
    for k, points in enumerate(curves):
        at = np.asarray(points, dtype=np.float64)
        size = np.diff(at[:, 0])
        rise = np.diff(at[:, 1])
        block_mw[k, : len(size)] = size
        block_cost[k, : len(size)] = np.divide(rise, size, out=np.zeros(len(size)), where=size > 0.0)
    return block_mw, block_cost, np.array([points[0][1] for points in curves])


def start_table(starts: Sequence[Sequence[tuple[float, float]]]) -> tuple[Floats, Floats]:
    """Costs of starts and from how many periods off on they hold (units, heats), of (lag, cost) pairs; the last is repeated where there are fewer."""
    heats = max([len(one) for one in starts], default=1)
    cost, lag = np.zeros((len(starts), heats)), np.zeros((len(starts), heats))
    for k, pairs in enumerate(starts):
        full = [*pairs, *[pairs[-1]] * (heats - len(pairs))]
        lag[k], cost[k] = np.array(full, dtype=np.float64).T
    lag[:, 0] = 0.0
    return cost, lag


def rising(owner: str, points: Sequence[tuple[float, float]], problems: Problems) -> None:
    """Note a cost that falls in MW or rises ever slower: the cheapest dispatch would not be that of its blocks."""
    at = np.asarray(points, dtype=np.float64)
    if not np.isfinite(at).all():
        return
    size = np.diff(at[:, 0])
    if (size < 0.0).any():
        problems.add(f"{owner}: the points of its production cost do not rise in MW")
        return
    slopes = np.diff(at[:, 1])[size > 0.0] / size[size > 0.0]
    if (np.diff(slopes) < -1e-6 * np.maximum(np.abs(slopes[1:]), 1.0)).any():
        problems.add(f"{owner}: its production cost rises ever slower; only costs that rise ever faster are cleared")


def spinning_reserve(name: str, required_mw: Floats, units: int, sources: int) -> Reserves:
    """One product of all units within an hour and within their ramps, or none where nothing is required in any period, (periods,)."""
    products = int((required_mw > 0.0).any())
    return Reserves(
        names=np.array([name][:products], dtype=np.str_),
        required_mw=required_mw[:, np.newaxis][:, :products],
        within_min=np.full(products, HOUR_MIN),
        is_up=np.ones(products, dtype=np.bool_),
        units=np.ones((products, units), dtype=np.bool_),
        sources=np.zeros((products, sources), dtype=np.bool_),
        in_ramp=np.ones(products, dtype=np.bool_),
    )


def check_units(units: CommittedUnits, problems: Problems) -> None:
    """Note units whose limits exclude one another."""
    for k in np.flatnonzero(units.p_min_mw > units.p_max_mw):
        problems.add(f"{units.names[k]}: its minimum of {units.p_min_mw[k]:g} MW is above its {units.p_max_mw[k]:g} MW")

"""Reads a MATPOWER case file (`.m`, version 2) as a market: demand, bounds and costs of generators, limits of branches.

Source: MATPOWER's manual, appendix B (`caseformat`), and its idx_cost and idx_dcline. Costs of reactive power have no effect here. A rating of 0, and
an angle limit of 0 or of 360 degrees and more, are none.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from heptagrid.foundation.errors import FileError
from heptagrid.importers.importer import unsupported
from heptagrid.importers.matlab.values import Matrix, Value
from heptagrid.importers.matpower_costs import costs_of
from heptagrid.importers.matpower_tables import check_places, check_version, fields_of, numbers_of, tables_of
from heptagrid.world.balanced.network import MOST, BusKind
from heptagrid.world.market_case import Bools, DirectLines, Floats, Ints, MarketBranches, MarketCase, MarketUnits

_COUNTING = frozenset({"gencost", "dcline"})
# Fields of MATPOWER's relatives, and of its own extensions, whose elements would count here.
_UNSUPPORTED = ("userfcn", "storage", "switch", "busdc", "convdc", "branchdc", "dclinecost")
_WITHOUT_EFFECT = {
    "areas": "areas",
    "bus_name": "names of buses",
    "gentype": "types of generators",
    "genfuel": "fuels of generators",
    "reserves": "reserves, which MATPOWER takes only after toggle_reserves",
    "if": "interface limits, which MATPOWER takes only after toggle_iflims",
    "softlims": "soft limits, which MATPOWER takes only after toggle_softlims",
    "contingencies": "contingencies",
}
_TAKEN = {"version", "baseMVA", "bus", "branch", "gen", *_COUNTING}
_FULL_TURN = 360.0
_DIRECT_COLUMNS = 17


class _Places:
    """Numbers of buses as places among those that are on, -1 elsewhere."""

    def __init__(self, numbers: Ints) -> None:
        self.order = np.argsort(numbers)
        self.sorted = numbers[self.order].astype(np.float64)

    def of(self, column: Matrix) -> Ints:
        if not len(self.sorted):
            return np.full(len(column), -1)
        k = np.minimum(np.searchsorted(self.sorted, column), len(self.sorted) - 1)
        return np.where(self.sorted[k] == column, self.order[k], -1)


def read_market(source: str, ignore: Collection[str] = ()) -> MarketCase:
    """Read a case file as a market; buses of type 4, and what is out of service, are left out.

    Raises
    ------
    FileError
        If it cannot be read, is no case of version 2, computes what is not understood here (with the line), or holds wrong data, such as
        bounds that cross or a cost that rises ever slower (all of it, by bus, branch or generator).
    """
    mpc = fields_of(source, _COUNTING)
    counting = {field: [f"(mpc.{field})"] for field in mpc if field in _UNSUPPORTED}
    remarks = unsupported(source, counting, frozenset(ignore), frozenset({*_UNSUPPORTED, *mpc}))
    check_version(source, mpc)
    base_mva, tables = tables_of(source, mpc)
    buses, generators, branches = tables["bus"], tables["gen"], tables["branch"]
    number = numbers_of(source, buses)
    check_places(source, tables, number)
    bus_on = buses[:, 1] != BusKind.ISOLATED
    places, problems = _Places(number[bus_on]), list[str]()
    direct = _direct_table(mpc.get("dcline"), number, problems)
    load_mw = buses[:, 2] + buses[:, 4]
    _check(number.astype(str), "bus", {"Pd + Gs": load_mw}, bus_on, problems)
    units = _units(generators, mpc.get("gencost"), places, problems)
    joined = _branches(branches, places, problems)
    lines = _direct_lines(direct, places, problems)
    if problems:
        raise FileError(source, problems)
    others = [field for field in mpc if field not in _TAKEN and field not in _UNSUPPORTED]
    return MarketCase(
        name=Path(source).stem,
        base_mva=base_mva,
        bus_names=number[bus_on].astype(str),
        load_mw=load_mw[bus_on],
        branches=joined,
        direct_lines=lines,
        units=units,
        left_out=(
            *remarks,
            *(
                f"{_WITHOUT_EFFECT.get(field, 'a field of its own')} (mpc.{field}): without effect here"
                for field in others
            ),
        ),
    )


def _check(names: np.ndarray, kind: str, figures: dict[str, Floats], is_on: Bools, problems: list[str]) -> None:
    for what, values in figures.items():
        for k in np.flatnonzero(is_on & ~(np.abs(values) <= MOST)):
            problems.append(f"{kind} {names[k]}: {what} is {values[k]:g}; a number of {MOST:g} at most is expected")


def _crossing(names: np.ndarray, kind: str, low: Floats, high: Floats, is_on: Bools, problems: list[str]) -> None:
    for k in np.flatnonzero(is_on & (low > high)):
        problems.append(f"{kind} {names[k]}: its lower bound {low[k]:g} is above its upper bound {high[k]:g}")


def _units(table: Matrix, gencost: Value | None, places: _Places, problems: list[str]) -> MarketUnits:
    bus, low_mw, high_mw = places.of(table[:, 0]), table[:, 9], table[:, 8]
    is_on = (table[:, 7] > 0.0) & (bus >= 0)
    names = np.array([f"{k + 1} at bus {one:g}" for k, one in enumerate(table[:, 0])], dtype=str)
    _check(names, "generator", {"PMIN": low_mw, "PMAX": high_mw}, is_on, problems)
    _crossing(names, "generator", low_mw, high_mw, is_on, problems)
    costs = costs_of(gencost, np.where(is_on, low_mw, 0.0), np.where(is_on, high_mw, 0.0), is_on, problems)
    kept = is_on[costs.segment_unit]
    return MarketUnits(
        names=names[is_on],
        bus=bus[is_on],
        low_mw=low_mw[is_on],
        high_mw=high_mw[is_on],
        polynomial=costs.polynomial[is_on],
        segment_unit=(np.cumsum(is_on) - 1)[costs.segment_unit[kept]],
        segment_slope=costs.segment_slope[kept],
        segment_usd=costs.segment_usd[kept],
    )


def _branches(table: Matrix, places: _Places, problems: list[str]) -> MarketBranches:
    from_bus, to_bus = places.of(table[:, 0]), places.of(table[:, 1])
    is_on = (table[:, 10] > 0.0) & (from_bus >= 0) & (to_bus >= 0)
    names = np.array([str(k + 1) for k in range(len(table))], dtype=str)
    nothing = np.zeros(len(table))
    low_deg, high_deg = (table[:, 11], table[:, 12]) if table.shape[1] > 12 else (nothing, nothing)
    figures = {"BR_R": table[:, 2], "BR_X": table[:, 3], "TAP": table[:, 8], "SHIFT": table[:, 9], "ANGMIN": low_deg}
    _check(names, "branch", {**figures, "ANGMAX": high_deg}, is_on, problems)
    for k in np.flatnonzero(is_on & ~(table[:, 5] >= 0.0)):
        problems.append(f"branch {names[k]}: RATE_A is {table[k, 5]:g}; a number of 0 (no limit) or more is expected")
    for k in np.flatnonzero(is_on & (table[:, 2] == 0.0) & (table[:, 3] == 0.0)):
        problems.append(f"branch {names[k]}: its impedance is zero; give it one, or make its two buses one")
    limit_mw = np.where(table[:, 5] > 0.0, table[:, 5], np.inf)
    low = np.where((low_deg == 0.0) | (low_deg <= -_FULL_TURN), -np.inf, np.deg2rad(low_deg))
    high = np.where((high_deg == 0.0) | (high_deg >= _FULL_TURN), np.inf, np.deg2rad(high_deg))
    _crossing(names, "branch", low, high, is_on, problems)
    return MarketBranches(
        names=names[is_on],
        from_bus=from_bus[is_on],
        to_bus=to_bus[is_on],
        r_pu=table[is_on, 2],
        x_pu=table[is_on, 3],
        tap=np.where(table[:, 8] == 0.0, 1.0, table[:, 8])[is_on],
        shift_rad=np.deg2rad(table[is_on, 9]),
        limit_mw=limit_mw[is_on],
        angle_low_rad=low[is_on],
        angle_high_rad=high[is_on],
    )


def _direct_table(table: Value | None, number: Ints, problems: list[str]) -> Matrix:
    if table is None or (isinstance(table, np.ndarray) and not table.size):
        return np.zeros((0, _DIRECT_COLUMNS))
    if not isinstance(table, np.ndarray) or table.shape[1] < _DIRECT_COLUMNS:
        problems.append(f"mpc.dcline must be a matrix of {_DIRECT_COLUMNS} columns or more")
        return np.zeros((0, _DIRECT_COLUMNS))
    for k, column in np.argwhere(~np.isin(table[:, :2], number)):
        problems.append(f"direct-current line {k + 1}: its bus {table[k, column]:g} is not in mpc.bus")
    return table


def _direct_lines(table: Matrix, places: _Places, problems: list[str]) -> DirectLines:
    from_bus, to_bus = places.of(table[:, 0]), places.of(table[:, 1])
    is_on = (table[:, 2] > 0.0) & (from_bus >= 0) & (to_bus >= 0)
    names = np.array([str(k + 1) for k in range(len(table))], dtype=str)
    low, high, loss, share = (table[:, column] for column in (9, 10, 15, 16))
    figures = {"PMIN": low, "PMAX": high, "LOSS0": loss, "LOSS1": share}
    _check(names, "direct-current line", figures, is_on, problems)
    _crossing(names, "direct-current line", low, high, is_on, problems)
    return DirectLines(names[is_on], from_bus[is_on], to_bus[is_on], low[is_on], high[is_on], loss[is_on], share[is_on])

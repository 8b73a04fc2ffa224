"""Takes the taps of a pandapower network's transformers as the tables say, before pandapower's converter sees them.

The converter drops a tap without `tap_changer_type` silently, takes the last of several transformers' steps for all that share a table of
steps, and an angle of one degree for a step that is not in the table. Here such a tap counts, by the rule of the format's earlier versions
(`tap_phase_shifter`), and is told; one whose effect the file does not say is refused. Decision 024 says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.world.balanced.network import Bools, Floats

Words = npt.NDArray[np.object_]

_SIDES = {"trafo": ("hv", "lv"), "trafo3w": ("hv", "mv", "lv")}
_WITH_PERCENT = ("Ratio", "Symmetrical")
_TYPES = (*_WITH_PERCENT, "Ideal")
_TABLE = "trafo_characteristic_table"


@dataclass(frozen=True)
class Shifters:
    """Which transformers a file of pandapower 2 calls phase shifters: of each table and tap changer, the index's labels."""

    labels: dict[tuple[str, str], list[Any]]


def phase_shifters(net: Any) -> Shifters:
    """What `tap_phase_shifter` says, before pandapower 3 drops that column."""
    return Shifters(
        {
            (kind, changer): net[kind].index[_is_true(net[kind], f"tap{changer}_phase_shifter")].to_list()
            for kind in _SIDES
            if _has_rows(net, kind)
            for changer in ("", "2")
        }
    )


def settle(net: Any, shifters: Shifters | None = None) -> tuple[list[str], list[str]]:
    """Give every tap off its neutral position a type, and every transformer with a table a step of its own, in `net`.

    Returns
    -------
    Remarks, a line for each tap whose type is concluded here; and problems, a line for each whose effect the file does not say.
    """
    remarks: list[str] = []
    problems: list[str] = []
    for kind in _SIDES:
        if _has_rows(net, kind):
            for changer in ("", "2"):
                _settle_changer(net[kind], kind, changer, shifters, remarks, problems)
            problems += _splines(net[kind], kind)
    problems += _own_steps(net)
    problems += _steps_of_shunts(net)
    return remarks, problems


def _settle_changer(
    rows: Any, kind: str, changer: str, shifters: Shifters | None, remarks: list[str], problems: list[str]
) -> None:
    if f"tap{changer}_pos" not in rows:
        return
    position, neutral, percent, degree = (
        _figures(rows, f"tap{changer}_{name}") for name in ("pos", "neutral", "step_percent", "step_degree")
    )
    types, sides = _words(rows, f"tap{changer}_changer_type"), _words(rows, f"tap{changer}_side")
    shifts = _is_true(rows, f"tap{changer}_phase_shifter")
    if shifters is not None:
        shifts |= rows.index.isin(shifters.labels.get((kind, changer), ()))
    in_percent, in_degrees = np.nan_to_num(percent) != 0.0, np.nan_to_num(degree) != 0.0
    off = in_service(rows) & np.isfinite(position) & (position != neutral) & (in_percent | in_degrees)
    if not changer:
        off &= ~_is_true(rows, "tap_dependency_table")
    concluded = np.where(shifts | ~in_percent, "Ideal", "Ratio").astype(object)
    untyped = np.array([one is None for one in types], dtype=bool)
    settled = np.where(off & (untyped | shifts), concluded, types)
    rows[f"tap{changer}_changer_type"] = settled
    for k in np.flatnonzero(off):
        where = f"{kind} {_called(rows, int(k))}: its tap{changer}_pos {position[k]:g}"
        if sides[k] not in _SIDES[kind]:
            problems.append(f"{where} needs a tap{changer}_side, one of {', '.join(_SIDES[kind])}; it is {sides[k]}")
        elif np.isnan(neutral[k]):
            problems.append(f"{where} needs a tap{changer}_neutral to count from")
        elif settled[k] not in _TYPES:
            problems.append(
                f"{where} has the tap{changer}_changer_type {settled[k]!r}; it must be one of {', '.join(_TYPES)}"
            )
        elif settled[k] in _WITH_PERCENT and not in_percent[k]:
            problems.append(f"{where} is of type {settled[k]}, which needs a tap{changer}_step_percent")
        elif untyped[k] and not shifts[k]:
            step = f"{percent[k]:g} %" if in_percent[k] else f"{degree[k]:g} degrees"
            remarks.append(
                f"{where} has no tap{changer}_changer_type; it counts as {settled[k]}, {step} a step "
                "(pandapower 3 leaves such a tap out)"
            )


def _splines(rows: Any, kind: str) -> list[str]:
    """Problems of impedances that follow the tap by a spline, as pandapower 2 had them: version 3 passes them over where it has tables."""
    if "tap_dependency_table" not in rows:
        return []
    follows = _is_true(rows, "tap_dependent_impedance") & in_service(rows) & ~_by_table(rows)
    return [
        f"{kind} {_called(rows, int(k))}: its tap_dependent_impedance counts no more in pandapower 3; "
        f"give its impedances in {_TABLE}, or set it to false"
        for k in np.flatnonzero(follows)
    ]


def _steps_of_shunts(net: Any) -> list[str]:
    """Problems of shunts whose step is not in their table."""
    if not _has_rows(net, "shunt"):
        return []
    rows, table = net["shunt"], net.get("shunt_characteristic_table")
    by_table = np.flatnonzero(_is_true(rows, "step_dependency_table") & in_service(rows))
    has_table = hasattr(table, "columns") and {"id_characteristic", "step"} <= set(table)
    wanted, step = _figures(rows, "id_characteristic_table"), _figures(rows, "step")
    times = [
        int(((_figures(table, "id_characteristic") == wanted[k]) & (_figures(table, "step") == step[k])).sum())
        if has_table
        else 0
        for k in by_table
    ]
    return [
        f"shunt {_called(rows, int(k))}: its step {step[k]:g} stands {count} times under id_characteristic {wanted[k]:g} "
        "in shunt_characteristic_table; once is needed"
        for k, count in zip(by_table, times, strict=True)
        if count != 1
    ]


def _own_steps(net: Any) -> list[str]:
    """Problems of transformers whose taps are in a table; each of the others gets a row there that no other transformer shares."""
    import pandas

    with_table = [(kind, k) for kind in _SIDES if _has_rows(net, kind) for k in np.flatnonzero(_by_table(net[kind]))]
    if not with_table:
        return []
    table = net.get(_TABLE)
    if not isinstance(table, pandas.DataFrame) or not {"id_characteristic", "step"} <= set(table):
        return [
            f"{kind} {_called(net[kind], int(k))}: its tap_dependency_table is true, but the file has no {_TABLE}"
            for kind, k in with_table
        ]
    ids, steps = _figures(table, "id_characteristic"), _figures(table, "step")
    problems: list[str] = []
    kept: list[int] = []
    own = {kind: net[kind]["id_characteristic_table"].astype(object).to_numpy(copy=True) for kind, _ in with_table}
    for kind, k in with_table:
        rows = net[kind]
        position, wanted = _figures(rows, "tap_pos")[k], _figures(rows, "id_characteristic_table")[k]
        found = np.flatnonzero((ids == wanted) & (steps == position))
        side = _words(rows, "tap_side")[k]
        where = f"{kind} {_called(rows, int(k))}: its tap_pos {position:g}"
        if len(found) != 1:
            problems.append(
                f"{where} stands {len(found)} times under id_characteristic {wanted:g} in {_TABLE}; once is needed"
            )
        elif side not in _SIDES[kind]:
            problems.append(f"{where} needs a tap_side, one of {', '.join(_SIDES[kind])}; it is {side}")
        else:
            own[kind][k] = len(kept)
            kept.append(int(found[0]))
    if not problems:
        net[_TABLE] = table.iloc[kept].reset_index(drop=True)
        net[_TABLE]["id_characteristic"] = pandas.array(range(len(kept)), dtype="Int64")
        for kind, ids_of_rows in own.items():
            used = _by_table(net[kind])
            net[kind]["id_characteristic_table"] = pandas.array(
                [int(one) if mine else None for one, mine in zip(ids_of_rows, used, strict=True)], dtype="Int64"
            )
    return problems


def tables_in_use(net: Any) -> frozenset[str]:
    """The tables of steps that a transformer or a shunt in service takes its figures from."""
    by_table = {kind: _by_table(net[kind]).any() for kind in _SIDES if _has_rows(net, kind)}
    found = {_TABLE} if any(by_table.values()) else set()
    if _has_rows(net, "shunt") and (_is_true(net["shunt"], "step_dependency_table") & in_service(net["shunt"])).any():
        found.add("shunt_characteristic_table")
    return frozenset(found)


def in_service(rows: Any) -> Bools:
    """(rows,) whether each counts."""
    if "in_service" not in rows:
        return np.ones(len(rows), dtype=bool)
    return np.asarray(rows["in_service"].to_numpy(dtype=bool))


def _by_table(rows: Any) -> Bools:
    return _is_true(rows, "tap_dependency_table") & in_service(rows)


def _has_rows(net: Any, kind: str) -> bool:
    return kind in net and hasattr(net[kind], "index") and len(net[kind]) > 0


def _figures(rows: Any, column: str) -> Floats:
    import pandas

    if column not in rows:
        return np.full(len(rows), np.nan)
    return np.asarray(pandas.to_numeric(rows[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))


def _words(rows: Any, column: str) -> Words:
    """(rows,) text, None where there is none; pandas writes a missing word of a column of text as "nan"."""
    given = rows[column].to_list() if column in rows else [None] * len(rows)
    words = np.empty(len(rows), dtype=object)
    words[:] = [one if isinstance(one, str) and one not in ("", "nan", "None") else None for one in given]
    return words


def _is_true(rows: Any, column: str) -> Bools:
    given = rows[column].to_list() if column in rows else [False] * len(rows)
    return np.array([one is True or one is np.True_ or one == 1 for one in _plain(given)], dtype=bool)


def _plain(given: list[Any]) -> list[Any]:
    """Values that can be compared: what pandas holds for a missing one cannot."""
    return [one if isinstance(one, (bool, np.bool_, int, float)) else None for one in given]


def _called(rows: Any, k: int) -> str:
    index, name = rows.index[k], rows["name"].iloc[k] if "name" in rows else None
    return f"{index} ({name})" if isinstance(name, str) and name else str(index)

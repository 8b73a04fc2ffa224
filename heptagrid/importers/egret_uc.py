"""A unit-commitment case of Egret: thermal and renewable generators, loads, branches, links and the reserve requirement.

A polynomial cost is cut into two pieces of equal width, as Egret does; start-up and shutdown limits, if not given, are the minimum and half an hour's ramp.
What Egret knows and this market does not (fuel supplies, ancillary services, interfaces, security constraints, storages, prices of broken limits) is refused
by name; `ignore` leaves it out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import FileError
from heptagrid.importers.commitment_json import (
    HOUR_MIN,
    Problems,
    check_units,
    piecewise_blocks,
    rising,
    spinning_reserve,
    start_table,
)
from heptagrid.world.commitment_case import BranchNetwork, CommitmentCase, CommittedUnits, Reservoirs, Sources, Storages

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Data = Mapping[str, Any]

KINDS = {
    "fuel_supply": "limits of fuel",
    "interface": "interfaces of several branches",
    "security_constraint": "security constraints",
    "storage": "storages",
}
SERVICES = {
    "ancillary_services": (
        "spinning_reserve_requirement",
        "non_spinning_reserve_requirement",
        "regulation_up_requirement",
        "regulation_down_requirement",
        "flexible_ramp_up_requirement",
        "flexible_ramp_down_requirement",
        "supplemental_reserve_requirement",
    )
}
_UNIT_KINDS = {
    "startup_curve": "output below the minimum while a unit starts",
    "shutdown_curve": "output below the minimum while a unit stops",
    "aux_fuel_capable": "a second fuel",
    "future_status": "a unit's state after the end",
}
_PIECES = 2
_UNLIMITED_MW = 1e9
_UNSERVED_COST = 1e6  # of a MWh, as Egret takes it where the file says nothing


def egret_case(data: Data, source: str, ignore: Collection[str] = ()) -> CommitmentCase:
    """The case in the object of a file.

    Raises
    ------
    FileError
        For what is missing, no figure, or not represented; the message names it.
    """
    try:
        return _case(data, source, ignore)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as problem:
        raise FileError(source, [f"it is not as Egret writes it, or a figure changes with time: {problem}"]) from None


def _case(data: Data, source: str, ignore: Collection[str]) -> CommitmentCase:
    problems = Problems(source)
    elements: Data = data["elements"]
    system: Data = data["system"]
    _refuse(elements, system, problems, ignore)
    keys = system.get("time_keys")
    if not isinstance(keys, list) or not keys:
        raise FileError(source, ["system: time_keys is missing or no list"])
    if float(system.get("time_period_length_minutes", HOUR_MIN)) != HOUR_MIN:
        raise FileError(source, ["system: time_period_length_minutes is not 60; only hours are cleared"])
    periods = len(keys)
    buses = list(elements.get("bus", {}))
    place = {name: k for k, name in enumerate(buses)}
    load_mw = np.zeros((periods, len(buses)))
    for name, one in elements.get("load", {}).items():
        if one.get("in_service", True):
            load_mw[:, _bus(name, one, place, problems)] += problems.series(name, one.get("p_load"), periods, "p_load")
    running = {name: one for name, one in elements["generator"].items() if one.get("in_service", True)}
    units = _units({n: one for n, one in running.items() if one["generator_type"] == "thermal"}, place, problems)
    sources = _sources(
        {n: one for n, one in running.items() if one["generator_type"] != "thermal"}, place, periods, problems
    )
    network = _network(elements, place, problems) if len(buses) > 1 else None
    required = problems.series("system", system.get("reserve_requirement", 0.0), periods, "reserve_requirement")
    problems.check()
    unserved = float(system.get("load_mismatch_cost", _UNSERVED_COST))
    return CommitmentCase(
        name=source,
        bus_names=np.array(buses, dtype=np.str_),
        load_mw=load_mw,
        units=units,
        sources=sources,
        storages=Storages.none(),
        reservoirs=Reservoirs.none(periods),
        reserves=spinning_reserve("reserve", required, len(units), len(sources)),
        network=network,
        unserved_cost=unserved,
        short_cost=float(system.get("reserve_shortfall_cost", 0.1 * unserved)),
    )


def _refuse(elements: Data, system: Data, problems: Problems, ignore: Collection[str]) -> None:
    for kind, words in KINDS.items():
        if elements.get(kind) and kind not in ignore:
            problems.add(
                f"{len(elements[kind])} {kind} ({words}): not represented; leave them out with --ignore {kind}"
            )
    for kind, names in SERVICES.items():
        places = [system, *elements.get("area", {}).values(), *elements.get("zone", {}).values()]
        found = sorted({name for one in places for name in names if name in one})
        if found and kind not in ignore:
            problems.add(f"{', '.join(found)}: not represented; leave them out with --ignore {kind}")
    priced = [name for name, one in elements.get("branch", {}).items() if one.get("violation_penalty") is not None]
    if priced and "violation_penalty" not in ignore:
        problems.add(
            f"branch {', '.join(priced)}: violation_penalty (a limit that may be broken): not represented; ignore it with --ignore violation_penalty"
        )
    for key, words in _UNIT_KINDS.items():
        owners = [name for name, one in elements.get("generator", {}).items() if one.get(key)]
        if owners and key not in ignore:
            problems.add(
                f"{owners[0]} and {len(owners) - 1} others: {key} ({words}): not represented; ignore it with --ignore {key}"
            )


def _bus(name: str, one: Data, place: Mapping[str, int], problems: Problems, key: str = "bus") -> int:
    if one.get(key) not in place:
        problems.add(f"{name}: there is no bus {one.get(key)!r}")
        return 0
    return place[one[key]]


def _curve(name: str, one: Data, low: float, high: float, problems: Problems) -> list[tuple[float, float]]:
    """(MW, cost of an hour) from the minimum to the most."""
    per_fuel = 1.0
    curve = one.get("p_cost")
    if one.get("p_fuel") is not None:
        curve, per_fuel = one["p_fuel"], problems.number(name, one, "fuel_cost")
    fixed = float(one.get("non_fuel_no_load_cost") or 0.0)
    if curve is None:
        return [(low, fixed), (high, fixed)]
    values = curve.get("values")
    if (curve.get("cost_curve_type") or curve.get("fuel_curve_type")) == "polynomial":
        terms = [float(values.get(str(k), 0.0)) for k in range(3)]
        at = np.linspace(low, high, (_PIECES if terms[2] else 1) + 1)
        cost = terms[0] + terms[1] * at + terms[2] * at**2
    else:
        given = np.asarray(values, dtype=np.float64)
        at = np.unique(np.concatenate([[low, high], given[(given[:, 0] > low) & (given[:, 0] < high), 0]]))
        cost = np.interp(at, given[:, 0], given[:, 1])
    points = [(float(mw), fixed + per_fuel * float(usd)) for mw, usd in zip(at, cost, strict=True)]
    rising(name, points, problems)
    return points


def _starts(name: str, one: Data, problems: Problems) -> list[tuple[float, float]]:
    fixed = float(one.get("non_fuel_startup_cost") or 0.0)
    rows, per_fuel = one.get("startup_cost"), 1.0
    if one.get("startup_fuel") is not None:
        rows, per_fuel = one["startup_fuel"], problems.number(name, one, "fuel_cost")
    if rows is None:
        return [(0.0, fixed)]
    if isinstance(rows, int | float):
        return [(0.0, fixed + per_fuel * rows)]
    return [(float(lag), fixed + per_fuel * float(cost)) for lag, cost in rows]


def _units(thermal: Mapping[str, Data], place: Mapping[str, int], problems: Problems) -> CommittedUnits:
    def column(key: str, default: float | None = None) -> Floats:
        return np.array([problems.number(name, one, key, default) for name, one in thermal.items()], dtype=np.float64)

    def limit(key: str, otherwise: Floats) -> Floats:
        given = [one.get(key) for one in thermal.values()]
        return np.array([otherwise[k] if one is None else one for k, one in enumerate(given)], dtype=np.float64)

    low, high = column("p_min"), column("p_max")
    up, down = column("ramp_up_60min", _UNLIMITED_MW), column("ramp_down_60min", _UNLIMITED_MW)
    curves = [
        _curve(name, one, float(low[k]), float(high[k]), problems) for k, (name, one) in enumerate(thermal.items())
    ]
    block_mw, block_cost, no_load = piecewise_blocks(curves)
    cost, lag = start_table([_starts(name, one, problems) for name, one in thermal.items()])
    fixed = [one.get("fixed_commitment") for one in thermal.values()]
    for name, one in zip(thermal, fixed, strict=True):
        if one not in (None, 1):
            problems.add(f"{name}: fixed_commitment is {one!r}; only 1, always on, is represented")
    units = CommittedUnits(
        names=np.array(list(thermal), dtype=np.str_),
        bus=np.array([_bus(name, one, place, problems) for name, one in thermal.items()], dtype=np.int64),
        p_min_mw=low,
        p_max_mw=high,
        block_mw=block_mw,
        block_cost=block_cost,
        no_load=no_load,
        starts=cost,
        cold_after_h=lag,
        min_up_h=_whole(column("min_up_time", 0.0)),
        min_down_h=_whole(column("min_down_time", 0.0)),
        ramp_mw_per_h=up,
        on_h=np.nan_to_num(column("initial_status")).astype(np.int64),
        before_mw=column("initial_p_output"),
        ramp_down_mw_per_h=down,
        start_mw=limit("startup_capacity", low + 0.5 * up),
        stop_mw=limit("shutdown_capacity", low + 0.5 * down),
        stop_cost=column("shutdown_cost", 0.0),
        must_run=np.array([one == 1 for one in fixed], dtype=np.bool_) | (column("must_run", 0.0) > 0.5),
    )
    check_units(units, problems)
    return units


def _whole(hours: Floats) -> Ints:
    return np.maximum(np.ceil(np.nan_to_num(hours)), 1).astype(np.int64)


def _sources(given: Mapping[str, Data], place: Mapping[str, int], periods: int, problems: Problems) -> Sources:
    low, high = (
        np.array([problems.series(name, one.get(key, 0.0), periods, key) for name, one in given.items()])
        .reshape(len(given), periods)
        .T
        for key in ("p_min", "p_max")
    )
    bus = np.array([_bus(name, one, place, problems) for name, one in given.items()], dtype=np.int64)
    return Sources(np.array(list(given), dtype=np.str_), bus, low, high)


def _network(elements: Data, place: Mapping[str, int], problems: Problems) -> BranchNetwork:
    branches = {n: one for n, one in elements.get("branch", {}).items() if one.get("in_service", True)}
    links = {n: one for n, one in elements.get("dc_branch", {}).items() if one.get("in_service", True)}

    def ends(rows: Mapping[str, Data], key: str) -> Ints:
        return np.array([_bus(name, one, place, problems, key) for name, one in rows.items()], dtype=np.int64)

    def ratings(rows: Mapping[str, Data], key: str) -> Floats:
        found = [one.get(key) or one.get("rating_long_term") for one in rows.values()]
        return np.array([_UNLIMITED_MW if one is None else one for one in found], dtype=np.float64)

    x = np.array([problems.number(name, one, "reactance") for name, one in branches.items()], dtype=np.float64)
    tap = np.array([float(one.get("transformer_tap_ratio") or 1.0) for one in branches.values()], dtype=np.float64)
    return BranchNetwork(
        names=np.array(list(branches), dtype=np.str_),
        from_bus=ends(branches, "from_bus"),
        to_bus=ends(branches, "to_bus"),
        susceptance_pu=1.0 / (x * tap),
        rating_mw=ratings(branches, "rating_long_term"),
        emergency_mw=ratings(branches, "rating_emergency"),
        link_from=ends(links, "from_bus"),
        link_to=ends(links, "to_bus"),
        link_mw=ratings(links, "rating_long_term"),
    )

"""A market's day as columns and rows: units, sources, storages, reservoirs, what is not served, the balance of each period, and reserves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.formulations.program import INFINITE, Program
from heptagrid.planes.money.formulations.thermal_units import CommittedColumns, add_units
from heptagrid.world.commitment_case import CommitmentCase

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def _none() -> Ints:
    return np.empty((0, 0), dtype=np.int64)


@dataclass
class DayColumns:
    """The columns of a case, (periods, each), and its rows: the balance of each period (periods,) and the reserves (periods, products).

    losses: (periods,) what is lost on the way, none if the program has no losses; loss_share: (periods, buses) where it is taken out.
    """

    units: CommittedColumns
    sources: Ints
    charge: Ints
    discharge: Ints
    content: Ints
    reservoir: Ints
    links: Ints
    unserved: Ints
    surplus: Ints
    balance: Ints
    short: Ints = field(default_factory=_none)
    reserve: Ints = field(default_factory=_none)
    losses: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    loss_share: Floats = field(default_factory=lambda: np.empty((0, 0)))


def add_day(program: Program, case: CommitmentCase, loss_share: Floats | None = None) -> DayColumns:
    """Add a case; a MWh that is not served, or of which there is too much, costs the case's `unserved_cost`.

    loss_share: (periods, buses) at which buses losses are taken out, each period's sum 1; without it nothing is lost.
    """
    periods, buses = case.load_mw.shape
    units = add_units(program, case.units, periods)
    sources = program.columns(case.sources.low_mw, case.sources.high_mw)
    storages = case.storages
    shape = (periods, len(storages))
    charge = program.columns(0.0, np.broadcast_to(storages.charge_mw, shape))
    discharge = program.columns(0.0, np.broadcast_to(storages.discharge_mw, shape))
    content = program.columns(0.0, np.broadcast_to(storages.volume_mwh, shape))
    _keep_content(program, content, storages.begin_mwh, charge, storages.efficiency, discharge)
    if len(storages):
        program.put(program.rows(storages.begin_mwh, INFINITE), content[-1], 1.0)
    reservoir = _fill_reservoirs(program, case, units)
    network = case.network
    link_mw = network.link_mw if network is not None else np.empty(0)
    links = program.columns(np.broadcast_to(-link_mw, (periods, len(link_mw))), link_mw)
    unserved = program.columns(0.0, np.maximum(case.load_mw, 0.0), case.unserved_cost)
    surplus = program.columns(np.zeros((periods, buses)), INFINITE, case.unserved_cost)
    balance = program.rows(case.load_mw.sum(axis=1), case.load_mw.sum(axis=1))
    columns = DayColumns(
        units=units,
        sources=sources,
        charge=charge,
        discharge=discharge,
        content=content,
        reservoir=reservoir,
        links=links,
        unserved=unserved,
        surplus=surplus,
        balance=balance,
    )
    if loss_share is not None:
        columns.losses, columns.loss_share = program.columns(np.zeros(periods), INFINITE), loss_share
    for column, _, value in injections(case, columns):
        program.put(balance[:, np.newaxis], column, value)
    return columns


def _keep_content(
    program: Program, content: Ints, begin_mwh: Floats, charge: Ints, efficiency: Floats, discharge: Ints
) -> None:
    bound = np.zeros(content.shape)
    if content.size:
        bound[0] = begin_mwh
    row = program.rows(bound, bound)
    program.put(row, content, 1.0)
    program.put(row[1:], content[:-1], -1.0)
    program.put(row, charge, -efficiency)
    program.put(row, discharge, 1.0)


def _fill_reservoirs(program: Program, case: CommitmentCase, units: CommittedColumns) -> Ints:
    """A reservoir holds what has flowed in less what its unit has given and needed for starts; what it cannot hold is spilled."""
    reservoirs = case.reservoirs
    shape = reservoirs.inflow_mwh.shape
    content = program.columns(0.0, np.broadcast_to(reservoirs.volume_mwh, shape))
    spilled = program.columns(np.zeros(shape), INFINITE)
    bound = reservoirs.inflow_mwh.copy()
    if bound.size:
        bound[0] += reservoirs.begin_mwh
    row = program.rows(bound, bound)
    program.put(row, content, 1.0)
    program.put(row[1:], content[:-1], -1.0)
    program.put(row, spilled, 1.0)
    program.put(row, units.above[:, reservoirs.unit], 1.0)
    program.put(row, units.on[:, reservoirs.unit], case.units.p_min_mw[reservoirs.unit])
    program.put(row, units.starts[:, reservoirs.unit], reservoirs.start_mwh)
    return content


def injections(case: CommitmentCase, columns: DayColumns) -> list[tuple[Ints, Ints, Any]]:
    """What feeds in: columns (periods, n), their buses (n,), and how much one of each is: a number, (n,) or (periods, n)."""
    found: list[tuple[Ints, Ints, Any]] = [
        (columns.units.above, case.units.bus, 1.0),
        (columns.units.on, case.units.bus, case.units.p_min_mw),
        (columns.sources, case.sources.bus, 1.0),
        (columns.discharge, case.storages.bus, 1.0),
        (columns.charge, case.storages.bus, -1.0),
        (columns.unserved, np.arange(case.load_mw.shape[1]), 1.0),
        (columns.surplus, np.arange(case.load_mw.shape[1]), -1.0),
    ]
    if case.network is not None:
        found += [(columns.links, case.network.link_from, -1.0), (columns.links, case.network.link_to, 1.0)]
    if columns.losses.size:
        buses = np.arange(case.load_mw.shape[1])
        found.append((np.repeat(columns.losses[:, np.newaxis], len(buses), axis=1), buses, -columns.loss_share))
    return found


def require_reserves(program: Program, case: CommitmentCase, columns: DayColumns) -> None:
    """Each product's requirement is met by units that are on and sources that could give more or less; each gives within its ramp."""
    reserves, units = case.reserves, case.units
    periods = case.periods
    row = program.rows(reserves.required_mw, INFINITE)
    columns.reserve = row
    columns.short = program.columns(np.zeros(reserves.required_mw.shape), INFINITE, case.short_cost)
    program.put(row, columns.short, 1.0)
    room_mw = units.room_mw
    if _is_headroom(case):
        which = np.flatnonzero(reserves.units[0])
        program.put(row, columns.units.on[:, which], room_mw[which])
        program.put(row, columns.units.above[:, which], -1.0)
        return
    up = program.rows(-INFINITE, np.zeros(columns.units.on.shape))
    program.put(up, columns.units.above, 1.0)
    program.put(up, columns.units.on, -room_mw)
    down = program.rows(np.zeros(columns.units.on.shape), INFINITE)
    program.put(down, columns.units.above, 1.0)
    source_up = program.rows(-INFINITE, case.sources.high_mw)
    source_down = program.rows(case.sources.low_mw, INFINITE)
    for rows in (source_up, source_down):
        program.put(rows, columns.sources, 1.0)
    for k in range(len(reserves)):
        which = np.flatnonzero(reserves.units[k])
        most_mw = np.minimum(units.ramp_mw_per_h / 60.0 * reserves.within_min[k], room_mw)[which]
        held = program.columns(0.0, np.broadcast_to(most_mw, (periods, len(which))))
        program.put(row[:, k : k + 1], held, 1.0)
        program.put((up if reserves.is_up[k] else down)[:, which], held, 1.0 if reserves.is_up[k] else -1.0)
        if reserves.in_ramp is not None and reserves.in_ramp[k]:
            column_of = np.full(len(units), -1)
            column_of[which] = np.arange(len(which))
            for ceiling, owners in columns.units.ceilings:
                mine = column_of[owners] >= 0
                program.put(ceiling[:, mine], held[: len(ceiling), column_of[owners[mine]]], 1.0)
        which = np.flatnonzero(reserves.sources[k])
        held = program.columns(np.zeros((periods, len(which))), case.sources.high_mw[:, which])
        program.put(row[:, k : k + 1], held, 1.0)
        limit = source_up if reserves.is_up[k] else source_down
        program.put(limit[:, which], held, 1.0 if reserves.is_up[k] else -1.0)


def _is_headroom(case: CommitmentCase) -> bool:
    """Whether the only product is upwards, and of units that could give all their room in time: what each holds then is what it does not give."""
    reserves, units = case.reserves, case.units
    if len(reserves) != 1 or not reserves.is_up[0] or reserves.sources.any() or reserves.in_ramp is not None:
        return False
    in_time = units.ramp_mw_per_h / 60.0 * reserves.within_min[0] >= units.room_mw
    return bool(in_time[reserves.units[0]].all())

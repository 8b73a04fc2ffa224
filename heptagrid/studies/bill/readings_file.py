"""Reads a meter's readings from CSV: energies by interval, or what registers showed; every problem with its line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from math import gcd, isfinite
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from heptagrid.foundation.calendar import Floats, Ints
from heptagrid.foundation.errors import FileError, UsageError
from heptagrid.foundation.input_files import UnreadableError, read_text
from heptagrid.foundation.time import NS_PER_S, from_ns, to_ns
from heptagrid.planes.money.rates.registers import Register

TIME, METER, STATUS = "time", "meter", "status"
INTERVALS = ("import_kwh", "export_kwh")
REGISTERS = ("import_register_kwh", "export_register_kwh")
_KNOWN = (TIME, *INTERVALS, *REGISTERS, METER, STATUS)
_STATUS = {"": False, "measured": False, "estimated": True}
_FINEST_S = 60
_COARSEST_S = 3600
_MOST_KWH = 1e12
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


@dataclass(frozen=True)
class Readings:
    """Energies by slot, (slots,) in kWh each, from `begin_ns` on; is_estimated (slots,); spread_s: the longest span between registers' readings."""

    begin_ns: int
    slot_s: int
    import_kwh: Floats
    export_kwh: Floats
    is_estimated: np.ndarray
    spread_s: int = 0
    replaced: int = 0


def read_readings(path: str | Path, zone: ZoneInfo, digits: int | None = None) -> Readings:
    """Read a file: the columns time and import_kwh (and export_kwh), or time and import_register_kwh (and export_register_kwh).

    A time without an offset is local: an hour that comes twice is told by the order of the lines. `digits` are those of the registers.

    Raises
    ------
    FileError
        With every problem: the line and the column, what it holds, and what to write.
    """
    origin = str(path)
    try:
        text = read_text(Path(path))
    except UnreadableError as problem:
        raise FileError(origin, [str(problem)]) from None
    first = text.split("\n", 1)[0]
    rows = list(csv.reader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ","))
    if not rows or not any(rows[0]):
        raise FileError(origin, ["is empty; write the columns time and import_kwh, and a line for each interval"])
    table = _Table.of(origin, rows)
    at_ns = table.times(zone)
    if any(name in table.columns for name in REGISTERS):
        return _of_registers(table, at_ns, digits)
    return _of_intervals(table, at_ns, zone)


@dataclass
class _Table:
    """The cells of a file, by column; `lines` (rows,) say where they stand; `problems` what is wrong, with its line."""

    origin: str
    columns: dict[str, list[str]]
    lines: list[int]
    problems: list[tuple[int, str]]

    @staticmethod
    def of(origin: str, rows: Sequence[Sequence[str]]) -> _Table:
        names = [one.strip().lower() for one in rows[0]]
        problems = []
        for k, name in enumerate(names):
            if name not in _KNOWN:
                near = get_close_matches(name, _KNOWN, 1)
                meant = f"; did you mean {near[0]}?" if near else f"; the columns are {', '.join(_KNOWN)}"
                problems.append(f"line 1, column {k + 1}: {rows[0][k]!r} is not known{meant}")
            elif name in names[:k]:
                problems.append(f"line 1, column {k + 1}: {name} stands twice; leave one")
        if TIME not in names:
            problems.append(
                "line 1: the column time is missing; write when each interval begins, or when each register was read"
            )
        energies = [one for one in names if one in INTERVALS], [one for one in names if one in REGISTERS]
        if all(energies):
            problems.append("line 1: there are energies of intervals and of registers; leave one kind")
        elif not any(energies):
            problems.append("line 1: no column of energy; write import_kwh, or import_register_kwh for a register")
        if problems:
            raise FileError(origin, problems)
        filled = [(k + 2, row) for k, row in enumerate(rows[1:]) if any(cell.strip() for cell in row)]
        short = [f"line {k}: holds {len(row)} cells; write {len(names)}" for k, row in filled if len(row) != len(names)]
        if short:
            raise FileError(origin, short)
        if len(filled) < 2:
            raise FileError(origin, [f"holds {len(filled)} readings; write two or more"])
        columns = {name: [row[k].strip() for _, row in filled] for k, name in enumerate(names)}
        return _Table(origin, columns, [k for k, _ in filled], [])

    def wrong(self, row: int, column: str, text: str) -> None:
        self.problems.append((self.lines[row], f"line {self.lines[row]}, column {column}: {text}"))

    def stop(self) -> None:
        if self.problems:
            raise FileError(self.origin, [text for _, text in sorted(self.problems)])

    def times(self, zone: ZoneInfo) -> Ints:
        """(rows,) in ns since 1970 UTC."""
        found = np.zeros(len(self.lines), dtype=np.int64)
        for k, cell in enumerate(self.columns[TIME]):
            try:
                moment = datetime.fromisoformat(cell)
            except ValueError:
                self.wrong(k, TIME, f"{cell!r} is no time; write one such as 2016-07-04T13:15")
                continue
            if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
                self.wrong(k, TIME, f"{cell} is not within the years {_FIRST_YEAR} to {_LAST_YEAR}; write one that is")
                continue
            if moment.tzinfo is None:
                local, moment = moment, moment.replace(tzinfo=zone)
                if k and to_ns(moment) <= found[k - 1]:
                    moment = moment.replace(fold=1)
                if from_ns(to_ns(moment), zone).replace(tzinfo=None) != local:
                    self.wrong(
                        k, TIME, f"{cell} does not exist in {zone.key}, where the clocks go forward; leave the line out"
                    )
                    continue
            found[k] = to_ns(moment)
        self.stop()
        return found

    def numbers(self, column: str, least: float = 0.0) -> Floats:
        """(rows,) a column's numbers; zeros where there is none."""
        found = np.zeros(len(self.lines))
        for k, cell in enumerate(self.columns.get(column, [])):
            try:
                value = float(cell)
            except ValueError:
                comma = "; write a point in place of the comma" if "," in cell else "; write a number of kWh"
                self.wrong(k, column, f"{cell!r} is not a number{comma}")
                continue
            if not isfinite(value) or value > _MOST_KWH:
                self.wrong(k, column, f"{cell} is no energy up to {_MOST_KWH:g} kWh; write a number of kWh")
            elif value < least:
                other = "; write what is fed in in the column export_kwh" if column == "import_kwh" else ""
                self.wrong(k, column, f"{cell} is below {least:g}{other}")
            found[k] = value
        return found

    def estimated(self) -> np.ndarray:
        """(rows,) whether the status says so."""
        found = np.zeros(len(self.lines), dtype=bool)
        for k, cell in enumerate(self.columns.get(STATUS, [])):
            if cell.lower() not in _STATUS:
                self.wrong(k, STATUS, f"{cell!r} is not known; write measured or estimated")
                continue
            found[k] = _STATUS[cell.lower()]
        return found


def _of_intervals(table: _Table, at_ns: Ints, zone: ZoneInfo) -> Readings:
    taken, fed = (table.numbers(name) for name in INTERVALS)
    estimated = table.estimated()
    spans = np.diff(at_ns)
    slot_ns = int(np.median(spans))
    for k in np.flatnonzero(spans != slot_ns):
        cell, minutes = table.columns[TIME][k + 1], spans[k] / (60 * NS_PER_S)
        if spans[k] <= 0:
            table.wrong(
                int(k) + 1, TIME, f"{cell} is not after the line before; put each interval once, in the order of time"
            )
        else:
            missing = from_ns(int(at_ns[k]) + slot_ns, zone).isoformat(timespec="minutes")
            table.wrong(
                int(k) + 1,
                TIME,
                f"{cell} is {minutes:g} minutes after the line before, where intervals are {slot_ns / (60 * NS_PER_S):g}; "
                f"add the interval of {missing}",
            )
    slot_s = slot_ns // NS_PER_S
    if slot_s > 0 and (slot_ns % NS_PER_S or slot_s % _FINEST_S or _COARSEST_S % slot_s):
        table.wrong(
            1, TIME, f"intervals are {slot_s:g} s; write whole minutes that divide an hour, or a register's readings"
        )
    table.stop()
    return Readings(int(at_ns[0]), int(slot_s), taken, fed, estimated)


def _of_registers(table: _Table, at_ns: Ints, digits: int | None) -> Readings:
    shown = [table.numbers(name) for name in REGISTERS]
    estimated = table.estimated()
    names = table.columns.get(METER, [""] * len(at_ns))
    number = {name: k for k, name in enumerate(dict.fromkeys(names))}
    meter = np.array([number[name] for name in names], dtype=np.int64)
    for k in np.flatnonzero(np.diff(at_ns) <= 0):
        if meter[k] == meter[k + 1] or at_ns[k + 1] < at_ns[k]:
            table.wrong(
                int(k) + 1,
                TIME,
                f"{table.columns[TIME][k + 1]} is not after the line before; put readings in the order of time",
            )
    for k in np.flatnonzero((np.diff(meter) != 0) & (np.diff(at_ns) > 0)):
        table.wrong(
            int(k) + 1,
            METER,
            f"meter {names[k + 1]!r} begins at {table.columns[TIME][k + 1]}, after the last reading of {names[k]!r}; add what "
            f"{names[k]!r} showed when it was taken down, at the same time",
        )
    for k in np.flatnonzero(at_ns % (_FINEST_S * NS_PER_S)):
        table.wrong(int(k), TIME, f"{table.columns[TIME][k]} is no whole minute; write the minute")
    table.stop()
    begin_ns, end_ns = int(at_ns[0]), int(at_ns[-1])
    slot_s = gcd(_COARSEST_S, *(int(one - begin_ns) // NS_PER_S for one in at_ns), begin_ns // NS_PER_S)
    slots = (end_ns - begin_ns) // (slot_s * NS_PER_S)
    energies, kept = [], 0
    for values, name in zip(shown, REGISTERS, strict=True):
        if name not in table.columns:
            energies.append(np.zeros(slots))
            continue
        register = Register(at_ns, values, meter, estimated, digits).known()
        kept = len(register.at_ns)
        try:
            energies.append(register.by_slot(begin_ns, slots, slot_s))
        except UsageError as problem:
            raise FileError(table.origin, [f"column {name}, {problem}"]) from None
    left = Register(at_ns, shown[0], meter, estimated).known()
    uncertain = np.zeros(slots, dtype=bool)
    for k in np.flatnonzero(left.is_estimated):
        before = left.at_ns[max(int(k) - 1, 0)]
        ns = slot_s * NS_PER_S
        uncertain[int(before - begin_ns) // ns : int(left.at_ns[k] - begin_ns) // ns] = True
    spread_s = int(np.diff(left.at_ns).max()) // NS_PER_S
    return Readings(begin_ns, slot_s, energies[0], energies[1], uncertain, spread_s, len(at_ns) - kept)

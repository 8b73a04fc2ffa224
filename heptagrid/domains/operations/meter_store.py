"""Meter-data store: the reads that the head end received, the missing ones estimated and marked.

A read that is missing when its quarter hour is validated is replaced by an estimate (the same quarter
hour of the day before where that was measured, else the customer's standard profile); a read that
arrives later replaces the estimate, until its day's final settlement run. This is validation, estimation and editing as metering codes ask.

Every read carries the meter's registers. Where reads never come, the next one tells the energy of the gap before it: the difference of
the registers, less what was read. The gap's estimates are scaled to it (register scaling: Itron Enterprise Edition, "TOU scaling"; in
proportion to the estimated profile: US patent 8,620,885, claim 3), and are estimates of the shape alone from then on. Each time the first
estimates are scaled, so that it does not matter in which order a gap's reads came.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from heptagrid.domains.operations.moved_registers import MovedRegisters
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.parameters import parameter

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

QUARTERS_PER_DAY = 96
_LONGEST_DAY, _MARGIN = 100, 8  # quarter hours of a day of 25 hours, and those that have not been validated yet
_FEW = 8  # messages are kept of single meters while these are fewer than one in so many
_EXACT = 1e-6  # relative; to this a gap's energies, kept in 32 bits, add up to the difference of the registers


class ReadStatus(IntEnum):
    """What is known of a meter's quarter hour.

    SETTLED: estimated as one of a gap whose energy the registers tell. REPLACED: estimated first, read later.
    """

    MEASURED = 0
    ESTIMATED = 1
    REPLACED = 2
    SETTLED = 3
    MISSING = 254
    NOT_READ = 255


_MEASURED, _ESTIMATED, _REPLACED, _SETTLED, _MISSING = (
    int(ReadStatus[name]) for name in ("MEASURED", "ESTIMATED", "REPLACED", "SETTLED", "MISSING")
)


@dataclass(frozen=True)
class Parameters:
    """How long the head end waits for a reading before it estimates it."""

    validation_delay_s: float = parameter(
        1800.0,
        info="how long after its end a quarter hour is validated; reads missing then are estimated",
        unit="s",
        low=900.0,
        high=2700.0,
        source="assumption: the 15-minute reading window and as much again for retries",
    )


@dataclass(frozen=True)
class Reads:
    """Reads of one quarter hour, (k,) each: energies in kWh, registers at its end in kWh, and the messages that brought them.

    moved_kwh, asked_by: the register of what devices moved on request, and the set-point that asked for it.
    """

    meter: Ints
    import_kwh: npt.NDArray[np.float32]
    export_kwh: npt.NDArray[np.float32]
    import_register_kwh: Floats
    export_register_kwh: Floats
    moved_kwh: Floats
    asked_by: Ints
    message: Ints

    def of(self, which: Bools) -> Reads:
        """Some of them alone."""
        return Reads(*(getattr(self, one.name)[which] for one in fields(self)))


@dataclass(frozen=True)
class Changes:
    """What is known better of single quarter hours and meters, (k,) each, and the message that brought it."""

    quarter: Ints
    meter: Ints
    message: Ints


@dataclass(frozen=True)
class _Estimates:
    """First estimates of a quarter hour, (k,) each."""

    meter: Ints
    import_kwh: np.ndarray
    export_kwh: np.ndarray


class _Messages:
    """The messages of some meters' reads, -1 of the others'; kept for these alone while they are few."""

    def __init__(self, meters: int) -> None:
        self._count = meters
        self._meter, self._message = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        self._all: Ints | None = None

    def note(self, meters: Ints, messages: Ints) -> None:
        """Take those of some meters, each once; the last word counts."""
        if self._all is None and _FEW * (len(self._meter) + len(meters)) >= self._count:
            self._all = self.at(np.arange(self._count))
            self._meter = self._message = self._meter[:0]
        if self._all is not None:
            self._all[meters] = messages
            return
        stays = ~np.isin(self._meter, meters)
        meter = np.concatenate([self._meter[stays], meters])
        order = np.argsort(meter)
        self._meter = meter[order]
        self._message = np.concatenate([self._message[stays], messages])[order]

    def at(self, meters: Ints) -> Ints:
        """Those of some meters."""
        if self._all is not None:
            return self._all[meters]
        found = np.full(len(meters), -1, dtype=np.int64)
        place = np.searchsorted(self._meter, meters)
        here = np.flatnonzero(place < len(self._meter))
        here = here[self._meter[place[here]] == meters[here]]
        found[here] = self._message[place[here]]
        return found


class MeterStore:
    """Quarter-hour energies of every meter over the last `days`, by quarter hour since 1970.

    Registers are 0 when the store begins. stored: reads taken in; repeated: reads that came a second time and were left alone. too_late: by quarter hour,
    those that came when the day was closed.
    """

    def __init__(self, meters: int, days: int) -> None:
        self.meters = meters
        self._slots = slots = days * _LONGEST_DAY + _MARGIN
        self.import_kwh = np.zeros((slots, meters), dtype=np.float32)
        self.export_kwh = np.zeros((slots, meters), dtype=np.float32)
        self.status = np.full((slots, meters), ReadStatus.MISSING, dtype=np.uint8)
        self._quarter = np.full(slots, -1, dtype=np.int64)
        self._newest = -1
        # Registers at the end of what was read, and what they came to, estimates included, before the oldest quarter hour that is kept.
        self._import_register_kwh, self._export_register_kwh = np.zeros((slots, meters)), np.zeros((slots, meters))
        self._import_before_kwh, self._export_before_kwh = np.zeros(meters), np.zeros(meters)
        self.moved = MovedRegisters(meters)
        self._ended_gap: dict[int, _Messages] = {}  # by quarter hour: of reads before which there was a gap
        self._first_estimate: dict[int, _Estimates] = {}  # by quarter hour
        self._closed_until = -1
        self.stored = self.repeated = 0
        self.too_late: dict[int, int] = {}

    def slot(self, quarter: int) -> int:
        """The row of `quarter`; emptied first when it still held an older quarter hour."""
        row = quarter % self._slots
        if self._newest < 0:
            self._newest = quarter - 1
        for one in range(max(self._newest + 1, quarter - self._slots + 1), quarter + 1):
            self._open(one)
        self._newest = max(self._newest, quarter)
        if self._quarter[row] < 0:
            self._open(quarter)
        return row

    def _open(self, quarter: int) -> None:
        row = quarter % self._slots
        if self._quarter[row] >= 0:
            if self._quarter[row] >= self._closed_until:
                self._carry(row)
            self._ended_gap.pop(int(self._quarter[row]), None)
            self._first_estimate.pop(int(self._quarter[row]), None)
            self.status[row] = ReadStatus.MISSING
            self.import_kwh[row] = 0.0
            self.export_kwh[row] = 0.0
        self._quarter[row] = quarter

    def _carry(self, row: int) -> None:
        """Take a row into what the registers came to before the oldest quarter hour that can still change."""
        was_read, missing = _was_read(self.status[row]), self.status[row] == ReadStatus.MISSING
        for before, register, energy in (
            (self._import_before_kwh, self._import_register_kwh[row], self.import_kwh[row]),
            (self._export_before_kwh, self._export_register_kwh[row], self.export_kwh[row]),
        ):
            before[:] = np.where(was_read, register, np.where(missing, before, before + energy))

    def close(self, until_quarter: int) -> None:
        """Leave what lies before a quarter hour as it is: reads of it that come later are too late, and registers settle what lies after it."""
        for quarter in np.sort(self._quarter[self._quarter >= 0]).tolist():
            if self._closed_until <= quarter < until_quarter:
                self._carry(quarter % self._slots)
                self._first_estimate.pop(quarter, None)
        self._closed_until = max(self._closed_until, until_quarter)

    def receive(self, quarter: int, reads: Reads) -> Bools:
        """Store reads of `quarter`, (k,); those that come after an estimate replace it, each read is stored once.

        Returns
        -------
        Bools
            Which of them replaced an estimate, (k,).
        """
        row = self.slot(quarter)
        status = self.status[row]
        before = status[reads.meter]
        if self._quarter[row] != quarter or quarter < self._closed_until:
            unread = int((~_was_read(before)).sum()) if self._quarter[row] == quarter else len(reads.meter)
            self.too_late[quarter] = self.too_late.get(quarter, 0) + unread
            return np.zeros(len(reads.meter), dtype=np.bool_)
        is_late = (before == _ESTIMATED) | (before == _SETTLED)
        fresh = is_late | (before == _MISSING)
        count = int(np.count_nonzero(fresh))
        self.stored += count
        self.repeated += len(fresh) - count
        new = reads if count == len(fresh) else reads.of(fresh)
        self.import_kwh[row, new.meter], self.export_kwh[row, new.meter] = new.import_kwh, new.export_kwh
        self._import_register_kwh[row, new.meter] = new.import_register_kwh
        self._export_register_kwh[row, new.meter] = new.export_register_kwh
        self._note_gaps(quarter, new)
        self.moved.receive(quarter, new.meter, new.moved_kwh, new.asked_by)
        status[new.meter] = ReadStatus.MEASURED
        status[reads.meter[is_late]] = ReadStatus.REPLACED
        return np.asarray(is_late)

    def _note_gaps(self, quarter: int, reads: Reads) -> None:
        """Keep the messages of reads before which there is a gap."""
        before = (quarter - 1) % self._slots
        after_gap = ~_was_read(self.status[before, reads.meter]) | (self._quarter[before] != quarter - 1)
        if after_gap.any():
            ended = self._ended_gap.setdefault(quarter, _Messages(self.meters))
            ended.note(reads.meter[after_gap], reads.message[after_gap])

    def validate(self, quarter: int, standard_import_kwh: Floats, standard_export_kwh: Floats) -> Ints:
        """Estimate what is missing of `quarter`; returns the meters concerned.

        standard_*_kwh: (meters,) energies of the quarter hour by the customers' standard profiles.
        """
        row = self.slot(quarter)
        missing = np.flatnonzero(self.status[row] == ReadStatus.MISSING)
        if len(missing) == 0:
            return missing
        before = (quarter - QUARTERS_PER_DAY) % self._slots
        import_kwh, export_kwh = standard_import_kwh[missing], standard_export_kwh[missing]
        if self._quarter[before] == quarter - QUARTERS_PER_DAY:
            known = _was_read(self.status[before, missing])
            import_kwh = np.where(known, self.import_kwh[before, missing], import_kwh)
            export_kwh = np.where(known, self.export_kwh[before, missing], export_kwh)
        self.import_kwh[row, missing] = import_kwh
        self.export_kwh[row, missing] = export_kwh
        self.status[row, missing] = ReadStatus.ESTIMATED
        self._first_estimate[quarter] = _Estimates(
            missing, self.import_kwh[row, missing], self.export_kwh[row, missing]
        )
        return missing

    def settle(self) -> Changes:
        """Scale the estimates of each gap between two reads to what the registers tell; returns those that it changed."""
        quarters = np.sort(self._quarter[self._quarter >= max(self._closed_until, 0)])
        ended_by = np.zeros((len(quarters), self.meters), dtype=np.int16)
        before = self._back_to_first_estimates()
        _settle(
            quarters % self._slots,
            self.status,
            self.import_kwh,
            self._import_register_kwh,
            self._import_before_kwh,
            self.export_kwh,
            self._export_register_kwh,
            self._export_before_kwh,
            ended_by,
        )
        for row, meter, import_kwh, export_kwh in before:
            as_before = _same(self.import_kwh[row, meter], import_kwh) & _same(self.export_kwh[row, meter], export_kwh)
            ended_by[np.searchsorted(quarters, self._quarter[row]), meter[as_before]] = 0
            self.import_kwh[row, meter[as_before]] = import_kwh[as_before]
            self.export_kwh[row, meter[as_before]] = export_kwh[as_before]
        at, meter = np.nonzero(ended_by)
        return Changes(quarters[at], meter, self._ended(quarters[ended_by[at, meter]], meter))

    def _back_to_first_estimates(self) -> list[tuple[int, Ints, np.ndarray, np.ndarray]]:
        """Put first estimates in the place of scaled ones; returns rows, their meters, and what these had."""
        before = []
        for quarter, first in self._first_estimate.items():
            row = quarter % self._slots
            scaled = self.status[row, first.meter] == ReadStatus.SETTLED
            meter = first.meter[scaled]
            if len(meter):
                before.append((row, meter, self.import_kwh[row, meter], self.export_kwh[row, meter]))
                self.status[row, meter] = ReadStatus.ESTIMATED
                self.import_kwh[row, meter] = first.import_kwh[scaled]
                self.export_kwh[row, meter] = first.export_kwh[scaled]
        return before

    def ended_by(self, quarter: int, meter: int) -> int:
        """The message whose registers settled a quarter hour of a meter, -1 if none did."""
        if self.status[quarter % self._slots, meter] != ReadStatus.SETTLED:
            return -1
        after = next(
            one for one in range(quarter + 1, self._newest + 1) if _was_read(self.status[one % self._slots, meter])
        )
        return int(self._ended(np.array([after]), np.array([meter]))[0])

    def _ended(self, quarters: Ints, meters: Ints) -> Ints:
        """The messages of the reads that ended gaps, (k,)."""
        found = np.full(len(quarters), -1, dtype=np.int64)
        for quarter in np.unique(quarters).tolist():
            mine = quarters == quarter
            if quarter in self._ended_gap:
                found[mine] = self._ended_gap[quarter].at(meters[mine])
        return found

    def day(self, first_quarter: int, quarters: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Import, export (kWh) and status of a day's quarter hours, (quarters, meters) each."""
        rows = np.array([self.slot(first_quarter + k) for k in range(quarters)])
        return self.import_kwh[rows], self.export_kwh[rows], self.status[rows]

    def at(self, quarters: Ints, meters: Ints) -> tuple[np.ndarray, np.ndarray]:
        """Import and export (kWh) of single reads, (k,) each; their quarter hours must still be kept."""
        rows = quarters % self._slots
        return self.import_kwh[rows, meters], self.export_kwh[rows, meters]


def _was_read(status: np.ndarray) -> Bools:
    """Whether there is a read, with its registers."""
    return np.asarray((status == _MEASURED) | (status == _REPLACED))


def _same(now_kwh: np.ndarray, before_kwh: np.ndarray) -> Bools:
    """Whether energies differ by no more than rounding: registers at another end of a gap give the same total but for that."""
    return np.asarray(np.isclose(now_kwh, before_kwh, rtol=_EXACT, atol=_EXACT))


@kernel
def _settle(rows, status, imported, import_register, import_before, exported, export_register, export_before, ended_by):  # type: ignore[no-untyped-def]
    """Settle every gap of every meter; `ended_by` (quarters, meters) takes, where it changed a value, the number of the read after the gap."""
    for meter in range(status.shape[1]):
        import_kwh, export_kwh = import_before[meter], export_before[meter]
        first = 0
        estimated = missing = False
        for k in range(rows.shape[0]):
            row = rows[k]
            known = status[row, meter]
            if known != _MEASURED and known != _REPLACED:
                estimated, missing = estimated or known == _ESTIMATED, missing or known == _MISSING
                continue
            if first < k and not missing:
                total_import = max(import_register[row, meter] - imported[row, meter] - import_kwh, 0.0)
                total_export = max(export_register[row, meter] - exported[row, meter] - export_kwh, 0.0)
                gap = rows[first:k]
                if (
                    estimated
                    or _differs(gap, meter, imported, total_import)
                    or _differs(gap, meter, exported, total_export)
                ):
                    _scale(gap, meter, imported, total_import)
                    _scale(gap, meter, exported, total_export)
                    for slot in range(first, k):
                        status[rows[slot], meter] = _SETTLED
                        ended_by[slot, meter] = k
            import_kwh, export_kwh = import_register[row, meter], export_register[row, meter]
            first = k + 1
            estimated = missing = False


@kernel
def _differs(gap, meter, energies, total):  # type: ignore[no-untyped-def]
    """Whether a gap's energies do not come to its total."""
    found = 0.0
    for row in gap:
        found += energies[row, meter]
    return abs(found - total) > _EXACT * (1.0 + total)


@kernel
def _scale(gap, meter, energies, total):  # type: ignore[no-untyped-def]
    """Scale a gap's energies to its total; spread it evenly where they say nothing."""
    found = 0.0
    for row in gap:
        found += energies[row, meter]
    for row in gap:
        energies[row, meter] = energies[row, meter] * (total / found) if found > 0.0 else total / gap.shape[0]

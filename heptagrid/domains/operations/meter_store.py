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
from heptagrid.domains.operations.told_registers import ToldRegisters
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.quarter_rows import QuarterRows
from heptagrid.foundation.shared_row import SharedRow

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Floats32 = npt.NDArray[np.float32]

QUARTERS_PER_DAY = 96
_LONGEST_DAY, _MARGIN = 100, 8  # quarter hours of a day of 25 hours, and those that have not been validated yet
_BLOCK = 8192  # meters whose gaps are settled together
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


class MeterStore:
    """Quarter-hour energies of every meter over the last `days`, by quarter hour since 1970.

    Registers are 0 when the store begins. stored: reads taken in; repeated: reads that came a second time and were left alone. too_late: by quarter hour,
    those that came when the day was closed.
    """

    def __init__(self, meters: int, days: int) -> None:
        self.meters = meters
        self._slots = slots = days * _LONGEST_DAY + _MARGIN
        self._import_kwh = [SharedRow(meters) for _ in range(slots)]
        self._export_kwh = [SharedRow(meters) for _ in range(slots)]
        self._nothing = np.full(meters, ReadStatus.MISSING, dtype=np.uint8)  # never written to
        self._status = [self._unread() for _ in range(slots)]
        self._quarter = np.full(slots, -1, dtype=np.int64)
        self._newest = -1
        self._registers = ToldRegisters(meters)
        self.moved = MovedRegisters(meters)
        self._first_estimate: dict[int, _Estimates] = {}  # by quarter hour
        self._closed_until = -1
        self.stored = self.repeated = 0
        self.too_late: dict[int, int] = {}

    def slot(self, quarter: int) -> int:
        """The row of `quarter`; emptied first when it still held an older quarter hour."""
        row = quarter % self._slots
        if self._newest < 0:
            self._newest = quarter - 1
            self._registers.begin(quarter)
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
            self._registers.forget(int(self._quarter[row]))
            self._first_estimate.pop(int(self._quarter[row]), None)
            self._status[row] = self._unread()
            self._import_kwh[row], self._export_kwh[row] = SharedRow(self.meters), SharedRow(self.meters)
        self._quarter[row] = quarter

    def _unread(self) -> SharedRow:
        """The status of a quarter hour of which nothing has come."""
        return SharedRow(self.meters, self._nothing, np.uint8)

    def _carry(self, row: int) -> None:
        """Take a row into what the registers came to before the oldest quarter hour that can still change."""
        energies = np.stack([self._import_kwh[row].all(), self._export_kwh[row].all()])
        self._registers.carry(int(self._quarter[row]), energies, self._status[row].all() != ReadStatus.MISSING)

    def close(self, until_quarter: int) -> None:
        """Leave what lies before a quarter hour as it is: reads of it that come later are too late, and registers settle what lies after it."""
        for quarter in np.sort(self._quarter[self._quarter >= 0]).tolist():
            if self._closed_until <= quarter < until_quarter:
                self._carry(quarter % self._slots)
                self._first_estimate.pop(quarter, None)
        self._closed_until = max(self._closed_until, until_quarter)

    def receive(self, quarter: int, reads: Reads, whole_import_kwh: Floats32 | None = None) -> Bools:
        """Store reads of `quarter`, (k,); those that come after an estimate replace it, each read is stored once.

        whole_import_kwh: (meters,) the energies of which theirs are a part, where one array holds those of all; it is kept, not copied.

        Returns
        -------
        Bools
            Which of them replaced an estimate, (k,).
        """
        row = self.slot(quarter)
        status = self._status[row]
        before = status.at(reads.meter)
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
        self._import_kwh[row].take(new.meter, new.import_kwh, whole_import_kwh)
        self._export_kwh[row].put(new.meter, new.export_kwh)
        self._registers.receive(
            quarter,
            new.meter,
            (new.import_kwh.astype(np.float32, copy=False), new.export_kwh.astype(np.float32, copy=False)),
            (new.import_register_kwh, new.export_register_kwh),
            new.message,
        )
        self.moved.receive(quarter, new.meter, new.moved_kwh, new.asked_by)
        status.fill(new.meter, ReadStatus.MEASURED)
        status.fill(reads.meter[is_late], ReadStatus.REPLACED)
        return np.asarray(is_late)

    def validate(self, quarter: int, standard_import_kwh: Floats, standard_export_kwh: Floats) -> Ints:
        """Estimate what is missing of `quarter`; returns the meters concerned.

        standard_*_kwh: (meters,) energies of the quarter hour by the customers' standard profiles.
        """
        row = self.slot(quarter)
        status = self._status[row].all()
        missing = np.flatnonzero(status == ReadStatus.MISSING)
        # Nearly all have been read, as a rule, and what comes from now on is little.
        self._status[row] = SharedRow.of(status)
        if len(missing) == 0:
            return missing
        before = (quarter - QUARTERS_PER_DAY) % self._slots
        import_kwh, export_kwh = standard_import_kwh[missing], standard_export_kwh[missing]
        if self._quarter[before] == quarter - QUARTERS_PER_DAY:
            known = _was_read(self._status[before].at(missing))
            import_kwh = np.where(known, self._import_kwh[before].at(missing), import_kwh)
            export_kwh = np.where(known, self._export_kwh[before].at(missing), export_kwh)
        first = _Estimates(missing, import_kwh.astype(np.float32), export_kwh.astype(np.float32))
        self._put(row, missing, first.import_kwh, first.export_kwh)
        self._status[row].fill(missing, ReadStatus.ESTIMATED)
        self._first_estimate[quarter] = first
        return missing

    def _put(self, row: int, meters: Ints, import_kwh: np.ndarray, export_kwh: np.ndarray) -> None:
        """Let a row have other energies of some meters."""
        self._import_kwh[row].put(meters, import_kwh)
        self._export_kwh[row].put(meters, export_kwh)

    def settle(self) -> Changes:
        """Scale the estimates of each gap between two reads to what the registers tell; returns those that it changed."""
        quarters = np.sort(self._quarter[self._quarter >= max(self._closed_until, 0)])
        before = self._back_to_first_estimates()
        meters = self._with_gaps(quarters)
        parts = [self._settle(quarters, meters[k : k + _BLOCK]) for k in range(0, len(meters), _BLOCK)]
        at, meter, ended_by = np.concatenate([np.empty((3, 0), dtype=np.int64), *parts], axis=1)
        unchanged = [np.empty(0, dtype=np.int64)]
        for row, estimated, import_kwh, export_kwh in before:
            now = self._import_kwh[row].at(estimated), self._export_kwh[row].at(estimated)
            as_before = _same(now[0], import_kwh) & _same(now[1], export_kwh)
            self._put(row, estimated[as_before], import_kwh[as_before], export_kwh[as_before])
            place = np.searchsorted(quarters, self._quarter[row])
            unchanged.append(place * self.meters + estimated[as_before])
        changed = ~np.isin(at * self.meters + meter, np.concatenate(unchanged))
        at, meter, ended_by = at[changed], meter[changed], ended_by[changed]
        order = np.lexsort((meter, at))
        at, meter, ended_by = at[order], meter[order], ended_by[order]
        return Changes(quarters[at], meter, self._ended(quarters[ended_by], meter))

    def _with_gaps(self, quarters: Ints) -> Ints:
        """The meters that were not read in some of consecutive quarter hours and were read in a later one."""
        is_read_later, found = np.zeros((2, self.meters), dtype=np.bool_)
        for row in (quarters[::-1] % self._slots).tolist():
            was_read = _was_read(self._status[row].all())
            found |= is_read_later & ~was_read
            is_read_later |= was_read
        return np.flatnonzero(found)

    def _settle(self, quarters: Ints, meters: Ints) -> Ints:
        """Settle the gaps of some meters; (3, n): which of the quarter hours changed, of which meters, and which have the reads after the gaps."""
        rows = (quarters % self._slots).tolist()
        status = np.stack([self._status[row].at(meters) for row in rows])
        energies = np.array([(self._import_kwh[row].at(meters), self._export_kwh[row].at(meters)) for row in rows])
        registers = np.empty((1 + len(rows), 2, len(meters)))
        registers[0] = self._registers.before(meters)
        for k, quarter in enumerate(quarters.tolist()):
            was_read = _was_read(status[k])
            registers[k + 1] = self._registers.after(quarter, meters, registers[k], energies[k], was_read)
        ended_by = np.zeros((len(rows), len(meters)), dtype=np.int16)
        _settle(status, energies[:, 0], energies[:, 1], registers[:, 0], registers[:, 1], ended_by)
        for k, row in enumerate(rows):
            changed = np.flatnonzero(ended_by[k])
            if len(changed):
                self._put(row, meters[changed], energies[k, 0, changed], energies[k, 1, changed])
                self._status[row].fill(meters[changed], ReadStatus.SETTLED)
        at, which = np.nonzero(ended_by)
        return np.stack([at, meters[which], ended_by[at, which].astype(np.int64)])

    def _back_to_first_estimates(self) -> list[tuple[int, Ints, np.ndarray, np.ndarray]]:
        """Put first estimates in the place of scaled ones; returns rows, their meters, and what these had."""
        before = []
        for quarter, first in self._first_estimate.items():
            row = quarter % self._slots
            scaled = self._status[row].at(first.meter) == ReadStatus.SETTLED
            meter = first.meter[scaled]
            if len(meter):
                before.append((row, meter, self._import_kwh[row].at(meter), self._export_kwh[row].at(meter)))
                self._status[row].fill(meter, ReadStatus.ESTIMATED)
                self._put(row, meter, first.import_kwh[scaled], first.export_kwh[scaled])
        return before

    def ended_by(self, quarter: int, meter: int) -> int:
        """The message whose registers settled a quarter hour of a meter, -1 if none did."""
        mine = np.array([meter])
        if self._status[quarter % self._slots].at(mine)[0] != ReadStatus.SETTLED:
            return -1
        later = range(quarter + 1, self._newest + 1)
        after = next(one for one in later if _was_read(self._status[one % self._slots].at(mine))[0])
        return int(self._registers.messages(after, mine)[0])

    def _ended(self, quarters: Ints, meters: Ints) -> Ints:
        """The messages of the reads that ended gaps, (k,)."""
        found = np.full(len(quarters), -1, dtype=np.int64)
        for quarter in np.unique(quarters).tolist():
            mine = quarters == quarter
            found[mine] = self._registers.messages(quarter, meters[mine])
        return found

    def day(self, first_quarter: int, quarters: int) -> tuple[QuarterRows, QuarterRows, QuarterRows]:
        """Import, export (kWh) and status of a day's quarter hours, (quarters, meters) each, as they stand; 0 kWh where nothing is known."""
        rows = [self.slot(first_quarter + k) for k in range(quarters)]
        status = [self._status[row].snapshot() for row in rows]
        energies = []
        for kept in (self._import_kwh, self._export_kwh):
            found = [kept[row].snapshot() for row in rows]
            for one, known in zip(found, status, strict=True):
                unknown = np.flatnonzero(known.all() == _MISSING)
                one.put(unknown, np.zeros(len(unknown), dtype=np.float32))
            energies.append(QuarterRows(found, self.meters))
        return energies[0], energies[1], QuarterRows(status, self.meters, np.uint8)

    def at(self, quarters: Ints, meters: Ints) -> tuple[np.ndarray, np.ndarray]:
        """Import and export (kWh) of single reads, (k,) each; their quarter hours must still be kept."""
        found = np.empty((2, len(quarters)), dtype=np.float32)
        for quarter in np.unique(quarters).tolist():
            mine, row = quarters == quarter, quarter % self._slots
            found[:, mine] = self._import_kwh[row].at(meters[mine]), self._export_kwh[row].at(meters[mine])
        return found[0], found[1]


def _was_read(status: np.ndarray) -> Bools:
    """Whether there is a read, with its registers."""
    return np.asarray((status == _MEASURED) | (status == _REPLACED))


def _same(now_kwh: np.ndarray, before_kwh: np.ndarray) -> Bools:
    """Whether energies differ by no more than rounding: registers at another end of a gap give the same total but for that."""
    return np.asarray(np.isclose(now_kwh, before_kwh, rtol=_EXACT, atol=_EXACT))


@kernel
def _settle(status, imported, exported, import_register, export_register, ended_by):  # type: ignore[no-untyped-def]
    """Settle every gap of every meter, (quarters, meters) each; registers (1 + quarters, meters) begin with those before the first quarter hour.

    `ended_by` takes, where a value changed, the number of the read after the gap.
    """
    for meter in range(status.shape[1]):
        import_kwh, export_kwh = import_register[0, meter], export_register[0, meter]
        first = 0
        estimated = missing = False
        for k in range(status.shape[0]):
            known = status[k, meter]
            if known != _MEASURED and known != _REPLACED:
                estimated, missing = estimated or known == _ESTIMATED, missing or known == _MISSING
                continue
            if first < k and not missing:
                total_import = max(import_register[k + 1, meter] - imported[k, meter] - import_kwh, 0.0)
                total_export = max(export_register[k + 1, meter] - exported[k, meter] - export_kwh, 0.0)
                gap_import, gap_export = imported[first:k, meter], exported[first:k, meter]
                if estimated or _differs(gap_import, total_import) or _differs(gap_export, total_export):
                    _scale(gap_import, total_import)
                    _scale(gap_export, total_export)
                    ended_by[first:k, meter] = k
            import_kwh, export_kwh = import_register[k + 1, meter], export_register[k + 1, meter]
            first = k + 1
            estimated = missing = False


@kernel
def _differs(energies, total):  # type: ignore[no-untyped-def]
    """Whether a gap's energies do not come to its total."""
    found = 0.0
    for energy in energies:
        found += energy
    return abs(found - total) > _EXACT * (1.0 + total)


@kernel
def _scale(energies, total):  # type: ignore[no-untyped-def]
    """Scale a gap's energies to its total; spread it evenly where they say nothing."""
    found = 0.0
    for energy in energies:
        found += energy
    for k in range(energies.shape[0]):
        energies[k] = energies[k] * (total / found) if found > 0.0 else total / energies.shape[0]

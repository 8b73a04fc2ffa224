"""The days that were billed of late, and the true-ups that late reads and registers bring about."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from heptagrid.domains.operations.meter_store import KEPT_DAYS
from heptagrid.domains.providers.retailer import LateReads, Retailer
from heptagrid.planes.money import postings
from heptagrid.planes.money.ledger import Ledger
from heptagrid.planes.money.true_up import BilledDay, Terms, true_up
from heptagrid.recording.standing_estimates import Standing

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Correction:
    """A day's true-up: which day it is of, when it was posted, and the message that told the retailer.

    points, owed_eur, changed_kwh, fed_in_kwh: (k,) who, how much more they owe, used and fed in. reads, settled: (k,) how many reads came
    late, and how many quarter hours the registers settled. brought_by: (k,) the last of the readings that brought it.
    """

    day: date
    at_ns: int
    message: int
    points: Ints
    owed_eur: Floats
    changed_kwh: Floats
    fed_in_kwh: Floats
    reads: Ints
    settled: Ints
    brought_by: Ints


@dataclass
class _Kept:
    """A billed day, from its first quarter hour on, with what was known of each read and by how much it was off, (quarters, points)."""

    day: date
    first_quarter: int
    billed: BilledDay
    status: np.ndarray
    error_kwh: np.ndarray


@dataclass
class Corrections:
    """Keeps billed days as long as a late read or a register can change them; `posted` lists what was corrected."""

    terms: Terms
    standing: Standing
    posted: list[Correction] = field(default_factory=list)
    _kept: list[_Kept] = field(default_factory=list)
    _heard: int = 0  # of the retailer's late reads, how many have been looked at

    def keep(self, day: date, first_quarter: int, billed: BilledDay, status: np.ndarray, error_kwh: np.ndarray) -> None:
        """Remember a day that has just been billed."""
        self._kept = [*self._kept[1 - KEPT_DAYS :], _Kept(day, first_quarter, billed, status, error_kwh)]

    def post(self, ledger: Ledger, retailer: Retailer, at_ns: int) -> list[Correction]:
        """Post what the late reads that reached the retailer since the last call change of the days kept."""
        late, self._heard = retailer.late_reads[self._heard :], len(retailer.late_reads)
        new = [
            self._correct(kept, reads, mine, ledger, at_ns)
            for reads in late
            for kept in self._kept
            if (mine := _of(kept, reads)).any()
        ]
        self.posted += new
        return new

    def _correct(self, kept: _Kept, late: LateReads, mine: np.ndarray, ledger: Ledger, at_ns: int) -> Correction:
        reads_told = late.reads
        slots, points = reads_told.quarter[mine] - kept.first_quarter, reads_told.meter[mine]
        was_read = reads_told.was_read[mine]
        before = kept.billed
        kept.billed, change = true_up(
            before, slots, points, reads_told.import_kwh[mine], reads_told.export_kwh[mine], self.terms
        )
        kept.status = self.standing.replace(kept.status, before.import_kwh, kept.error_kwh, slots, points, was_read)
        postings.post_true_up(ledger, change, at_ns, late.message)
        more_kwh, more_fed_kwh, reads, settled = np.zeros((4, before.import_kwh.shape[1]))
        for more, new, old in (
            (more_kwh, kept.billed.import_kwh, before.import_kwh),
            (more_fed_kwh, kept.billed.export_kwh, before.export_kwh),
        ):
            np.add.at(more, points, new[slots, points].astype(np.float64) - old[slots, points])
        np.add.at(reads, points, was_read)
        np.add.at(settled, points, ~was_read)
        brought_by = np.full(len(reads), -1, dtype=np.int64)
        np.maximum.at(brought_by, points, reads_told.brought_by[mine])
        who = change.points
        found = Correction(
            *(kept.day, at_ns, late.message, who, change.bills.net, more_kwh[who], more_fed_kwh[who]),
            *(reads[who].astype(np.int64), settled[who].astype(np.int64), brought_by[who]),
        )
        self.standing.correct(found)
        return found


def _of(kept: _Kept, late: LateReads) -> np.ndarray:
    """Which of the late reads are of the day, (k,)."""
    last = kept.first_quarter + len(kept.status)
    return np.asarray((late.reads.quarter >= kept.first_quarter) & (late.reads.quarter < last))

"""The days that were billed of late, and the true-ups that late reads bring about."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from heptagrid.domains.operations.meter_store import KEPT_DAYS, ReadStatus
from heptagrid.domains.providers.retailer import LateReads, Retailer
from heptagrid.planes.money import postings
from heptagrid.planes.money.ledger import Ledger
from heptagrid.planes.money.true_up import BilledDay, Terms, true_up

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Correction:
    """A day's true-up: which day it is of, when it was posted, and the message that brought the late reads.

    points, owed_eur, changed_kwh, reads: (k,) who, how much more they owe, how much more they used, how many reads came late.
    """

    day: date
    at_ns: int
    message: int
    points: Ints
    owed_eur: Floats
    changed_kwh: Floats
    reads: Ints


@dataclass
class _Kept:
    """A billed day, from its first quarter hour on, with what was known of each read, (quarters, points)."""

    day: date
    first_quarter: int
    billed: BilledDay
    status: np.ndarray


@dataclass
class Replaced:
    """What late reads did away with: estimates that bills rested on, their energy, and by how much they were off."""

    reads: int = 0
    estimated_kwh: float = 0.0
    error_kwh: float = 0.0


@dataclass
class Corrections:
    """Keeps billed days as long as a late read can change them; `posted` lists what was corrected."""

    terms: Terms
    posted: list[Correction] = field(default_factory=list)
    replaced: Replaced = field(default_factory=Replaced)
    _kept: list[_Kept] = field(default_factory=list)
    _heard: int = 0  # of the retailer's late reads, how many have been looked at

    def keep(self, day: date, first_quarter: int, billed: BilledDay, status: np.ndarray) -> None:
        """Remember a day that has just been billed."""
        self._kept = [*self._kept[1 - KEPT_DAYS :], _Kept(day, first_quarter, billed, status)]

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
        slots, points = late.quarter[mine] - kept.first_quarter, late.meter[mine]
        imported, exported = late.import_kwh[mine], late.export_kwh[mine]
        before = kept.billed
        self._count(kept, slots, points, imported, exported)
        kept.billed, change = true_up(before, slots, points, imported, exported, self.terms)
        postings.post_true_up(ledger, change, at_ns, late.message)
        more_kwh, reads = np.zeros(before.import_kwh.shape[1]), np.zeros(before.import_kwh.shape[1], dtype=np.int64)
        np.add.at(more_kwh, points, imported.astype(np.float64) - before.import_kwh[slots, points])
        np.add.at(reads, points, 1)
        who = change.points
        return Correction(kept.day, at_ns, late.message, who, change.bills.net, more_kwh[who], reads[who])

    def _count(self, kept: _Kept, slots: Ints, points: Ints, imported: np.ndarray, exported: np.ndarray) -> None:
        """Note the estimates that are none any more."""
        estimated = kept.status[slots, points] == ReadStatus.ESTIMATED
        slots, points = slots[estimated], points[estimated]
        was_imported, was_exported = kept.billed.import_kwh[slots, points], kept.billed.export_kwh[slots, points]
        self.replaced.reads += len(slots)
        self.replaced.estimated_kwh += float(was_imported.sum(dtype=np.float64))
        for was, true in ((was_imported, imported[estimated]), (was_exported, exported[estimated])):
            self.replaced.error_kwh += float(np.abs(was - true).sum(dtype=np.float64))
        kept.status = kept.status.copy()
        kept.status[slots, points] = ReadStatus.REPLACED


def _of(kept: _Kept, late: LateReads) -> np.ndarray:
    """Which of the late reads are of the day, (k,)."""
    last = kept.first_quarter + len(kept.status)
    return (late.quarter >= kept.first_quarter) & (late.quarter < last)

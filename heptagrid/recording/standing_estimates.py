"""What bills still rest on estimates at the end of a run, and what was delivered in the place of these.

A meter is heard again, or it is not: until its next reading nobody in the grid knows what it counted, and its bills stay estimates. The
simulator knows, and says how much energy and money that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from heptagrid.domains.operations.meter_store import ReadStatus
from heptagrid.foundation.quarter_rows import DayValues

if TYPE_CHECKING:
    from heptagrid.domains.providers.billing import Correction

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Errors:
    """By how much a day's estimates are off, in kWh: points, ascending, that have any, and (quarters, points) of these; all others have none."""

    points: Ints
    error_kwh: npt.NDArray[np.float32]

    @staticmethod
    def joined(parts: Sequence[Errors], quarters: int) -> Errors:
        """Of all points from those of some, in their order."""
        none = Errors(np.empty(0, dtype=np.int64), np.empty((quarters, 0), dtype=np.float32))
        return Errors(
            np.concatenate([one.points for one in (none, *parts)]),
            np.concatenate([one.error_kwh for one in (none, *parts)], axis=1),
        )

    def at(self, slots: Ints, points: Ints) -> npt.NDArray[np.float32]:
        """Of some quarter hours and points, (k,) each."""
        found = np.zeros(len(points), dtype=np.float32)
        place = np.searchsorted(self.points, points)
        place[place == len(self.points)] = 0
        if len(self.points):
            here = self.points[place] == points
            found[here] = self.error_kwh[slots[here], place[here]]
        return found


class Standing:
    """Counts of reads by status, and of each point what was delivered and what it has been billed for.

    delivered_kwh, fed_in_kwh: (points,) as the meters counted. billed_kwh, credited_kwh: (points,) as bills and true-ups have it, with
    billed_eur, which they come to; owed_eur: what bills of the meters' energies would have come to, both without pay for flexibility.
    """

    def __init__(self, points: int) -> None:
        self.delivered_kwh, self.fed_in_kwh = np.zeros(points), np.zeros(points)
        self.billed_kwh, self.credited_kwh = np.zeros(points), np.zeros(points)
        self.owed_eur, self.billed_eur = np.zeros(points), np.zeros(points)
        self._reads = dict.fromkeys(ReadStatus, 0)
        self._estimates = np.zeros(points, dtype=np.int64)
        self._estimated_kwh = np.zeros(points)
        self._error_kwh = 0.0
        self._was_heard = np.zeros(points, dtype=np.bool_)

    def bill(
        self,
        points: slice,
        status: np.ndarray,
        billed_kwh: tuple[np.ndarray, np.ndarray],
        true_kwh: tuple[np.ndarray, np.ndarray],
    ) -> Errors | None:
        """Take in a day's bills of some points: the status of each read, (quarters, points), and energies in and out, likewise.

        Returns by how much each estimate is off, in and out together; None where there is no estimate.
        """
        for sums, one in zip(
            ((self.billed_kwh, self.credited_kwh), (self.delivered_kwh, self.fed_in_kwh)),
            (billed_kwh, true_kwh),
            strict=True,
        ):
            sums[0][points] += one[0].sum(axis=0, dtype=np.float64)
            sums[1][points] += one[1].sum(axis=0, dtype=np.float64)
        estimated = status == ReadStatus.ESTIMATED
        for name in ReadStatus:
            self._reads[name] += int((status == name).sum())
        self._was_heard[points] |= ((status < ReadStatus.MISSING) & ~estimated).any(axis=0)
        if not estimated.any():
            return None
        self._estimates[points] += estimated.sum(axis=0)
        self._estimated_kwh[points] += np.where(estimated, billed_kwh[0], 0.0).sum(axis=0, dtype=np.float64)
        off_kwh = np.abs(billed_kwh[0] - true_kwh[0]) + np.abs(billed_kwh[1] - true_kwh[1])
        error_kwh = np.where(estimated, off_kwh, 0.0)
        self._error_kwh += float(error_kwh.sum(dtype=np.float64))
        concerned = np.flatnonzero(estimated.any(axis=0))
        return Errors(concerned + points.start, error_kwh[:, concerned].astype(np.float32))

    def owe(self, billed_eur: Floats, owed_eur: Floats) -> None:
        """Take in what a day's bills come to, (points,), and what bills of the meters' energies would have come to."""
        self.billed_eur += billed_eur
        self.owed_eur += owed_eur

    def replace(
        self,
        status: DayValues,
        billed_kwh: np.ndarray,
        errors: Errors,
        slots: Ints,
        points: Ints,
        was_read: Bools,
    ) -> DayValues:
        """The status of a billed day's reads, (quarters, points), once some, (k,), are known better; `billed_kwh` is what these were billed as."""
        before = status[slots, points]
        was_estimate = before == ReadStatus.ESTIMATED
        np.subtract.at(self._estimates, points[was_estimate], 1)
        energies_kwh = billed_kwh[was_estimate].astype(np.float64)
        np.subtract.at(self._estimated_kwh, points[was_estimate], energies_kwh)
        self._error_kwh -= float(errors.at(slots, points)[was_estimate].sum(dtype=np.float64))
        self._was_heard[points] = True
        new = status.copy()
        new[slots, points] = np.where(was_read, ReadStatus.REPLACED, ReadStatus.SETTLED)
        for name in ReadStatus:
            self._reads[name] += int((new[slots, points] == name).sum()) - int((before == name).sum())
        return new

    def correct(self, correction: Correction) -> None:
        """Take in what a true-up changed."""
        who = correction.points
        self.billed_kwh[who] += correction.changed_kwh
        self.credited_kwh[who] += correction.fed_in_kwh
        self.billed_eur[who] += correction.owed_eur

    @property
    def never_heard(self) -> Bools:
        """Points with reads that stay estimates and of which nothing came at all, (points,)."""
        return (self._estimates > 0) & ~self._was_heard

    def summary(self) -> dict[str, float]:
        """The reads of the run by what became of them, and what stays unread.

        estimated: neither read nor settled; unread_points: metering points with such reads, never_heard_points: those of which nothing
        came at all. estimated_energy_mwh, unread_energy_mwh: what they are billed for and what was delivered meanwhile; estimation_error_mwh:
        the sum of all estimates' errors; unbilled_eur: what these points would owe more by their meters.
        """
        reads = self._reads
        unread = self._estimates > 0
        estimated_kwh = float(self._estimated_kwh[unread].sum())
        more_kwh = float((self.delivered_kwh - self.billed_kwh)[unread].sum())
        return {
            "expected": float(sum(reads.values())),
            "received": float(reads[ReadStatus.MEASURED] + reads[ReadStatus.REPLACED]),
            "estimated": float(reads[ReadStatus.ESTIMATED]),
            "settled": float(reads[ReadStatus.SETTLED]),
            "replaced": float(reads[ReadStatus.REPLACED]),
            "estimated_energy_mwh": estimated_kwh / 1000.0,
            # Never below 0: it is a difference of sums.
            "estimation_error_mwh": max(self._error_kwh, 0.0) / 1000.0,
            "unread_energy_mwh": (estimated_kwh + more_kwh) / 1000.0,
            "unbilled_eur": float((self.owed_eur - self.billed_eur)[unread].sum()),
            "unread_points": float(unread.sum()),
            "never_heard_points": float(self.never_heard.sum()),
        }

"""What is asked for on paper where no message told it: by letter, after a visit, at any rate not over the network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.market import Metered
from heptagrid.contracts.retail import LateReads
from heptagrid.foundation.point_columns import of_points
from heptagrid.foundation.quarter_rows import DayValues

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class KnownDay:
    """What is known of a day's use: energies in kWh and read status, (quarters, points).

    point: (points,) whose, ascending. message: that told it, -1 on paper.
    """

    first_quarter: int
    point: Ints
    import_kwh: DayValues
    export_kwh: DayValues
    status: DayValues
    message: int = -1

    def of(self, first_quarter: int, quarters: int) -> KnownDay | None:
        """Some of its quarter hours; None if it does not hold them all."""
        skip = first_quarter - self.first_quarter
        if skip < 0 or skip + quarters > len(self.import_kwh):
            return None
        rows = slice(skip, skip + quarters)
        return replace(
            self,
            first_quarter=first_quarter,
            import_kwh=self.import_kwh[rows],
            export_kwh=self.export_kwh[rows],
            status=self.status[rows],
        )

    def of_points(self, points: Ints) -> KnownDay:
        """Of some metering points alone, from what is known of all."""
        import_kwh, export_kwh, status = (
            of_points(one, points) for one in (self.import_kwh, self.export_kwh, self.status)
        )
        return replace(self, point=points, import_kwh=import_kwh, export_kwh=export_kwh, status=status)


class Paper(Protocol):
    """What operations gives on paper of a day; it costs nobody anything, and comes in time."""

    def reads(self, first_quarter: int, quarters: int) -> KnownDay:
        """The day's reads, as they stand; without a smart grid what a visit reads, shared out over the quarter hours as it was."""

    def moved(self, until_quarter: int) -> tuple[Floats, Ints]:
        """(points,) the registers of what devices moved on request, as known before a quarter hour begins, and who asked."""

    def metered(self, first_quarter: int, quarters: int) -> Metered:
        """What the infeed took, and what the points of each retailer used less what they fed in."""

    def late_reads(self, first_quarter: int) -> LateReads | None:
        """What is known better of the day that begins with a quarter hour, if today has a later settlement run of it; of all points."""

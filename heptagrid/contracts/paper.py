"""What is asked for on paper where no message told it: by letter, after a visit, at any rate not over the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.market import Metered

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class KnownDay:
    """What is known of a day's use: energies in kWh and read status, (quarters, points).

    moved_kwh, asked_by: (points,) registers of what devices moved on request, and who asked. message: that told it, -1 on paper.
    """

    first_quarter: int
    import_kwh: np.ndarray
    export_kwh: np.ndarray
    status: np.ndarray
    moved_kwh: Floats
    asked_by: Ints
    message: int = -1

    def of(self, first_quarter: int, quarters: int) -> KnownDay | None:
        """Some of its quarter hours; None if it does not hold them all."""
        skip = first_quarter - self.first_quarter
        if skip < 0 or skip + quarters > len(self.import_kwh):
            return None
        rows = slice(skip, skip + quarters)
        energies = self.import_kwh[rows], self.export_kwh[rows], self.status[rows]
        return KnownDay(first_quarter, *energies, self.moved_kwh, self.asked_by, self.message)


class Paper(Protocol):
    """What operations gives on paper of a day; it costs nobody anything, and comes in time."""

    def reads(self, first_quarter: int, quarters: int) -> KnownDay:
        """The day's reads, as they stand; without a smart grid what a visit reads, shared out over the quarter hours as it was."""

    def metered(self, first_quarter: int, quarters: int) -> Metered:
        """What the infeed took, and what all points used less what they fed in."""

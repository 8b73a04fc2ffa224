"""What operations tells the market of a day, and gives on paper: what was metered at the infeed and at the points of each retailer, and which
units were there.

With smart meters the points' energies are those of the head end's store. Without them they are what a yearly visit reads: here each quarter hour's
own, as if the visit could share its reading out over the year as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import market
from heptagrid.contracts.paper import KnownDay
from heptagrid.contracts.retail import LateReads
from heptagrid.domains.operations.bulk_desk import BulkDesk
from heptagrid.domains.operations.meter_store import ReadStatus
from heptagrid.foundation.point_columns import of_points
from heptagrid.foundation.quarter_rows import DayValues
from heptagrid.planes.money.settlement import net_use_mwh

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Settled:
    """What the points of each retailer used less what they fed in, (quarters, retailers) and (corrections, retailers).

    settled_mwh: by the quarter hours of a day. corrected_*: of earlier ones whose later settlement run it is, and the last reading that told it.
    """

    settled_mwh: Floats
    corrected_quarter: Ints
    corrected_mwh: Floats
    corrected_by: Ints


class PointEnergies(Protocol):
    """Where the energies of the metering points are known: the head end's desk, or the visits."""

    def reads(self, first_quarter: int, quarters: int) -> KnownDay: ...
    def moved(self, until_quarter: int) -> tuple[Floats, Ints]: ...
    def settled(self, first_quarter: int, quarters: int) -> Settled: ...
    def late_reads(self, first_quarter: int) -> LateReads | None: ...


@dataclass(frozen=True)
class Visits:
    """What visits read; `counted` gives the meters' energies in and out, (quarters, points) in kWh.

    supplied: the points of each retailer.
    """

    counted: Callable[[int, int], tuple[Floats32, Floats32]]
    supplied: Sequence[Ints]

    def reads(self, first_quarter: int, quarters: int) -> KnownDay:
        """A day as it was counted."""
        import_kwh, export_kwh = self.counted(first_quarter, quarters)
        status = np.full(import_kwh.shape, ReadStatus.NOT_READ, dtype=np.uint8)
        return KnownDay(first_quarter, np.arange(import_kwh.shape[1]), import_kwh, export_kwh, status)

    def moved(self, until_quarter: int) -> tuple[Floats, Ints]:
        """Nobody asks for anything."""
        points = sum(len(one) for one in self.supplied)
        return np.zeros(points), np.full(points, -1, dtype=np.int64)

    def settled(self, first_quarter: int, quarters: int) -> Settled:
        """What the points used; nothing is known better later."""
        nothing = np.empty((0, len(self.supplied)))
        used_mwh = used_of_each(*self.counted(first_quarter, quarters), self.supplied)
        none = np.empty(0, dtype=np.int64)
        return Settled(used_mwh, none, nothing, none)

    def late_reads(self, first_quarter: int) -> LateReads | None:
        """None comes late."""
        return None


def used_of_each(import_kwh: DayValues, export_kwh: DayValues, supplied: Sequence[Ints]) -> Floats:
    """What the points of each retailer used less what they fed in, (quarters, retailers), from energies of all, (quarters, points)."""
    return np.column_stack([net_use_mwh(of_points(import_kwh, one), of_points(export_kwh, one)) for one in supplied])


class MeteredDays:
    """Puts the infeed's and the points' energies together, and keeps what the market was last told."""

    def __init__(self, points: PointEnergies, bulk_desk: BulkDesk) -> None:
        self._points, self._bulk_desk = points, bulk_desk
        self._told: market.Metered | None = None

    def reads(self, first_quarter: int, quarters: int) -> KnownDay:
        """The day's reads, as they stand."""
        return self._points.reads(first_quarter, quarters)

    def moved(self, until_quarter: int) -> tuple[Floats, Ints]:
        """The registers of what devices moved on request, and who asked, (points,) each."""
        return self._points.moved(until_quarter)

    def metered(self, first_quarter: int, quarters: int) -> market.Metered:
        """What the infeed took, and what the points used; the same if it was told before."""
        if self._told is None or self._told.first_quarter != first_quarter:
            settled = self._points.settled(first_quarter, quarters)
            self._told = market.Metered(
                first_quarter=first_quarter,
                infeed_mwh=self._bulk_desk.metered_mwh(first_quarter, quarters),
                settled_mwh=settled.settled_mwh,
                corrected_quarter=settled.corrected_quarter,
                corrected_mwh=settled.corrected_mwh,
                corrected_by=settled.corrected_by,
                available=self._bulk_desk.available(first_quarter // 4, quarters // 4),
            )
        return self._told

    def late_reads(self, first_quarter: int) -> LateReads | None:
        """What today's settlement run of an earlier day rests on, as it was told; None if no more is known than at first."""
        return self._points.late_reads(first_quarter)

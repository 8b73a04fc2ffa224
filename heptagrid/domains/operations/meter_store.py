"""Meter-data store: the reads that the head end received, the missing ones estimated and marked.

A read that is missing when its quarter hour is validated is replaced by an estimate (the same quarter
hour of the day before where that was measured, else the customer's standard profile); a read that
arrives later replaces the estimate. This is validation, estimation and editing as metering codes ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.parameters import parameter

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

QUARTERS_PER_DAY = 96
_SLOTS = 2 * 100 + 8  # two days of up to 100 quarter hours, and a margin for late reads


class ReadStatus(IntEnum):
    """What is known of a meter's quarter hour."""

    MEASURED = 0
    ESTIMATED = 1
    REPLACED = 2
    MISSING = 254
    NOT_READ = 255


@dataclass(frozen=True)
class Parameters:
    """When the head end stops waiting."""

    validation_delay_s: float = parameter(
        1800.0,
        info="how long after its end a quarter hour is validated; reads missing then are estimated",
        unit="s",
        low=900.0,
        high=2700.0,
        source="assumption: the 15-minute reading window and as much again for retries",
    )


class MeterStore:
    """Quarter-hour energies of every meter over the last two days, by quarter hour since 1970.

    stored: reads taken in; repeated: reads that came a second time and were left alone.
    """

    def __init__(self, meters: int) -> None:
        self.meters = meters
        self.import_kwh = np.zeros((_SLOTS, meters), dtype=np.float32)
        self.export_kwh = np.zeros((_SLOTS, meters), dtype=np.float32)
        self.status = np.full((_SLOTS, meters), ReadStatus.MISSING, dtype=np.uint8)
        self._quarter = np.full(_SLOTS, -1, dtype=np.int64)
        self.stored = self.repeated = 0

    def slot(self, quarter: int) -> int:
        """The row of `quarter`; emptied first when it still held a quarter hour two days back."""
        row = quarter % _SLOTS
        if self._quarter[row] < quarter:
            self._quarter[row] = quarter
            self.status[row] = ReadStatus.MISSING
            self.import_kwh[row] = 0.0
            self.export_kwh[row] = 0.0
        return row

    def receive(self, quarter: int, meters: Ints, import_kwh: Floats, export_kwh: Floats) -> None:
        """Store reads of `quarter`, (k,) each; those that come after an estimate replace it, each read is stored once."""
        row = self.slot(quarter)
        if self._quarter[row] != quarter:
            return  # two days late: the bill has long gone out
        status = self.status[row]
        fresh = (status[meters] == ReadStatus.MISSING) | (status[meters] == ReadStatus.ESTIMATED)
        self.stored += int(fresh.sum())
        self.repeated += int((~fresh).sum())
        meters, import_kwh, export_kwh = meters[fresh], import_kwh[fresh], export_kwh[fresh]
        late = meters[status[meters] == ReadStatus.ESTIMATED]
        self.import_kwh[row, meters] = import_kwh
        self.export_kwh[row, meters] = export_kwh
        status[meters] = ReadStatus.MEASURED
        status[late] = ReadStatus.REPLACED

    def validate(self, quarter: int, standard_import_kwh: Floats, standard_export_kwh: Floats) -> Ints:
        """Estimate what is missing of `quarter`; returns the meters concerned.

        standard_*_kwh: (meters,) energies of the quarter hour by the customers' standard profiles.
        """
        row = self.slot(quarter)
        missing = np.flatnonzero(self.status[row] == ReadStatus.MISSING)
        if len(missing) == 0:
            return missing
        before = (quarter - QUARTERS_PER_DAY) % _SLOTS
        import_kwh, export_kwh = standard_import_kwh[missing], standard_export_kwh[missing]
        if self._quarter[before] == quarter - QUARTERS_PER_DAY:
            status = self.status[before, missing]
            known = (status == ReadStatus.MEASURED) | (status == ReadStatus.REPLACED)
            import_kwh = np.where(known, self.import_kwh[before, missing], import_kwh)
            export_kwh = np.where(known, self.export_kwh[before, missing], export_kwh)
        self.import_kwh[row, missing] = import_kwh
        self.export_kwh[row, missing] = export_kwh
        self.status[row, missing] = ReadStatus.ESTIMATED
        return missing

    def day(self, first_quarter: int, quarters: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Import, export (kWh) and status of a day's quarter hours, (quarters, meters) each."""
        rows = np.array([self.slot(first_quarter + k) for k in range(quarters)])
        return self.import_kwh[rows], self.export_kwh[rows], self.status[rows]

"""Meter-data store: the reads that the head end received, the missing ones estimated and marked.

A read that is missing when its quarter hour is validated is replaced by an estimate (the same quarter
hour of the day before where that was measured, else the customer's standard profile); a read that
arrives later replaces the estimate, also after its day was billed. This is validation, estimation and editing as metering codes ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.parameters import parameter

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

QUARTERS_PER_DAY = 96
KEPT_DAYS = 7  # assumption: within a week a late read still replaces its estimate
_LONGEST_DAY, _MARGIN = 100, 8  # quarter hours of a day of 25 hours, and those that have not been validated yet


class ReadStatus(IntEnum):
    """What is known of a meter's quarter hour."""

    MEASURED = 0
    ESTIMATED = 1
    REPLACED = 2
    MISSING = 254
    NOT_READ = 255


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


class MeterStore:
    """Quarter-hour energies of every meter over the last `days`, by quarter hour since 1970.

    stored: reads taken in; repeated: reads that came a second time and were left alone.
    """

    def __init__(self, meters: int, days: int = KEPT_DAYS) -> None:
        self.meters = meters
        self._slots = slots = days * _LONGEST_DAY + _MARGIN
        self.import_kwh = np.zeros((slots, meters), dtype=np.float32)
        self.export_kwh = np.zeros((slots, meters), dtype=np.float32)
        self.status = np.full((slots, meters), ReadStatus.MISSING, dtype=np.uint8)
        self._quarter = np.full(slots, -1, dtype=np.int64)
        self.stored = self.repeated = 0

    def slot(self, quarter: int) -> int:
        """The row of `quarter`; emptied first when it still held an older quarter hour."""
        row = quarter % self._slots
        if self._quarter[row] < quarter:
            self._quarter[row] = quarter
            self.status[row] = ReadStatus.MISSING
            self.import_kwh[row] = 0.0
            self.export_kwh[row] = 0.0
        return row

    def receive(self, quarter: int, meters: Ints, import_kwh: Floats, export_kwh: Floats) -> Bools:
        """Store reads of `quarter`, (k,) each; those that come after an estimate replace it, each read is stored once.

        Returns
        -------
        Bools
            Which of them replaced an estimate, (k,).
        """
        row = self.slot(quarter)
        if self._quarter[row] != quarter:
            return np.zeros(len(meters), dtype=np.bool_)  # older than what is kept
        status = self.status[row]
        is_late = np.asarray(status[meters] == ReadStatus.ESTIMATED)
        fresh = is_late | (status[meters] == ReadStatus.MISSING)
        self.stored += int(fresh.sum())
        self.repeated += int((~fresh).sum())
        self.import_kwh[row, meters[fresh]] = import_kwh[fresh]
        self.export_kwh[row, meters[fresh]] = export_kwh[fresh]
        status[meters[fresh]] = ReadStatus.MEASURED
        status[meters[is_late]] = ReadStatus.REPLACED
        return is_late

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

    def at(self, quarters: Ints, meters: Ints) -> tuple[np.ndarray, np.ndarray]:
        """Import and export (kWh) of single reads, (k,) each; their quarter hours must still be kept."""
        rows = quarters % self._slots
        return self.import_kwh[rows, meters], self.export_kwh[rows, meters]

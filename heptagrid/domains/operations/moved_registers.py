"""Registers of what devices moved on request, as readings told them: at the end of a day, though younger readings have come by then."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_APART = 8  # the youngest quarter hours whose readings are kept apart


class MovedRegisters:
    """Of each meter the registers of the last quarter hours, (rows, meters), and the last one before them.

    asked_by: the set-point that asked for what was moved, as the reading says; -1 if none came.
    """

    def __init__(self, meters: int) -> None:
        self._quarters = np.full(_APART, -1, dtype=np.int64)
        self._moved_kwh, self._asked_by = np.zeros((_APART, meters)), np.full((_APART, meters), -1, dtype=np.int64)
        self._was_read = np.zeros((_APART, meters), dtype=np.bool_)
        self._before_kwh, self._before_by = np.zeros(meters), np.full(meters, -1, dtype=np.int64)
        self._before_quarter = np.full(meters, -1, dtype=np.int64)

    def receive(self, quarter: int, meter: Ints, moved_kwh: Floats, asked_by: Ints) -> None:
        """Take the registers at the end of a quarter hour, (k,) each."""
        row = quarter % _APART
        if self._quarters[row] > quarter:
            self._take_older(quarter, meter, moved_kwh, asked_by)
            return
        if self._quarters[row] < quarter:
            old = np.flatnonzero(self._was_read[row])
            self._take_older(int(self._quarters[row]), old, self._moved_kwh[row, old], self._asked_by[row, old])
            self._quarters[row], self._was_read[row] = quarter, False
        self._moved_kwh[row, meter], self._asked_by[row, meter] = moved_kwh, asked_by
        self._was_read[row, meter] = True

    def until(self, quarter: int) -> tuple[Floats, Ints]:
        """(meters,) the last registers known before `quarter` begins, and who asked."""
        moved_kwh, asked_by = self._before_kwh.copy(), self._before_by.copy()
        for row in np.argsort(self._quarters):
            if self._quarters[row] < quarter:
                read = self._was_read[row] & (self._before_quarter < self._quarters[row])
                moved_kwh[read], asked_by[read] = self._moved_kwh[row, read], self._asked_by[row, read]
        return moved_kwh, asked_by

    def _take_older(self, quarter: int, meter: Ints, moved_kwh: Floats, asked_by: Ints) -> None:
        younger = self._before_quarter[meter] < quarter
        meter = meter[younger]
        self._before_kwh[meter], self._before_by[meter] = moved_kwh[younger], asked_by[younger]
        self._before_quarter[meter] = quarter

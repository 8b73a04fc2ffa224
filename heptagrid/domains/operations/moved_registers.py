"""Registers of what devices moved on request, as readings told them: at the end of a day, though younger readings have come by then."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.merging import merged

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_APART = 8  # the youngest quarter hours whose readings are kept apart
_NOBODY = -1


class _Row:
    """Registers of those meters, ascending, whose reading of a quarter hour told of any; the others moved nothing, and nobody asked."""

    def __init__(self) -> None:
        self.meter, self.moved_kwh, self.asked_by = (
            np.empty(0, dtype=np.int32),
            np.empty(0),
            np.empty(0, dtype=np.int64),
        )

    def put(self, meter: Ints, moved_kwh: Floats, asked_by: Ints) -> None:
        """Take what some meters, each once, told, (k,); the last word counts."""
        tells = (moved_kwh != 0.0) | (asked_by != _NOBODY)
        if not len(self.meter) and not tells.any():
            return
        origin = merged(self.meter, meter, tells)
        self.meter = np.concatenate([self.meter, meter], dtype=np.int32, casting="same_kind")[origin]
        self.moved_kwh = np.concatenate([self.moved_kwh, moved_kwh])[origin]
        self.asked_by = np.concatenate([self.asked_by, asked_by])[origin]

    def all(self, meters: int) -> tuple[Floats, Ints]:
        """Of all of so many meters."""
        moved_kwh, asked_by = np.zeros(meters), np.full(meters, _NOBODY, dtype=np.int64)
        moved_kwh[self.meter], asked_by[self.meter] = self.moved_kwh, self.asked_by
        return moved_kwh, asked_by


class MovedRegisters:
    """Of each meter the registers of the last quarter hours, and the last one before them.

    asked_by: the set-point that asked for what was moved, as the reading says; -1 if none came.
    """

    def __init__(self, meters: int) -> None:
        self._meters = meters
        self._quarters = np.full(_APART, -1, dtype=np.int64)
        self._rows = [_Row() for _ in range(_APART)]
        self._was_read = np.zeros((_APART, meters), dtype=np.bool_)
        self._before_kwh, self._before_by = np.zeros(meters), np.full(meters, _NOBODY, dtype=np.int64)
        self._before_quarter = np.full(meters, -1, dtype=np.int32)

    def receive(self, quarter: int, meter: Ints, moved_kwh: Floats, asked_by: Ints) -> None:
        """Take the registers at the end of a quarter hour, (k,) each."""
        row = quarter % _APART
        if self._quarters[row] > quarter:
            self._take_older(quarter, meter, moved_kwh, asked_by)
            return
        if self._quarters[row] < quarter:
            old = np.flatnonzero(self._was_read[row])
            of_all_kwh, by_all = self._rows[row].all(self._meters)
            self._take_older(int(self._quarters[row]), old, of_all_kwh[old], by_all[old])
            self._quarters[row], self._was_read[row], self._rows[row] = quarter, False, _Row()
        self._rows[row].put(meter, moved_kwh, asked_by)
        self._was_read[row, meter] = True

    def until(self, quarter: int) -> tuple[Floats, Ints]:
        """(meters,) the last registers known before `quarter` begins, and who asked."""
        moved_kwh, asked_by = self._before_kwh.copy(), self._before_by.copy()
        for row in np.argsort(self._quarters):
            if self._quarters[row] < quarter:
                read = self._was_read[row] & (self._before_quarter < self._quarters[row])
                of_all_kwh, by_all = self._rows[row].all(self._meters)
                moved_kwh[read], asked_by[read] = of_all_kwh[read], by_all[read]
        return moved_kwh, asked_by

    def _take_older(self, quarter: int, meter: Ints, moved_kwh: Floats, asked_by: Ints) -> None:
        younger = self._before_quarter[meter] < quarter
        meter = meter[younger]
        self._before_kwh[meter], self._before_by[meter] = moved_kwh[younger], asked_by[younger]
        self._before_quarter[meter] = quarter

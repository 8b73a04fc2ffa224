"""What a customer's meter counted, and its sums and peaks by month and period: the only place that looks at every slot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.calendar import Calendar, Floats, Ints
from heptagrid.foundation.compiled.kernel import kernel

Energies = npt.NDArray[np.floating[Any]]

_BLOCK = 2048
"""Customers whose sums stay in the processor's nearest cache while their slots are read."""


@dataclass(frozen=True)
class Use:
    """Energies of customers by slot, (slots, customers) in kWh: taken from the network, and fed into it (two registers)."""

    calendar: Calendar
    import_kwh: Energies
    export_kwh: Energies

    @property
    def customers(self) -> int:
        """How many customers there are."""
        return int(self.import_kwh.shape[1])

    @property
    def months(self) -> int:
        """How many bills there are."""
        return len(self.calendar.months)

    def zeros(self) -> Floats:
        """(months, customers) of nothing."""
        return np.zeros((self.months, self.customers))

    def sums(self, period: Ints, periods: int, fed_in: bool = False) -> Floats:
        """What was taken (or fed in) by month and period, (months, periods, customers); `period` (slots,)."""
        rows = self.calendar.month * periods + period
        energies = self.export_kwh if fed_in else self.import_kwh
        sums = _sums(energies, rows, self.months * periods, _BLOCK)
        return np.asarray(sums.reshape(self.months, periods, self.customers))

    def totals(self, fed_in: bool = False) -> Floats:
        """What was taken (or fed in) in each month, (months, customers)."""
        return self.sums(np.zeros_like(self.calendar.month), 1, fed_in)[:, 0]

    def weighted(self, weights: Floats, fed_in: bool = False) -> Floats:
        """The sums of a month's energies, each weighted by its slot's weight: (slots,) weights give (months, customers)."""
        energies = self.export_kwh if fed_in else self.import_kwh
        return np.asarray(_weighted(energies, self.calendar.month, weights, self.months, _BLOCK))

    def peaks_kw(self, period: Ints, periods: int, slots: int = 1) -> Floats:
        """The highest mean power of `slots` slots by month and period, (months, periods, customers); a slot of period -1 does not count.

        Several slots are a window of the clock, such as a half hour; what readings do not cover whole at their begin and end does not count.
        """
        rows = np.where(period >= 0, self.calendar.month * periods + period, -1)
        energies = self.import_kwh
        if slots > 1:
            first = self.calendar.slots_before(slots * self.calendar.slot_s)
            last = first + max(len(rows) - first, 0) // slots * slots
            energies = energies[first:last].reshape(-1, slots, self.customers).sum(axis=1, dtype=np.float64)
            rows = rows[first:last:slots]
        found = _peaks(energies, rows, self.months * periods, _BLOCK).reshape(self.months, periods, self.customers)
        return np.asarray(found / (self.calendar.hours * slots))


@kernel
def _sums(energies, rows, count, block):  # type: ignore[no-untyped-def]
    slots, customers = energies.shape
    sums = np.zeros((count, customers))
    for first in range(0, customers, block):
        last = min(first + block, customers)
        for k in range(slots):
            row = rows[k]
            for j in range(first, last):
                sums[row, j] += energies[k, j]
    return sums


@kernel
def _weighted(energies, months, weights, count, block):  # type: ignore[no-untyped-def]
    slots, customers = energies.shape
    sums = np.zeros((count, customers))
    for first in range(0, customers, block):
        last = min(first + block, customers)
        for k in range(slots):
            row, weight = months[k], weights[k]
            for j in range(first, last):
                sums[row, j] += weight * energies[k, j]
    return sums


@kernel
def _peaks(energies, rows, count, block):  # type: ignore[no-untyped-def]
    slots, customers = energies.shape
    peaks = np.zeros((count, customers))
    for first in range(0, customers, block):
        last = min(first + block, customers)
        for k in range(slots):
            row = rows[k]
            if row >= 0:
                for j in range(first, last):
                    peaks[row, j] = max(peaks[row, j], energies[k, j])
    return peaks

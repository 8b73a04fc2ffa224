"""Gateways: the set-points and prices that have arrived at each device, and until when they hold.

A plan is a signal in kW for consecutive quarter hours. Plans are shared by all devices that were sent
the same one; a device holds the number of the last that reached it. Without a valid plan it behaves as if
there were no smart grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.parameters import parameter

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PLANS = 128  # remembered at once: a day of hourly plans five times over
SLOTS = 104  # a day of 25 hours, and a margin
SLOT_H = 0.25


@dataclass(frozen=True)
class Parameters:
    """Which customers let the aggregator control their devices, and which have the dynamic tariff."""

    enrolled_share: float = parameter(
        0.8,
        info="share of the owners of devices that let the aggregator control them",
        low=0.0,
        high=1.0,
        source="assumption: a mature programme; set it to 0.1 for an opt-in one",
    )
    dynamic_tariff_share: float = parameter(
        0.3,
        info="share of customers on the dynamic tariff; their devices follow its prices if the aggregator does not control them",
        low=0.0,
        high=1.0,
        source="assumption",
    )


class Plans(NamedTuple):
    """The plans of one class of devices and which each device holds, as kernels take them.

    signals: (PLANS, SLOTS) in kW; shape: the same from -1 (lowest) to 1 (highest). first_quarter, slots: (PLANS,); until_quarter:
    (PLANS,) when a plan lapses. steered: (devices,) row of the aggregator's plan, priced: (devices,) row of the prices; -1 if none.
    """

    signals: Floats
    shape: Floats
    first_quarter: Ints
    slots: Ints
    until_quarter: Ints
    steered: Ints
    priced: Ints


class PlanBook:
    """The same, as plans arrive: a row is written when the first device receives its plan."""

    def __init__(self, devices: int) -> None:
        self.signals = np.zeros((PLANS, SLOTS))
        self.first_quarter = np.zeros(PLANS, dtype=np.int64)
        self.slots = np.zeros(PLANS, dtype=np.int64)
        self.shape = np.zeros((PLANS, SLOTS))
        self.until_quarter = np.zeros(PLANS, dtype=np.int64)
        self.steered = np.full(devices, -1, dtype=np.int64)
        self.priced = np.full(devices, -1, dtype=np.int64)
        self._next = 0
        self._rows: dict[int, int] = {}

    @property
    def table(self) -> Plans:
        """The arrays of now, which `row_of` and gateways write to."""
        return Plans(
            signals=self.signals,
            shape=self.shape,
            first_quarter=self.first_quarter,
            slots=self.slots,
            until_quarter=self.until_quarter,
            steered=self.steered,
            priced=self.priced,
        )

    def row_of(self, key: int, first_quarter: int, signal: Floats, valid_quarters: int) -> int:
        """The row of a plan, written on first sight; `key` tells plans apart.

        A plan looks as far ahead as its signal but lapses `valid_quarters` after it begins.
        """
        row = self._rows.get(key)
        if row is None:
            row = self._next % PLANS
            self._next += 1
            self._rows = {old: r for old, r in self._rows.items() if r != row} | {key: row}
            count = min(len(signal), SLOTS)
            self.signals[row, :count] = signal[:count]
            self.shape[row, :count] = _shape(signal[:count])
            self.first_quarter[row], self.slots[row] = first_quarter, count
            self.until_quarter[row] = first_quarter + min(valid_quarters, count)
            self.steered[self.steered == row] = -1
            self.priced[self.priced == row] = -1
        return row


def _shape(signal: Floats) -> Floats:
    """A signal about its mean, in units of half its range, within -1 and 1."""
    half = 0.5 * float(np.ptp(signal))
    return np.clip((signal - signal.mean()) / half, -1.0, 1.0) if half > 0.0 else np.zeros_like(signal)


def price_signal(price_eur_per_kwh: Floats, p_max_kw: float) -> Floats:
    """Hourly prices as a quarter-hour signal that spreads over twice the device's power."""
    spread = max(float(np.ptp(price_eur_per_kwh)), 1e-6)
    return np.asarray(np.repeat((price_eur_per_kwh - price_eur_per_kwh.min()) / spread, 4) * 2.0 * p_max_kw)


@kernel(inline=True, allocates=False)
def plan_in_force(device, quarter, plans):  # type: ignore[no-untyped-def]
    """Row of the plan that the device follows in `quarter`, -1 if none: a set-point before a price."""
    row = plans.steered[device]
    if row >= 0 and plans.first_quarter[row] <= quarter < plans.until_quarter[row]:
        return row
    row = plans.priced[device]
    if row >= 0 and plans.first_quarter[row] <= quarter < plans.until_quarter[row]:
        return row
    return -1

"""Critical peaks: hours announced a day before, in which a kWh costs more, or a kWh not used is paid for against a baseline.

The baseline of an event is a customer's mean use at the same time of the latest days of the same kind without an event ("10 of 10"; NAESB's
business practices for measurement and verification of demand response).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from heptagrid.foundation.calendar import Floats, Ints
from heptagrid.planes.money.rates.coincident import Span
from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.use import Use


@dataclass(frozen=True)
class CriticalPeak:
    """price: on top of a kWh in an event. rebate: for a kWh below the baseline of `baseline_days` days."""

    spans: Sequence[Span]
    price: float = 0.0
    rebate: float = 0.0
    baseline_days: int = 10

    def lines(self, use: Use) -> list[Line]:
        """A line of the price and one of the rebate, as far as the rate has them."""
        in_event = np.zeros(use.calendar.slots, dtype=bool)
        for begin_ns, end_ns in self.spans:
            in_event |= use.calendar.between(begin_ns, end_ns)
        made = []
        if self.price:
            kwh = use.weighted(in_event.astype(np.float64))
            made.append(Line("critical peak", "critical peaks", kwh * self.price, kwh, "kWh", self.price))
        if self.rebate:
            kwh = self._saved(use, np.flatnonzero(in_event))
            made.append(Line("critical peak", "rebate of critical peaks", -kwh * self.rebate, kwh, "kWh", self.rebate))
        return made

    def _saved(self, use: Use, slots: Ints) -> Floats:
        """(months, customers) what was used below the baseline in the events, each event's kWh not below 0."""
        saved, calendar = use.zeros(), use.calendar
        event_days = np.unique(calendar.day[slots])
        for day in event_days:
            of_day = slots[calendar.day[slots] == day]
            below = np.zeros(use.customers)
            for k in of_day:
                alike = (calendar.quarter == calendar.quarter[k]) & (calendar.is_weekend == calendar.is_weekend[k])
                alike &= (calendar.day < day) & ~np.isin(calendar.day, event_days)
                days = np.flatnonzero(alike)[-self.baseline_days :]
                if len(days):
                    below += use.import_kwh[days].mean(axis=0, dtype=np.float64) - use.import_kwh[k]
            saved[calendar.month[of_day[0]]] += np.maximum(below, 0.0)
        return saved

"""Coincident peaks: a customer's power in the hours of the system's peak costs, whatever its own peak was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from heptagrid.foundation.calendar import Calendar, Ints
from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.use import Use

Span = tuple[int, int]
"""Nanoseconds since 1970 UTC: from, and up to."""


@dataclass(frozen=True)
class Coincident:
    """price_per_kw: of the highest power in a month's `spans`, the hours that the system's operator names afterwards."""

    price_per_kw: float
    spans: Sequence[Span]
    name: str = "coincident peak"

    def lines(self, use: Use) -> list[Line]:
        """One line; a month without such an hour costs nothing."""
        kw = use.peaks_kw(_within(use.calendar, self.spans), 1)[:, 0]
        return [Line("coincident peak", self.name, kw * self.price_per_kw, kw, "kW", self.price_per_kw)]


def _within(calendar: Calendar, spans: Sequence[Span]) -> Ints:
    """(slots,) 0 within a span, -1 outside all."""
    found = np.full(calendar.slots, -1, dtype=np.int64)
    for begin_ns, end_ns in spans:
        found[calendar.between(begin_ns, end_ns)] = 0
    return found

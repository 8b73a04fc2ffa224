"""Demand charges: a month's highest mean power costs, flat or by time of use, in tiers, with a ratchet and a minimum.

The billed demand of a month is the highest of its own peak, a share of the highest peak of the months before, and the least kW of the contract.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from heptagrid.foundation.calendar import Floats
from heptagrid.foundation.errors import UsageError
from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.schedule import Schedule
from heptagrid.planes.money.rates.tiers import NO_LIMIT, Tiers, shares
from heptagrid.planes.money.rates.use import Use

YEARS_LOOKBACK = 11
"""Months that a yearly ratchet looks back: with the month itself they are a year."""


@dataclass(frozen=True)
class Ratchet:
    """How a peak lasts: the share of an earlier peak that is billed, by the month of that peak, (12,), and for how many months.

    history_kw : (months before, customers), peaks in kW before the first bill, the latest last. period_history_kw : (months before, periods, customers), the same of
    each period of the demand; without it the whole meter's count in each.
    """

    shares: tuple[float, ...]
    lookback_months: int = YEARS_LOOKBACK
    history_kw: Floats | None = None
    period_history_kw: Floats | None = None

    @staticmethod
    def of(share: float, lookback_months: int = YEARS_LOOKBACK) -> Ratchet:
        """The same share of every month's peak."""
        return Ratchet((share,) * 12, lookback_months)

    def of_period(self, period: int) -> Ratchet:
        """The ratchet of one period, with its own history."""
        by_period = self.period_history_kw
        return self if by_period is None else replace(self, history_kw=by_period[:, period])


def billed_kw(peaks_kw: Floats, month_of_year: np.ndarray, ratchet: Ratchet | None, minimum_kw: float) -> Floats:
    """(months, customers) the billed demand from each month's own peak, (months, customers)."""
    billed = np.maximum(peaks_kw, minimum_kw)
    if ratchet is None:
        return billed
    before = np.empty((0, peaks_kw.shape[1])) if ratchet.history_kw is None else ratchet.history_kw
    first = int(month_of_year[0]) if len(month_of_year) else 0
    earlier = (first - len(before) + np.arange(len(before))) % 12
    weight = np.array(ratchet.shares)[np.concatenate([earlier, month_of_year]).astype(np.int64)]
    lasting = np.concatenate([before, peaks_kw]) * weight[:, np.newaxis]
    for m in range(len(peaks_kw)):
        at = m + len(before)
        seen = lasting[max(at - ratchet.lookback_months, 0) : at]
        if len(seen):
            billed[m] = np.maximum(billed[m], seen.max(axis=0))
    return billed


@dataclass(frozen=True)
class Demand:
    """A price of each period's demand. window_s: what the power is the mean of (None: a slot). periods: tiers of each period, in kW."""

    periods: tuple[Tiers, ...]
    schedule: Schedule
    name: str = "demand"
    ratchet: Ratchet | None = None
    minimum_kw: float = 0.0
    window_s: int | None = None

    def peaks_kw(self, use: Use) -> tuple[Floats, Floats]:
        """Each month's own peaks: of the whole meter, (months, customers), and by period, (months, periods, customers)."""
        period, slots = self.schedule.of(use.calendar), slots_of(self.window_s, use.calendar.slot_s)
        whole = use.peaks_kw(np.zeros_like(period), 1, slots)[:, 0]
        return whole, use.peaks_kw(period, len(self.periods), slots)

    def billed_kw(self, use: Use) -> Floats:
        """(months, periods, customers) billed; a month without a period has none of it."""
        count = len(self.periods)
        period = self.schedule.of(use.calendar)
        if self.ratchet is None and self.minimum_kw == 0.0:
            return use.peaks_kw(period, count, slots_of(self.window_s, use.calendar.slot_s))
        whole, peaks = self.peaks_kw(use)
        found = np.zeros_like(peaks)
        highest = billed_kw(whole, use.calendar.month_of_year, self.ratchet, self.minimum_kw)
        in_force = np.zeros((use.months, count), dtype=bool)
        in_force[use.calendar.month, period] = True
        alone = in_force.sum(axis=1) == 1
        for p in range(count):
            ratchet = None if self.ratchet is None else self.ratchet.of_period(p)
            by_period = billed_kw(peaks[:, p], use.calendar.month_of_year, ratchet, self.minimum_kw)
            billed = np.where(alone[:, np.newaxis], highest, by_period)
            found[:, p] = np.where(in_force[:, p, np.newaxis], billed, 0.0)
        return found

    def lines(self, use: Use) -> list[Line]:
        """A line for each period and tier."""
        billed = self.billed_kw(use)
        made = []
        for p, tiers in enumerate(self.periods):
            upper = np.array([*(one.up_to for one in tiers[:-1]), NO_LIMIT])[:, np.newaxis, np.newaxis]
            for k, (tier, kw) in enumerate(zip(tiers, shares(billed[:, p], upper), strict=True)):
                made.append(Line("demand", _named(self, p, k), kw * tier.price, kw, "kW", tier.price))
        return made


def slots_of(window_s: int | None, slot_s: int) -> int:
    """How many slots of `slot_s` seconds a demand's window is.

    Raises
    ------
    UsageError
        For a window that is no whole number of slots.
    """
    if window_s is None or window_s <= slot_s:
        return 1
    if window_s % slot_s:
        raise UsageError(
            f"the rate's demand is the mean of {window_s} s, which are no whole number of the meter's slots of {slot_s} s; "
            "give readings by a slot that divides it"
        )
    return window_s // slot_s


def _named(demand: Demand, period: int, tier: int) -> str:
    tiers = demand.periods[period]
    name = demand.name if len(demand.periods) == 1 else f"{demand.name}, period {period + 1}"
    if len(tiers) == 1:
        return name
    upper = tiers[tier].up_to
    return f"{name}, tier {tier + 1}" + (f" (up to {upper:g} kW)" if upper != NO_LIMIT else "")

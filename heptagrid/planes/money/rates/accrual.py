"""A month's bill by a rate while its days come: what has accrued so far, until the month's last day makes it the bill of the month.

Of a month that is covered in part everything counts in proportion: fixed and minimum charges (as in any bill), limits of tiers in kWh, and the price of the
highest power. What a month leaves to the next one, balances of net metering, peaks that last, and the year's minimum, is a value (`Opening`). So months that are
billed one after another come to what `bill.bill` makes of them at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from heptagrid.foundation.calendar import Floats
from heptagrid.foundation.errors import UsageError
from heptagrid.planes.money.rates.bill import RateBill, bill
from heptagrid.planes.money.rates.coincident import Coincident
from heptagrid.planes.money.rates.critical_peak import CriticalPeak
from heptagrid.planes.money.rates.demand import Demand
from heptagrid.planes.money.rates.export import Balance
from heptagrid.planes.money.rates.feed_in import FeedIn
from heptagrid.planes.money.rates.line import Element
from heptagrid.planes.money.rates.minimum import Minimum, YearSoFar
from heptagrid.planes.money.rates.net_billing import NetBilling
from heptagrid.planes.money.rates.net_metering import moved_bank
from heptagrid.planes.money.rates.network_fee import NetworkFee
from heptagrid.planes.money.rates.rate import Rate
from heptagrid.planes.money.rates.real_time import RealTime
from heptagrid.planes.money.rates.reduced_fee import ReducedFee
from heptagrid.planes.money.rates.tiers import NO_LIMIT, Tiers, Unit
from heptagrid.planes.money.rates.use import Use

_WHOLE = 1.0 - 1e-9
_LATER_RULES = ("minimum", "true-up")


@dataclass(frozen=True)
class Opening:
    """What the months before leave to a month.

    month_of_year : of the month before, 0 to 11, None if there was none. peaks_kw : of each demand of the rate, (months before, customers) and
    (months before, periods, customers).
    """

    month_of_year: int | None = None
    balance: Balance = field(default_factory=Balance)
    peaks_kw: tuple[tuple[Floats, Floats], ...] = ()
    year: YearSoFar | None = None


def accrue(rate: Rate, use: Use, opening: Opening | None = None) -> tuple[RateBill, Opening]:
    """What the days of one month, `use`, come to by a rate, and what is left to the next month.

    Raises
    ------
    ValueError
        If the days are not of one month.
    """
    if use.months != 1:
        raise ValueError(f"the days are of {use.months} months; accrue each of them")
    opening = opening or Opening()
    share, month = float(use.calendar.shares[0]), int(use.calendar.month_of_year[0])
    in_force = in_proportion(_with_history(rate, opening), share)
    balance = opening.balance
    if balance.kwh is not None and opening.month_of_year is not None:
        balance = replace(balance, kwh=moved_bank(balance.kwh, rate.energy, opening.month_of_year, month))
    found = bill(in_force, use, balance)
    return found, Opening(month, found.balance, _peaks(rate, use, opening), _year(found, opening))


def check_accrues(rate: Rate) -> None:
    """Refuse a rate of which a month alone does not tell what its days come to.

    Raises
    ------
    UsageError
        For prices of each slot of a span, which are not those of a month's days, and for charges that look at days before the month.
    """
    wrong = []
    for one in rate.elements:
        if isinstance(one, RealTime):
            wrong.append("real-time prices")
        if isinstance(one, CriticalPeak) and one.rebate:
            wrong.append("rebates of critical peaks")
        fee = one.fee if isinstance(one, ReducedFee) else one
        if isinstance(fee, NetworkFee) and fee.per_kw_year and fee.capacity_kw is None:
            wrong.append("a network fee by the year's highest power")
    if isinstance(rate.export, NetBilling) and rate.export.prices is not None:
        wrong.append("net billing at prices of each slot")
    if isinstance(rate.export, FeedIn) and rate.export.market is not None:
        wrong.append("feed-in at the market's prices")
    if wrong:
        raise UsageError(
            f"{rate.name}: {', '.join(dict.fromkeys(wrong))} cannot be billed month by month in a run; leave that out of the tariff's "
            "rate, or bill the run's readings with heptagrid bill"
        )


def in_proportion(rate: Rate, share: float) -> Rate:
    """The rate of a share of a month: limits of tiers in kWh of the month, and prices of power, are so much less."""
    if share >= _WHOLE:
        return rate

    def limited(tiers: Tiers) -> Tiers:
        return tuple(
            one if one.up_to == NO_LIMIT or one.unit.is_daily else replace(one, up_to=one.up_to * share)
            for one in tiers
        )

    def priced(element: Element) -> Element:
        if isinstance(element, Coincident):
            return replace(element, price_per_kw=element.price_per_kw * share)
        if not isinstance(element, Demand):
            return element
        periods = [tuple(replace(one, price=one.price * share) for one in tiers) for tiers in element.periods]
        return replace(element, periods=tuple(periods))

    energy = replace(rate.energy, periods=tuple(limited(one) for one in rate.energy.periods))
    return replace(rate, energy=energy, elements=tuple(priced(one) for one in rate.elements))


def in_currency(rate: Rate, factor: float, currency: str) -> Rate:
    """The rate in another currency: every price and charge times `factor`."""

    def priced(tiers: Tiers) -> Tiers:
        return tuple(replace(one, price=one.price * factor, sell=one.sell * factor) for one in tiers)

    def charged(element: Element) -> Element:
        if isinstance(element, Demand):
            return replace(element, periods=tuple(priced(one) for one in element.periods))
        return replace(element, amount=element.amount * factor)  # type: ignore[type-var, attr-defined]

    adjustments = rate.energy.adjustments
    elements = tuple(map(charged, rate.elements))
    energy = replace(
        rate.energy,
        periods=tuple(priced(one) for one in rate.energy.periods),
        adjustments=None if adjustments is None else tuple(one * factor for one in adjustments),
        billing_demand=_counterpart(rate.energy.billing_demand, rate.elements, elements),
    )
    least = rate.minimum
    minimum = None
    if least is not None:
        minimum = Minimum(least.monthly * factor, least.annual * factor, daily=least.daily * factor)
    return replace(rate, energy=energy, elements=elements, minimum=minimum, currency=currency)


def needs_intervals(rate: Rate) -> bool:
    """Whether a meter that counts one sum is not enough for the rate: it has periods, or charges power."""
    per_kw = any(one.unit in (Unit.KWH_PER_KW, Unit.KWH_PER_KW_DAILY) for tiers in rate.energy.periods for one in tiers)
    return len(rate.energy.periods) > 1 or per_kw or bool(demands(rate))


def demands(rate: Rate) -> list[Demand]:
    """Those that look at earlier peaks: the charges, and what limits of tiers refer to if it is none of them."""
    found = [one for one in rate.elements if isinstance(one, Demand)]
    limiting = rate.energy.billing_demand
    if limiting is not None and all(one is not limiting for one in found):
        found.append(limiting)
    return found


def _counterpart(limiting: Demand | None, before: Sequence[Element], now: Sequence[Element]) -> Demand | None:
    """What limits of tiers refer to, where charges have been replaced: the one in its charge's place, or itself if it is none of them."""
    for one, other in zip(before, now, strict=True):
        if one is limiting and isinstance(other, Demand):
            return other
    return limiting


def _with_history(rate: Rate, opening: Opening) -> Rate:
    """The rate whose ratchets know the peaks of the months before, and whose minimum the year so far."""
    minimum = None if rate.minimum is None else replace(rate.minimum, before=opening.year)
    rate = replace(rate, minimum=minimum)
    if not opening.peaks_kw:
        return rate
    known: dict[int, Demand] = {}
    for one, (whole, by_period) in zip(demands(rate), opening.peaks_kw, strict=True):
        ratchet = one.ratchet
        if ratchet is not None:
            ratchet = replace(ratchet, history_kw=whole, period_history_kw=by_period)
        known[id(one)] = replace(one, ratchet=ratchet)
    limiting = rate.energy.billing_demand
    if limiting is not None:
        rate = replace(rate, energy=replace(rate.energy, billing_demand=known[id(limiting)]))
    return replace(rate, elements=tuple(known.get(id(one), one) for one in rate.elements))


def _peaks(rate: Rate, use: Use, opening: Opening) -> tuple[tuple[Floats, Floats], ...]:
    """The peaks that later months may look back at."""
    kept = []
    for k, one in enumerate(demands(rate)):
        whole, by_period = one.peaks_kw(use)
        if opening.peaks_kw:
            before, before_by_period = opening.peaks_kw[k]
            whole, by_period = np.concatenate([before, whole]), np.concatenate([before_by_period, by_period])
        months = 0 if one.ratchet is None else one.ratchet.lookback_months
        kept.append((whole[len(whole) - min(months, len(whole)) :], by_period[len(whole) - min(months, len(whole)) :]))
    return tuple(kept)


def _year(found: RateBill, opening: Opening) -> YearSoFar:
    """What has been owed of the calendar year, up to this month."""
    charged = np.maximum(sum(one.amount[0] for one in found.lines if one.rule not in _LATER_RULES), 0.0)
    least = found.rate.minimum
    owed = charged if least is None else np.maximum(charged, least.of_months(found.calendar)[0])
    share = float(found.calendar.shares[0])
    year, before = found.calendar.months[0][0], opening.year
    if before is not None and before.year == year:
        return YearSoFar(year, before.months + share, before.owed + owed)
    return YearSoFar(year, share, owed)

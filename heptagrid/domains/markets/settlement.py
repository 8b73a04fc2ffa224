"""The market's settlement of a day, in three runs: of what was cleared and metered at first, and of what is known better by the later ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import market
from heptagrid.contracts.paper import Paper
from heptagrid.foundation.payments import Dates, PaidDays, Payments
from heptagrid.foundation.settlement_runs import SettlementRun
from heptagrid.foundation.time import NS_PER_QUARTER, Step
from heptagrid.planes.money import postings
from heptagrid.planes.money.markets.nodal_payments import make_whole_charges
from heptagrid.planes.money.settlement import Beyond, Wholesale
from heptagrid.planes.money.tariffs import network_fees
from heptagrid.planes.money.true_up import SettledDay

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
ByHour = Callable[[int], float]
ByHourOfRetailers = Callable[[int], Floats]
NotHeld = Callable[[int, Floats], Floats]


@dataclass(frozen=True)
class HourPrices:
    """What a MWh of an hour costs: published, for each retailer, (retailers,), for the other loads, and what units get. In a zone all are the same.

    loss_surplus: (retailers and distribution,) what of that is neither for units nor rent. reserve: beside all that, for a MWh.
    """

    published: float
    retailers: Floats
    rest: float
    units: float
    loss_surplus: Floats
    reserve: float = 0.0


@dataclass(frozen=True)
class Settled:
    """What a day came to, when it was paid, and the message that told the day, -1 if none did; make_whole_eur: (retailers and distribution,) what each paid.

    available: (hours, units) in which part of the day's hours units were there.
    """

    dates: Dates
    wholesale: Wholesale
    make_whole_eur: Floats
    cause: int
    available: Floats


class Settlement:
    """Settles each day once it was metered, and again in its later runs.

    days: by their first instant, those that were settled and have not had their final run, as the last run left them.
    """

    def __init__(
        self, fees: network_fees.Parameters, days: PaidDays, paper: Paper, payments: Payments, retailers: Ints
    ) -> None:
        """Set up; `retailers` are the buyers' accounts."""
        self.days: dict[int, SettledDay] = {}
        self._retailers = retailers
        self._fees, self._paid_days, self._paper, self._payments = fees, days, paper, payments
        self._metered: tuple[market.Metered, int] | None = None

    def learn(self, metered: market.Metered, message: int) -> None:
        """Take what operations tells of a day."""
        self._metered = metered, message

    def settle(
        self,
        step: Step,
        prices: Callable[[int], HourPrices],
        position_mwh: ByHourOfRetailers,
        rest_mwh: ByHour,
        make_whole_eur: ByHour,
        not_held: NotHeld,
    ) -> Settled | None:
        """Pay for yesterday, by what a message told or what is asked for on paper; None on the first day.

        prices, position_mwh, rest_mwh : of an hour since 1970: EUR/MWh; what each retailer bought, (retailers,); what the other loads did.
        make_whole_eur : of the day that begins with an hour, what buyers owe beside prices.
        not_held : of the day that begins with an hour, by how long units were there, which part of its reserve was not held, (hours,).
        """
        dates = self._paid_days.yesterday(step)
        if dates is None:
            return None
        of_ns = dates.of_ns
        first, last = of_ns // NS_PER_QUARTER, step.day_start_ns // NS_PER_QUARTER
        if self._metered is not None and self._metered[0].first_quarter == first:
            metered, cause = self._metered
        else:
            metered, cause = self._paper.metered(first, last - first), -1
        quarters, hours = range(first, last), range(first // 4, last // 4)
        missing, reserve = (
            not_held(first // 4, metered.available),
            np.array([prices(one // 4).reserve for one in quarters]),
        )
        day = SettledDay(
            price_eur_per_mwh=np.array([prices(one // 4).units for one in quarters]),
            position_mwh=np.array([position_mwh(one // 4) / 4.0 for one in quarters]),
            settled_mwh=metered.settled_mwh,
            infeed_mwh=metered.infeed_mwh,
            beyond=Beyond(
                congestion_eur_per_mwh=np.array([_congestion(prices(one // 4)) for one in quarters]),
                loss_eur_per_mwh=np.array([prices(one // 4).loss_surplus for one in quarters]),
                reserve_eur_per_mwh=reserve,
                not_held_eur_per_mwh=reserve * np.repeat(missing, 4),
            ),
        )
        wholesale = day.wholesale(self._fees)
        postings.pay_wholesale(self._payments, self._retailers, wholesale, dates, cause)
        for_rest = [
            prices(one).rest + prices(one).reserve * (1.0 - part) for one, part in zip(hours, missing, strict=True)
        ]
        rest_eur = sum(rest_mwh(one // 4) / 4.0 * for_rest[k // 4] for k, one in enumerate(quarters))
        postings.pay_rest(self._payments, rest_eur, dates, cause)
        taken_mwh = np.append(day.settled_mwh.sum(axis=0), day.infeed_mwh.sum() - day.settled_mwh.sum())
        others_mwh = sum(rest_mwh(one // 4) / 4.0 for one in quarters)
        charges_eur = make_whole_charges(make_whole_eur(first // 4), taken_mwh, others_mwh)
        postings.pay_make_whole(self._payments, self._retailers, charges_eur, dates, cause)
        self.days[of_ns] = day
        self.settle_again(step, metered, cause)
        return Settled(dates, wholesale, charges_eur, cause, metered.available)

    def settle_again(self, step: Step, metered: market.Metered, cause: int) -> None:
        """Pay what is known better by now of the days whose second or final run it is."""
        for due in self._paid_days.settled_again(step):
            of_ns = due.dates.of_ns
            mine, slots = due.slots_of(metered.corrected_quarter)
            day = self.days.pop(of_ns) if due.run is SettlementRun.FINAL else self.days[of_ns]
            if not mine.any():
                continue
            new = day.corrected(slots, metered.corrected_mwh[mine])
            by = cause if cause >= 0 else int(metered.corrected_by[mine].max())  # on paper: the last reading
            change = new.wholesale(self._fees) - day.wholesale(self._fees)
            postings.pay_wholesale_again(self._payments, due.run, self._retailers, change, due.dates, by)
            if of_ns in self.days:
                self.days[of_ns] = new


def _congestion(prices: HourPrices) -> Floats:
    """(retailers and distribution,) what each pays for a MWh beyond what units get, the loss surplus apart; distribution, for what is lost in the towns, by
    the published price."""
    return np.append(prices.retailers, prices.published) - prices.units - prices.loss_surplus

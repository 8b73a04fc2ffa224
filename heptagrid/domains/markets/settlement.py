"""The market's settlement of a day: what was cleared, what was metered, and what became known later."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import market
from heptagrid.contracts.metering import KEPT_DAYS
from heptagrid.contracts.paper import Paper
from heptagrid.foundation.payments import Dates, PaidDays, Payments
from heptagrid.foundation.time import NS_PER_QUARTER, Step
from heptagrid.planes.money import postings
from heptagrid.planes.money.settlement import Wholesale
from heptagrid.planes.money.tariffs import network_fees
from heptagrid.planes.money.true_up import SettledDay

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
ByHour = Callable[[int], float]
ByHourOfRetailers = Callable[[int], Floats]


class Settlement:
    """Settles each day once it was metered, and corrects days already settled.

    days: by their first instant, the last ones that were settled, corrections included.
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
        self, step: Step, price: ByHour, position_mwh: ByHourOfRetailers, rest_mwh: ByHour
    ) -> tuple[Dates, Wholesale, int] | None:
        """Pay for yesterday, by what a message told or what is asked for on paper.

        price, position_mwh, rest_mwh : of an hour since 1970: EUR/MWh; what each retailer bought, (retailers,); what the other loads did.

        Returns
        -------
        Dates, Wholesale, int, or None on the first day
            When and for which day it was paid, what it came to, and the message that told the day, -1 if none did.
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
        quarters = range(first, last)
        day = SettledDay(
            price_eur_per_mwh=np.array([price(one // 4) for one in quarters]),
            position_mwh=np.array([position_mwh(one // 4) / 4.0 for one in quarters]),
            settled_mwh=metered.settled_mwh,
            infeed_mwh=metered.infeed_mwh,
        )
        wholesale = day.wholesale(self._fees)
        postings.pay_wholesale(self._payments, self._retailers, wholesale, dates, cause)
        rest_eur = sum(rest_mwh(one // 4) / 4.0 * price(one // 4) for one in quarters)
        postings.pay_rest(self._payments, rest_eur, dates, cause)
        self.correct(metered, step.end_ns, cause)
        # As many days as the retailer keeps, so that both correct the same ones.
        kept = list(self.days.items())[1 - KEPT_DAYS :]
        self.days = dict([*kept, (of_ns, day)])
        return dates, wholesale, cause

    def correct(self, metered: market.Metered, at_ns: int, cause: int) -> None:
        """Pay what is known better by now of days already settled."""
        for of_ns, day in self.days.items():
            slots = metered.corrected_quarter - of_ns // NS_PER_QUARTER
            mine = (slots >= 0) & (slots < len(day.settled_mwh))
            if mine.any():
                new = day.corrected(slots[mine], metered.corrected_mwh[mine])
                change = new.wholesale(self._fees) - day.wholesale(self._fees)
                postings.pay_wholesale_true_up(self._payments, self._retailers, change, Dates(at_ns, of_ns), cause)
                self.days[of_ns] = new

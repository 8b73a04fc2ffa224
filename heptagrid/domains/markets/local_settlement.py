"""What local markets settle: the part of their price that lies beyond the grid's, for what each device was given.

Energy from the grid stands on the customer's bill already, so a device pays for what it bought, or is paid for what it sold, only what the local price lay above the
grid's. Its aggregator passes that on, and the market hands it to distribution, whose transformer was short: the congestion surplus. What was cleared is
firm, as in every forward market.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.payments import Dates, PaidDays, Payments
from heptagrid.foundation.time import Step
from heptagrid.planes.money import postings
from heptagrid.planes.money.upkeep import PAY_HOUR

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class LocalSettlement:
    """Keeps what is owed until the day after."""

    def __init__(self, payments: Payments, days: PaidDays, aggregator_of: Ints) -> None:
        """Set up; aggregator_of: (points,) the account of each metering point's aggregator."""
        self._payments, self._days, self._aggregator_of = payments, days, aggregator_of
        self._owed: list[tuple[int, Ints, Floats, Ints]] = []

    def note(self, begin_ns: int, points: Ints, owed_eur: Floats, bids: Ints) -> Floats:
        """What the points, (n,), owe for an interval, each by the message of its bid; below zero they are paid. Returns it in whole thousandths of a cent."""
        owed_eur = postings.whole(owed_eur)
        some = owed_eur != 0.0
        if some.any():
            self._owed.append((begin_ns, points[some], owed_eur[some], bids[some]))
        return owed_eur

    def pay(self, step: Step) -> None:
        """When it is time, pay for the intervals that began on the day before."""
        if not step.passes_hour(PAY_HOUR):
            return
        dates = self._days.yesterday(step)
        if dates is not None:
            due = [one for one in self._owed if dates.of_ns <= one[0] < step.day_start_ns]
            if due:
                points, owed_eur, bids = (
                    np.concatenate(column) for column in zip(*(one[1:] for one in due), strict=True)
                )
                self._pay(points, owed_eur, bids, dates)
        self._owed = [one for one in self._owed if one[0] >= step.day_start_ns]

    def _pay(self, points: Ints, owed_eur: Floats, bids: Ints, dates: Dates) -> None:
        of = self._aggregator_of[points]
        postings.pay_local_market(self._payments, of, points, owed_eur, dates, bids)
        for aggregator in np.unique(of):
            mine = of == aggregator
            surplus_eur, last = float(owed_eur[mine].sum()), int(bids[mine].max())
            postings.pass_congestion_on(self._payments, int(aggregator), surplus_eur, dates, last)

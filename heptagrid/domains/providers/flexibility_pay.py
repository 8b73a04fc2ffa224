"""What an aggregator pays for flexibility and is paid for relief, by what it was told."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.flexibility import Relief
from heptagrid.foundation.payments import Dates, Payments
from heptagrid.planes.money import postings, settlement
from heptagrid.planes.money.tariffs import billing_rules, network_fees

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class FlexibilityPay:
    """Pays by the registers of moved energy, so that what one day's reads did not tell the next day's do.

    points: its customers, ascending. moved_kwh_of: by the first instant of a day, what it paid for.
    """

    def __init__(
        self,
        account: int,
        points: Ints,
        supply: billing_rules.Parameters,
        fees: network_fees.Parameters,
        payments: Payments,
    ) -> None:
        self.points = points
        self.moved_kwh_of: dict[int, float] = {}
        self._account, self._paid_kwh = account, np.zeros(len(points))
        self._supply, self._fees, self._payments = supply, fees, payments

    def pay(self, moved_kwh: Floats, asked_by: Ints, dates: Dates) -> None:
        """Pay the points for what their devices moved since the last pay by these registers; the set-point that asked is the cause."""
        new_kwh = moved_kwh - self._paid_kwh
        amount_eur = settlement.flexibility_eur(new_kwh, self._supply)
        self._paid_kwh = moved_kwh.copy()
        self.moved_kwh_of[dates.of_ns] = float(new_kwh.sum())
        postings.pay_flexibility(self._payments, self._account, self.points, amount_eur, dates, asked_by)

    def claim(self, relief: Relief, dates: Dates, causes: Ints) -> None:
        """Be paid for relief, request by request, (k,)."""
        relieved_kwh = relief.excess_kw * relief.for_s / 3600.0
        relief_eur = np.array([settlement.relief_eur(float(one), self._fees) for one in relieved_kwh])
        postings.pay_relief(self._payments, self._account, relief_eur, dates, causes)

"""What the aggregator pays for flexibility and is paid for relief, by what it was told."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.flexibility import Relief
from heptagrid.contracts.paper import KnownDay
from heptagrid.foundation.payments import Dates, Payments
from heptagrid.planes.money import postings, settlement
from heptagrid.planes.money.tariffs import billing_rules, network_fees

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class FlexibilityPay:
    """Pays by the registers of moved energy, so that what one day's reads did not tell the next day's do."""

    def __init__(
        self, points: int, supply: billing_rules.Parameters, fees: network_fees.Parameters, payments: Payments
    ) -> None:
        self._paid_kwh = np.zeros(points)
        self._supply, self._fees, self._payments = supply, fees, payments

    def pay(self, known: KnownDay, dates: Dates) -> None:
        """Pay the points for what their devices moved since the last pay; the set-point that asked is the cause."""
        amount_eur = settlement.flexibility_eur(known.moved_kwh - self._paid_kwh, self._supply)
        self._paid_kwh = known.moved_kwh.copy()
        points = np.arange(len(amount_eur), dtype=np.int64)
        postings.pay_flexibility(self._payments, points, amount_eur, dates, known.asked_by)

    def claim(self, relief: Relief, dates: Dates, causes: Ints) -> None:
        """Be paid for relief, request by request, (k,)."""
        relieved_kwh = relief.excess_kw * relief.for_s / 3600.0
        relief_eur = np.array([settlement.relief_eur(float(one), self._fees) for one in relieved_kwh])
        postings.pay_relief(self._payments, relief_eur, dates, causes)

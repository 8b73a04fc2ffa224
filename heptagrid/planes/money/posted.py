"""Payments posted in a ledger, of the days that the run counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy.typing as npt

from heptagrid.foundation.payments import Dates
from heptagrid.foundation.reasons import Reason
from heptagrid.planes.money.ledger import Ledger


@dataclass
class PostedPayments:
    """Posts what actors pay for days from `first_ns` on; what the warm-up day still brings is not counted."""

    ledger: Ledger
    first_ns: int

    def pay(
        self,
        reason: Reason,
        payer: npt.ArrayLike,
        payee: npt.ArrayLike,
        amount_eur: npt.ArrayLike,
        dates: Dates,
        cause: npt.ArrayLike = -1,
    ) -> None:
        """Post transfers, as `Ledger.transfer` says."""
        if dates.of_ns >= self.first_ns:
            self.ledger.transfer(payer, payee, amount_eur, dates, reason, cause)

    def pass_on(
        self, reason: Reason, payer: int, through: int, payee: int, amount_eur: float, dates: Dates, cause: int = -1
    ) -> None:
        """Post two transfers of the same whole millicents."""
        if dates.of_ns >= self.first_ns:
            posted = self.ledger.transfer(payer, through, amount_eur, dates, reason, cause)
            self.ledger.transfer_millicent(through, payee, posted, dates, reason, cause)

"""What a domain pays each day for running its own devices, links and systems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import PaidDays, Payments
from heptagrid.foundation.time import Step
from heptagrid.planes.money import postings

PAY_HOUR = 1.0
"""Local hour at which the day before is paid for: assumption, an hour after its end, when the reads are in."""


@dataclass(frozen=True)
class DailyUpkeep:
    """A domain's items: opex_eur, what a day of each costs whoever it belongs to; only the domain's own are paid.

    account: from which it is paid, if not the domain's.
    """

    domain: Domain
    opex_eur: Mapping[str, float]
    days: PaidDays
    payments: Payments
    account: int | None = None

    def pay(self, step: Step) -> None:
        """Pay for the day before."""
        dates = self.days.yesterday(step)
        if dates is not None:
            postings.pay_upkeep(self.payments, self.domain, self.opex_eur, dates, self.account)

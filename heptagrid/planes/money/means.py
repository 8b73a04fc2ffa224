"""What the domains of an arm pay with: the payments, the days that they are for, the terms of bills, and what each item costs a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import PaidDays, Payments
from heptagrid.planes.money.true_up import Terms
from heptagrid.planes.money.upkeep import DailyUpkeep


@dataclass(frozen=True)
class Means:
    """The same for all domains. opex_eur: what a day of each item of the price table costs whoever it belongs to."""

    payments: Payments
    days: PaidDays
    terms: Terms
    opex_eur: Mapping[str, float]

    def upkeep(self, domain: Domain) -> DailyUpkeep:
        """What a domain pays for its own devices, links and systems."""
        return DailyUpkeep(domain, self.opex_eur, self.days, self.payments)

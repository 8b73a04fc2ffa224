"""What the domains of an arm pay with: the payments, the days that they are for, the terms of bills, and what each item costs a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import PaidDays, Payments
from heptagrid.planes.money.true_up import Terms
from heptagrid.planes.money.upkeep import DailyUpkeep
from heptagrid.world.accounts import Accounts


@dataclass(frozen=True)
class Means:
    """The same for all domains.

    accounts: who can pay and be paid. terms: of all points, with the supply terms of the scenario, which a retailer's own replace. opex_eur: what a day
    of each item of the price table costs whoever it belongs to. posted_from_ns: when the first day begins whose payments count.
    """

    payments: Payments
    accounts: Accounts
    days: PaidDays
    terms: Terms
    opex_eur: Mapping[str, float]
    posted_from_ns: int = 0

    def upkeep(self, domain: Domain) -> DailyUpkeep:
        """What a domain pays for its own devices, links and systems."""
        return DailyUpkeep(domain, self.opex_eur, self.days, self.payments)

    def upkeep_of_aggregator(self, number: int, share: float) -> DailyUpkeep:
        """What an aggregator pays for the control boxes of its customers, a share of all."""
        own_eur = {name: share * amount_eur for name, amount_eur in self.opex_eur.items()}
        account = int(self.accounts.of_aggregators[number])
        return DailyUpkeep(Domain.PROVIDERS, own_eur, self.days, self.payments, account)

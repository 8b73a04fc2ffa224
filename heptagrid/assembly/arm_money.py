"""What an arm pays with: the ledger behind its payments, by what points are billed, and what its devices cost a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.arms import Arm
from heptagrid.assembly.span import Span
from heptagrid.assembly.world import World
from heptagrid.domains.distribution.charges import Charges
from heptagrid.domains.generation.fuel import Fuel
from heptagrid.domains.providers.flexibility_pay import FlexibilityPay
from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import PaidDays
from heptagrid.planes.money import telecom
from heptagrid.planes.money.ledger import Ledger
from heptagrid.planes.money.posted import PostedPayments
from heptagrid.planes.money.tariffs.tariff import Offers
from heptagrid.planes.money.true_up import Terms
from heptagrid.planes.money.upkeep import DailyUpkeep
from heptagrid.scenario.schema import Scenario
from heptagrid.world.accounts import Accounts

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ArmMoney:
    """What an arm pays with: the ledger behind the payments, by what points are billed, and what its devices cost a day."""

    scenario: Scenario
    world: World
    smart: bool
    ledger: Ledger
    payments: PostedPayments
    days: PaidDays
    terms: Terms

    def upkeep(self, domain: Domain) -> DailyUpkeep:
        """What a domain pays for its own devices, links and systems."""
        counts = self.world.device_counts(self.smart)
        prices = self.world.device_prices(self.scenario.sections["telecom"])
        opex_eur = telecom.opex_eur(counts, prices, self.terms.years)
        return DailyUpkeep(domain, opex_eur, self.days, self.payments)

    def fuel(self) -> Fuel:
        return Fuel(self.scenario.sections["market"].eur_per_usd, self.days, self.payments)

    def charges(self) -> Charges:
        """What distribution pays."""
        return Charges(
            self.terms.fees,
            self.days,
            self.terms.years,
            self.world.points if self.smart else 0,
            self.payments,
            self.upkeep(Domain.DISTRIBUTION),
        )

    def flexibility_pay(self) -> FlexibilityPay:
        return FlexibilityPay(self.world.points, self.terms.supply, self.terms.fees, self.payments)


def arm_money(scenario: Scenario, world: World, arm: Arm, span: Span) -> ArmMoney:
    """The arm's payments; all have the flat tariff without a smart grid."""
    tariff_of = np.zeros(world.points, dtype=np.int64)
    if arm.smart:
        tariff_of[: world.customers_count] = world.owned.tariff_of
    terms = Terms(
        offers=Offers.of(scenario.sections),
        tariff_of=tariff_of,
        is_customer=np.arange(world.points) < world.customers_count,
        years=1.0 / (366 if span.first.year % 4 == 0 else 365),
        supply=scenario.sections["tariffs"],
        fees=scenario.sections["network_fees"],
    )
    ledger = Ledger(Accounts(world.points))
    days = PaidDays(scenario.zone, span.warm_up_ns)
    return ArmMoney(scenario, world, arm.smart, ledger, PostedPayments(ledger, span.start_ns), days, terms)

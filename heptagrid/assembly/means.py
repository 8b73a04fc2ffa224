"""The ledger of an arm, and the means by which its domains pay into it."""

from __future__ import annotations

import numpy as np

from heptagrid.assembly.arms import Arm
from heptagrid.assembly.span import Span
from heptagrid.assembly.stocks import stocks_of
from heptagrid.assembly.world import World
from heptagrid.foundation.payments import PaidDays
from heptagrid.planes.money import telecom
from heptagrid.planes.money.ledger import Ledger
from heptagrid.planes.money.means import Means
from heptagrid.planes.money.posted import PostedPayments
from heptagrid.planes.money.tariffs.tariff import Offers
from heptagrid.planes.money.true_up import Terms
from heptagrid.scenario.schema import Scenario
from heptagrid.world.accounts import Accounts


def means_of(scenario: Scenario, world: World, arm: Arm, span: Span) -> tuple[Means, Ledger]:
    """What the arm's domains pay with, and where it is posted; without a smart grid all points have the flat tariff, or a monthly rate that plain meters can count."""
    sections = scenario.sections
    tariff_of, offers = np.zeros(world.points, dtype=np.int64), Offers.of(sections)
    owned = world.owned.tariff_of
    tariff_of[: world.customers_count] = owned if arm.smart else offers.of_plain_meters(owned)
    terms = Terms(
        offers=offers,
        tariff_of=tariff_of,
        is_customer=np.arange(world.points) < world.customers_count,
        years=1.0 / (366 if span.first.year % 4 == 0 else 365),
        supply=sections["tariffs"],
        fees=sections["network_fees"],
    )
    accounts = Accounts(world.points, world.companies.retailers, world.companies.aggregators)
    ledger = Ledger(accounts)
    means = Means(
        payments=PostedPayments(ledger, span.start_ns),
        accounts=accounts,
        days=PaidDays(scenario.zone, span.warm_up_ns, sections["settlement"]),
        terms=terms,
        opex_eur=telecom.opex_eur(stocks_of(world, arm.smart, sections["telecom"]), terms.years),
        posted_from_ns=span.start_ns,
    )
    return means, ledger

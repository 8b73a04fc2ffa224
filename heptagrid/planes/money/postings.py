"""Settled amounts, paid: who pays whom for what, each rule once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import Dates, Payments
from heptagrid.foundation.reasons import Reason
from heptagrid.planes.money.settlement import Wholesale
from heptagrid.planes.money.tariffs.billing_rules import Bills
from heptagrid.planes.money.telecom import ITEMS
from heptagrid.planes.money.true_up import TrueUp
from heptagrid.world.accounts import OUTSIDE, REST_BUYERS, REST_GENERATION, accounts_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def pay_bills(payments: Payments, points: Ints, bills: Bills, dates: Dates, cause: int = -1) -> None:
    """Points, (n,), pay and are paid by the provider, by the message that told it what they used."""
    accounts = accounts_of(points)
    for amount_eur, reason in (
        (bills.energy_bill, Reason.ENERGY_BILL),
        (bills.standing_charge, Reason.STANDING_CHARGE),
        (bills.rounding, Reason.ROUNDING),
    ):
        payments.pay(reason, accounts, Domain.PROVIDERS, amount_eur, dates, cause)
    payments.pay(Reason.EXPORT_CREDIT, Domain.PROVIDERS, accounts, bills.export_credit, dates, cause)
    payments.pay(Reason.FEED_IN_PREMIUM, OUTSIDE, accounts, bills.feed_in_premium, dates, cause)


def pass_fees_on(payments: Payments, bills: Bills, dates: Dates) -> None:
    """The provider passes on what bills, (n,) each, hold for others: network and metering fees, taxes and levies."""
    payments.pay(Reason.NETWORK_FEE, Domain.PROVIDERS, Domain.DISTRIBUTION, _fees_eur(bills), dates)
    payments.pay(Reason.METERING_FEE, Domain.PROVIDERS, Domain.OPERATIONS, float(bills.metering.sum()), dates)
    payments.pay(Reason.TAXES, Domain.PROVIDERS, OUTSIDE, _taxes_eur(bills), dates)


def _fees_eur(bills: Bills) -> float:
    return float(bills.network.sum() + bills.base.sum())


def _taxes_eur(bills: Bills) -> float:
    return float(bills.state.sum() + bills.energy_vat.sum() + bills.standing_vat.sum() + bills.rounding.sum())


def pay_true_up(payments: Payments, change: TrueUp, dates: Dates, cause: int) -> None:
    """What late reads change of the bills of a day already billed; `cause` is the message that brought them to the provider."""
    points, bills, reason = accounts_of(change.points), change.bills, Reason.TRUE_UP
    owed_eur = bills.energy_bill + bills.standing_charge + bills.rounding - bills.export_credit
    payments.pay(reason, points, Domain.PROVIDERS, owed_eur, dates, cause)
    payments.pay(reason, OUTSIDE, points, bills.feed_in_premium, dates, cause)
    payments.pay(reason, Domain.PROVIDERS, Domain.DISTRIBUTION, _fees_eur(bills), dates, cause)
    payments.pay(reason, Domain.PROVIDERS, OUTSIDE, _taxes_eur(bills), dates, cause)


def pay_wholesale(payments: Payments, wholesale: Wholesale, dates: Dates, cause: int = -1) -> None:
    """Buyers pay the market and it pays generation the same: it keeps nothing."""
    for payer, amount_eur, reason in (
        (Domain.PROVIDERS, wholesale.energy_eur, Reason.WHOLESALE_ENERGY),
        (Domain.PROVIDERS, wholesale.imbalance_eur, Reason.IMBALANCE),
        (Domain.DISTRIBUTION, wholesale.losses_eur, Reason.LOSSES),
    ):
        payments.pass_on(reason, payer, Domain.MARKETS, Domain.GENERATION, amount_eur, dates, cause)


def pay_wholesale_true_up(payments: Payments, change: Wholesale, dates: Dates, cause: int) -> None:
    """What late reads change of a day's settlement in the market."""
    for payer, amount_eur in ((Domain.PROVIDERS, change.imbalance_eur), (Domain.DISTRIBUTION, change.losses_eur)):
        payments.pass_on(Reason.TRUE_UP, payer, Domain.MARKETS, Domain.GENERATION, amount_eur, dates, cause)


def pay_rest(payments: Payments, rest_eur: float, dates: Dates, cause: int = -1) -> None:
    """The loads beyond the scenario's own pay their generation, outside all domains."""
    payments.pay(Reason.REST_ENERGY, REST_BUYERS, REST_GENERATION, rest_eur, dates, cause)


def pay_fuel(payments: Payments, cost_with_town_eur: float, cost_without_town_eur: float, dates: Dates) -> None:
    """Generation pays for what the fleet burns more with the town than without it."""
    fuel_eur = cost_with_town_eur - cost_without_town_eur
    payments.pay(Reason.FUEL, Domain.GENERATION, OUTSIDE, fuel_eur, dates)


def pay_transmission(payments: Payments, use_of_system_eur: float, peak_demand_eur: float, dates: Dates) -> None:
    """Distribution pays transmission for energy and for power."""
    payments.pay(Reason.USE_OF_SYSTEM, Domain.DISTRIBUTION, Domain.TRANSMISSION, use_of_system_eur, dates)
    payments.pay(Reason.PEAK_DEMAND, Domain.DISTRIBUTION, Domain.TRANSMISSION, peak_demand_eur, dates)


def pay_flexibility(payments: Payments, points: Ints, amount_eur: Floats, dates: Dates, cause: Ints) -> None:
    """The provider pays points, (n,), for what their devices moved, each on request of a message."""
    payments.pay(Reason.FLEXIBILITY, Domain.PROVIDERS, accounts_of(points), amount_eur, dates, cause)


def pay_relief(payments: Payments, relief_eur: npt.ArrayLike, dates: Dates, cause: npt.ArrayLike = -1) -> None:
    """Distribution pays the provider for relief of its transformers; one amount, or one for each request."""
    payments.pay(Reason.RELIEF, Domain.DISTRIBUTION, Domain.PROVIDERS, relief_eur, dates, cause)


def pay_smart_metering(payments: Payments, smart_metering_eur: float, dates: Dates) -> None:
    """Distribution pays operations its part for smart meters."""
    payments.pay(Reason.METERING_FEE, Domain.DISTRIBUTION, Domain.OPERATIONS, smart_metering_eur, dates)


def pay_upkeep(payments: Payments, payer: Domain, opex_eur: Mapping[str, float], dates: Dates) -> None:
    """A domain pays outside for running those of the items that are its own."""
    for name, amount_eur in opex_eur.items():
        if ITEMS[name].payer is payer:
            payments.pay(ITEMS[name].reason, payer, OUTSIDE, amount_eur, dates)

"""Settled amounts, paid: who pays whom for what, each rule once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.payments import Dates, Payments
from heptagrid.foundation.reasons import LATER, Reason
from heptagrid.foundation.settlement_runs import SettlementRun
from heptagrid.planes.money.ledger import MILLICENT_PER_EUR, millicent
from heptagrid.planes.money.settlement import Wholesale
from heptagrid.planes.money.tariffs.billing_rules import Bills
from heptagrid.planes.money.telecom import ITEMS
from heptagrid.world.accounts import OUTSIDE, REST_BUYERS, REST_GENERATION, accounts_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def pay_bills(payments: Payments, retailer: int, points: Ints, bills: Bills, dates: Dates, cause: int = -1) -> None:
    """Points, (n,), pay and are paid by their retailer (its account), by the message that told it what they used."""
    accounts = accounts_of(points)
    for amount_eur, reason in (
        (bills.energy_bill, Reason.ENERGY_BILL),
        (bills.standing_charge, Reason.STANDING_CHARGE),
        (bills.demand_charge, Reason.DEMAND_CHARGE),
        (bills.all_rounding, Reason.ROUNDING),
    ):
        payments.pay(reason, accounts, retailer, amount_eur, dates, cause)
    payments.pay(Reason.EXPORT_CREDIT, retailer, accounts, bills.export_credit, dates, cause)
    payments.pay(Reason.FEED_IN_PREMIUM, OUTSIDE, accounts, bills.feed_in_premium, dates, cause)


def pass_fees_on(payments: Payments, retailer: int, bills: Bills, dates: Dates) -> None:
    """The retailer passes on what bills, (n,) each, hold for others: network and metering fees, taxes and levies."""
    payments.pay(Reason.NETWORK_FEE, retailer, Domain.DISTRIBUTION, _fees_eur(bills), dates)
    payments.pay(Reason.METERING_FEE, retailer, Domain.OPERATIONS, float(bills.metering.sum()), dates)
    payments.pay(Reason.TAXES, retailer, OUTSIDE, _taxes_eur(bills), dates)


def _fees_eur(bills: Bills) -> float:
    return float(bills.network.sum() + bills.base.sum())


def _taxes_eur(bills: Bills) -> float:
    lines = (bills.state, bills.energy_vat, bills.standing_vat, bills.demand_vat, bills.rounding)
    return float(sum(one.sum() for one in lines))


def pay_bills_again(
    payments: Payments, run: SettlementRun, retailer: int, points: Ints, bills: Bills, dates: Dates, cause: int
) -> None:
    """What a later settlement run changes of the bills, (n,) each, of a day; `cause` is the message that brought what it rests on."""
    points, reason = accounts_of(points), LATER[run]
    payments.pay(reason, points, retailer, bills.owed - bills.export_credit, dates, cause)
    payments.pay(reason, OUTSIDE, points, bills.feed_in_premium, dates, cause)
    payments.pay(reason, retailer, Domain.DISTRIBUTION, _fees_eur(bills), dates, cause)
    payments.pay(reason, retailer, OUTSIDE, _taxes_eur(bills), dates, cause)


def pay_wholesale(payments: Payments, retailers: Ints, wholesale: Wholesale, dates: Dates, cause: int = -1) -> None:
    """Retailers, (retailers,) accounts, and distribution pay the market and it pays generation the same, and transmission rent and loss surplus: it keeps nothing.

    For reserve they pay generation through the market as well, and get back from it what was not held.
    """
    owed = [(Reason.WHOLESALE_ENERGY, *one) for one in zip(retailers, wholesale.energy_eur, strict=True)]
    owed += [(Reason.IMBALANCE, *one) for one in zip(retailers, wholesale.imbalance_eur, strict=True)]
    owed += [(Reason.LOSSES, Domain.DISTRIBUTION, wholesale.losses_eur)]
    for reason, payer, amount_eur in owed:
        payments.pass_on(reason, payer, Domain.MARKETS, Domain.GENERATION, amount_eur, dates, cause)
    for reason, owed_eur in (
        (Reason.CONGESTION_RENT, wholesale.congestion_eur),
        (Reason.LOSS_SURPLUS, wholesale.loss_surplus_eur),
    ):
        _pay_through(payments, reason, retailers, Domain.TRANSMISSION, owed_eur, dates, cause)
    _pay_through(payments, Reason.RESERVE, retailers, Domain.GENERATION, wholesale.reserve_eur, dates, cause)
    back_eur = -wholesale.not_held_eur
    _pay_through(payments, Reason.RESERVE_NOT_HELD, retailers, Domain.GENERATION, back_eur, dates, cause)


def _pay_through(
    payments: Payments, reason: Reason, retailers: Ints, payee: Domain, owed_eur: Floats, dates: Dates, cause: int
) -> None:
    """Retailers and distribution, (retailers and distribution,), pay the market, and it pays a domain the same; below 0 the other way."""
    for payer, amount_eur in zip((*retailers, Domain.DISTRIBUTION), owed_eur, strict=True):
        payments.pass_on(reason, payer, Domain.MARKETS, payee, amount_eur, dates, cause)


def pay_make_whole(payments: Payments, retailers: Ints, owed_eur: Floats, dates: Dates, cause: int = -1) -> None:
    """Retailers and distribution, (retailers and distribution,), pay the market, and it pays generation, what prices left of units' costs."""
    _pay_through(payments, Reason.MAKE_WHOLE, retailers, Domain.GENERATION, owed_eur, dates, cause)


def pay_wholesale_again(
    payments: Payments, run: SettlementRun, retailers: Ints, change: Wholesale, dates: Dates, cause: int
) -> None:
    """What a later settlement run changes of a day in the market: retailers' imbalance, losses, rent, loss surplus and reserve; what was bought day ahead stays."""
    owed = [*zip(retailers, change.imbalance_eur, strict=True), (Domain.DISTRIBUTION, change.losses_eur)]
    for payer, amount_eur in owed:
        payments.pass_on(LATER[run], payer, Domain.MARKETS, Domain.GENERATION, amount_eur, dates, cause)
    beyond_eur = change.congestion_eur + change.loss_surplus_eur
    _pay_through(payments, LATER[run], retailers, Domain.TRANSMISSION, beyond_eur, dates, cause)
    reserve_eur = change.reserve_eur - change.not_held_eur
    _pay_through(payments, LATER[run], retailers, Domain.GENERATION, reserve_eur, dates, cause)


def pay_rest(payments: Payments, rest_eur: float, dates: Dates, cause: int = -1) -> None:
    """The loads beyond the scenario's own pay their generation, outside all domains."""
    payments.pay(Reason.REST_ENERGY, REST_BUYERS, REST_GENERATION, rest_eur, dates, cause)


def pay_fuel(payments: Payments, fuel_eur: float, dates: Dates) -> None:
    """Generation pays for what the fleet burns more with the towns than without."""
    payments.pay(Reason.FUEL, Domain.GENERATION, OUTSIDE, fuel_eur, dates)


def pay_transmission(payments: Payments, use_of_system_eur: float, peak_demand_eur: float, dates: Dates) -> None:
    """Distribution pays transmission for energy and for power."""
    payments.pay(Reason.USE_OF_SYSTEM, Domain.DISTRIBUTION, Domain.TRANSMISSION, use_of_system_eur, dates)
    payments.pay(Reason.PEAK_DEMAND, Domain.DISTRIBUTION, Domain.TRANSMISSION, peak_demand_eur, dates)


def pay_flexibility(
    payments: Payments, aggregator: int, points: Ints, amount_eur: Floats, dates: Dates, cause: Ints
) -> None:
    """The aggregator (its account) pays points, (n,), for what their devices moved, each on request of a message."""
    payments.pay(Reason.FLEXIBILITY, aggregator, accounts_of(points), amount_eur, dates, cause)


def pay_relief(
    payments: Payments, aggregator: int, relief_eur: npt.ArrayLike, dates: Dates, cause: npt.ArrayLike = -1
) -> None:
    """Distribution pays the aggregator (its account) for relief of its transformers; one amount, or one for each request."""
    payments.pay(Reason.RELIEF, Domain.DISTRIBUTION, aggregator, relief_eur, dates, cause)


def whole(amount_eur: Floats) -> Floats:
    """Amounts as the ledger posts them, in thousandths of a cent, the same shape, so that sums of them are what is posted."""
    return np.asarray(millicent(amount_eur) / MILLICENT_PER_EUR)


def pay_local_market(
    payments: Payments, aggregators: Ints, points: Ints, owed_eur: Floats, dates: Dates, bids: Ints
) -> None:
    """Points, (n,), pay their aggregators (accounts, (n,)) what the local price lay above the grid's for what each bid came to."""
    payments.pay(Reason.LOCAL_MARKET, accounts_of(points), aggregators, owed_eur, dates, bids)


def pass_congestion_on(payments: Payments, aggregator: int, surplus_eur: float, dates: Dates, cause: int) -> None:
    """The aggregator (its account) pays the market, and it pays distribution the same."""
    payments.pass_on(
        Reason.CONGESTION_SURPLUS, aggregator, Domain.MARKETS, Domain.DISTRIBUTION, surplus_eur, dates, cause
    )


def pay_smart_metering(payments: Payments, smart_metering_eur: float, dates: Dates) -> None:
    """Distribution pays operations its part for smart meters."""
    payments.pay(Reason.METERING_FEE, Domain.DISTRIBUTION, Domain.OPERATIONS, smart_metering_eur, dates)


def pay_upkeep(
    payments: Payments, payer: Domain, opex_eur: Mapping[str, float], dates: Dates, account: int | None = None
) -> None:
    """A domain pays outside for running those of the items that are its own; from another account than the domain's if it is given."""
    for name, amount_eur in opex_eur.items():
        if ITEMS[name].payer is payer:
            payments.pay(ITEMS[name].reason, payer if account is None else account, OUTSIDE, amount_eur, dates)

"""Settled amounts, put into the ledger: who pays whom for what, each rule once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.domains import Domain
from heptagrid.planes.money.ledger import Ledger
from heptagrid.planes.money.reasons import Reason
from heptagrid.planes.money.settlement import Wholesale
from heptagrid.planes.money.tariffs import Bills
from heptagrid.planes.money.telecom import ITEMS
from heptagrid.planes.money.true_up import TrueUp
from heptagrid.world.accounts import OUTSIDE, REST_BUYERS, REST_GENERATION

Floats = npt.NDArray[np.float64]


def post_bills(ledger: Ledger, bills: Bills, at_ns: int, cause: npt.ArrayLike = -1) -> None:
    """Every point pays and is paid by the provider, which passes fees and taxes on; `cause` may be (points,)."""
    points = ledger.accounts.of_points
    for amount_eur, reason in (
        (bills.energy_bill, Reason.ENERGY_BILL),
        (bills.standing_charge, Reason.STANDING_CHARGE),
        (bills.rounding, Reason.ROUNDING),
    ):
        ledger.transfer(points, Domain.PROVIDERS, amount_eur, at_ns, reason, cause)
    ledger.transfer(Domain.PROVIDERS, points, bills.export_credit, at_ns, Reason.EXPORT_CREDIT, cause)
    ledger.transfer(OUTSIDE, points, bills.feed_in_premium, at_ns, Reason.FEED_IN_PREMIUM, cause)

    ledger.transfer(Domain.PROVIDERS, Domain.DISTRIBUTION, _fees_eur(bills), at_ns, Reason.NETWORK_FEE)
    ledger.transfer(Domain.PROVIDERS, Domain.OPERATIONS, bills.metering.sum(), at_ns, Reason.METERING_FEE)
    ledger.transfer(Domain.PROVIDERS, OUTSIDE, _taxes_eur(bills), at_ns, Reason.TAXES)


def _fees_eur(bills: Bills) -> float:
    return float(bills.network.sum() + bills.base.sum())


def _taxes_eur(bills: Bills) -> float:
    return float(bills.state.sum() + bills.energy_vat.sum() + bills.standing_vat.sum() + bills.rounding.sum())


def post_wholesale(ledger: Ledger, wholesale: Wholesale, at_ns: int, cause: int = -1) -> None:
    """Buyers pay the market and it pays generation the same whole millicents: it keeps nothing."""
    for payer, amount_eur, reason in (
        (Domain.PROVIDERS, wholesale.energy_eur, Reason.WHOLESALE_ENERGY),
        (Domain.PROVIDERS, wholesale.imbalance_eur, Reason.IMBALANCE),
        (Domain.DISTRIBUTION, wholesale.losses_eur, Reason.LOSSES),
    ):
        _post_through_market(ledger, payer, amount_eur, at_ns, reason, cause)


def _post_through_market(
    ledger: Ledger, payer: Domain, amount_eur: float, at_ns: int, reason: Reason, cause: int
) -> None:
    posted = ledger.transfer(payer, Domain.MARKETS, amount_eur, at_ns, reason, cause)
    ledger.transfer_millicent(Domain.MARKETS, Domain.GENERATION, posted, at_ns, reason, cause)


def post_true_up(ledger: Ledger, change: TrueUp, at_ns: int, cause: int) -> None:
    """What late reads change of a day already billed; `cause` is the message that brought them to the provider."""
    points, bills, reason = ledger.accounts.of_points[change.points], change.bills, Reason.TRUE_UP
    owed_eur = bills.energy_bill + bills.standing_charge + bills.rounding - bills.export_credit
    ledger.transfer(points, Domain.PROVIDERS, owed_eur, at_ns, reason, cause)
    ledger.transfer(OUTSIDE, points, bills.feed_in_premium, at_ns, reason, cause)
    ledger.transfer(Domain.PROVIDERS, Domain.DISTRIBUTION, _fees_eur(bills), at_ns, reason, cause)
    ledger.transfer(Domain.PROVIDERS, OUTSIDE, _taxes_eur(bills), at_ns, reason, cause)
    _post_through_market(ledger, Domain.PROVIDERS, change.wholesale.imbalance_eur, at_ns, reason, cause)
    _post_through_market(ledger, Domain.DISTRIBUTION, change.wholesale.losses_eur, at_ns, reason, cause)


def post_rest(ledger: Ledger, rest_eur: float, at_ns: int) -> None:
    """The loads beyond the scenario's own pay their generation, outside all domains."""
    ledger.transfer(REST_BUYERS, REST_GENERATION, rest_eur, at_ns, Reason.REST_ENERGY)


def post_fuel(ledger: Ledger, cost_with_town_eur: float, cost_without_town_eur: float, at_ns: int) -> None:
    """Generation pays for what the fleet burns more with the town than without it."""
    fuel_eur = cost_with_town_eur - cost_without_town_eur
    ledger.transfer(Domain.GENERATION, OUTSIDE, fuel_eur, at_ns, Reason.FUEL)


def post_transmission(ledger: Ledger, use_of_system_eur: float, peak_demand_eur: float, at_ns: int) -> None:
    """Distribution pays transmission for energy and for power."""
    ledger.transfer(Domain.DISTRIBUTION, Domain.TRANSMISSION, use_of_system_eur, at_ns, Reason.USE_OF_SYSTEM)
    ledger.transfer(Domain.DISTRIBUTION, Domain.TRANSMISSION, peak_demand_eur, at_ns, Reason.PEAK_DEMAND)


def post_flexibility(ledger: Ledger, flexibility_eur: Floats, at_ns: int, cause: npt.ArrayLike = -1) -> None:
    """The provider pays each point, (points,), for what its devices moved."""
    ledger.transfer(Domain.PROVIDERS, ledger.accounts.of_points, flexibility_eur, at_ns, Reason.FLEXIBILITY, cause)


def post_relief(ledger: Ledger, relief_eur: npt.ArrayLike, at_ns: npt.ArrayLike, cause: npt.ArrayLike = -1) -> None:
    """Distribution pays the provider for relief of its transformers; one amount, or one for each request."""
    ledger.transfer(Domain.DISTRIBUTION, Domain.PROVIDERS, relief_eur, at_ns, Reason.RELIEF, cause)


def post_smart_metering(ledger: Ledger, smart_metering_eur: float, at_ns: int) -> None:
    """Distribution pays operations its part for smart meters."""
    ledger.transfer(Domain.DISTRIBUTION, Domain.OPERATIONS, smart_metering_eur, at_ns, Reason.METERING_FEE)


def post_upkeep(ledger: Ledger, opex_eur: Mapping[str, float], at_ns: int) -> None:
    """Each item's owner pays outside for running it."""
    for name, amount_eur in opex_eur.items():
        ledger.transfer(ITEMS[name].payer, OUTSIDE, amount_eur, at_ns, ITEMS[name].reason)

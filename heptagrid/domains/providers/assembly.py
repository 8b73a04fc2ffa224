"""Puts the service providers together: each retailer with its bills, and each aggregator where there is a smart grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.paper import Paper
from heptagrid.domains.providers.actor import Providers
from heptagrid.domains.providers.aggregator import Aggregator
from heptagrid.domains.providers.aggregator_desk import AggregatorDesk
from heptagrid.domains.providers.all_bills import AllBills
from heptagrid.domains.providers.billing import Billing
from heptagrid.domains.providers.flexibility_pay import FlexibilityPay
from heptagrid.domains.providers.retailer import Retailer
from heptagrid.domains.providers.retailer_desk import RetailerDesk
from heptagrid.planes.money.means import Means
from heptagrid.planes.money.monthly_account import MonthlyAccount
from heptagrid.world.companies import Companies
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.registrations import Enrolled

Ints = npt.NDArray[np.int64]
Sections = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Site:
    """What the companies know from contracts.

    companies: whose customers the points are. enrolled: the devices that aggregators may control, of all customers, by class. town_of, substation_of:
    (points,) the town and the substation of each point.
    """

    companies: Companies
    enrolled: Mapping[str, Enrolled]
    town_of: Ints
    substation_of: Ints
    endpoints: Endpoints


def providers(
    retailers: Sections,
    aggregators: Sections,
    zone: ZoneInfo,
    site: Site,
    paper: Paper,
    price_on_paper: Callable[[int, int], float],
    means: Means,
    smart: bool,
) -> tuple[Providers, AllBills]:
    """The actor of one arm, and its bills; `retailers`, `aggregators` are the sections of each company, `price_on_paper` is of a retailer and an hour."""
    companies, terms = site.companies, means.terms
    sellers = [
        RetailerDesk(
            number=k,
            endpoints=site.endpoints,
            zone=zone,
            retailer=Retailer(sections["retailer"]),
            points=companies.supplied_by(k),
            enrolled=_among(site.enrolled, companies.retailer_of == k) if smart else {},
            billing=_billing(k, sections, companies.supplied_by(k), paper, partial(price_on_paper, k), means),
            smart=smart,
        )
        for k, sections in enumerate(retailers)
    ]
    steerers = [_aggregator(k, sections, zone, site, paper, means) for k, sections in enumerate(aggregators)]
    bills = [one.billing for one in sellers if one.billing]
    return Providers(sellers, steerers if smart else ()), AllBills(
        bills, companies.retailer_of, terms.offers, terms.tariff_of
    )


def _billing(
    number: int,
    sections: Mapping[str, Any],
    points: Ints,
    paper: Paper,
    price_on_paper: Callable[[int], float],
    means: Means,
) -> Billing:
    """A retailer's bills, with an account of months for each monthly rate that a customer of it has."""
    terms = replace(means.terms.of(points), supply=sections["tariffs"])
    monthly = {
        tariff: MonthlyAccount(
            rate=rate,
            columns=np.flatnonzero((terms.tariff_of == tariff) & terms.is_customer),
            supply=terms.supply,
            fees=terms.fees,
            years_per_day=terms.years,
            zone=means.days.zone,
            from_ns=means.posted_from_ns,
            settled_days=means.days.runs.final_days + 1,
        )
        for tariff, rate in terms.offers.rates().items()
    }
    return Billing(
        account=int(means.accounts.of_retailers[number]),
        points=points,
        terms=terms,
        days=means.days,
        paper=paper,
        payments=means.payments,
        price_on_paper=price_on_paper,
        monthly={tariff: one for tariff, one in monthly.items() if len(one.columns)},
    )


def _aggregator(
    number: int, sections: Mapping[str, Any], zone: ZoneInfo, site: Site, paper: Paper, means: Means
) -> AggregatorDesk:
    companies, terms = site.companies, means.terms
    enrolled = _among(site.enrolled, companies.aggregator_of == number)
    boxes, all_boxes = (sum(len(one.customers) for one in each.values()) for each in (enrolled, site.enrolled))
    account = int(means.accounts.of_aggregators[number])
    points = companies.steered_by(number)
    return AggregatorDesk(
        number=number,
        endpoints=site.endpoints,
        zone=zone,
        aggregator=Aggregator(
            sections["aggregator"],
            enrolled,
            towns=towns_of(points, site.town_of),
        ),
        substation_of=site.substation_of,
        flexibility_pay=FlexibilityPay(account, points, sections["tariffs"], terms.fees, means.payments),
        upkeep=means.upkeep_of_aggregator(number, boxes / max(all_boxes, 1)),
        days=means.days,
        paper=paper,
    )


def towns_of(points: Ints, town_of: Ints) -> float:
    """How many towns some metering points make up: the sum of their parts of each; a town without any counts nothing. town_of: of all points."""
    all_of = np.bincount(town_of)
    return float((np.bincount(town_of[points], minlength=len(all_of)) / np.maximum(all_of, 1)).sum())


def _among(enrolled: Mapping[str, Enrolled], is_mine: npt.NDArray[np.bool_]) -> dict[str, Enrolled]:
    """The enrolled devices of some metering points, (points,)."""
    return {name: replace(one, customers=one.customers[is_mine[one.customers]]) for name, one in enrolled.items()}

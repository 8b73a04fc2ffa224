"""Puts the service providers together: the retailer with its bills, and the aggregator where there is a smart grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.paper import Paper
from heptagrid.domains.providers.actor import Providers
from heptagrid.domains.providers.aggregator import Aggregator
from heptagrid.domains.providers.billing import Billing
from heptagrid.domains.providers.flexibility_pay import FlexibilityPay
from heptagrid.domains.providers.retailer import Retailer
from heptagrid.foundation.domains import Domain
from heptagrid.planes.money.means import Means
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.registrations import Enrolled

Ints = npt.NDArray[np.int64]


def providers(
    sections: Mapping[str, Any],
    zone: ZoneInfo,
    endpoints: Endpoints,
    enrolled: Mapping[str, Enrolled],
    substation_of: Ints,
    paper: Paper,
    price_on_paper: Callable[[int], float],
    means: Means,
    smart: bool,
) -> tuple[Providers, Billing]:
    """The actor of one arm, and its bills; `enrolled` are the devices that the aggregator may control, `substation_of` is each customer's."""
    terms = means.terms
    billing = Billing(terms, means.days, paper, means.payments, price_on_paper)
    pay = FlexibilityPay(len(terms.is_customer), terms.supply, terms.fees, means.payments)
    actor = Providers(
        endpoints,
        zone,
        Retailer(sections["retailer"]),
        Aggregator(sections["aggregator"], dict(enrolled)) if smart else None,
        substation_of,
        billing,
        pay if smart else None,
        means.upkeep(Domain.PROVIDERS),
    )
    return actor, billing

"""Puts markets together: the day-ahead exchange and its settlement, and local markets where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.paper import Paper
from heptagrid.domains.markets.actor import Markets
from heptagrid.domains.markets.local_market import LocalMarket
from heptagrid.domains.markets.local_settlement import LocalSettlement
from heptagrid.domains.markets.settlement import Settlement
from heptagrid.planes.money.means import Means
from heptagrid.world.bulk import BulkSystem
from heptagrid.world.companies import Companies
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.local_markets import LocalMarkets

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Site:
    """What the market knows from registrations: the bulk system, who sends it messages, at which bus each town is, (towns,), and whose customers are where.

    town_of: (points,).
    """

    bulk: BulkSystem
    endpoints: Endpoints
    town_bus: Ints
    town_of: Ints
    companies: Companies

    @property
    def town_shares(self) -> Floats:
        """(retailers, towns) which part of a retailer's customers is in each town; of one without customers all is in the first."""
        shares = np.zeros((len(self.companies.retailers), len(self.town_bus)))
        np.add.at(shares, (self.companies.retailer_of, self.town_of), 1.0)
        shares[shares.sum(axis=1) == 0.0, 0] = 1.0
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def markets(sections: Mapping[str, Any], site: Site, paper: Paper, means: Means) -> tuple[Markets, Settlement]:
    """The actor of one arm, and its settlement."""
    settlement = Settlement(means.terms.fees, means.days, paper, means.payments, means.accounts.of_retailers)
    exchange = Markets(sections["market"], site.bulk, site.endpoints, site.town_bus, site.town_shares, settlement)
    return exchange, settlement


def local_market(
    sections: Mapping[str, Any],
    found: LocalMarkets,
    companies: Companies,
    endpoints: Endpoints,
    exchange: Markets,
    means: Means,
) -> LocalMarket:
    """The actor of the local markets of an arm."""
    aggregator_of = means.accounts.of_aggregators[companies.aggregator_of]
    settlement = LocalSettlement(means.payments, means.days, aggregator_of)
    return LocalMarket(found, sections["local_market"], endpoints, exchange.price, settlement)

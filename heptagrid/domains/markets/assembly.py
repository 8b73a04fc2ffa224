"""Puts markets together: the day-ahead exchange and its settlement, and local markets where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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


def markets(
    sections: Mapping[str, Any], bulk: BulkSystem, endpoints: Endpoints, paper: Paper, means: Means
) -> tuple[Markets, Settlement]:
    """The actor of one arm, and its settlement."""
    settlement = Settlement(means.terms.fees, means.days, paper, means.payments, means.accounts.of_retailers)
    return Markets(sections["market"], bulk.units, endpoints, settlement), settlement


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

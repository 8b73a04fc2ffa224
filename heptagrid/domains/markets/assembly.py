"""Puts markets together: the day-ahead exchange and its settlement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heptagrid.contracts.paper import Paper
from heptagrid.domains.markets.actor import Markets
from heptagrid.domains.markets.settlement import Settlement
from heptagrid.planes.money.means import Means
from heptagrid.world.bulk import BulkSystem
from heptagrid.world.endpoints import Endpoints


def markets(
    sections: Mapping[str, Any], bulk: BulkSystem, endpoints: Endpoints, paper: Paper, means: Means
) -> tuple[Markets, Settlement]:
    """The actor of one arm, and its settlement."""
    settlement = Settlement(means.terms.fees, means.days, paper, means.payments, means.accounts.of_retailers)
    return Markets(sections["market"], bulk.units, endpoints, settlement), settlement

"""The local markets of a scenario: one below each substation, for the devices with which its enrolled customers bid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.ownership import Ownership
from heptagrid.domains.distribution.actor import Substations
from heptagrid.planes.money.markets.local_auction import Parameters
from heptagrid.world.balanced.radial_network import Tree
from heptagrid.world.grid import Grid
from heptagrid.world.local_markets import LocalMarkets, Timetable, nearest_above

Ints = npt.NDArray[np.int64]


def local_markets(
    parameters: Parameters,
    step_s: int,
    grid: Grid,
    network: Tree,
    substations: Substations,
    point_node: Ints,
    owned: Ownership,
) -> LocalMarkets | None:
    """The markets, None where the scenario has none; who is at medium voltage, above all substations, takes part in none."""
    if not parameters.enabled:
        return None
    nodes, first, of_substation = np.unique(substations.node, return_index=True, return_inverse=True)
    own = np.full(network.nodes, -1, dtype=np.int64)
    own[nodes] = np.arange(len(nodes))
    of_point = nearest_above(own, network.parent)[point_node]
    rated_kva = grid.transformers.sn_mva[substations.transformer] * 1000.0
    participants = {
        name: mine[of_point[mine] >= 0]
        for name, one in owned.classes.items()
        if one.bid_rule is not None
        for mine in (owned.enrolled_owners(name),)
    }
    return LocalMarkets(
        timetable=Timetable.of(parameters.period_s, parameters.bid_lead_s, parameters.clear_lead_s, step_s),
        capacity_kw=parameters.capacity_pct / 100.0 * np.bincount(of_substation, rated_kva).astype(np.float64),
        names=tuple(str(one) for one in grid.transformers.names[substations.transformer[first]]),
        of_substation=of_substation.astype(np.int64),
        of_point=of_point,
        participants=participants,
    )

"""What is given at each bus once it is known what feeds it, and which buses a slack feeds.

Source: bustypes.m of MATPOWER. A PV or slack bus without a generator in service is a PQ bus; where no slack bus is left, the first PV bus with a
generator in service, in the file's order, is the slack.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from heptagrid.foundation.errors import NetworkError
from heptagrid.world.balanced.network import BalancedNetwork, BusKind

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def kinds_of(network: BalancedNetwork) -> Ints:
    """(buses,) of BusKind, as the power flow takes them."""
    buses, generators = network.buses, network.generators
    fed = np.zeros(len(buses.kind), dtype=np.bool_)
    fed[generators.bus[generators.in_service]] = True
    holds = np.isin(buses.kind, (BusKind.PV, BusKind.SLACK))
    kind = np.where(holds & ~fed, BusKind.PQ, buses.kind)
    held = np.flatnonzero(kind == BusKind.PV)
    if len(held) and not (kind == BusKind.SLACK).any() and (buses.kind == BusKind.SLACK).any():
        kind[held[0]] = BusKind.SLACK
    return np.asarray(kind, dtype=np.int64)


def live_buses(network: BalancedNetwork) -> Bools:
    """(buses,) whether branches in service join the bus to a slack bus; all that are not declared isolated, where there is no slack."""
    branches, kind = network.branches, kinds_of(network)
    connected = kind != BusKind.ISOLATED
    slack = np.flatnonzero(kind == BusKind.SLACK)
    if not len(slack):
        return np.asarray(connected)
    on = branches.in_service & connected[branches.from_bus] & connected[branches.to_bus]
    ends, count = (branches.from_bus[on], branches.to_bus[on]), len(kind)
    _, part = connected_components(csr_matrix((np.ones(len(ends[0])), ends), shape=(count, count)), directed=False)
    is_live: Bools = connected & np.isin(part, part[slack])
    return is_live


def check_slack(network: BalancedNetwork) -> None:
    """Refuse a network without a slack bus.

    Raises
    ------
    NetworkError
        Saying what to do.
    """
    if (kinds_of(network) == BusKind.SLACK).any():
        return
    declared = network.buses.names[network.buses.kind == BusKind.SLACK].tolist()
    if declared:
        raise NetworkError(
            f"{network.name}: slack bus {', '.join(declared)} has no generator in service, and no PV bus has one; put one in service"
        )
    raise NetworkError(f"{network.name} has no slack bus; declare one (type 3), with a generator in service")


def changed_slack(network: BalancedNetwork) -> list[str]:
    """A line for each slack bus that holds no voltage, since no generator feeds it, and one for the bus that is the slack in its place."""
    declared, kind, names = network.buses.kind, kinds_of(network), network.buses.names
    found = [
        f"slack bus {names[k]} has no generator in service, so it is a PQ bus"
        for k in np.flatnonzero((declared == BusKind.SLACK) & (kind == BusKind.PQ))
    ]
    return found + [
        f"bus {names[k]} is the slack in its place: the first PV bus with a generator in service, as in MATPOWER"
        for k in np.flatnonzero((declared == BusKind.PV) & (kind == BusKind.SLACK))
    ]

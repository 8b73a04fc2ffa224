"""What a MW at a bus puts on each branch: power transfer and line outage distribution factors of a DC network.

Source: Wood and Wollenberg, Power Generation, Operation and Control, chapter 11 (source not read); the factors follow from B theta = P.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.errors import NetworkError
from heptagrid.world.commitment_case import BranchNetwork

Floats = npt.NDArray[np.float64]

_BRIDGE = 1e-6  # below what is left for others when a branch fails, it is the only way


def transfer_factors(network: BranchNetwork, buses: int, slack: int = 0) -> Floats:
    """(branches, buses) flow on each branch for a MW fed in at a bus and taken out at the slack.

    Raises
    ------
    NetworkError
        If the branches do not connect all buses.
    """
    incidence = np.zeros((len(network.from_bus), buses))
    rows = np.arange(len(network.from_bus))
    incidence[rows, network.from_bus] += 1.0
    incidence[rows, network.to_bus] -= 1.0
    flow_of_angle = network.susceptance_pu[:, np.newaxis] * incidence
    others = np.arange(buses) != slack
    nodal = (incidence.T @ flow_of_angle)[np.ix_(others, others)]
    factors = np.zeros((len(rows), buses))
    try:
        factors[:, others] = np.linalg.solve(nodal.T, flow_of_angle[:, others].T).T
    except np.linalg.LinAlgError:
        raise NetworkError("the branches do not connect all buses; close a branch, or take buses out") from None
    return factors


def outage_factors(network: BranchNetwork, factors: Floats) -> Floats:
    """(branches, outages) what of a failed branch's flow comes upon each branch; NaN for a branch without which the network falls apart."""
    across = factors[:, network.from_bus] - factors[:, network.to_bus]
    left = 1.0 - np.diagonal(across)
    outage = np.full(across.shape, np.nan)
    has_others = np.abs(left) > _BRIDGE
    outage[:, has_others] = across[:, has_others] / left[has_others]
    np.fill_diagonal(outage, -1.0)
    return outage

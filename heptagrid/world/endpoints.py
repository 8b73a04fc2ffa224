"""Who can be written to: the ids of the message topology's endpoints, by what lives there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Endpoints:
    """Endpoint ids; arrays are in the order of the things they serve."""

    gateways: Ints  # (points,) customers' and producers' meters and gateways
    concentrators: Ints  # (concentrators,) at the substations; distribution's sensors speak from there
    hubs: Ints  # (towns,) the primary substations, where distribution's tap controllers are
    operations: int
    market: int
    retailers: Ints
    aggregators: Ints
    plants: Ints  # (units,) bulk units
    substations: Ints  # (buses,) transmission substations
    infeeds: Ints  # (towns,) those of them that feed the towns

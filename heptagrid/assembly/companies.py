"""Which retailer and which aggregator each metering point has, drawn by the companies' shares in its town."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.random import Stream, uniforms
from heptagrid.scenario.schema import Scenario
from heptagrid.scenario.towns import Company
from heptagrid.world.companies import Companies

Ints = npt.NDArray[np.int64]


def companies_of(scenario: Scenario, town_of: Ints) -> Companies:
    """The companies of a scenario; town_of: (points,) the number of each metering point's town."""
    return Companies(
        retailers=tuple(one.name for one in scenario.retailers),
        aggregators=tuple(one.name for one in scenario.aggregators),
        retailer_of=_drawn(scenario, scenario.retailers, town_of, Stream.RETAILER),
        aggregator_of=_drawn(scenario, scenario.aggregators, town_of, Stream.AGGREGATOR),
    )


def _drawn(scenario: Scenario, companies: Sequence[Company], town_of: Ints, stream: Stream) -> Ints:
    chosen = np.zeros(len(town_of), dtype=np.int64)
    if len(companies) == 1:
        return chosen
    number = np.asarray(uniforms(scenario.seed, int(stream), np.arange(len(town_of)), 0))
    for k, town in enumerate(scenario.towns):
        shares = np.array([one.entry.share if one.serves(town.name) else 0.0 for one in companies])
        upper = np.cumsum(shares) / shares.sum()
        here = town_of == k
        found = np.searchsorted(upper, number[here], side="right")
        chosen[here] = np.minimum(found, int(np.flatnonzero(shares)[-1]))
    return chosen

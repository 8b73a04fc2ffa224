"""Programme: planning, procurement and telling customers, once."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow, gain
from heptagrid.planes.money.benefits.observed import Observed


@dataclass(frozen=True)
class Parameters:
    """What the programme costs."""

    eur_per_meter: float = parameter(
        8.0,
        info="planning, procurement and campaign for each meter",
        unit="EUR",
        low=0.0,
        high=500.0,
        likely=(3.0, 20.0),
        source="assumption: about 5 % of what a meter costs installed",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """Paid by operations, once."""
    return [gain("programme", Domain.OPERATIONS, 0.0, -observed.meters * values.eur_per_meter)]


BENEFIT = Benefit("programme", "programme", Parameters, flows, is_cost=True)

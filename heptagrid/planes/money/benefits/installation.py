"""Installation: visits in vain; the visit that succeeds is in the price of the meter."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow, gain
from heptagrid.planes.money.benefits.observed import Observed


@dataclass(frozen=True)
class Parameters:
    """How often a fitter comes in vain."""

    visits_in_vain: float = parameter(
        0.1,
        info="visits in vain for each meter installed",
        unit="1",
        low=0.0,
        high=5.0,
        likely=(0.02, 0.3),
        source="assumption: one customer in ten is not at home",
    )
    visit_eur: float = parameter(
        30.0,
        info="a visit in vain",
        unit="EUR",
        low=0.0,
        high=1000.0,
        likely=(15.0, 50.0),
        source="assumption: travel and a quarter of an hour",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """Paid by operations, again with each generation of meters."""
    once_eur = -observed.meters * values.visits_in_vain * values.visit_eur
    return [gain("visits in vain", Domain.OPERATIONS, 0.0, once_eur, 15.0)]


BENEFIT = Benefit("installation", "installation", Parameters, flows, is_cost=True)

"""Information technology: head end, meter-data store, and fitting them into what companies have."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow
from heptagrid.planes.money.benefits.bought import item_flows
from heptagrid.planes.money.benefits.observed import Observed


@dataclass(frozen=True)
class Parameters:
    """How the price of systems is scaled."""

    factor: float = parameter(
        1.0,
        info="cost of systems as a multiple of the prices in `telecom`",
        unit="1",
        low=0.0,
        high=10.0,
        likely=(0.7, 2.0),
        source="assumption: projects of information technology overrun more often than they come in below",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """What head ends cost."""
    return item_flows(observed, ("head_end",), values.factor)


BENEFIT = Benefit("information_technology", "information technology", Parameters, flows, is_cost=True)

"""Communication: units in meters, sites, backhaul, the wide-area network and lines, at the technologies' own costs."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow
from heptagrid.planes.money.benefits.bought import item_flows
from heptagrid.planes.money.benefits.observed import Observed

ITEMS = ("access_unit", "access_site", "backhaul", "wan", "line_m")


@dataclass(frozen=True)
class Parameters:
    """How the technologies' costs are scaled."""

    factor: float = parameter(
        1.0,
        info="cost of communication as a multiple of the technologies' own costs",
        unit="1",
        low=0.0,
        high=10.0,
        likely=(0.6, 1.6),
        source="assumption: prices of units and sites differ by that much between the technologies' sources",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """What the arms' communication costs, by item."""
    return item_flows(observed, ITEMS, values.factor)


BENEFIT = Benefit("communication", "communication system", Parameters, flows, is_cost=True)

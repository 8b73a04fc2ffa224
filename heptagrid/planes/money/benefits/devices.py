"""Devices: smart meters, sensors and control boxes, less the plain meters that need not be bought; installed."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow
from heptagrid.planes.money.benefits.bought import item_flows
from heptagrid.planes.money.benefits.observed import Observed

ITEMS = ("smart_meter", "plain_meter", "feeder_sensor", "control_box")


@dataclass(frozen=True)
class Parameters:
    """How devices' prices are scaled."""

    factor: float = parameter(
        1.0,
        info="cost of devices as a multiple of the prices in `telecom`",
        unit="1",
        low=0.0,
        high=10.0,
        likely=(0.7, 1.4),
        source="range: residential meters 70 to 140 USD of 2010 about their middle (EPRI 1022519, source not read)",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """What the arms' devices cost, by item."""
    return item_flows(observed, ITEMS, values.factor)


BENEFIT = Benefit("devices", "meters, sensors and control boxes", Parameters, flows, is_cost=True)

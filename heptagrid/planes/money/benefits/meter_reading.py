"""Meter reading and field visits: visits that remote reading, connection and fault-finding save."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow, gain
from heptagrid.planes.money.benefits.bought import item_flows
from heptagrid.planes.money.benefits.observed import Observed


@dataclass(frozen=True)
class Parameters:
    """Visits besides the yearly reading."""

    factor: float = parameter(
        1.0,
        info="cost of the readings by visit as a multiple of `telecom.reading_visit_opex_eur_per_year`",
        unit="1",
        low=0.0,
        high=20.0,
        likely=(0.6, 2.0),
        source="assumption: a route in town costs less than the central value, scattered farms twice as much",
    )
    special_visits_per_meter_year: float = parameter(
        0.0,
        info="visits a year besides the reading that remote access saves: moves, disputes, disconnection",
        unit="1/year",
        low=0.0,
        high=10.0,
        likely=(0.0, 0.05),
        source="not simulated: none; the upper end is an assumption, one meter in twenty",
    )
    special_visit_eur: float = parameter(
        50.0,
        info="such a visit",
        unit="EUR",
        low=0.0,
        high=1000.0,
        source="assumption: a fitter's visit of about 45 minutes with travel",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """Readings by visit of the conventional arm less those of the smart one, and special visits; meters that are not heard save none."""
    heard = observed.meters - sum(one.counts.get("reading_visit", 0) for one in observed.smart.stocks)
    special_eur = heard * values.special_visits_per_meter_year * values.special_visit_eur
    return [
        *item_flows(observed, ("reading_visit",), values.factor),
        gain("special visits", Domain.OPERATIONS, special_eur),
    ]


BENEFIT = Benefit("meter_reading", "meter reading and field visits", Parameters, flows)

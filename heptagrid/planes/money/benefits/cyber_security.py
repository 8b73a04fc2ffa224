"""Cyber security: keys, certificates, monitoring and answering incidents."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow, gain
from heptagrid.planes.money.benefits.observed import Observed


@dataclass(frozen=True)
class Parameters:
    """What security costs."""

    eur_per_meter_year: float = parameter(
        1.0,
        info="keys, certificates and monitoring of a meter",
        unit="EUR/year",
        low=0.0,
        high=100.0,
        likely=(0.3, 3.0),
        source="assumption: a certificate and a share of a monitoring centre",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """Paid by operations."""
    return [gain("cyber security", Domain.OPERATIONS, -observed.meters * values.eur_per_meter_year)]


BENEFIT = Benefit("cyber_security", "cyber security", Parameters, flows, is_cost=True)

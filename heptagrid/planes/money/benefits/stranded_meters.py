"""Stranded meters: plain meters thrown away before their time.

Their price is sunk, so society loses only what disposal costs. What is left on the books changes hands: customers go on paying for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow, gain, transfer
from heptagrid.planes.money.benefits.observed import Observed


@dataclass(frozen=True)
class Parameters:
    """What is left of plain meters."""

    disposal_eur: float = parameter(
        1.0, info="disposal of a plain meter", unit="EUR", low=0.0, high=100.0, likely=(0.5, 3.0), source="assumption"
    )
    recovered_eur_per_meter_year: float = parameter(
        0.0,
        info="what customers go on paying operations for a plain meter's remaining book value",
        unit="EUR/year",
        low=0.0,
        high=50.0,
        source="assumption: nothing, for the metering fee is the same for plain and smart meters; elsewhere customers pay on, as Pacific Gas and "
        "Electric's for about 18 years (California Public Utilities Commission, decision on its general rate case, section 5)",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """Disposal once; recovery of the book value as a transfer."""
    return [
        gain("disposal of plain meters", Domain.OPERATIONS, 0.0, -observed.meters * values.disposal_eur),
        transfer(
            "book value of plain meters",
            Domain.CUSTOMERS,
            Domain.OPERATIONS,
            observed.meters * values.recovered_eur_per_meter_year,
        ),
    ]


BENEFIT = Benefit("stranded_meters", "stranded meters", Parameters, flows, is_cost=True)

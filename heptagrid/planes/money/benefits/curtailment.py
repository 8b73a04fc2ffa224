"""Curtailment: local generation that need not be turned down."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow, gain, switch
from heptagrid.planes.money.benefits.observed import Observed


@dataclass(frozen=True)
class Parameters:
    """What is turned down."""

    counted: bool = parameter(False, **switch("whether curtailment, which is not simulated, counts"))
    saved_mwh_per_year: float = parameter(
        0.0,
        info="generation that need not be turned down",
        unit="MWh/year",
        low=0.0,
        high=1e7,
        source="not simulated: none",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """Energy that is used and not turned down, at the wholesale price."""
    before, after = observed.conventional.curtailed_mwh, observed.smart.curtailed_mwh
    run_mwh = before - after if before is not None and after is not None else 0.0
    return [gain("curtailment", Domain.CUSTOMERS, (run_mwh + values.saved_mwh_per_year) * observed.price_eur_per_mwh)]


BENEFIT = Benefit("curtailment", "curtailment", Parameters, flows, not_simulated="a run turns no generator down")

"""Calls about estimated bills that nobody makes once meters are read."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow, gain
from heptagrid.planes.money.benefits.observed import Observed


@dataclass(frozen=True)
class Parameters:
    """How many calls there are, and what one costs."""

    calls_per_customer_year: float = parameter(
        0.1, info="calls about estimates", unit="1/year", low=0.0, high=10.0, likely=(0.03, 0.3), source="assumption"
    )
    eur_per_call: float = parameter(
        4.0, info="a call", unit="EUR", low=0.0, high=100.0, likely=(2.0, 8.0), source="assumption: six minutes"
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """Saved by the providers, whom customers call."""
    calls = observed.customers * values.calls_per_customer_year
    return [gain("calls", Domain.PROVIDERS, calls * values.eur_per_call)]


BENEFIT = Benefit("call_centre", "calls about estimated bills", Parameters, flows)

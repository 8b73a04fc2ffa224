"""Theft and unbilled energy: a transfer between who pays for what others take, with a saving where takers then use less."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow, gain, switch, transfer
from heptagrid.planes.money.benefits.observed import Observed


@dataclass(frozen=True)
class Parameters:
    """How much is taken unpaid, and what becomes of it."""

    counted: bool = parameter(False, **switch("whether theft, which is not simulated, counts"))
    share_of_energy: float = parameter(
        0.01,
        info="share of the energy used that is taken unpaid",
        unit="1",
        low=0.0,
        high=0.9,
        likely=(0.002, 0.05),
        source="assumption: 1 %; trade estimates are 6 billion USD a year in the United States, about 1.5 % of sales (Delta Global Network)",
    )
    share_found: float = parameter(
        0.3,
        info="share of it that smart meters bring to light",
        unit="1",
        low=0.0,
        high=1.0,
        likely=(0.1, 0.6),
        source="assumption",
    )
    share_given_up: float = parameter(
        0.2,
        info="share of what is found that its takers no longer use once they pay",
        unit="1",
        low=0.0,
        high=1.0,
        likely=(0.0, 0.5),
        source="assumption",
    )
    eur_per_mwh: float = parameter(
        300.0,
        info="what a MWh billed brings",
        unit="EUR/MWh",
        low=0.0,
        high=2000.0,
        source="assumption: about the household price of the scenario's tariff without value added tax",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """Takers, customers too, pay for what is found; what they give up saves its energy."""
    found_mwh = observed.conventional.consumed_mwh * values.share_of_energy * values.share_found
    given_up_mwh = values.share_given_up * found_mwh
    return [
        transfer("theft paid for", Domain.CUSTOMERS, Domain.PROVIDERS, (found_mwh - given_up_mwh) * values.eur_per_mwh),
        gain("energy no longer stolen", Domain.DISTRIBUTION, given_up_mwh * observed.price_eur_per_mwh),
    ]


BENEFIT = Benefit(
    "theft",
    "theft and unbilled energy",
    Parameters,
    flows,
    not_simulated="no customer of a run takes energy past the meter",
)

"""Conservation by feedback: customers who see what they use use less."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import STATE, Benefit, Flow, gain, switch, transfer
from heptagrid.planes.money.benefits.observed import Observed

RUNS_OWN = -1.0


@dataclass(frozen=True)
class Parameters:
    """How much is saved, and what it is worth."""

    counted: bool = parameter(False, **switch("whether saving by feedback, which is not simulated, counts"))
    share: float = parameter(
        0.03,
        info="share of their energy that customers save",
        unit="1",
        low=0.0,
        high=0.5,
        likely=(0.0, 0.05),
        source="3 % on average of the European appraisals (European Commission's summary of COM(2014) 356); 3 % in Great Britain's "
        "programme of 2019 (The Register, 17 September 2019); the range is an assumption",
    )
    energy_eur_per_mwh: float = parameter(
        RUNS_OWN,
        info="what a MWh costs in the wholesale market; -1 for the run's own price",
        unit="EUR/MWh",
        low=RUNS_OWN,
        high=2000.0,
        source="assumption: the price of the years ahead is that of the run",
    )
    avoided_eur_per_mwh: float = parameter(
        0.0,
        info="what a saved MWh saves besides the wholesale price: networks and capacity in the long run",
        unit="EUR/MWh",
        low=0.0,
        high=500.0,
        likely=(0.0, 40.0),
        source="assumption: nothing; a run's networks stay as they are",
    )
    tax_eur_per_mwh: float = parameter(
        20.5,
        info="electricity tax that the state loses on a saved MWh",
        unit="EUR/MWh",
        low=0.0,
        high=500.0,
        source="German Electricity Tax Act (StromStG), section 3: 20.50 EUR/MWh (source not read)",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """The energy is the customers' gain; the tax on it only changes hands."""
    saved_mwh = values.share * observed.conventional.consumed_mwh
    wholesale = observed.price_eur_per_mwh if values.energy_eur_per_mwh == RUNS_OWN else values.energy_eur_per_mwh
    eur_per_mwh = wholesale + values.avoided_eur_per_mwh
    return [
        gain("energy not used", Domain.CUSTOMERS, saved_mwh * eur_per_mwh),
        transfer("tax on it", STATE, Domain.CUSTOMERS, saved_mwh * values.tax_eur_per_mwh),
    ]


BENEFIT = Benefit(
    "feedback",
    "conservation by feedback",
    Parameters,
    flows,
    not_simulated="a run's customers use what they use, told or not",
)

"""Emissions: what saved energy would have emitted, at what a ton costs beyond what generation already pays."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import SOCIETY, Benefit, Flow, gain, switch
from heptagrid.planes.money.benefits.observed import Observed


@dataclass(frozen=True)
class Parameters:
    """What is emitted, and what it costs."""

    counted: bool = parameter(False, **switch("whether emissions, which are not simulated, count"))
    t_per_mwh: float = parameter(
        0.4,
        info="carbon dioxide of a MWh of the fleet",
        unit="t/MWh",
        low=0.0,
        high=1.5,
        likely=(0.2, 0.8),
        source="assumption: gas units at the margin; coal units emit about twice as much",
    )
    eur_per_t: float = parameter(
        100.0,
        info="damage of a ton beyond the price that generation pays for it",
        unit="EUR/t",
        low=0.0,
        high=2000.0,
        likely=(30.0, 250.0),
        source="assumption: the run's fuel prices hold no price of carbon",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """Of the towns' energy and the losses on its way; of what the runs themselves emitted, where they say so."""
    before, after = observed.conventional, observed.smart
    if before.emissions_t is not None and after.emissions_t is not None:
        tons = before.emissions_t - after.emissions_t
    else:
        tons = values.t_per_mwh * (_drawn_mwh(observed, smart=False) - _drawn_mwh(observed, smart=True))
    return [gain("emissions", SOCIETY, values.eur_per_t * tons)]


def _drawn_mwh(observed: Observed, smart: bool) -> float:
    arm = observed.smart if smart else observed.conventional
    return arm.consumed_mwh + arm.lost_mwh + arm.transmission_lost_mwh


BENEFIT = Benefit(
    "emissions",
    "emissions",
    Parameters,
    flows,
    not_simulated="a run's units burn fuel by its cost and not by its carbon",
)

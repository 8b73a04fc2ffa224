"""Emissions: what the carbon dioxide that the towns' energy causes costs society, beyond the price that generation has paid for it with its fuel.

A tonne's price is part of what generation pays, so the energy that is saved already counts with it. What remains of a tonne's damage, or, where the price is
higher, what it paid too much, is society's. Where a cap on emissions binds, a tonne that is saved is emitted elsewhere: then its damage is the price.
"""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import SOCIETY, Benefit, Flow, gain
from heptagrid.planes.money.benefits.observed import Observed
from heptagrid.planes.money.prices import eur_2024


@dataclass(frozen=True)
class Parameters:
    """What a tonne costs."""

    damage_eur_per_t: float = parameter(
        round(eur_2024(195.0, "EUR", 2020)),
        info="damage of a tonne of carbon dioxide, of which the price that generation pays is taken off",
        unit="EUR/t",
        low=0.0,
        high=5000.0,
        likely=(65.0, round(eur_2024(640.0, "EUR", 2016))),
        source="Umweltbundesamt, Methodenkonvention 3.1: 195 EUR of 2020, a time preference of 1 % (klimareporter.de, January 2021); range: the price of the "
        "European auctions of 2024, where the cap binds, and 640 EUR of 2016 without time preference (dw.com, December 2018)",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """Of the towns' energy and the losses on its way, as the fleet's units emitted it."""
    before, after = observed.conventional.emissions_t, observed.smart.emissions_t
    tonnes = before - after if before is not None and after is not None else 0.0
    return [gain("emissions", SOCIETY, (values.damage_eur_per_t - observed.co2_eur_per_t) * tonnes)]


BENEFIT = Benefit(
    "emissions",
    "emissions",
    Parameters,
    flows,
    is_shown=lambda observed: None not in (observed.conventional.emissions_t, observed.smart.emissions_t),
)

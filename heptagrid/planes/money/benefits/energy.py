"""Energy and losses: fuel that generation saves, in whatever way: shifted load, avoided losses, less use. Its price of carbon dioxide is within."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.domains import Domain
from heptagrid.foundation.parameters import parameter
from heptagrid.planes.money.benefits.benefit import Benefit, Flow, gain
from heptagrid.planes.money.benefits.observed import Observed


@dataclass(frozen=True)
class Parameters:
    """How saved fuel is valued."""

    factor: float = parameter(
        1.0,
        info="fuel costs of the years ahead as a multiple of the run's",
        unit="1",
        low=0.0,
        high=10.0,
        likely=(0.7, 1.5),
        source="assumption: the run's costs of fuel, uncertain by a third down and half up",
    )


def flows(observed: Observed, values: Parameters) -> list[Flow]:
    """Fuel that the conventional arm burned less the smart one's."""
    saved_eur = observed.conventional.fuel_eur - observed.smart.fuel_eur
    return [gain("fuel", Domain.GENERATION, values.factor * saved_eur)]


BENEFIT = Benefit("energy", "energy and losses", Parameters, flows)

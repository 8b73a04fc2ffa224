"""What a scenario says of a city that is made for it: the section `city`."""

from __future__ import annotations

from dataclasses import dataclass

from heptagrid.foundation.parameters import parameter


@dataclass(frozen=True)
class Parameters:
    """How many customers, and which city."""

    customers: int = parameter(
        0,
        info="customers of a city that takes the place of the scenario's network; 0: the network is the scenario's",
        low=0,
        high=5_000_000,
        source="assumption: the built-in town",
    )
    seed: int = parameter(
        1,
        info="which city: another seed is another one; more customers are the same areas and further ones",
        low=0,
        high=2**62,
        source="assumption: any number will do",
    )

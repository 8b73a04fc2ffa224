"""No export rule: what is fed in earns nothing, and what is taken is charged as it was used."""

from __future__ import annotations

from heptagrid.planes.money.rates.energy import Energy
from heptagrid.planes.money.rates.export import Balance, Export, Settled
from heptagrid.planes.money.rates.use import Use


class NoExport(Export):
    """What a rate has that says nothing of generation."""

    def settle(self, energy: Energy, use: Use, opening: Balance) -> Settled:
        """Energy lines alone."""
        return Settled(energy.lines(use, energy.split_of_slots(use)))

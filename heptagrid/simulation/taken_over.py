"""Changes by which somebody outside takes over what the simulation would do itself, or gives it back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heptagrid.contracts.desks import ROLES, sent_by
from heptagrid.domains.customers.vehicles import Vehicles
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.time import Step
from heptagrid.simulation.change import Change, check_number
from heptagrid.simulation.simulation import Simulation


@dataclass(frozen=True)
class Desk(Change):
    """A built-in desk sends nothing to the field from now on, for a program outside plays it, or sends again."""

    title = "Silence a desk"
    role: str = parameter("aggregator", info="which desk", choices=ROLES, source="an example; it must be given")
    silent: bool = parameter(True, info="whether it sends nothing", source="an example")

    def make(self, simulation: Simulation, step: Step) -> None:
        contracts = (one for role in ROLES if role == self.role for one in sent_by(role))
        simulation.grid.transport.silence(contracts, self.silent)


@dataclass(frozen=True)
class Charger(Change):
    """A real charger takes the place of a vehicle, which then draws what is ordered and nothing else, or gives it back."""

    title = "A real charger in a vehicle's place"
    vehicle: int = parameter(0, info="number of the vehicle", low=0, high=10_000_000, source="an example")
    outside: bool = parameter(True, info="whether its charger is a real one", source="an example")

    def make(self, simulation: Simulation, step: Step) -> None:
        vehicles = simulation.grid.customers.devices["vehicles"]
        assert isinstance(vehicles, Vehicles)
        check_number("vehicle", self.vehicle, len(vehicles.owner))
        vehicles.is_outside[self.vehicle] = self.outside
        vehicles.orders.withdraw(np.array([self.vehicle]))

"""Puts bulk generation together: the fleet, its machines where the frequency is followed, and the fuel that it pays for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.domains.generation import actor
from heptagrid.domains.generation.availability import Availability
from heptagrid.domains.generation.fuel import Fuel
from heptagrid.domains.generation.swing import Swing, Trip
from heptagrid.foundation.windows import Windows
from heptagrid.planes.money.means import Means
from heptagrid.planes.power.dynamics.frequency import TURBINES, SwingModel
from heptagrid.planes.power.dynamics.frequency import Parameters as FrequencyParameters
from heptagrid.world.bulk import BulkSystem, UnitCosts
from heptagrid.world.endpoints import Endpoints
from heptagrid.world.terminals import Terminals

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Settings:
    """What the domain reads of a scenario. nominal_hz: of town and bulk system, which are one synchronous area."""

    generation: actor.Parameters
    frequency: FrequencyParameters
    zone: ZoneInfo
    nominal_hz: float

    @staticmethod
    def of(sections: Mapping[str, Any], zone: ZoneInfo, nominal_hz: float) -> Settings:
        """From the sections of a scenario."""
        return Settings(sections["generation"], sections["frequency"], zone, nominal_hz)


def generation(
    settings: Settings,
    bulk: BulkSystem,
    costs: UnitCosts,
    town_bus: Ints,
    endpoints: Endpoints,
    terminals: Terminals,
    windows: Windows,
    scan_ns: int,
    trips: Sequence[Trip],
    means: Means,
) -> actor.Generation:
    """The actor of one arm; `town_bus` are the positions of the buses that feed the towns, (towns,); `windows` say when the frequency is followed, `scan_ns` how often units report then."""
    swing = None
    if windows.spans_ns:
        model = SwingModel(bulk.units, settings.frequency.droop, settings.nominal_hz)
        swing = Swing(model, windows, settings.frequency.load_damping, scan_ns, terminals)
    fuel = Fuel(bulk, costs, town_bus, means.days, means.payments)
    availability = Availability(bulk, settings.zone, {word: one.governed for word, one in TURBINES.items()})
    return actor.Generation(settings.generation, terminals, availability, costs, endpoints, swing, trips, fuel)

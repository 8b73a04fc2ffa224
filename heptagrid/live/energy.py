"""Energy that single devices have drawn and given so far, which the simulation itself counts by metering point and class alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.arm import ArmGrid
from heptagrid.foundation.time import Step

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EnergyState:
    """In kWh since the simulation began.

    unit_kwh: (units,) given by local units. drawn_kwh, given_kwh: of each class of devices by name, (devices,). substation_import_kwh, substation_export_kwh:
    (substations,) down to low voltage, and up from it.
    """

    unit_kwh: Floats
    drawn_kwh: Mapping[str, Floats]
    given_kwh: Mapping[str, Floats]
    substation_import_kwh: Floats
    substation_export_kwh: Floats


class EnergyCounters:
    """Counts; called once a step by the simulation's thread."""

    def __init__(self, grid: ArmGrid) -> None:
        """Set up; nothing is counted yet."""
        self._grid = grid
        devices = grid.customers.devices
        self._unit_kwh = np.zeros(len(grid.customers.unit_kw))
        self._drawn_kwh = {name: np.zeros(len(one.owner)) for name, one in devices.items()}
        self._given_kwh = {name: np.zeros(len(one.owner)) for name, one in devices.items()}
        substations = len(grid.world.substations.node)
        self._import_kwh, self._export_kwh = np.zeros(substations), np.zeros(substations)

    def count(self, step: Step) -> None:
        """Add what a step moved."""
        grid, hours = self._grid, step.dt_s / 3600.0
        supplied = grid.terminals.point_is_supplied[grid.world.owned.unit_point]
        self._unit_kwh += np.where(supplied, grid.customers.unit_kw, 0.0) * hours
        for name, one in grid.customers.devices.items():
            moved_kwh = one.orders.drawn_kw * hours
            self._drawn_kwh[name] += np.maximum(moved_kwh, 0.0)
            self._given_kwh[name] -= np.minimum(moved_kwh, 0.0)
        flow = grid.distribution.flow
        if flow is not None:
            moved_kwh = flow.transformer_p_kw[grid.world.substations.transformer] * hours
            self._import_kwh += np.maximum(moved_kwh, 0.0)
            self._export_kwh -= np.minimum(moved_kwh, 0.0)

    @property
    def state(self) -> EnergyState:
        """As it is now."""
        return EnergyState(
            self._unit_kwh.copy(),
            {name: one.copy() for name, one in self._drawn_kwh.items()},
            {name: one.copy() for name, one in self._given_kwh.items()},
            self._import_kwh.copy(),
            self._export_kwh.copy(),
        )

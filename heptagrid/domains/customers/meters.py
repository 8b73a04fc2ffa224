"""Smart meters: import and export registers, quarter-hour energies, and the readings they send.

Each meter sends a quarter hour's energies at its own fixed offset within the reading window, so that the
access network is not asked for everything at once. The meters' clocks are the simulator's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.actors import Outbox, Wave
from heptagrid.foundation.domains import Domain, Kind
from heptagrid.foundation.kernel import kernel
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.random import Stream, uniforms
from heptagrid.foundation.time import NS_PER_QUARTER, NS_PER_S, Step
from heptagrid.world.endpoints import Endpoints

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Parameters:
    """When readings leave."""

    reading_window_s: float = parameter(
        840.0,
        info="time after each quarter hour over which the meters spread their readings",
        unit="s",
        low=1.0,
        high=880.0,
        source="assumption: within the next quarter hour, with a minute to spare",
    )


class Meters:
    """Registers and quarter-hour energies of all metering points.

    import_kwh, export_kwh: (points,) of the last whole quarter hour. register_*: (points,) since the start.
    """

    def __init__(self, parameters: Parameters, ids: Ints, endpoints: Endpoints, seed: int) -> None:
        points = len(ids)
        self.register_import_kwh, self.register_export_kwh = np.zeros(points), np.zeros(points)
        self.import_kwh, self.export_kwh = np.zeros(points), np.zeros(points)
        self._running_import, self._running_export = np.zeros(points), np.zeros(points)
        self._endpoints = endpoints
        share = np.asarray(uniforms(seed, int(Stream.METER_OFFSET), ids, 0))
        self._offset_ns = (share * parameters.reading_window_s * NS_PER_S).astype(np.int64)

    def measure(self, step: Step, p_kw: Floats) -> None:
        """Count the step's energy; at the end of a quarter hour close it."""
        _count(p_kw, step.dt_s / 3600.0, self._running_import, self._running_export)
        if step.ends_quarter:
            for last, running, register in (
                (self.import_kwh, self._running_import, self.register_import_kwh),
                (self.export_kwh, self._running_export, self.register_export_kwh),
            ):
                last[:] = running
                register += running
                running[:] = 0.0

    def send(self, step: Step, outbox: Outbox) -> None:
        """Send the closed quarter hour's energies to the head end."""
        points = np.arange(len(self._offset_ns), dtype=np.int64)
        outbox.send(
            Wave(
                kind=Kind.METER_READING,
                sender=Domain.CUSTOMERS,
                receiver=Domain.OPERATIONS,
                source=self._endpoints.gateways,
                destination=np.full(len(points), self._endpoints.operations, dtype=np.int64),
                sent_ns=step.end_ns + self._offset_ns,
                topic="reading",
                payload={
                    "meter": points,
                    "import_kwh": self.import_kwh.astype(np.float32),
                    "export_kwh": self.export_kwh.astype(np.float32),
                },
                shared={"quarter": step.end_ns // NS_PER_QUARTER - 1},
            )
        )


@kernel
def _count(p_kw, hours, imported, exported):  # type: ignore[no-untyped-def]
    for k in range(p_kw.shape[0]):
        energy = p_kw[k] * hours
        if energy >= 0.0:
            imported[k] += energy
        else:
            exported[k] -= energy

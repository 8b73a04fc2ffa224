"""SCADA: the last value that each substation reported, and the watch over transformers it allows.

The watch asks the aggregator for relief when a transformer's reported loading passes the limit, and
repeats while it stays there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import telemetry
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.time import NS_PER_S

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_LEAST_RELIEF = 0.05  # of the rating; assumption: asking for less is not worth a message
_MOVE_PU = 0.005  # the busbar's target moves in steps of this; assumption: a third of a tap
_TARGETS_PU = (0.97, 1.06)  # never beyond; assumption: leaves EN 50160's band to the feeders


@dataclass(frozen=True)
class Parameters:
    """When operations asks for relief, and where it moves the voltage."""

    relief_loading_pct: float = parameter(
        95.0,
        info="reported transformer loading at which operations asks the aggregator for relief",
        unit="%",
        low=10.0,
        high=200.0,
        source="assumption: just below the rating, to act before the substation's own alarm",
    )
    relief_for_s: float = parameter(
        900.0,
        info="how long a requested relief lasts; it is asked for again while the loading stays high",
        unit="s",
        low=60.0,
        high=7200.0,
        source="assumption: one metering interval",
    )
    highest_pu: float = parameter(
        1.06,
        info="highest substation voltage that operations leaves alone; above it the busbar's target is lowered",
        unit="pu",
        low=1.0,
        high=1.1,
        source="assumption: leaves 0.04 pu for the rise along low-voltage feeders below EN 50160's 1.1",
    )
    lowest_pu: float = parameter(
        0.97,
        info="lowest substation voltage that operations leaves alone; below it the busbar's target is raised",
        unit="pu",
        low=0.9,
        high=1.0,
        source="assumption: leaves 0.07 pu for the drop along low-voltage feeders above EN 50160's 0.9",
    )


class Scada:
    """Latest telemetry by substation; a value older than the scan tells of a lost message."""

    def __init__(self, parameters: Parameters, rated_kva: Floats, town_of: Ints) -> None:
        """Set up; of each substation, (substations,), the transformer's rating and the number of its town."""
        substations = len(rated_kva)
        self.parameters = parameters
        self.v_pu = np.full(substations, np.nan)
        self.loading_pct = np.full(substations, np.nan)
        self.p_kw = np.full(substations, np.nan)
        self.seen_ns = np.full(substations, -1, dtype=np.int64)
        self.seen_by = np.full(substations, -1, dtype=np.int64)  # the message that told it
        self._rated_kva, self._town_of = rated_kva, town_of
        self._asked_until_ns = np.zeros(substations, dtype=np.int64)

    def receive(self, delivery: Delivery) -> None:
        """Keep the values of one delivery, telemetry or alarm; the last to arrive of each substation wins."""
        told: telemetry.Substation | telemetry.SubstationAlarm
        if delivery.contract is telemetry.SUBSTATION:
            told = telemetry.SUBSTATION.read(delivery)
            self.p_kw[told.substation] = told.p_kw
        else:
            told = telemetry.SUBSTATION_ALARM.read(delivery)
        rows, v_pu = told.substation, told.v_pu
        self.v_pu[rows] = np.where(v_pu > 0.0, v_pu, np.nan)  # a dead substation says nothing of the busbar
        self.loading_pct[rows] = told.loading_pct
        self.seen_ns[rows] = delivery.delivered_ns
        self.seen_by[rows] = delivery.ids

    def overloads(self, now_ns: int) -> tuple[Ints, Floats]:
        """Substations to ask relief for now, and how much in kW; each at most once a relief period."""
        loading = self.loading_pct  # what has not reported is no number, and above nothing
        rows = np.flatnonzero((loading > self.parameters.relief_loading_pct) & (self._asked_until_ns <= now_ns))
        self._asked_until_ns[rows] = now_ns + int(self.parameters.relief_for_s * NS_PER_S)
        excess_kw = (loading[rows] - self.parameters.relief_loading_pct) / 100.0 * self._rated_kva[rows]
        return rows, np.maximum(excess_kw, _LEAST_RELIEF * self._rated_kva[rows])

    def last_of(self, town: int) -> int:
        """The message that last told of a substation of a town, -1 if none did."""
        return int(self.seen_by[self._town_of == town].max(initial=-1))

    def wanted_busbar_pu(self, town: int, target_pu: float) -> float:
        """The target of a town's busbar that brings the reported voltages back into the band, in whole half per cents."""
        known = self.v_pu[~np.isnan(self.v_pu) & (self._town_of == town)]
        if len(known) == 0:
            return target_pu
        above = known.max() - self.parameters.highest_pu
        below = self.parameters.lowest_pu - known.min()
        shift = 0.0
        if above > 0.0 and above > below:
            shift = -_MOVE_PU * np.ceil(above / _MOVE_PU)
        elif below > 0.0:
            shift = _MOVE_PU * np.ceil(below / _MOVE_PU)
        return float(np.clip(target_pu + shift, *_TARGETS_PU))

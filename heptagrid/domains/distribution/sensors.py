"""Feeder sensors at the substations: voltage, transformer loading and flow, and an alarm of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.contracts.telemetry import SUBSTATION, SUBSTATION_ALARM, Substation, SubstationAlarm
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.time import NS_PER_S, Step
from heptagrid.world.endpoints import Endpoints

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """What the sensors report, and when they raise an alarm by themselves."""

    scan_s: int = parameter(
        60,
        info="how often each substation reports; a coarser step reports once a step",
        unit="s",
        low=1,
        high=900,
        source="assumption: a slow SCADA scan over packet radio; fast ones take 2 to 10 s",
    )
    alarm_loading_pct: float = parameter(
        100.0,
        info="transformer loading at which a substation raises an alarm",
        unit="%",
        low=10.0,
        high=200.0,
        source="the transformer's rated power (IEC 60076-7: cyclic loading above it ages it faster)",
    )
    alarm_low_pu: float = parameter(
        0.9,
        info="busbar voltage below which a substation raises an alarm",
        unit="pu",
        low=0.5,
        high=1.0,
        source="EN 50160: supply voltage within 10 % of nominal",
    )
    alarm_high_pu: float = parameter(
        1.1,
        info="busbar voltage above which a substation raises an alarm",
        unit="pu",
        low=1.0,
        high=1.5,
        source="EN 50160: supply voltage within 10 % of nominal",
    )


class Sensors:
    """One sensor at each concentrator's substation; telemetry at every scan, an alarm at each new crossing."""

    def __init__(self, parameters: Parameters, endpoints: Endpoints) -> None:
        self.parameters = parameters
        self._endpoints = endpoints
        self._in_alarm = np.zeros(len(endpoints.concentrators), dtype=bool)

    def report(
        self,
        step: Step,
        v_pu: Floats,
        loading_pct: Floats,
        p_kw: Floats,
        outbox: Outbox,
        awake: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """Send what each substation that is awake measures, (substations,) each, to operations."""
        if awake is None:
            awake = np.ones(len(v_pu), dtype=np.bool_)
        substations = np.flatnonzero(awake)
        if step.end_ns % (self.parameters.scan_s * NS_PER_S) == 0 or step.dt_s >= self.parameters.scan_s:
            measured = Substation(substations, v_pu[awake], loading_pct[awake], p_kw[awake])
            places = self._endpoints.concentrators[substations]
            outbox.send(SUBSTATION.wave(measured, places, self._endpoints.operations, step.end_ns))
        bounds = self.parameters
        alarming = (
            (loading_pct > bounds.alarm_loading_pct) | (v_pu < bounds.alarm_low_pu) | (v_pu > bounds.alarm_high_pu)
        )
        fresh = np.flatnonzero(alarming & ~self._in_alarm & awake)
        self._in_alarm = np.where(awake, alarming, self._in_alarm)
        if len(fresh):
            alarm = SubstationAlarm(fresh, v_pu[fresh], loading_pct[fresh])
            places = self._endpoints.concentrators[fresh]
            outbox.send(SUBSTATION_ALARM.wave(alarm, places, self._endpoints.operations, step.end_ns))

"""Follows the bulk system's highest hourly load, the towns' part of it in that hour, and customers' mean voltage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import NS_PER_HOUR, Step

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Peak:
    """What one arm's span came to.

    system_mw: highest hourly mean of the loads elsewhere and the towns' import together. towns_mw: the import in that hour.
    begin_ns: when it began. voltage_s: mean supply voltage times its time, per unit and second, of `seconds`.
    """

    system_mw: float = -np.inf
    towns_mw: float = 0.0
    begin_ns: int = 0
    voltage_s: float = 0.0
    seconds: float = 0.0


class SystemPeak:
    """Takes in one arm's steps; hours are those of coordinated universal time."""

    def __init__(self) -> None:
        self._peak = Peak()
        self._hour, self._rest_mws, self._towns_mws, self._hour_s = -1, 0.0, 0.0, 0.0
        self._voltage_s, self._seconds = 0.0, 0.0

    def follow(self, rest_mw: float, towns_mw: float, supply_v_pu: Floats, step: Step) -> None:
        """Take in a step: loads elsewhere, the towns' import, and the customers' supply voltages, (customers,), 0 without supply."""
        hour = step.start_ns // NS_PER_HOUR
        if hour != self._hour:
            self._close()
            self._hour = hour
        self._rest_mws += rest_mw * step.dt_s
        self._towns_mws += towns_mw * step.dt_s
        self._hour_s += step.dt_s
        supplied = np.count_nonzero(supply_v_pu)
        if supplied:
            self._voltage_s += float(supply_v_pu.sum()) / supplied * step.dt_s
            self._seconds += step.dt_s

    def found(self) -> Peak:
        """What has been followed."""
        self._close()
        one = self._peak
        return Peak(one.system_mw, one.towns_mw, one.begin_ns, self._voltage_s, self._seconds)

    def _close(self) -> None:
        """Take in the hour that has gone by."""
        if self._hour_s > 0.0:
            rest_mw, towns_mw = self._rest_mws / self._hour_s, self._towns_mws / self._hour_s
            if rest_mw + towns_mw > self._peak.system_mw:
                self._peak = Peak(rest_mw + towns_mw, towns_mw, self._hour * NS_PER_HOUR)
        self._rest_mws = self._towns_mws = self._hour_s = 0.0

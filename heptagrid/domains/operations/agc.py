"""Secondary control (automatic generation control) of operations: brings the frequency back to nominal by set-points.

Every cycle the area control error, the bias times the deviation last reported, is integrated, and shared among the governed
thermal units that are connected by how fast they ramp, within their limits; water and tanks give what there is. All it knows came by messages, and all it wants goes by
messages. Source: Kundur, Power System Stability and Control, 1994, section 11.1.5; one area, so no exchange with others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.contracts import control, telemetry
from heptagrid.domains.operations.bulk_desk import BulkDesk
from heptagrid.foundation.actors import Outbox
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.contract import Delivery
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.time import NS_PER_S, Step
from heptagrid.world.bulk import THERMAL, BulkUnits
from heptagrid.world.endpoints import Endpoints

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """Secondary control, at work while the frequency is followed."""

    enabled: bool = parameter(
        True, info="whether the frequency is brought back between dispatches", source="assumption: as everywhere"
    )
    period_s: float = parameter(
        4.0,
        info="how often frequency and outputs are reported and set-points sent",
        unit="s",
        low=0.1,
        high=60.0,
        source="control centres scan every 2 to 4 s; NERC BAL-005 asks for at most 6 s",
    )
    time_constant_s: float = parameter(
        100.0,
        info="in which the deviation falls to 1/e where units follow at once",
        unit="s",
        low=1.0,
        high=3600.0,
        source="UCTE Operation Handbook, policy 1, appendix 1: integral times of 50 to 200 s",
    )
    stale_s: float = parameter(
        12.0,
        info="age of the last frequency from which on control pauses",
        unit="s",
        low=0.1,
        high=3600.0,
        source="assumption: three cycles missed",
    )
    ahead_s: float = parameter(
        60.0,
        info="how far ahead of a unit's reported output its set-point may run, in time at its ramp",
        unit="s",
        low=1.0,
        high=3600.0,
        source="assumption: so that the integral does not run away from units that ramp slowly",
    )


class Agc:
    """The integral controller; `regulation_mw` is what it asks for on top of the last dispatch, or of where it began.

    gain_mw_per_hz: (units,) by which each governor answers, 0 of those that do not. load_per_hz: part by which loads do.
    """

    def __init__(
        self,
        parameters: Parameters,
        units: BulkUnits,
        gain_mw_per_hz: Floats,
        load_per_hz: float,
        desk: BulkDesk,
        endpoints: Endpoints,
    ) -> None:
        self.regulation_mw = 0.0
        self._parameters, self._units, self._desk, self._endpoints = parameters, units, desk, endpoints
        self._gain_mw_per_hz, self._load_per_hz = gain_mw_per_hz, load_per_hz
        self._period_ns = round(parameters.period_s * NS_PER_S)
        self._deviation_hz, self._measured_ns, self._cause = 0.0, -(2**62), -1
        self._dispatched_mw: Floats | None = None
        self._base_mw = np.zeros(len(gain_mw_per_hz))
        self._worked_ns = -(2**62)

    def receive(self, delivery: Delivery) -> None:
        """Take a frequency, if it is younger than the last."""
        measured_ns = int(delivery.sent_ns[-1])
        if measured_ns > self._measured_ns:
            self._deviation_hz = float(telemetry.FREQUENCY.read(delivery).deviation_hz[-1])
            self._measured_ns, self._cause = measured_ns, delivery.last_id

    def work(self, step: Step, outbox: Outbox) -> None:
        """At the end of a cycle integrate and send set-points; without a fresh frequency pause."""
        if step.end_ns // self._period_ns == step.start_ns // self._period_ns:
            return
        fresh = step.end_ns - self._measured_ns <= round(self._parameters.stale_s * NS_PER_S)
        if not fresh or np.isnan(self._desk.output_mw).any():
            return
        base_mw = self._based(step)
        units, on = self._units, self._desk.is_on
        takes_part = on & (self._gain_mw_per_hz > 0.0) & (units.kind == THERMAL)
        bias = float(self._gain_mw_per_hz[on].sum()) + self._load_per_hz * float(self._desk.output_mw[on].sum())
        self.regulation_mw -= bias * self._deviation_hz * self._parameters.period_s / self._parameters.time_constant_s
        reach_mw = units.ramp_mw_per_min * self._parameters.ahead_s / 60.0
        low_mw = np.maximum(units.p_min_mw, self._desk.output_mw - reach_mw) - base_mw
        high_mw = np.minimum(units.p_max_mw, self._desk.output_mw + reach_mw) - base_mw
        shares_mw = _shared(
            self.regulation_mw, units.ramp_mw_per_min * takes_part, np.minimum(low_mw, 0.0), np.maximum(high_mw, 0.0)
        )
        self.regulation_mw = float(shares_mw.sum())  # no further than they can follow
        self._send(np.flatnonzero(takes_part), base_mw + shares_mw, step, outbox)

    def _based(self, step: Step) -> Floats:
        """What regulation comes on top of: the last dispatch, or after a pause the outputs as reported."""
        paused = step.end_ns - self._worked_ns > 2 * self._period_ns
        dispatched_mw, self._worked_ns = self._desk.base_mw, step.end_ns
        if paused:
            self._base_mw, self.regulation_mw = self._desk.output_mw.copy(), 0.0
        elif dispatched_mw is not None and dispatched_mw is not self._dispatched_mw:
            self._base_mw, self.regulation_mw = dispatched_mw, 0.0
        self._dispatched_mw = dispatched_mw
        return self._base_mw

    def _send(self, rows: npt.NDArray[np.int64], target_mw: Floats, step: Step, outbox: Outbox) -> None:
        target, here = control.Target(rows, target_mw[rows]), self._endpoints
        outbox.send(control.AGC.wave(target, here.operations, here.plants[rows], step.end_ns, self._cause))


@kernel
def _shared(total, weight, low, high):  # type: ignore[no-untyped-def]
    """Share `total` by weights within limits around zero; what one cannot take goes to the others."""
    units = weight.shape[0]
    share = np.zeros(units)
    is_full = np.zeros(units, dtype=np.bool_)
    left = total
    for _ in range(units):
        weights = 0.0
        for k in range(units):
            if weight[k] > 0.0 and not is_full[k]:
                weights += weight[k]
        if weights == 0.0 or left == 0.0:
            break
        spilled = False
        for k in range(units):
            if weight[k] > 0.0 and not is_full[k]:
                bound = high[k] if left > 0.0 else low[k]
                if abs(left * weight[k] / weights) > abs(bound):
                    share[k] = bound
                    is_full[k] = spilled = True
        if not spilled:
            for k in range(units):
                if weight[k] > 0.0 and not is_full[k]:
                    share[k] = left * weight[k] / weights
            break
        left = total - share.sum()
    return share

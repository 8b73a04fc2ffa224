"""The fleet's machines in sub-steps: references move within their ramps, turbines follow, frequency is what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import Step
from heptagrid.foundation.windows import Windows
from heptagrid.planes.power.dynamics.frequency import SwingModel
from heptagrid.world.terminals import Terminals

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Trip:
    """A unit fails for a time; `unit` is its position, None for the thermal one that gives most at that moment. event: its number, which tells two alike apart."""

    begin_ns: int
    end_ns: int
    unit: int | None
    event: int = 0


class Swing:
    """The swing model at work on the terminals while the frequency is followed.

    windows: when that is. load_damping: parts by which the other loads fall when frequency falls by one part.
    scan_ns: how often the units' outputs are reported meanwhile. Attributes: `given_mws`, `damped_mws` and `kinetic_mws` in the
    last coupling step, as the model has them; `damping_mw`, what loads drew more for the frequency in the last sub-step.
    """

    def __init__(
        self, model: SwingModel, windows: Windows, load_damping: float, scan_ns: int, terminals: Terminals
    ) -> None:
        self.model, self.windows, self.scan_ns = model, windows, scan_ns
        self.reference_mw: Floats = np.zeros(len(model.units.p_max_mw))
        self.is_running = False
        self.given_mws = self.damped_mws = self.kinetic_mws = 0.0
        self.damping_mw = 0.0
        self._load_damping, self._terminals = load_damping, terminals

    def begin(self, step: Step, on: Bools) -> bool:
        """Take over for a step that the windows cover, from the outputs on the terminals; False for any other step."""
        self.given_mws = self.damped_mws = self.kinetic_mws = 0.0
        covered = self.windows.cover(step)
        if covered and not self.is_running:
            self.model.start(on, self._terminals.unit_output_mw)
            self.reference_mw[:] = self._terminals.unit_output_mw
        elif covered:
            changed = on != self.model.on
            self.model.connect(on, self._terminals.unit_output_mw)
            self.reference_mw[changed] = self._terminals.unit_output_mw[changed]
        self.is_running = covered
        if not covered:
            self._terminals.deviation_hz = 0.0
        return covered

    def advance(self, step: Step, target_mw: Floats) -> None:
        """Walk a sub-step towards these targets, (units,)."""
        model, terminals, units = self.model, self._terminals, self.model.units
        ramp_mw = units.ramp_mw_per_min * step.dt_s / 60.0
        goal_mw = np.clip(target_mw, units.p_min_mw, units.p_max_mw) * model.on
        self.reference_mw += np.clip(goal_mw - self.reference_mw, -ramp_mw, ramp_mw)
        damping = self._load_damping * float(terminals.rest_load_mw.sum()) / model.nominal_hz
        taken = model.advance(self.reference_mw, terminals.required_mw, damping, step.dt_s)
        self.given_mws += taken.given_mws
        self.damped_mws += taken.damped_mws
        self.kinetic_mws += taken.kinetic_mws
        self.damping_mw = taken.damped_mws / step.dt_s
        terminals.unit_output_mw[:] = model.output_mw
        terminals.deviation_hz = model.deviation_hz

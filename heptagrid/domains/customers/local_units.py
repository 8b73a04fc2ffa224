"""Local units, photovoltaics above all: rating times profile, fed in at their owner's metering point."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import Step
from heptagrid.world.grid import Profiles

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class LocalUnits:
    """Output of all local units; a unit at a customer's bus belongs to that customer."""

    def __init__(self, profiles: Profiles, p_kw: Floats, profile: Ints, point: Ints, points: int) -> None:
        """Set up from ratings, profile columns and metering points, (units,) each."""
        self.total_kw = 0.0
        self._profiles = profiles
        self._p_kw, self._profile, self._point = p_kw, profile, point
        self._quarter = -1
        self._by_point_kw: Floats = np.zeros(points)

    def advance(self, step: Step, p_kw: Floats) -> None:
        """Take the step's output off the net draw of the metering points, (points,)."""
        if step.quarter != self._quarter:
            self._quarter = step.quarter
            output_kw = self._p_kw * self._profiles.at(step.start_ns)[self._profile]
            by_point_kw = np.bincount(self._point, output_kw, minlength=len(self._by_point_kw))
            self._by_point_kw = np.asarray(by_point_kw, dtype=np.float64)
            self.total_kw = float(output_kw.sum())
        p_kw -= self._by_point_kw

"""What OpenDSS's regulators leave in its queue: further taps of movements that the voltage has ended meanwhile.

A regulator that is back in its band drops a first tap that waits for its delay. A further tap, on its way since the one before, it forgets, but in OpenDSS
that stays in the queue: when it is due and the regulator is out of its band again, it is done without a new delay, beside what the regulator has begun since.
`Acts.AT_STEP_ENDS` keeps these; in the field, and with `Acts.WHEN_DUE`, there are none.

Source: OpenDSS's RegControl and ControlQueue, in their source text (version 0.14 of DSS C-API).
"""

from __future__ import annotations

import numpy as np

from heptagrid.planes.power.controls import regulators
from heptagrid.planes.power.controls.regulators import RegulatorSettings, RegulatorState
from heptagrid.world.circuit.circuit import Floats


class Leftovers:
    """Times at which regulators act besides their own `due_s`."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int]] = []  # seconds, regulator

    @property
    def next_due_s(self) -> float:
        """Infinite while nothing waits."""
        return min((due_s for due_s, _ in self._waiting), default=np.inf)

    def keep(self, waited_s: Floats, state: RegulatorState) -> None:
        """Take in what regulators have just forgotten; waited_s: (regulators,) when they would have acted."""
        is_left = np.isfinite(waited_s) & np.isinf(state.due_s) & state.is_under_way
        self._waiting += [(float(waited_s[k]), int(k)) for k in np.flatnonzero(is_left)]

    def act(self, settings: RegulatorSettings, state: RegulatorState, now_s: float, tap_pu: Floats) -> None:
        """Do what is due, a tap each, changing tap_pu (windings,); a regulator with nothing pending lets it pass."""
        due = [k for due_s, k in self._waiting if due_s <= now_s]
        self._waiting = [(due_s, k) for due_s, k in self._waiting if due_s > now_s]
        for k in due:
            own_s, is_under_way = state.due_s[k], state.is_under_way[k]
            state.due_s[k] = now_s
            regulators.act(settings, state, now_s, False, tap_pu)
            further_s = state.due_s[k]
            if np.isfinite(own_s) and np.isfinite(further_s):
                state.due_s[k], state.is_under_way[k] = own_s, is_under_way
                self._waiting.append((float(further_s), k))
            elif np.isfinite(own_s):  # the movement is over, and what it began waits on
                self._waiting.append((float(own_s), k))

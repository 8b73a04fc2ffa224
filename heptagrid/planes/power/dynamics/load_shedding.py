"""Under-frequency load shedding: relays that disconnect load in stages, each by its own measurement and at once.

Source: Commission Regulation (EU) 2017/2196 (emergency and restoration), annex: in Continental Europe the first stage at
49.0 Hz, the last at 48.0 Hz, at least six, none of more than 10 % and together 45 % of the load, each within 150 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.parameters import parameter

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_REGULATION = "Commission Regulation (EU) 2017/2196, annex (source not read)"


@dataclass(frozen=True)
class Parameters:
    """Stages of under-frequency load shedding, and how long what they shed stays off."""

    below_hz: tuple[float, ...] = parameter(
        (1.0, 1.2, 1.4, 1.6, 1.8, 2.0),
        info="how far below nominal each stage trips",
        unit="Hz",
        low=0.01,
        high=10.0,
        source=f"{_REGULATION}: 49.0 to 48.0 Hz in six stages",
    )
    share: tuple[float, ...] = parameter(
        (0.05, 0.08, 0.08, 0.08, 0.08, 0.08),
        info="part of all load that each stage disconnects",
        low=0.0,
        high=1.0,
        source=f"{_REGULATION}: 5 % at the first, 45 % in all",
    )
    relay_s: float = parameter(
        0.15,
        info="time below a stage's frequency until its load is off, breaker included",
        unit="s",
        low=0.0,
        high=10.0,
        source=f"{_REGULATION}: at most 150 ms",
    )
    off_s: float = parameter(
        1800.0,
        info="how long what a stage has disconnected stays off",
        unit="s",
        low=1.0,
        high=86400.0,
        source="assumption: half an hour until operators have found generation and switch back",
    )


class Relays:
    """The relays of all stages; `tripped_ns` (stages,) when each tripped, -1 while it has not."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.tripped_ns: Ints = np.full(len(parameters.below_hz), -1, dtype=np.int64)
        self._below_s = np.zeros(len(parameters.below_hz))

    def follow(self, deviation_hz: float, dt_s: float, now_ns: int) -> Ints:
        """Look at the frequency at the end of `dt_s`; the stages, numbered from 0, that trip now."""
        below = -deviation_hz >= np.asarray(self.parameters.below_hz)
        self._below_s = np.where(below, self._below_s + dt_s, 0.0)
        trips = np.flatnonzero((self._below_s >= self.parameters.relay_s) & (self.tripped_ns < 0))
        self.tripped_ns[trips] = now_ns
        return trips

    def restore(self, now_ns: int) -> None:
        """Close again what has been off for its time."""
        over = (self.tripped_ns >= 0) & (now_ns - self.tripped_ns >= round(self.parameters.off_s * 1e9))
        self.tripped_ns[over] = -1
        self._below_s[over] = 0.0

    @property
    def connected(self) -> float:
        """The part of the load that is connected now."""
        return 1.0 - float(np.asarray(self.parameters.share)[self.tripped_ns >= 0].sum())

"""The port through which a simulation takes its time: at once, or paced by the wall clock."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol

from heptagrid.foundation.time import NS_PER_S


class Clock(Protocol):
    """Says when a step may begin."""

    def wait_until(self, ns: int) -> None:
        """Return when the simulated instant `ns` has come."""


class SimulatedClock:
    """Time passes as fast as it is computed."""

    def wait_until(self, ns: int) -> None:
        """Return at once."""


@dataclass
class WallClock:
    """Simulated time runs `speed` times as fast as the wall's, from the first instant that is waited for.

    Attributes: `lag_s`, how late the last instant came, in seconds of the wall; it is caught up with, so that there is no lasting drift.
    """

    speed: float = 1.0
    lag_s: float = field(default=0.0, init=False)
    _began: tuple[float, int] | None = field(default=None, init=False)

    def wait_until(self, ns: int) -> None:
        """Sleep until the instant is due by the monotonic clock."""
        now = time.monotonic()
        if self._began is None:
            self._began = now, ns
        due = self._began[0] + (ns - self._began[1]) / NS_PER_S / self.speed
        if due > now:
            time.sleep(due - now)
        self.lag_s = max(0.0, time.monotonic() - due)

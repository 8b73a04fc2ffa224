"""What customers have registered of their devices, with operations for its forecast and with the aggregator for control.

It is contract data, known before the run begins; no message tells it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Registered:
    """The devices of one class that customers have registered with operations.

    owner: (devices,) metering points; is_steered: (devices,) those that the aggregator plans, which the town's forecast leaves
    to it. mean_kw: what one draws on average in the given quarter hours since 1970, (quarters,), if nobody steers it.
    """

    owner: Ints
    is_steered: npt.NDArray[np.bool_]
    mean_kw: Callable[[Ints], Floats]


@dataclass(frozen=True)
class Need:
    """What one device of a class is expected to draw on a day, and the local hours within which it can.

    from_h, to_h: in hours from 0 to 24; over midnight where from_h is the later one.
    """

    kwh_per_day: float
    from_h: float
    to_h: float

    def is_open(self, local_hour: Floats) -> npt.NDArray[np.bool_]:
        """Whether a device can draw in slots that begin at these local hours, the same shape."""
        begun, ends_later = local_hour >= self.from_h, local_hour < self.to_h
        return np.asarray(begun | ends_later if self.from_h > self.to_h else begun & ends_later)


@dataclass(frozen=True)
class Enrolled:
    """The devices of one class that customers let the aggregator control.

    customers: (devices,) whose they are, ascending. need: what each must have; None: they only move what they draw in any case.
    is_capped: whether a request for relief limits their power.
    """

    customers: Ints
    need: Need | None
    is_capped: bool

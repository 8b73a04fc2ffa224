"""Standard profiles by the time of day: what a device that nobody steers draws on average, as operations registers it."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import local_hours

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ByLocalQuarter:
    """Mean power in each of the 96 quarter hours of a local day; called with quarter hours since 1970, (n,), in kW."""

    by_quarter_kw: Floats
    zone: ZoneInfo

    def __call__(self, quarters: Ints) -> Floats:
        return self.by_quarter_kw[(4.0 * local_hours(quarters, self.zone)).astype(np.int64)]

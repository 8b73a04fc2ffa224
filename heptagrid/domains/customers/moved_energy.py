"""Energy that devices moved under an aggregator's plans: against their baselines, netted over each quarter hour.

The quarter hour is what meters read and what European markets settle (Regulation (EU) 2017/2195, article 53).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import Step


class MovedEnergy:
    """What each device of a class has moved.

    less_kwh: (devices,) what each drew less than its baseline in the quarter hour that runs, below 0 if it drew more; the device adds
    to it while it follows a plan of the aggregator. kwh: (devices,) the sum over the quarter hours in which that was above 0.
    """

    def __init__(self, devices: int) -> None:
        self.less_kwh: npt.NDArray[np.float64] = np.zeros(devices)
        self.kwh: npt.NDArray[np.float64] = np.zeros(devices)

    def advance(self, step: Step) -> None:
        """Settle the quarter hour that ends with the step, if one does."""
        if step.ends_quarter:
            self.kwh += np.maximum(self.less_kwh, 0.0)
            self.less_kwh[:] = 0.0

"""The reduced network fee of devices that the network operator may control (EnWG section 14a): a lump sum, or a lower price of their kWh.

Module 1 is a lump sum a year, module 2 a lower price of what a meter of the device's own counted. Neither makes the fee negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heptagrid.foundation.calendar import Floats
from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.network_fee import NetworkFee
from heptagrid.planes.money.rates.use import Use


@dataclass(frozen=True)
class ReducedFee:
    """fee: what is reduced. per_year: the lump sum. per_kwh: how much lower a kWh of the devices is.

    devices_kwh : (months, customers), by their own meter. has_device : (customers,), None where all have one.
    """

    fee: NetworkFee
    per_year: float = 0.0
    per_kwh: float = 0.0
    devices_kwh: Floats | None = None
    has_device: np.ndarray | None = None

    def lines(self, use: Use) -> list[Line]:
        """A credit, at most the fee."""
        fee = np.asarray(sum((one.amount for one in self.fee.lines(use)), use.zeros()))
        credit = use.zeros() + self.per_year / 12.0 * use.calendar.shares[:, np.newaxis]
        if self.devices_kwh is not None:
            credit = credit + self.devices_kwh * self.per_kwh
        if self.has_device is not None:
            credit = np.where(self.has_device, credit, 0.0)
        return [Line("network fee", "reduced fee of controllable devices", -np.minimum(credit, np.maximum(fee, 0.0)))]

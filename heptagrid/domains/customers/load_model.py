"""How customers' demand follows the voltage: constant power, or published shares of constant impedance, current and power (ZIP).

Source: Bokhari et al. (2014), "Experimental determination of the ZIP coefficients for modern residential, commercial, and industrial loads", IEEE Transactions on Power Delivery 29(3): appliances
measured in the laboratory, weighted by surveys of New York's customers in summer (abstract read; coefficients as others tabulate them). Households are the mean of its six residential strata,
all others that of its six commercial classes. The share of constant power is what the other two leave, which mends the table's rounding.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.world.point_demand import PointDemand

Floats = npt.NDArray[np.float64]

CONSTANT_POWER, ZIP = "constant_power", "zip"

# Shares of impedance and current of the active power, then of the reactive power, class by class.
_RESIDENTIAL = (
    (1.50, -2.31, 7.41, -11.97),
    (1.57, -2.48, 9.28, -15.29),
    (1.56, -2.49, 10.10, -16.75),
    (1.31, -1.94, 9.20, -15.27),
    (0.96, -1.17, 6.28, -10.16),
    (1.18, -1.64, 8.29, -13.67),
)
_COMMERCIAL = (
    (0.27, -0.33, 5.48, -9.70),
    (0.69, 0.04, 1.82, -2.24),
    (0.77, -0.84, 8.09, -13.65),
    (0.55, 0.24, 0.55, -0.09),
    (0.40, -0.41, 4.43, -7.98),
    (0.76, -0.52, 6.92, -11.75),
)


def following(is_household: npt.NDArray[np.bool_]) -> PointDemand:
    """The demand of customers, (customers,), whose metering points are the first ones."""
    residential, commercial = (_shares(np.array(table).mean(axis=0)) for table in (_RESIDENTIAL, _COMMERCIAL))
    p_shares, q_shares = np.where(is_household[:, np.newaxis, np.newaxis], residential, commercial).transpose(1, 0, 2)
    point = np.arange(len(is_household), dtype=np.int64)
    return PointDemand.of(point, np.ascontiguousarray(p_shares), np.ascontiguousarray(q_shares))


def _shares(means: Floats) -> Floats:
    """(2, 3) of impedance, current and power, of the active and of the reactive power."""
    p_z, p_i, q_z, q_i = means.tolist()
    return np.array([[p_z, p_i, 1.0 - p_z - p_i], [q_z, q_i, 1.0 - q_z - q_i]])

"""DC power flow of a meshed network: flows linear in injections, losses from the flows.

Source: the DC model of MATPOWER (Zimmerman et al. 2011, section 3.8): susceptance 1 / (x ratio), angles
small, voltages 1. Losses are sum r f^2 in per unit and are drawn half at each end of their branch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DcFlow:
    """flow_mw: (branches,), from `from` to `to`. loss_mw: all branches' losses."""

    flow_mw: Floats
    loss_mw: float


class DcNetwork:
    """Factors of a network, (branches,) arrays; the distribution factors are computed once."""

    def __init__(
        self, buses: int, from_bus: Ints, to_bus: Ints, r_pu: Floats, x_pu: Floats, ratio: Floats, base_mva: float
    ) -> None:
        branches = len(from_bus)
        susceptance = 1.0 / (x_pu * ratio)
        incidence = np.zeros((branches, buses))
        incidence[np.arange(branches), from_bus] = 1.0
        incidence[np.arange(branches), to_bus] = -1.0
        laplacian = incidence.T @ (susceptance[:, np.newaxis] * incidence)
        # The network takes up injections that sum to zero; the pseudo-inverse shares the slack among all buses.
        self.factors = susceptance[:, np.newaxis] * incidence @ np.linalg.pinv(laplacian)
        self._half_losses = 0.5 * np.abs(incidence).T
        self._loss_per_mw2 = r_pu / base_mva

    def solve(self, injection_mw: Floats) -> DcFlow:
        """Flows for net injections, (buses,); the losses are added to the draws in a second pass."""
        flow_mw = self.factors @ injection_mw
        losses = self._loss_per_mw2 * flow_mw**2
        flow_mw = self.factors @ (injection_mw - self._half_losses @ losses)
        losses = self._loss_per_mw2 * flow_mw**2
        return DcFlow(flow_mw, float(losses.sum()))

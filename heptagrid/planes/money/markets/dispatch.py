"""Moving a fleet's output from where it stands, where it costs least: block after block in the order of their costs (merit order)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.world.bulk import THERMAL, BulkUnits, UnitCosts

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MeritOrder:
    """All blocks of a fleet, (blocks,), ascending in cost: the unit of each, and the outputs between which it lies.

    What is missing others give first, up to what there is, for it costs nothing; what is too much thermal units give less, and others only where these cannot.
    """

    unit: Ints
    from_mw: Floats
    to_mw: Floats
    is_thermal: Bools

    @staticmethod
    def of(units: BulkUnits, costs: UnitCosts) -> MeritOrder:
        """The order of a fleet; equal costs in the order of the units."""
        to_mw = np.maximum(units.p_min_mw, 0.0)[:, np.newaxis] + np.cumsum(costs.block_mw, axis=1)
        from_mw = to_mw - costs.block_mw
        unit = np.repeat(np.arange(len(units)), costs.block_mw.shape[1])
        has_size = costs.block_mw.ravel() > 0.0
        eur = costs.block_eur.ravel()
        order = np.flatnonzero(has_size)[np.argsort(eur[has_size], kind="stable")]
        is_thermal = units.kind == THERMAL
        return MeritOrder(unit[order], from_mw.ravel()[order], to_mw.ravel()[order], is_thermal)

    def moved(self, output_mw: Floats, change_mw: float, low_mw: Floats, high_mw: Floats) -> Floats:
        """Outputs (units,) whose sum has changed by `change_mw`, within (units,) bounds as far as they reach; who stands outside stays."""
        result = output_mw.astype(np.float64)
        left = change_mw
        for who in (self.is_thermal, ~self.is_thermal) if change_mw < 0.0 else (~self.is_thermal, self.is_thermal):
            left = _move(left, result, low_mw, high_mw, who, self.unit, self.from_mw, self.to_mw)
            if abs(left) < 1e-9:
                break
        return result


@kernel
def _move(change_mw, output_mw, low_mw, high_mw, who, unit, from_mw, to_mw):  # type: ignore[no-untyped-def]
    """Move in place; what is left of the change."""
    left = change_mw
    count = unit.shape[0]
    for k in range(count):
        at = k if change_mw > 0.0 else count - 1 - k
        one = unit[at]
        if not who[one]:
            continue
        if left > 0.0:
            step = min(to_mw[at], high_mw[one]) - max(output_mw[one], from_mw[at])
            if step > 0.0 and output_mw[one] >= from_mw[at] - 1e-9:
                step = min(step, left)
                output_mw[one] += step
                left -= step
        elif left < 0.0:
            step = min(output_mw[one], to_mw[at]) - max(from_mw[at], low_mw[one])
            if step > 0.0 and output_mw[one] <= to_mw[at] + 1e-9:
                step = min(step, -left)
                output_mw[one] -= step
                left += step
    return left

"""Who gains and who loses: quantiles of the customers' yearly bill change, by what they own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.world import World
from heptagrid.recording.arm_result import ArmResult

Floats = npt.NDArray[np.float64]
QUANTILES = (("p10_eur", 0.1), ("median_eur", 0.5), ("p90_eur", 0.9))


def bill_groups(
    world: World, arms: Mapping[str, Sequence[ArmResult]], weights: Sequence[float]
) -> list[dict[str, Any]]:
    """Of each group of customers how their bills of a year change, smart less conventional; all customers first."""
    smart, conventional = (
        np.sum([weight * one.bills_eur for weight, one in zip(weights, arms[name], strict=True)], axis=0)
        for name in ("smart", "conventional")
    )
    change_eur: Floats = smart - conventional
    return [
        {
            "group": name,
            "customers": int(members.sum()),
            "share_who_gain": float((change_eur[members] < -0.005).mean()),
            "mean_eur": float(change_eur[members].mean()),
            **{key: float(np.quantile(change_eur[members], share)) for key, share in QUANTILES},
        }
        for name, members in _groups(world)
        if members.any()
    ]


def _groups(world: World) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """Names and members, (customers,) each; a customer may be in several."""
    owned, count = world.owned, world.customers_count
    everybody = np.ones(count, dtype=np.bool_)
    yield "all", everybody
    nothing = everybody.copy()
    devices = {**owned.devices, "local_units": owned.unit_point}
    for name, owner in devices.items():
        members = np.zeros(count, dtype=np.bool_)
        members[owner[owner < count]] = True
        nothing &= ~members
        yield name, members
    yield "none", nothing
    yield "enrolled", owned.enrolled[:count].astype(np.bool_)

"""Who gains and who loses: how the customers' bills change, by what they own, over a year or over the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from heptagrid.assembly.world import World
from heptagrid.recording.arm_result import ArmResult
from heptagrid.recording.observed_year import stand_for_a_year, weights_of
from heptagrid.scenario.schema import Scenario

Floats = npt.NDArray[np.float64]
LEAST_EUR = 0.005  # half a cent: less is no change
QUANTILES = (("p10_eur", 0.1), ("median_eur", 0.5), ("p90_eur", 0.9))


def bill_changes(
    scenario: Scenario, world: World, typical: bool, arms: Mapping[str, Sequence[ArmResult]]
) -> dict[str, Any] | None:
    """How bills change, smart less conventional, over the days, `typical` ones each as often as it stands for. None before the first bill.

    is_year: whether these make up a year. groups: of each group of customers, all of them first. quantiles_eur: of all customers' changes, by percent, (101,).
    """
    if not all(one.days for name in ("smart", "conventional") for one in arms[name]):
        return None
    weights = weights_of(scenario, typical, arms["smart"])
    smart, conventional = (
        np.sum([weight * one.bills_eur for weight, one in zip(weights, arms[name], strict=True)], axis=0)
        for name in ("smart", "conventional")
    )
    change_eur: Floats = smart - conventional
    return {
        "is_year": stand_for_a_year(
            sum(weight * len(one.days) for weight, one in zip(weights, arms["smart"], strict=True))
        ),
        "quantiles_eur": np.quantile(change_eur, np.linspace(0.0, 1.0, 101)).tolist(),
        "groups": [
            {
                "group": name,
                "customers": int(members.sum()),
                "share_who_gain": float((change_eur[members] < -LEAST_EUR).mean()),
                "share_who_lose": float((change_eur[members] > LEAST_EUR).mean()),
                "mean_eur": float(change_eur[members].mean()),
                **{key: float(np.quantile(change_eur[members], share)) for key, share in QUANTILES},
            }
            for name, members in _groups(world)
            if members.any()
        ],
    }


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

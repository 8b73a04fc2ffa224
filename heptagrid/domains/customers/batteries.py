"""Home batteries beside photovoltaics: self-consumption by themselves, plans on top.

Without a plan a battery takes up its owner's surplus and covers its owner's demand. With one it also
charges from the grid in the plan's valleys and saves what it holds for the plan's peaks; it never feeds
into the grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.gateways import SLOT_H, PlanBook, plan_in_force
from heptagrid.domains.customers.moved_energy import MovedEnergy
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.time import NS_PER_QUARTER, Step
from heptagrid.world.water_filling import fill

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Parameters:
    """How many batteries there are, and their size."""

    share: float = parameter(
        0.5,
        info="share of owners of small photovoltaics that have a battery",
        low=0.0,
        high=1.0,
        source="assumption: about half of all, four in five of the new home systems in Germany have one",
    )
    largest_unit_kw: float = parameter(
        30.0,
        info="rating of local generation up to which its owner may have a home battery",
        unit="kW",
        low=0.0,
        high=1000.0,
        source="EEG 2023 section 8: simplified connection up to 30 kW",
    )
    capacity_kwh: float = parameter(
        9.0,
        info="usable capacity",
        unit="kWh",
        low=0.5,
        high=200.0,
        source="assumption: mean of the German home storage market, 8 to 9 kWh (Figgener et al. 2022, source not read)",
    )
    power_kw: float = parameter(
        4.5,
        info="charging and discharging power",
        unit="kW",
        low=0.1,
        high=100.0,
        source="assumption: half the capacity an hour",
    )
    one_way_efficiency: float = parameter(
        0.95,
        info="efficiency of charging, and of discharging",
        low=0.5,
        high=1.0,
        source="assumption: 0.9 round trip with inverter (HTW Berlin storage inspection: 0.85 to 0.95)",
    )


class Batteries:
    """All home batteries as arrays; `owner` is the customer of each.

    content_kwh: (batteries,). moved: what they drew less, or gave more, under an aggregator's plan than their baseline:
    self-consumption. baseline_kwh: (batteries,) what each would hold so.
    """

    def __init__(self, parameters: Parameters, owner: Ints) -> None:
        count = len(owner)
        self.parameters, self.owner = parameters, owner
        self.plans = PlanBook(count)
        # Before the warm-up day; what a winter's day leaves: assumption.
        self.content_kwh = np.full(count, 0.2 * parameters.capacity_kwh)
        self.baseline_kwh = self.content_kwh.copy()
        self.moved = MovedEnergy(count)
        self.total_kw = 0.0
        self.losses_kwh = 0.0
        self._charge_level = np.full(count, -np.inf)
        self._discharge_level = np.full(count, np.inf)

    def advance(self, step: Step, p_kw: Floats, supplied: Bools | None = None) -> None:
        """Move through the step, seeing the owners' net draw so far; adds to it. Without supply it stands still."""
        if supplied is None:
            supplied = np.ones(len(p_kw), dtype=np.bool_)
        one, plans = self.parameters, self.plans
        self.total_kw, losses_kwh = _move(
            *(step.start_ns, step.dt_s / 3600.0, self.owner, one.capacity_kwh, one.power_kw, one.one_way_efficiency),
            *(self.content_kwh, self._charge_level, self._discharge_level, plans.signals, plans.first_quarter),
            *(plans.slots, plans.until_quarter, plans.steered, plans.priced, self.baseline_kwh, self.moved.less_kwh),
            *(supplied, p_kw),
        )
        self.losses_kwh += losses_kwh
        self.moved.advance(step)

    @property
    def stored_kwh(self) -> float:
        """What all batteries hold."""
        return float(self.content_kwh.sum())


@kernel(inline=True)
def _possible(power, content, capacity, p_max, efficiency, hours):  # type: ignore[no-untyped-def]
    """What a battery that holds `content` can do of `power` over a step."""
    power = min(max(power, -p_max), p_max)
    power = min(power, (capacity - content) / efficiency / hours)
    return max(power, -content * efficiency / hours)


@kernel
def _move(  # type: ignore[no-untyped-def]
    start, hours, owner, capacity, p_max, efficiency, content, charge_level, discharge_level, signals, first_quarter,
    slots, until_quarter, steered, priced, baseline, less, supplied, point_p,
):  # fmt: skip
    quarter = start // NS_PER_QUARTER
    begins = start % NS_PER_QUARTER == 0
    total = losses = 0.0
    for k in range(owner.shape[0]):
        net = point_p[owner[k]]
        row = plan_in_force(k, quarter, first_quarter, until_quarter, steered, priced)
        power = -net
        if row >= 0:
            slot = quarter - first_quarter[row]
            signal = signals[row]
            if begins:
                room = (capacity - content[k]) / efficiency
                held = content[k] * efficiency
                charge_level[k] = (
                    fill(signal, slot, slots[row], 1.0, room, 1, p_max, SLOT_H) if room > 1e-9 else -np.inf
                )
                discharge_level[k] = (
                    fill(signal, slot, slots[row], 1.0, held, -1, p_max, SLOT_H) if held > 1e-9 else np.inf
                )
            planned = 0.0
            if charge_level[k] < discharge_level[k]:
                planned = max(charge_level[k] - signal[slot], 0.0) - max(signal[slot] - discharge_level[k], 0.0)
            power = max(planned, min(-net, 0.0)) if planned < 0.0 else max(planned, -net)
        if not supplied[owner[k]]:
            continue  # home batteries of today have no island mode: assumption
        by_itself = _possible(
            -net, content=baseline[k], capacity=capacity, p_max=p_max, efficiency=efficiency, hours=hours
        )
        baseline[k] += by_itself * hours * (efficiency if by_itself >= 0.0 else 1.0 / efficiency)
        power = _possible(power, content=content[k], capacity=capacity, p_max=p_max, efficiency=efficiency, hours=hours)
        if power >= 0.0:
            content[k] += power * hours * efficiency
            losses += power * hours * (1.0 - efficiency)
        else:
            content[k] += power * hours / efficiency
            losses += -power * hours * (1.0 / efficiency - 1.0)
        if row >= 0 and row == steered[k]:
            less[k] += (by_itself - power) * hours
        total += power
        point_p[owner[k]] += power
    return total, losses

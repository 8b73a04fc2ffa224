"""Home batteries beside photovoltaics: self-consumption by themselves, plans on top.

Without a plan a battery takes up its owner's surplus and covers its owner's demand. With one it also
charges from the grid where the plan's signal is low, and saves what it holds for where it is high; it never
feeds into the grid. What the local market gave it, it draws or gives beside its owner's own use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.domains.customers.bidding.batteries import MeanRule
from heptagrid.domains.customers.device import Candidates, Device, Surroundings, Words
from heptagrid.domains.customers.gateways import SLOT_H, plan_in_force
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.parameters import parameter
from heptagrid.foundation.random import Stream
from heptagrid.foundation.time import NS_PER_QUARTER, Step
from heptagrid.world.plan_levels import Lines, draw_line, level_of, levels_of

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


class Batteries(Device[Parameters]):
    """All home batteries as arrays.

    content_kwh: (batteries,). baseline_kwh: (batteries,) what each would hold by self-consumption alone, from which `moved` counts.
    """

    section = Parameters
    words = Words("battery", "batteries", "works", "a battery", "Batteries (positive: charging)")
    order = 30  # after all that its owner draws
    has_inverter = True
    bid_rule = MeanRule

    def __init__(self, parameters: Parameters, owner: Ints, surroundings: Surroundings) -> None:
        super().__init__(parameters, owner, surroundings)
        count = len(owner)
        # Before the warm-up day; what a winter's day leaves: assumption.
        self.content_kwh = np.full(count, 0.2 * parameters.capacity_kwh)
        self.baseline_kwh = self.content_kwh.copy()
        self._levels = Levels(charge=np.full(count, -np.inf), discharge=np.full(count, np.inf))

    @classmethod
    def owners(cls, parameters: Parameters, candidates: Candidates) -> Bools:
        has_small_unit = candidates.photovoltaic_kw <= parameters.largest_unit_kw
        return has_small_unit & candidates.drawn(parameters.share, Stream.OWNERSHIP, 2)

    def work(self, step: Step, p_kw: Floats, supplied: Bools) -> float:
        """See the owners' net draw so far, and take up or cover it. Without supply it stands still."""
        one = self.parameters
        size = Size(one.capacity_kwh, one.power_kw, one.one_way_efficiency)
        state = State(self.content_kwh, self.baseline_kwh, self.moved.less_kwh)
        hours = step.dt_s / 3600.0
        plans = self.plans.table
        lines = Lines.of(*plans.signals.shape) if step.starts_quarter else _NO_LINES
        total_kw, losses_kwh = _move(
            step.start_ns,
            hours,
            self.owner,
            size,
            state,
            self._levels,
            lines,
            plans,
            self.orders.table,
            supplied,
            p_kw,
        )
        self.losses_kwh += losses_kwh
        return float(total_kw)

    def give_less(self, less_kw: Floats, hours: float) -> None:
        """Keep, or do not take up, what the inverters did not pass on."""
        efficiency = self.parameters.one_way_efficiency
        before_kw = self.orders.drawn_kw
        self.orders.table.flexible_kw[:] += less_kw
        changes = [_turned(power_kw, hours, efficiency) for power_kw in (before_kw, self.orders.drawn_kw)]
        self.content_kwh += changes[1][0] - changes[0][0]
        self.losses_kwh += float(changes[1][1].sum() - changes[0][1].sum())
        self.total_kw += float(less_kw.sum())

    def reach_kw(self, hours: float) -> tuple[Floats, Floats]:
        one = self.parameters
        before_kwh = self.content_kwh - _turned(self.orders.drawn_kw, hours, one.one_way_efficiency)[0]
        room_kw = (one.capacity_kwh - before_kwh) / one.one_way_efficiency / hours
        held_kw = before_kwh * one.one_way_efficiency / hours
        return -np.clip(room_kw, 0.0, one.power_kw), np.clip(held_kw, 0.0, one.power_kw)

    @property
    def rated_kw(self) -> float:
        return self.parameters.power_kw

    @property
    def stored_kwh(self) -> float:
        """What all batteries hold."""
        return float(self.content_kwh.sum())

    def contents_kwh(self) -> Floats:
        return self.content_kwh


def _turned(power_kw: Floats, hours: float, efficiency: float) -> tuple[Floats, Floats]:
    """What a power over a step adds to the content of each, and what it loses, in kWh."""
    is_charged = power_kw >= 0.0
    stored_kwh = power_kw * hours * np.where(is_charged, efficiency, 1.0 / efficiency)
    return stored_kwh, power_kw * hours - stored_kwh


class Size(NamedTuple):
    """What a battery can do."""

    capacity_kwh: float
    power_kw: float
    efficiency: float


class State(NamedTuple):
    """What batteries hold, would hold by themselves, and have drawn less; (batteries,) each."""

    content_kwh: Floats
    baseline_kwh: Floats
    less_kwh: Floats


class Levels(NamedTuple):
    """The signal below which a plan charges, and above which it discharges; (batteries,) each."""

    charge: Floats
    discharge: Floats


_NO_LINES = Lines.of(0, 0)


@kernel(inline=True, allocates=False)
def _possible(power, content, size, hours):  # type: ignore[no-untyped-def]
    """What a battery that holds `content` can do of `power` over a step."""
    power = min(max(power, -size.power_kw), size.power_kw)
    room, held = size.capacity_kwh - content, content * size.efficiency
    if room < 0.0 or held < 0.0:  # by rounding
        return max(min(power, room / size.efficiency / hours), -held / hours)
    most = (room / size.efficiency if power > 0.0 else held) / hours
    return min(max(power, -most), most)


@kernel(allocates=False)
def _move(start, hours, owner, size, state, levels, lines, plans, orders, supplied, point_p):  # type: ignore[no-untyped-def]
    quarter = start // NS_PER_QUARTER
    begins = start % NS_PER_QUARTER == 0
    efficiency, p_max = size.efficiency, size.power_kw
    content, baseline, less = state
    charge_level, discharge_level = levels
    total = losses = 0.0
    for k in range(owner.shape[0]):
        net = point_p[owner[k]]
        orders.own_kw[k] = orders.flexible_kw[k] = 0.0
        row = plan_in_force(k, quarter, plans)
        power = -net
        if row >= 0:
            slot = quarter - plans.first_quarter[row]
            slots = plans.slots[row]
            signal = plans.signals[row]
            if begins:
                room = (size.capacity_kwh - content[k]) / efficiency
                held = content[k] * efficiency
                if lines.first[row] != slot:
                    draw_line(lines, row, signal, slot, slots, p_max)
                charge_level[k], discharge_level[k] = -np.inf, np.inf
                if room > 1e-9 and held > 1e-9:
                    charge_level[k], discharge_level[k] = levels_of(lines, row, signal, room, held, p_max, SLOT_H)
                elif room > 1e-9:
                    charge_level[k] = level_of(lines, row, signal, room, 1, p_max, SLOT_H)
                elif held > 1e-9:
                    discharge_level[k] = level_of(lines, row, signal, held, -1, p_max, SLOT_H)
            planned = 0.0
            if charge_level[k] < discharge_level[k]:
                planned = max(charge_level[k] - signal[slot], 0.0) - max(signal[slot] - discharge_level[k], 0.0)
            power = max(planned, min(-net, 0.0)) if planned < 0.0 else max(planned, -net)
        if not supplied[owner[k]]:
            continue  # home batteries of today have no island mode: assumption
        by_itself = _possible(-net, baseline[k], size, hours)
        baseline[k] += by_itself * hours * (efficiency if by_itself >= 0.0 else 1.0 / efficiency)
        if start < orders.until_ns[k]:
            row = -1
            own = _possible(-net, content[k], size, hours)
            wanted = orders.value[k] if orders.is_power[k] else own + orders.value[k]
            power = _possible(wanted, content[k], size, hours)
            orders.own_kw[k], orders.flexible_kw[k] = own, power - own
        else:
            power = _possible(power, content[k], size, hours)
            orders.own_kw[k] = power
        if power >= 0.0:
            content[k] += power * hours * efficiency
            losses += power * hours * (1.0 - efficiency)
        else:
            content[k] += power * hours / efficiency
            losses += -power * hours * (1.0 / efficiency - 1.0)
        if row >= 0 and row == plans.steered[k]:
            less[k] += (by_itself - power) * hours
        total += power
        point_p[owner[k]] += power
    return total, losses

"""A step of all vehicles by diaries: those that are plugged in charge, or give, by themselves, as a plan or a price has it, or as they are ordered.

A battery takes a charger's power until its voltage has reached its limit; from `taper_from_soc` on what it takes falls in a straight line with its state of charge, which
makes the content an exponential in time: both parts are exact, so that a step's length changes nothing while the power is the same.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from heptagrid.domains.customers.gateways import SLOT_H, plan_in_force
from heptagrid.domains.customers.mobility.driving import (
    GIVEN_KWH,
    OVERRIDES,
    PLUGGED,
    PLUGGED_H,
    STEERED,
    V2G,
    go_on,
)
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.foundation.time import NS_PER_HOUR, NS_PER_QUARTER
from heptagrid.world.water_filling import fill

_TRIES = 4
"""How often what a vehicle may give is halved until it pays."""


class Battery(NamedTuple):
    """What all batteries have in common, as kernels take it; see the parameters of these names."""

    efficiency: float
    target_soc: float
    taper_from_soc: float
    taper_per_h: float
    full_per_h: float


class Giving(NamedTuple):
    """How bidirectional chargers give: state of charge that is kept, part of a signal's spread that must lie between, in kW, and whether beyond the owner's draw."""

    reserve_soc: float
    spread_kw: float
    feeds_in: bool


@kernel(allocates=False)
def taken_kwh(content, power, hours, capacity, battery):  # type: ignore[no-untyped-def]
    """What a battery that holds `content` takes up, in kWh, of a charger that draws up to `power` kW for some hours."""
    room = battery.target_soc * capacity - content
    if room <= 0.0:
        return 0.0
    into = power * battery.efficiency
    slope = max((battery.taper_per_h - battery.full_per_h) / (1.0 - battery.taper_from_soc), 1e-6)
    falls_from = 1.0 - max(into / capacity - battery.full_per_h, 0.0) / slope
    falls_from = max(falls_from, battery.taper_from_soc) * capacity
    if content + into * hours <= falls_from:
        return min(into * hours, room)
    taken = max(falls_from - content, 0.0)
    left_h = hours - taken / into
    takes = capacity * battery.full_per_h + slope * (capacity - content - taken)
    takes = min(takes, into)
    taken += takes / slope * (1.0 - math.exp(-slope * left_h))
    return min(taken, room)


@kernel(allocates=False)
def _fill(k, row, quarter, left_share, left_h, need, spare, fleet, plans, battery, giving):  # type: ignore[no-untyped-def]
    """The levels of a plan's signal below which vehicle `k` charges and above which it gives; `spare` kWh may be given in all."""
    slot, p_max, signal = quarter - plans.first_quarter[row], fleet.charger_kw[k], plans.signals[row]
    last = min(fleet.next_ns[k] // NS_PER_QUARTER - plans.first_quarter[row], plans.slots[row])
    fleet.row[k] = row
    fleet.give_level_kw[k] = np.inf
    if last <= slot:
        fleet.level_kw[k] = np.inf
        return
    for _ in range(_TRIES):  # less, where as much would have to be given in hours that are low
        wanted = need + spare / (battery.efficiency * battery.efficiency)
        if spare > 0.1 and wanted < p_max * left_h:
            level = fill(signal, slot, last, left_share, wanted, 1, p_max, SLOT_H)
            give_level = fill(signal, slot, last, left_share, spare, -1, p_max, SLOT_H)
            if give_level - level >= giving.spread_kw:
                fleet.level_kw[k], fleet.give_level_kw[k] = level, give_level
                return
        spare *= 0.5
    fleet.level_kw[k] = fill(signal, slot, last, left_share, need, 1, p_max, SLOT_H) if need > 1e-9 else -np.inf


@kernel(allocates=False)
def advance(  # type: ignore[no-untyped-def]
    start, end, owner, outside, fleet, habits, battery, giving, calendar, diary, cap_kw, cap_until, plans, orders, supplied, point_p, less
):  # fmt: skip
    """All vehicles through the step: kW that they drew together, kWh lost, and kWh that real chargers in their place drew."""
    hours = (end - start) / 3.6e12
    quarter = start // NS_PER_QUARTER
    begins = start % NS_PER_HOUR == 0  # within an hour the levels hold: who follows them needs what they were made for
    left_share = 1.0 - (start - quarter * NS_PER_QUARTER) / NS_PER_QUARTER
    efficiency = battery.efficiency
    total = losses = by_others = plugged = 0.0
    orders.own_kw[:] = 0.0
    orders.flexible_kw[:] = 0.0
    for k in range(owner.shape[0]):
        at = owner[k]
        if outside[k]:
            if supplied[at] and start < orders.until_ns[k] and orders.is_power[k]:
                orders.own_kw[k] = orders.value[k]
                by_others += orders.value[k] * hours
                total += orders.value[k]
                point_p[at] += orders.value[k]
            continue
        if fleet.next_ns[k] <= start:
            go_on(k, at, start, fleet, habits, calendar, diary)
        if fleet.flags[k] & PLUGGED == 0:
            continue
        plugged += 1.0
        need = (battery.target_soc * fleet.battery_kwh[k] - fleet.content_kwh[k]) / efficiency
        gives = fleet.flags[k] & V2G != 0
        if need <= 1e-9 and not gives:  # and so it would be without a plan, having charged at once
            continue
        if not supplied[at]:
            fleet.row[k] = -2  # it plans anew when supply is back
            continue
        row = plan_in_force(k, quarter, plans)
        steered = row >= 0 and row == plans.steered[k]
        p_max = np.float64(fleet.charger_kw[k])
        if steered and fleet.flags[k] & STEERED == 0:
            fleet.flags[k] |= STEERED
            fleet.alone_kwh[k] = fleet.content_kwh[k]
        elif not steered:
            fleet.flags[k] &= ~np.uint8(STEERED)
        power = p_max
        left_h = (fleet.next_ns[k] - end) / 3.6e12
        must = need >= p_max * left_h and row >= 0
        if start < orders.until_ns[k]:
            row, must = -1, False
            lacks = (fleet.wanted_kwh[k] - fleet.content_kwh[k]) / efficiency
            if orders.value[k] < p_max and lacks > 1e-9 and lacks >= p_max * left_h:  # the driver takes the order back
                orders.until_ns[k] = 0
                fleet.counts[OVERRIDES] += 1.0
            else:
                power = min(max(orders.value[k], -p_max if gives else 0.0), p_max)
        elif row >= 0:
            kept = max(giving.reserve_soc * fleet.battery_kwh[k], fleet.wanted_kwh[k])
            spare = max(fleet.content_kwh[k] - kept, 0.0) * efficiency if gives else 0.0
            if begins or fleet.row[k] != row:
                _fill(k, row, quarter, left_share, left_h + hours, need, spare, fleet, plans, battery, giving)
            signal = plans.signals[row, quarter - plans.first_quarter[row]]
            power = min(max(fleet.level_kw[k] - signal, 0.0), p_max)
            if signal > fleet.give_level_kw[k]:
                power = -min(signal - fleet.give_level_kw[k], p_max)
                if not giving.feeds_in:
                    power = -min(-power, max(point_p[at], 0.0))
        if start < cap_until[k]:
            power = min(power, cap_kw[k])
        if must:
            power = p_max

        if power >= 0.0:
            stored = taken_kwh(fleet.content_kwh[k], power, hours, fleet.battery_kwh[k], battery)
            power = stored / efficiency / hours
            losses += power * hours - stored
        else:
            kept = max(giving.reserve_soc * fleet.battery_kwh[k], fleet.wanted_kwh[k])
            given = min(-power * hours, max(fleet.content_kwh[k] - kept, 0.0) * efficiency)
            power = -given / hours
            stored = -given / efficiency
            losses += given / efficiency - given
            fleet.counts[GIVEN_KWH] += given
        fleet.content_kwh[k] += stored
        if fleet.flags[k] & STEERED != 0:
            alone = taken_kwh(fleet.alone_kwh[k], p_max, hours, fleet.battery_kwh[k], battery)
            fleet.alone_kwh[k] += alone
            if row >= 0:
                less[k] += alone / efficiency - power * hours
        total += power
        orders.flexible_kw[k] = power
        point_p[at] += power
    fleet.counts[PLUGGED_H] += plugged * hours
    return total, losses, by_others

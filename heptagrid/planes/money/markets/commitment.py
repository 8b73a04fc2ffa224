"""Which units are on in each hour of a day: start from two plain schedules, and let one unit after another choose anew.

Given the others' schedules, a unit's cheapest schedule that keeps its minimum times follows from dynamic programming over the
hours and how long it has been on or off. The units take turns, the dearest first, until none can lower the cost of the day; then
two at once. So no minimum time is ever broken, and no demand goes unserved that one or two units more could serve. One start has every unit on (unit
decommitment: Li, Johnson and Svoboda, IEEE Trans. Power Systems 12 (1997) 1658), the other the cheapest units that cover demand
and reserve (priority list; Wood and Wollenberg, Power Generation, Operation and Control, chapter 5). The cheaper result is taken.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.money.markets.dispatch import dispatch
from heptagrid.world.bulk import BulkUnits

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LONG_H = 10_000  # a unit in its state for so long is free to change it
_ROUNDS = 20  # turns of all units; two or three are enough for the days of the reliability test system
_FEW = 8  # units up to which any two may change together; more do so only where demand cannot be met, for time's sake
# Of the price cap, for each MW of reserve that is missing: assumption, below that of unserved demand.
_RESERVE_PART = 0.5


def commit(
    needed_mw: Floats,
    units: BulkUnits,
    before: Bools,
    reserve_share: float,
    since_h: npt.NDArray[np.integer] | None = None,
    cap_usd_per_mwh: float = 4000.0,
) -> Bools:
    """Which units are on in each hour, (hours, units).

    needed_mw: (hours,). before: (units,) which were on in the hour before; since_h: (units,) for how many hours they have been so
    (default: so long that no minimum time binds). cap_usd_per_mwh: what a MWh costs that is not served, or of which there is too
    much. A unit of no capacity is off.
    """
    if since_h is None:
        since_h = np.full(len(before), LONG_H)
    order = priority(units)
    start = np.zeros((len(needed_mw), len(order)), dtype=np.bool_)
    capacity_mw = np.cumsum(units.p_max_mw[order])
    for hour, load_mw in enumerate(needed_mw):
        count = int(np.searchsorted(capacity_mw, load_mw * (1.0 + reserve_share))) + 1
        start[hour, order[:count]] = True
    usable = units.p_max_mw > 0.0
    up_h, down_h = (np.maximum(np.ceil(one), 1.0).astype(np.int64) for one in (units.min_up_h, units.min_down_h))
    best, least_usd = start, np.inf
    for on in (np.tile(usable, (len(needed_mw), 1)), start & usable):
        cost_usd = _take_turns(
            needed_mw,
            reserve_share,
            cap_usd_per_mwh,
            on,
            before,
            np.asarray(since_h, dtype=np.int64),
            order[::-1].copy(),
            usable,
            up_h,
            down_h,
            units.p_min_mw,
            units.p_max_mw,
            units.cost_2,
            units.cost_1,
            units.cost_0,
            units.start_usd,
        )
        if cost_usd < least_usd - 1e-6:
            best, least_usd = on, cost_usd
    return best


def hours_in_state(on: Bools, before: Bools, since_h: npt.NDArray[np.integer]) -> Ints:
    """For how many hours each unit has been in its state at the end of a schedule, (units,); on: (hours, units)."""
    since = np.asarray(since_h, dtype=np.int64).copy()
    for was, now in zip(np.vstack([before, on[:-1]]), on, strict=True):
        since = np.where(was == now, since + 1, 1)
    return since


def priority(units: BulkUnits) -> Ints:
    """Units in the order in which they are switched on: by the cost of a MWh at full output; those of no capacity last."""
    full_usd = units.cost_2 * units.p_max_mw**2 + units.cost_1 * units.p_max_mw + units.cost_0
    each_usd = np.divide(full_usd, units.p_max_mw, out=np.full(len(full_usd), np.inf), where=units.p_max_mw > 0.0)
    return np.argsort(each_usd, kind="stable")


@kernel
def _take_turns(  # type: ignore[no-untyped-def]
    needed_mw, reserve_share, cap_usd, on, before, since_h, turns, usable, up_h, down_h, p_min, p_max, cost_2, cost_1, cost_0,
    start_usd,
):  # fmt: skip
    """Improve `on` in place until no unit can lower the day's cost by itself; that cost, in USD."""
    hours = on.shape[0]
    hour_usd = np.empty((hours, 2))
    both_usd = np.empty((hours, 2, 2))
    for _ in range(_ROUNDS):
        changed = False
        for unit in turns:
            if not usable[unit]:
                continue
            for hour in range(hours):
                was = on[hour, unit]
                for state in range(2):
                    on[hour, unit] = state == 1
                    hour_usd[hour, state] = _hour_usd(
                        needed_mw[hour], reserve_share, cap_usd, on[hour], p_min, p_max, cost_2, cost_1, cost_0
                    )
                on[hour, unit] = was
            schedule, least_usd = _cheapest(
                hour_usd, start_usd[unit], up_h[unit], down_h[unit], before[unit], since_h[unit]
            )
            now_usd = _schedule_usd(
                hour_usd, on[:, unit], start_usd[unit], up_h[unit], down_h[unit], before[unit], since_h[unit]
            )
            if least_usd < now_usd - 1e-9 * abs(least_usd) - 1e-9:
                on[:, unit] = schedule
                changed = True
        if changed or not (len(turns) <= _FEW or _lacks(needed_mw, on, p_min, p_max)):
            if changed:
                continue
            break
        for at in range(len(turns)):
            for other in range(at):
                one, two = turns[at], turns[other]
                if not (usable[one] and usable[two]):
                    continue
                for hour in range(hours):
                    was_one, was_two = on[hour, one], on[hour, two]
                    for state in range(4):
                        on[hour, one], on[hour, two] = state // 2 == 1, state % 2 == 1
                        both_usd[hour, state // 2, state % 2] = _hour_usd(
                            needed_mw[hour], reserve_share, cap_usd, on[hour], p_min, p_max, cost_2, cost_1, cost_0
                        )
                    on[hour, one], on[hour, two] = was_one, was_two
                pair = np.array([one, two])
                schedules, least_usd = _cheapest_pair(
                    both_usd, start_usd[pair], up_h[pair], down_h[pair], before[pair], since_h[pair]
                )
                now_usd = 0.0
                for hour in range(hours):
                    now_usd += both_usd[hour, int(on[hour, one]), int(on[hour, two])]
                    for unit in pair:
                        was_on = before[unit] if hour == 0 else on[hour - 1, unit]
                        if on[hour, unit] and not was_on:
                            now_usd += start_usd[unit]
                if least_usd < now_usd - 1e-9 * abs(least_usd) - 1e-9:
                    on[:, one], on[:, two] = schedules[:, 0], schedules[:, 1]
                    changed = True
        if not changed:
            break
    total = 0.0
    for hour in range(hours):
        total += _hour_usd(needed_mw[hour], reserve_share, cap_usd, on[hour], p_min, p_max, cost_2, cost_1, cost_0)
        for unit in range(on.shape[1]):
            was_on = before[unit] if hour == 0 else on[hour - 1, unit]
            if on[hour, unit] and not was_on:
                total += start_usd[unit]
    return total


@kernel
def _hour_usd(load_mw, reserve_share, cap_usd, on, p_min, p_max, cost_2, cost_1, cost_0):  # type: ignore[no-untyped-def]
    """What an hour costs with those units on: fuel, what is missing or too much, and missing reserve."""
    low, high = np.where(on, p_min, 0.0), np.where(on, p_max, 0.0)
    p_mw, _ = dispatch(load_mw, low, high, cost_1, cost_2)
    usd = 0.0
    for k in range(on.shape[0]):
        if on[k]:
            usd += cost_2[k] * p_mw[k] ** 2 + cost_1[k] * p_mw[k] + cost_0[k]
    capacity = high.sum()
    unserved, surplus = max(load_mw - capacity, 0.0), max(low.sum() - load_mw, 0.0)
    short = max(load_mw * (1.0 + reserve_share) - max(capacity, load_mw), 0.0)
    return usd + cap_usd * (unserved + surplus + _RESERVE_PART * short)


@kernel
def _cheapest(hour_usd, start_usd, up_h, down_h, before, since_h):  # type: ignore[no-untyped-def]
    """The cheapest schedule of one unit that keeps its minimum times, and its cost.

    Its state is how long it has been off (0 to down_h - 1: hours less one) or on (down_h and beyond), the last of each meaning
    that long or longer.
    """
    hours, states = hour_usd.shape[0], down_h + up_h
    cost = np.full((hours + 1, states), np.inf)
    came = np.zeros((hours + 1, states), dtype=np.int64)
    first = down_h + min(since_h, up_h) - 1 if before else min(since_h, down_h) - 1
    cost[0, first] = 0.0
    for hour in range(hours):
        for state in range(states):
            if cost[hour, state] == np.inf:
                continue
            is_on = state >= down_h
            stays = min(state + 1, states - 1) if is_on else min(state + 1, down_h - 1)
            here = cost[hour, state]
            if here + hour_usd[hour, int(is_on)] < cost[hour + 1, stays]:
                cost[hour + 1, stays] = here + hour_usd[hour, int(is_on)]
                came[hour + 1, stays] = state
            if is_on and state == states - 1 and here + hour_usd[hour, 0] < cost[hour + 1, 0]:
                cost[hour + 1, 0] = here + hour_usd[hour, 0]
                came[hour + 1, 0] = state
            if not is_on and state == down_h - 1 and here + hour_usd[hour, 1] + start_usd < cost[hour + 1, down_h]:
                cost[hour + 1, down_h] = here + hour_usd[hour, 1] + start_usd
                came[hour + 1, down_h] = state
    schedule = np.zeros(hours, dtype=np.bool_)
    state = int(np.argmin(cost[hours]))
    least = cost[hours, state]
    for hour in range(hours, 0, -1):
        schedule[hour - 1] = state >= down_h
        state = came[hour, state]
    return schedule, least


@kernel
def _cheapest_pair(both_usd, start_usd, up_h, down_h, before, since_h):  # type: ignore[no-untyped-def]
    """The cheapest schedules of two units together, (hours, 2), and their cost; states as in `_cheapest`."""
    hours = both_usd.shape[0]
    states = down_h + up_h
    cost = np.full((hours + 1, states[0], states[1]), np.inf)
    came = np.zeros((hours + 1, states[0], states[1], 2), dtype=np.int64)
    first = np.empty(2, dtype=np.int64)
    for k in range(2):
        first[k] = down_h[k] + min(since_h[k], up_h[k]) - 1 if before[k] else min(since_h[k], down_h[k]) - 1
    cost[0, first[0], first[1]] = 0.0
    for hour in range(hours):
        for one in range(states[0]):
            for two in range(states[1]):
                here = cost[hour, one, two]
                if here == np.inf:
                    continue
                for choice in range(4):
                    one_on, two_on = choice // 2, choice % 2
                    next_one = _next(one, one_on, up_h[0], down_h[0])
                    next_two = _next(two, two_on, up_h[1], down_h[1])
                    if next_one < 0 or next_two < 0:
                        continue
                    usd = here + both_usd[hour, one_on, two_on]
                    usd += start_usd[0] * (one_on == 1 and one < down_h[0]) + start_usd[1] * (
                        two_on == 1 and two < down_h[1]
                    )
                    if usd < cost[hour + 1, next_one, next_two]:
                        cost[hour + 1, next_one, next_two] = usd
                        came[hour + 1, next_one, next_two, 0], came[hour + 1, next_one, next_two, 1] = one, two
    schedules = np.zeros((hours, 2), dtype=np.bool_)
    one, two, least = 0, 0, np.inf
    for last_one in range(states[0]):
        for last_two in range(states[1]):
            if cost[hours, last_one, last_two] < least:
                one, two, least = last_one, last_two, cost[hours, last_one, last_two]
    for hour in range(hours, 0, -1):
        schedules[hour - 1, 0], schedules[hour - 1, 1] = one >= down_h[0], two >= down_h[1]
        one, two = came[hour, one, two, 0], came[hour, one, two, 1]
    return schedules, least


@kernel
def _next(state, on, up_h, down_h):  # type: ignore[no-untyped-def]
    """A unit's state after an hour on or off, -1 if a minimum time forbids it."""
    if state >= down_h:
        if on == 1:
            return min(state + 1, down_h + up_h - 1)
        return 0 if state == down_h + up_h - 1 else -1
    if on == 1:
        return down_h if state == down_h - 1 else -1
    return min(state + 1, down_h - 1)


@kernel
def _lacks(needed_mw, on, p_min, p_max):  # type: ignore[no-untyped-def]
    """Whether in some hour those that are on give less, or cannot give as little, as is needed."""
    for hour in range(on.shape[0]):
        low, high = np.where(on[hour], p_min, 0.0).sum(), np.where(on[hour], p_max, 0.0).sum()
        if low > needed_mw[hour] + 1e-9 or high < needed_mw[hour] - 1e-9:
            return True
    return False


@kernel
def _schedule_usd(hour_usd, schedule, start_usd, up_h, down_h, before, since_h):  # type: ignore[no-untyped-def]
    """What a unit's schedule costs; infinite where it breaks a minimum time."""
    state, since, usd = before, since_h, 0.0
    for hour in range(schedule.shape[0]):
        if schedule[hour] != state:
            if since < (up_h if state else down_h):
                return np.inf
            state, since = schedule[hour], 0
            if state:
                usd += start_usd
        since += 1
        usd += hour_usd[hour, int(state)]
    return usd

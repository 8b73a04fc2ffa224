"""Water filling for many devices that follow one plan: the levels of `heptagrid.world.water_filling.fill`, to the last bit, in a tenth of the time.

What all slots of a plan take below a level is a line with a bend at each slot's signal and another where the slot is full. It is made once for all devices;
then a level's neighbourhood is looked up, and `fill` is followed with a sum over the slots only where the line cannot tell whether the level is enough.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.compiled.kernel import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_HALVINGS = 48  # as in `fill`
_CLOSE = 1e-8  # as in `fill`
_ROUNDING = 16.0 * 2.3e-16  # of a sum, for each slot and each kW of what is added, with room to spare


class Lines(NamedTuple):
    """What the slots that are left of each plan take below a level: bends, (plans, 2 slots), and the sum there in kW; of the slots, from which one on.

    margin_kw: (plans,) by how much a sum over the slots may differ from the line. known: (plans, 2, 2) need and level that were asked for last, of filling and of shaving.
    """

    level: Floats
    taken_kw: Floats
    first: Ints
    slots: Ints
    lowest: Floats
    highest: Floats
    margin_kw: Floats
    known: Floats

    @classmethod
    def of(cls, plans: int, slots: int) -> Lines:
        """For so many plans of so many slots; none is drawn yet."""
        bends, each = (plans, 2 * slots), (plans,)
        counts = np.full(plans, -1, dtype=np.int64), np.zeros(plans, dtype=np.int64)
        known = np.full((plans, 2, 2), np.nan)
        return cls(np.zeros(bends), np.zeros(bends), *counts, np.zeros(each), np.zeros(each), np.zeros(each), known)


@kernel
def draw_line(lines: Lines, row: int, signal: Floats, first: int, last: int, p_max: float) -> None:
    """Draw the line of a plan for its slots first..last, each of which takes up to p_max."""
    ascending = np.sort(signal[first:last])
    count = len(ascending)
    level, taken = lines.level[row], lines.taken_kw[row]
    begun = full = slope = 0
    for k in range(2 * count):
        if begun < count and ascending[begun] <= ascending[full] + p_max:
            level[k] = ascending[begun]
            turn = 1
            begun += 1
        else:
            level[k] = ascending[full] + p_max
            turn = -1
            full += 1
        taken[k] = taken[k - 1] + slope * (level[k] - level[k - 1]) if k > 0 else 0.0
        slope += turn
    lines.first[row], lines.slots[row], lines.known[row] = first, last, np.nan
    lines.lowest[row], lines.highest[row] = ascending[0], ascending[count - 1]
    greatest = max(abs(ascending[0]), abs(ascending[count - 1])) + count * p_max
    lines.margin_kw[row] = _ROUNDING * count * greatest


@kernel(inline=True, allocates=False)
def _bend_below(taken, bends, wanted_kw):  # type: ignore[no-untyped-def]
    """The last bend, but for the very last, at which less is taken than `wanted_kw`; the first one if there is none."""
    low, high = 0, bends - 1
    while high - low > 1:
        middle = (low + high) >> 1
        is_less = taken[middle] < wanted_kw
        low, high = (middle if is_less else low), (high if is_less else middle)
    return low


@kernel(inline=True, allocates=False)
def _reaches(level, taken, bends, near, wanted_kw):  # type: ignore[no-untyped-def]
    """The least level at which `wanted_kw` are taken; infinite where it is more than all can take, and below all for nothing. near: a bend to look at first."""
    if wanted_kw <= 0.0:
        return -np.inf
    if wanted_kw > taken[bends - 1]:
        return np.inf
    low = near if taken[near] < wanted_kw <= taken[near + 1] else _bend_below(taken, bends, wanted_kw)
    rise = taken[low + 1] - taken[low]
    return level[low] + (level[low + 1] - level[low]) * ((wanted_kw - taken[low]) / rise)


@kernel(allocates=False)
def _takes(signal, first, last, sign, p_max, middle):  # type: ignore[no-untyped-def]
    """The sum as `fill` makes it."""
    total = 0.0
    for k in range(first, last):
        total += min(max(sign * (middle - signal[k]), 0.0), p_max)
    return total


@kernel(inline=True, allocates=False)
def _stretch(lines, row, need_kwh, sign, p_max, slot_h):  # type: ignore[no-untyped-def]
    """The levels between which `fill` looks, and from which and up to which the line cannot tell whether one is enough."""
    first, last = lines.first[row], lines.slots[row]
    bends = 2 * (last - first)
    margin = lines.margin_kw[row]
    low, high = lines.lowest[row], lines.highest[row]
    if sign > 0:
        high = high + p_max
        wanted, moved = need_kwh / slot_h, 0.0
    else:  # what is taken above a level is all that can be, less what is taken below the level by p_max higher
        low = low - p_max
        wanted, moved = (last - first) * p_max - need_kwh / slot_h, p_max
    level, taken = lines.level[row], lines.taken_kw[row]
    near = _bend_below(taken, bends, wanted)
    below = _reaches(level, taken, bends, near, wanted - margin) - moved
    above = _reaches(level, taken, bends, near, wanted + margin) - moved
    return low, high, below, above


@kernel(allocates=False)
def level_of(lines, row, signal, need_kwh, sign, p_max, slot_h):  # type: ignore[no-untyped-def]
    """`fill` of the whole slots for which the plan's line was drawn."""
    known = lines.known[row, 0 if sign > 0 else 1]
    if need_kwh == known[0]:
        return known[1]
    first, last = lines.first[row], lines.slots[row]
    low, high, below, above = _stretch(lines, row, need_kwh, sign, p_max, slot_h)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if middle < below:
            is_high = False
        elif middle >= above:
            is_high = True
        else:
            enough = _takes(signal, first, last, sign, p_max, middle) * slot_h >= need_kwh
            is_high = enough == (sign > 0)
        high = middle if is_high else high
        low = low if is_high else middle
        if high - low < _CLOSE:
            break
    known[0], known[1] = need_kwh, high if sign > 0 else low
    return known[1]


@kernel(allocates=False)
def levels_of(lines, row, signal, room_kwh, held_kwh, p_max, slot_h):  # type: ignore[no-untyped-def]
    """`level_of` what can be taken and what can be given: both at once, as if the line could always tell, and anew where it could not.

    Which half it is is multiplied, not branched upon, since a processor would guess wrong every other time.
    """
    low, high, below, above = _stretch(lines, row, room_kwh, 1, p_max, slot_h)
    under, over, under_below, over_above = _stretch(lines, row, held_kwh, -1, p_max, slot_h)
    unclear = give_unclear = False
    before = _CLOSE
    for _ in range(_HALVINGS):
        middle, between = 0.5 * (low + high), 0.5 * (under + over)
        unclear |= (middle >= below) & (middle < above)
        give_unclear |= (between >= under_below) & (between < over_above)
        is_high, is_over = 1.0 * (middle >= above), 1.0 * (between >= over_above)
        is_low, is_under = 1.0 - is_high, 1.0 - is_over
        before = over - under
        low, high = is_high * low + is_low * middle, is_high * middle + is_low * high
        under, over = is_over * under + is_under * between, is_over * between + is_under * over
        if high - low < _CLOSE:
            break
    if unclear:
        high = level_of(lines, row, signal, room_kwh, 1, p_max, slot_h)
    if give_unclear or before < _CLOSE or over - under >= _CLOSE:
        under = level_of(lines, row, signal, held_kwh, -1, p_max, slot_h)
    return high, under

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

    margin_kw: (plans,) by how much a sum over the slots may differ from the line.
    """

    level: Floats
    taken_kw: Floats
    first: Ints
    slots: Ints
    lowest: Floats
    highest: Floats
    margin_kw: Floats

    @classmethod
    def of(cls, plans: int, slots: int) -> Lines:
        """For so many plans of so many slots; none is drawn yet."""
        bends, each = (plans, 2 * slots), (plans,)
        counts = np.full(plans, -1, dtype=np.int64), np.zeros(plans, dtype=np.int64)
        return cls(np.zeros(bends), np.zeros(bends), *counts, np.zeros(each), np.zeros(each), np.zeros(each))


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
    lines.first[row], lines.slots[row] = first, last
    lines.lowest[row], lines.highest[row] = ascending[0], ascending[count - 1]
    greatest = max(abs(ascending[0]), abs(ascending[count - 1])) + count * p_max
    lines.margin_kw[row] = _ROUNDING * count * greatest


@kernel(inline=True, allocates=False)
def _reaches(level, taken, bends, wanted_kw):  # type: ignore[no-untyped-def]
    """The least level at which `wanted_kw` are taken; infinite where it is more than all can take, and below all for nothing."""
    if wanted_kw <= 0.0:
        return -np.inf
    if wanted_kw > taken[bends - 1]:
        return np.inf
    low, high = 0, bends - 1  # taken[low] < wanted_kw <= taken[high]
    while high - low > 1:
        middle = (low + high) >> 1
        if taken[middle] < wanted_kw:
            low = middle
        else:
            high = middle
    rise = taken[high] - taken[low]
    return level[low] + (level[high] - level[low]) * ((wanted_kw - taken[low]) / rise)


@kernel(allocates=False)
def _takes(signal, first, last, sign, p_max, middle):  # type: ignore[no-untyped-def]
    """The sum as `fill` makes it."""
    total = 0.0
    for k in range(first, last):
        total += min(max(sign * (middle - signal[k]), 0.0), p_max)
    return total


@kernel(allocates=False)
def level_of(lines, row, signal, need_kwh, sign, p_max, slot_h):  # type: ignore[no-untyped-def]
    """`fill` of the whole slots for which the plan's line was drawn."""
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
    below = _reaches(lines.level[row], lines.taken_kw[row], bends, wanted - margin) - moved
    above = _reaches(lines.level[row], lines.taken_kw[row], bends, wanted + margin) - moved
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
    return high if sign > 0 else low

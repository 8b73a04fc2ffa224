"""Water filling: spend a given energy where a signal is low, as flat as the limits allow.

The power p_t = clip(level - s_t, 0, p_max) minimises sum of (s_t p_t + p_t^2 / 2) for the energy it spends
(Boyd and Vandenberghe, Convex Optimization, section 5.5.3). The same rule upside down shaves
peaks. Devices use it, and the aggregator when it foresees what they will do.
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel

_HALVINGS = 48


@kernel
def fill(signal, first, last, first_share, need_kwh, sign, p_max, slot_h):  # type: ignore[no-untyped-def]
    """The level at which the slots first..last take `need_kwh`, or the highest one that changes anything.

    signal: (slots,) in kW. sign: +1 fills low slots (power where the signal is below the level), -1 shaves
    peaks (power where it is above). first_share: part of the first slot that is left. slot_h: a slot's hours.

    The level is found by halving. Slots that take nothing at any level that is still possible are left out of the sums, which they would not
    change in any bit; they are most of them where the need is small.
    """
    low = signal[first]
    high = signal[first]
    for k in range(first, last):
        low, high = min(low, signal[k]), max(high, signal[k])
    if sign > 0:
        low, high = low, high + p_max
    else:
        low, high = low - p_max, high
    slots = np.arange(first, last)
    count = len(slots)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        total = 0.0
        for n in range(count):
            k = slots[n]
            p = min(max(sign * (middle - signal[k]), 0.0), p_max)
            total += p * (first_share if k == first else 1.0)
        enough = total * slot_h >= need_kwh
        if enough == (sign > 0):
            high = middle
        else:
            low = middle
        if high - low < 1e-8:
            break
        if enough:
            kept = 0
            for n in range(count):
                k = slots[n]
                if signal[k] < high if sign > 0 else signal[k] > low:
                    slots[kept] = k
                    kept += 1
            count = kept
    return high if sign > 0 else low

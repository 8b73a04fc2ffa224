"""Dispatch: an hour's demand goes to where it costs least (equal incremental cost; Wood and Wollenberg, Power Generation,
Operation and Control, chapter 3).
"""

from __future__ import annotations

import numpy as np

from heptagrid.foundation.compiled.kernel import kernel


@kernel
def dispatch(load_mw, low_mw, high_mw, cost_1, cost_2):  # type: ignore[no-untyped-def]
    """Least-cost outputs within bounds that sum to the load, and the price of the last MW in USD/MWh.

    A load beyond the bounds gets the bounds.
    """
    units = low_mw.shape[0]
    cheap, dear = np.inf, -np.inf
    for k in range(units):
        if high_mw[k] > 0.0:
            cheap = min(cheap, cost_1[k] + 2.0 * cost_2[k] * low_mw[k])
            dear = max(dear, cost_1[k] + 2.0 * cost_2[k] * high_mw[k])
    below, above = cheap - 1.0, dear + 1.0
    least, most = np.empty(units), np.empty(units)
    _at_price(below, low_mw, high_mw, cost_1, cost_2, least)
    _at_price(above, low_mw, high_mw, cost_1, cost_2, most)
    if load_mw <= least.sum():
        return least, cheap
    if load_mw >= most.sum():
        return most, dear
    middle = np.empty(units)
    for _ in range(60):
        price = 0.5 * (below + above)
        _at_price(price, low_mw, high_mw, cost_1, cost_2, middle)
        if middle.sum() >= load_mw:
            above = price
            most[:] = middle
        else:
            below = price
            least[:] = middle
        if above - below < 1e-10:
            break
    part = (load_mw - least.sum()) / (most.sum() - least.sum())
    return least + part * (most - least), above


@kernel
def _at_price(price, low_mw, high_mw, cost_1, cost_2, p_mw):  # type: ignore[no-untyped-def]
    for k in range(low_mw.shape[0]):
        if cost_2[k] > 0.0:
            wanted = (price - cost_1[k]) / (2.0 * cost_2[k])
        else:
            wanted = np.inf if price > cost_1[k] else -np.inf
        p_mw[k] = min(max(wanted, low_mw[k]), high_mw[k])

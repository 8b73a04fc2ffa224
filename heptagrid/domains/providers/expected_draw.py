"""What enrolled devices with a known need will draw: each class fills the low hours of the load that it sees.

The classes come one after another, and each sees what those before it are expected to draw. Both an aggregator, of the devices
that it controls, and a retailer, of its own customers' devices that aggregators control, foresee it so from contract data.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from heptagrid.world.registrations import Enrolled

Floats = npt.NDArray[np.float64]


def expected_draw(
    enrolled: Mapping[str, Enrolled], load_kw: Floats, local_hour: Floats
) -> tuple[Floats, dict[str, Floats]]:
    """What all classes with a known need will take, (slots,) in kW, and the load that each of them sees, by class.

    load_kw, local_hour : (slots,) the load without them, and the local hour of each slot.
    """
    expected_kw, seen_kw = np.zeros_like(load_kw), {}
    for name, one in enrolled.items():
        if one.need is not None:
            seen_kw[name] = load_kw + expected_kw
            need_kwh = len(one.customers) * one.need.kwh_per_day
            expected_kw = expected_kw + _filling_kw(seen_kw[name], one.need.is_open(local_hour), need_kwh)
    return expected_kw, seen_kw


def _filling_kw(seen_kw: Floats, is_open: npt.NDArray[np.bool_], need_kwh: float) -> Floats:
    """The power that makes the load as even as it can be made with that energy in the open slots, (slots,)."""
    if not is_open.any() or need_kwh == 0.0:
        return np.zeros_like(seen_kw)
    ordered = np.sort(seen_kw[is_open])
    filled_kwh = np.arange(1, len(ordered) + 1) * ordered / 4.0 - np.cumsum(ordered) / 4.0
    slots = max(int(np.searchsorted(filled_kwh, need_kwh)), 1)
    level_kw = (need_kwh * 4.0 + ordered[:slots].sum()) / slots
    return np.where(is_open, np.maximum(level_kw - seen_kw, 0.0), 0.0)

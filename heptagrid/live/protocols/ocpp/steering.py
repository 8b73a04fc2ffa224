"""What the grid asks of the vehicle in whose place a real charger is: relief, others' set-points, or the aggregator's plan.

A simulated vehicle knows what it needs and when it leaves; of a real one the aggregator only knows what it foresees of any vehicle, and what this one has drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.time import NS_PER_QUARTER

Floats = npt.NDArray[np.float64]

QUARTER_H = 0.25
MORE_H = 1.0
"""Of charging at full power that a vehicle is taken to need beyond what was foreseen, while it still charges: assumption."""
_HALVINGS = 40


@dataclass(frozen=True)
class Limit:
    """The highest power from each begin to the next, and the last until `until_ns`; simulated."""

    begin_ns: tuple[int, ...]
    kw: tuple[float, ...]
    until_ns: int


@dataclass(frozen=True)
class Plan:
    """What the aggregator last sent vehicles. signal_kw: by quarter hours from `first_quarter` on, low where it wants power drawn. valid_quarters: until it lapses."""

    first_quarter: int
    signal_kw: Floats
    valid_quarters: int


def constant(kw: float, now_ns: int, until_ns: int) -> Limit:
    """The same from now on."""
    return Limit((now_ns,), (kw,), until_ns)


def planned(plan: Plan, now_ns: int, leaves_ns: int, need_kwh: float, rated_kw: float) -> Limit | None:
    """What a vehicle draws that needs so much until it leaves and follows the plan, as long as that is valid; None if it no longer is.

    As simulated vehicles do it: p = clip(level - signal, 0, rated), at the level that spends the need (`heptagrid.world.water_filling`).
    """
    quarter = now_ns // NS_PER_QUARTER
    until = min(plan.first_quarter + plan.valid_quarters, plan.first_quarter + len(plan.signal_kw))
    if not plan.first_quarter <= quarter < until:
        return None
    first = quarter - plan.first_quarter
    last = min(max(leaves_ns // NS_PER_QUARTER - plan.first_quarter, first + 1), len(plan.signal_kw))
    ahead = plan.signal_kw[first:last]
    share = np.ones(len(ahead))
    share[0] = 1.0 - (now_ns % NS_PER_QUARTER) / NS_PER_QUARTER
    kw = np.clip(_level(ahead, share, need_kwh, rated_kw) - ahead, 0.0, rated_kw)[: until - quarter]
    begins = [now_ns, *((quarter + k) * NS_PER_QUARTER for k in range(1, len(kw)))]
    return _joined(begins, kw.tolist(), (quarter + len(kw)) * NS_PER_QUARTER)


def _level(signal: Floats, share: Floats, need_kwh: float, rated_kw: float) -> float:
    low, high = float(signal.min()), float(signal.max()) + rated_kw
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        spent_kwh = float((np.clip(middle - signal, 0.0, rated_kw) * share).sum()) * QUARTER_H
        low, high = (low, middle) if spent_kwh >= need_kwh else (middle, high)
    return high


def _joined(begins: Sequence[int], kw: Sequence[float], until_ns: int) -> Limit:
    """Without begins at which nothing changes; to the tenth of a kilowatt, for the need is not known better."""
    rounded = [round(one, 1) for one in kw]
    kept = [k for k in range(len(rounded)) if k == 0 or rounded[k] != rounded[k - 1]]
    return Limit(tuple(begins[k] for k in kept), tuple(rounded[k] for k in kept), until_ns)

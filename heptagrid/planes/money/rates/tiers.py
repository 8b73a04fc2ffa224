"""Tiers: the first units of a month cost one price, those beyond a limit another.

A limit is in kWh a month, in kWh for each day of it, or in kWh for each kW of the month's billed demand (hours of use).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from heptagrid.foundation.calendar import Floats, Ints
from heptagrid.foundation.compiled.kernel import kernel
from heptagrid.planes.money.rates.use import Energies

NO_LIMIT = float("inf")


class Unit(Enum):
    """What a tier's limit is in, spelled as in OpenEI's rates."""

    KWH = "kWh"
    KWH_DAILY = "kWh daily"
    KWH_PER_KW = "kWh/kW"
    KWH_PER_KW_DAILY = "kWh/kW daily"
    KW = "kW"

    @property
    def is_daily(self) -> bool:
        return self in (Unit.KWH_DAILY, Unit.KWH_PER_KW_DAILY)

    @property
    def is_per_kw(self) -> bool:
        return self in (Unit.KWH_PER_KW, Unit.KWH_PER_KW_DAILY)


@dataclass(frozen=True)
class Tier:
    """price: of a unit up to the limit `up_to`, beyond the tier before. sell: what a kWh fed in earns, where the rate's rule asks for it."""

    price: float
    up_to: float = NO_LIMIT
    unit: Unit = Unit.KWH
    sell: float = 0.0


Tiers = tuple[Tier, ...]


def limits(tiers: Sequence[Tier], days: Floats, billed_kw: Floats | None, customers: int) -> Floats:
    """(tiers, months, customers) each tier's upper limit in kWh of the month, never below the tier's before; the last has none.

    Where limits by demand and in kWh stand among one another, a tier in kWh ends with the block by demand that it stands in: so each block's
    steps of kWh end at the block's limit (Georgia Power's "hours use of demand").

    days : (months,). billed_kw : (months, customers), where a limit is by demand.
    """
    shape = (len(days), customers)
    found = np.empty((len(tiers), *shape))
    for k, tier in enumerate(tiers):
        scale = np.ones(shape)
        if tier.unit.is_daily:
            scale = scale * days[:, np.newaxis]
        if tier.unit.is_per_kw and billed_kw is not None:
            scale = scale * billed_kw
        found[k] = NO_LIMIT if tier.up_to == NO_LIMIT else tier.up_to * scale
    if any(one.unit.is_per_kw for one in tiers) and any(not one.unit.is_per_kw for one in tiers):
        found = _in_blocks(tiers, found)
    found[-1] = NO_LIMIT
    return np.maximum.accumulate(found, axis=0)


def _in_blocks(tiers: Sequence[Tier], found: Floats) -> Floats:
    """A tier by demand that steps in kWh follow (other than the last tier) opens a block: it takes nothing itself, and limits its steps."""
    block = np.full(found.shape[1:], NO_LIMIT)
    for k, tier in enumerate(tiers):
        if tier.unit.is_per_kw:
            block = found[k].copy()
            if k + 2 < len(tiers) and not tiers[k + 1].unit.is_per_kw:
                found[k] = 0.0
        else:
            found[k] = np.minimum(found[k], block)
    return found


def shares(total: Floats, upper: Floats) -> Floats:
    """(tiers, ...) how much of a total lies in each tier, from their upper limits, (tiers, ...)."""
    reached = np.minimum(total, upper)
    return np.diff(reached, axis=0, prepend=np.zeros((1, *total.shape)))


def split_in_proportion(kwh: Floats, upper: Floats) -> Floats:
    """(tiers, months, periods, customers) of a month's energies, (months, periods, customers).

    The month's total is set against the limits; each period has its part of each tier.
    """
    total = kwh.sum(axis=1)
    part = kwh / np.where(total > 0.0, total, 1.0)[:, np.newaxis]
    return shares(total, upper)[:, :, np.newaxis] * part


def split_in_time(energies: Energies, month: Ints, period: Ints, shape: tuple[int, int], upper: Floats) -> Floats:
    """(tiers, months, periods, customers) of energies by slot: a kWh's tier is what the month had come to when it was used.

    shape: months and periods.
    """
    months, periods = shape
    split = _split(energies, month, period, np.ascontiguousarray(upper), months, periods)
    return np.asarray(split)


@kernel
def _split(energies, month, period, upper, months, periods):  # type: ignore[no-untyped-def]
    slots, customers = energies.shape
    tiers = upper.shape[0]
    split = np.zeros((tiers, months, periods, customers))
    for j in range(customers):
        total, tier, last = 0.0, 0, -1
        for k in range(slots):
            m = month[k]
            if m != last:
                total, tier, last = 0.0, 0, m
            left = float(energies[k, j])
            while left > 0.0:
                room = upper[tier, m, j] - total
                if left <= room or tier == tiers - 1:
                    split[tier, m, period[k], j] += left
                    total += left
                    left = 0.0
                else:
                    room = max(room, 0.0)
                    split[tier, m, period[k], j] += room
                    total += room
                    left -= room
                    tier += 1
    return split

"""Interruptions by customers' class and by how long they lasted, in one arm over one span."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from heptagrid.planes.money.benefits.observed import Outage

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

UP_TO_H = (1.0, 4.0, np.inf)
"""Ends of the classes of duration: a customer's time without supply over the span."""


def outage_table(off_s: Floats, unserved_kwh: Floats, is_household: Bools) -> tuple[Outage, ...]:
    """What was not served, by class and duration; combinations in which nobody was interrupted are left out.

    off_s, unserved_kwh, is_household : (customers,) time without supply, energy not drawn for it, class
    """
    duration = np.searchsorted(UP_TO_H, off_s / 3600.0)
    rows = []
    for name, of_class in (("households", is_household), ("others", ~is_household)):
        for k, up_to_h in enumerate(UP_TO_H):
            who = of_class & (off_s > 0.0) & (duration == k)
            if who.any():
                minutes, mwh = float(off_s[who].sum()) / 60.0, float(unserved_kwh[who].sum()) / 1000.0
                rows.append(Outage(name, up_to_h, int(who.sum()), minutes, mwh))
    return tuple(rows)


def joined(tables: Iterable[Iterable[Outage]]) -> tuple[Outage, ...]:
    """Tables of several spans as one: customers, minutes and energies added."""
    sums: dict[tuple[str, float], Outage] = {}
    for one in (each for table in tables for each in table):
        before = sums.get((one.customer_class, one.up_to_h), Outage(one.customer_class, one.up_to_h, 0, 0.0, 0.0))
        sums[one.customer_class, one.up_to_h] = Outage(
            one.customer_class,
            one.up_to_h,
            before.customers + one.customers,
            before.customer_minutes + one.customer_minutes,
            before.not_served_mwh + one.not_served_mwh,
        )
    return tuple(sums[key] for key in sorted(sums))

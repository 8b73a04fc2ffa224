"""What generation pays for the fuel that the towns cost: of the fleet dispatched at least cost with it, and without it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.payments import PaidDays, Payments
from heptagrid.foundation.time import NS_PER_HOUR, Step
from heptagrid.planes.money import postings
from heptagrid.planes.money.markets.dispatch import dispatch
from heptagrid.planes.money.upkeep import PAY_HOUR
from heptagrid.world.bulk import BulkUnits

EVERY_NS = 300_000_000_000  # as often as the fleet is dispatched

Floats = npt.NDArray[np.float64]


class Fleet(Protocol):
    """Whose fuel it is: which units are on."""

    units: BulkUnits
    on: npt.NDArray[np.bool_]


class Fuel:
    """Adds up a day's fuel, and pays for it an hour after the day's end."""

    def __init__(self, eur_per_usd: float, days: PaidDays, payments: Payments) -> None:
        self._eur_per_usd, self._days, self._payments = eur_per_usd, days, payments
        self._spent_usd, self._whole_day_usd = np.zeros(2), np.zeros(2)

    def work(self, step: Step, fleet: Fleet, output_mw: float, town_mw: float) -> None:
        """Take in a step in which the fleet gave `output_mw`, of which the towns took `town_mw`; pay when it is time."""
        if step.start_ns % EVERY_NS == 0:
            length_h = max(EVERY_NS, step.end_ns - step.start_ns) / NS_PER_HOUR
            self._spent_usd += self._usd_per_h(fleet, output_mw, town_mw) * length_h
        if step.ends_day:
            self._whole_day_usd, self._spent_usd = self._spent_usd, np.zeros(2)
        dates = self._days.yesterday(step)
        if dates is not None and step.passes_hour(PAY_HOUR):
            with_town, without_town = self._whole_day_usd * self._eur_per_usd
            postings.pay_fuel(self._payments, with_town, without_town, dates)

    def _usd_per_h(self, fleet: Fleet, load_mw: float, town_mw: float) -> Floats:
        """Cost of the units that are on, dispatched at least cost, with the town and without it."""
        units, on = fleet.units, fleet.on
        low, high = np.where(on, units.p_min_mw, 0.0), np.where(on, units.p_max_mw, 0.0)
        both = (dispatch(load, low, high, units.cost_1, units.cost_2)[0] for load in (load_mw, load_mw - town_mw))
        return np.array([units.cost_usd_per_h(p_mw, on) for p_mw in both])

"""What generation pays for the fuel that the towns cost: of the fleet as it runs, and of the fleet that gives so much less at least cost."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.payments import PaidDays, Payments
from heptagrid.foundation.time import NS_PER_HOUR, Step
from heptagrid.planes.money import postings
from heptagrid.planes.money.markets.dispatch import MeritOrder
from heptagrid.planes.money.upkeep import PAY_HOUR
from heptagrid.world.bulk import STORES, BulkUnits, UnitCosts

EVERY_NS = 300_000_000_000  # as often as the fleet is dispatched; between, what it burns is taken to stay

Floats = npt.NDArray[np.float64]


class Fleet(Protocol):
    """Whose fuel it is: its units, and between what each can give now."""

    units: BulkUnits

    def range_mw(self) -> tuple[Floats, Floats]: ...


class Fuel:
    """Adds up a day's fuel, and pays for it an hour after the day's end.

    emitted_t: (2,) carbon dioxide of the fleet since the beginning, with the towns and without.
    """

    def __init__(self, costs: UnitCosts, merit_order: MeritOrder, days: PaidDays, payments: Payments) -> None:
        self.emitted_t = np.zeros(2)
        self._costs, self._merit_order, self._days, self._payments = costs, merit_order, days, payments
        self._spent_eur, self._whole_day_eur = np.zeros(2), np.zeros(2)
        self._looked, self._rates = -1, (np.zeros(2), np.zeros(2))  # an hour, as last looked at

    def work(self, step: Step, fleet: Fleet, output_mw: Floats, town_mw: float) -> None:
        """Take in a step in which the fleet gave `output_mw`, (units,), of which the towns took `town_mw`; pay when it is time."""
        if step.start_ns // EVERY_NS != self._looked:
            self._looked = step.start_ns // EVERY_NS
            self._rates = self._per_h(fleet, output_mw, town_mw)
        length_h = (step.end_ns - step.start_ns) / NS_PER_HOUR
        self._spent_eur += self._rates[0] * length_h
        self.emitted_t += self._rates[1] * length_h
        if step.ends_day:
            self._whole_day_eur, self._spent_eur = self._spent_eur, np.zeros(2)
        dates = self._days.yesterday(step)
        if dates is not None and step.passes_hour(PAY_HOUR):
            with_town, without_town = self._whole_day_eur
            postings.pay_fuel(self._payments, with_town, without_town, dates)

    def _per_h(self, fleet: Fleet, output_mw: Floats, town_mw: float) -> tuple[Floats, Floats]:
        """EUR and tonnes an hour of the units that are on, with the towns and without, (2,) each."""
        low, high = fleet.range_mw()
        high = np.where(np.isin(fleet.units.kind, STORES), output_mw, high)  # what is stored is scheduled
        without = self._merit_order.moved(output_mw, -town_mw, low, high)
        least = fleet.units.p_min_mw
        both = [self._costs.per_h(one, least) for one in (output_mw, without)]
        return np.array([one[0] for one in both]), np.array([one[1] for one in both])

"""Energy charges: a price for each kWh by period of the day and year, and by tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from heptagrid.foundation.calendar import Floats
from heptagrid.planes.money.rates.demand import Demand
from heptagrid.planes.money.rates.line import Line
from heptagrid.planes.money.rates.schedule import Schedule
from heptagrid.planes.money.rates.tiers import NO_LIMIT, Tier, Tiers, limits, split_in_proportion, split_in_time
from heptagrid.planes.money.rates.use import Use


@dataclass(frozen=True)
class Energy:
    """periods: the tiers of each period. names: of the periods. billing_demand: what limits by demand refer to (None: the month's peak).

    adjustments: of every kWh, by month of the year, (12,), such as the fuel's. counted: how tiers and periods share a month. "in proportion": the month's total is set against the limits, and each period has its part of
    each tier; "in time": a kWh's tier is what the month had come to when it was used.
    """

    periods: tuple[Tiers, ...]
    schedule: Schedule
    names: tuple[str, ...] = ()
    billing_demand: Demand | None = None
    counted: Literal["in proportion", "in time"] = "in proportion"
    adjustments: tuple[float, ...] | None = None

    @staticmethod
    def flat(price: float, sell: float = 0.0) -> Energy:
        """One price at all times."""
        return Energy(((Tier(price, sell=sell),),), Schedule.always())

    @property
    def in_time(self) -> bool:
        """Whether tiers are counted in the order of time; without tiers, both come to the same."""
        return self.counted == "in time" and max(len(one) for one in self.periods) > 1

    def sums(self, use: Use, fed_in: bool = False) -> Floats:
        """What was taken (or fed in) by month and period, (months, periods, customers)."""
        return use.sums(self.schedule.of(use.calendar), len(self.periods), fed_in)

    def split(self, use: Use, kwh: Floats) -> list[list[Floats]]:
        """By period and tier, (months, customers) each, of energies (months, periods, customers)."""
        if all(len(one) == 1 for one in self.periods):
            return [[kwh[:, p]] for p in range(len(self.periods))]
        found: list[list[Floats]] = []
        for p, upper in enumerate(self._limits(use)):
            found.append(list(split_in_proportion(kwh, upper)[:, :, p]))
        return found

    def split_of_slots(self, use: Use, fed_in: bool = False) -> list[list[Floats]]:
        """As `split`, of what was taken (or fed in) slot by slot, tiers as `counted`."""
        if not self.in_time:
            return self.split(use, self.sums(use, fed_in))
        energies = use.export_kwh if fed_in else use.import_kwh
        shape = (use.months, len(self.periods))
        period = self.schedule.of(use.calendar)
        found: list[list[Floats]] = []
        for p, upper in enumerate(self._limits(use)):
            found.append(list(split_in_time(energies, use.calendar.month, period, shape, upper)[:, :, p]))
        return found

    def lines(self, use: Use, split: list[list[Floats]]) -> list[Line]:
        """A line for each period and tier of what is charged, as `split` gives it."""
        made = [
            Line("energy", self.name(p, k), split[p][k] * tier.price, split[p][k], "kWh", tier.price)
            for p, tiers in enumerate(self.periods)
            for k, tier in enumerate(tiers)
        ]
        if self.adjustments is not None:
            kwh = np.asarray(sum(part for parts in split for part in parts))
            price = np.array(self.adjustments)[use.calendar.month_of_year][:, np.newaxis]
            made.append(Line("energy", "fuel adjustment", kwh * price, kwh, "kWh"))
        return made

    def earned(self, split: list[list[Floats]]) -> Floats:
        """(months, customers) what energies earn at the tiers' selling prices."""
        parts = [split[p][k] * tier.sell for p, tiers in enumerate(self.periods) for k, tier in enumerate(tiers)]
        return np.asarray(sum(parts))

    def name(self, period: int, tier: int) -> str:
        """A line's name."""
        name = "energy"
        if self.names:
            name = f"energy, {self.names[period]}"
        elif len(self.periods) > 1:
            name = f"energy, period {period + 1}"
        tiers = self.periods[period]
        if len(tiers) == 1:
            return name
        upper = tiers[tier]
        return f"{name}, tier {tier + 1}" + (
            f" (up to {upper.up_to:g} {upper.unit.value})" if upper.up_to != NO_LIMIT else ""
        )

    def _limits(self, use: Use) -> list[Floats]:
        """(tiers, months, customers) of each period; alike periods share theirs."""
        kw = None
        if any(one.unit.is_per_kw for tiers in self.periods for one in tiers):
            kw = self._demand_kw(use)
        return [limits(tiers, use.calendar.days, kw, use.customers) for tiers in self.periods]

    def _demand_kw(self, use: Use) -> Floats:
        if self.billing_demand is not None:
            return np.asarray(self.billing_demand.billed_kw(use).max(axis=1))
        return use.peaks_kw(np.zeros(use.calendar.slots, dtype=np.int64), 1)[:, 0]

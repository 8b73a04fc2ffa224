"""What generation pays for the fuel that the towns cost, day after day, once a day has ended."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from heptagrid.foundation.beside import Promise, begin
from heptagrid.foundation.payments import PaidDays, Payments
from heptagrid.foundation.time import NS_PER_HOUR, Step
from heptagrid.planes.money import postings
from heptagrid.planes.money.markets.cost_of_towns import FleetDay, cost_of_towns
from heptagrid.planes.money.upkeep import PAY_HOUR
from heptagrid.world.bulk import BulkSystem, UnitCosts
from heptagrid.world.terminals import Terminals

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


class Fleet(Protocol):
    """Whose fuel it is: which of its units are on, and between what each can give now."""

    on: Bools

    def range_mw(self) -> tuple[Floats, Floats]: ...


class Fuel:
    """Follows a day's hours, and pays an hour after the day's end.

    What a day cost is found beside what follows it, for nobody asks before it is paid. town_bus: (towns,) positions of the buses that feed them. days_ended:
    how many have ended.
    """

    def __init__(
        self, system: BulkSystem, costs: UnitCosts, town_bus: Ints, days: PaidDays, payments: Payments
    ) -> None:
        self._reckoned: list[Promise[tuple[float, float]]] = []  # of each day that has ended
        self._burnt_t: list[float] = []
        self._system, self._costs, self._town_bus = system, costs, town_bus
        self._days, self._payments = days, payments
        self._hours: dict[int, _Hour] = {}

    @property
    def days_ended(self) -> int:
        """How many days have ended."""
        return len(self._reckoned)

    def emitted_t(self, days: int | None = None) -> Floats:
        """(2,) carbon dioxide of the fleet in the first days that have ended, of all without a number: with the towns as it ran, and without what they cost."""
        found = np.zeros(2)
        for burnt_t, cost in zip(self._burnt_t[:days], self._reckoned[:days], strict=True):
            found += (burnt_t, burnt_t - cost.result()[1])
        return found

    def work(self, step: Step, fleet: Fleet, terminals: Terminals) -> None:
        """Take in what units gave and loads took in a step; reckon at the day's end, and pay when it is time."""
        hour = step.start_ns // NS_PER_HOUR
        if hour not in self._hours:
            self._hours[hour] = _Hour()
        self._hours[hour].add(step.dt_s, fleet, terminals)
        if step.ends_day:
            self._reckon()
        dates = self._days.yesterday(step)
        if dates is not None and step.passes_hour(PAY_HOUR):
            whole_day_eur = self._reckoned[-1].result()[0] if self._reckoned else 0.0
            postings.pay_fuel(self._payments, whole_day_eur, dates)

    def _reckon(self) -> None:
        """What the day came to."""
        hours = [self._hours[one] for one in sorted(self._hours)]
        self._hours = {}
        day = FleetDay(
            on=np.stack([one.on for one in hours]),
            output_mw=np.stack([one.output_mws / one.seconds for one in hours]),
            low_mw=np.stack([one.low_mw for one in hours]),
            high_mw=np.stack([one.high_mw for one in hours]),
            rest_mw=np.stack([one.rest_mws / one.seconds for one in hours]),
            towns_mw=np.stack([one.towns_mws / one.seconds for one in hours]),
        )
        least_mw = self._system.units.p_min_mw
        self._burnt_t.append(sum(self._costs.per_h(hour_mw, least_mw)[1] for hour_mw in day.output_mw))
        self._reckoned.append(begin(cost_of_towns, self._system, self._costs, day, self._town_bus))


class _Hour:
    """Sums over an hour's steps, in MW and seconds; which units are on, and their bounds, as in its last step."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.output_mws: Floats | float = 0.0
        self.rest_mws: Floats | float = 0.0
        self.towns_mws: Floats | float = 0.0

    def add(self, dt_s: float, fleet: Fleet, terminals: Terminals) -> None:
        self.seconds += dt_s
        self.output_mws = self.output_mws + terminals.unit_output_mw * dt_s
        self.rest_mws = self.rest_mws + terminals.rest_load_mw * dt_s
        self.towns_mws = self.towns_mws + terminals.infeed_p_kw * (dt_s / 1000.0)
        self.on, (self.low_mw, self.high_mw) = fleet.on.copy(), fleet.range_mw()
